"""An edge node as a real process on a free port, and a browser-like client for its JSON interface."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from provisioning.launchers.ports import free_port
from sync.io.ids import new_id
from sync.messages.feed import Entity
from tests.kit.edge import OFFICE, SECRET, prepare
from tests.kit.plain_http import NO_TLS

START_S = 60
CSRF = f"vt_edge_{OFFICE}_csrf"


class EdgeProcess:
    """``python -m edge_node serve`` on a folder of its own."""

    def __init__(self, folder: Path, *, broker_port: int = 0) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = folder / "edge.toml"
        self.log = folder / "edge.log"
        self.config.write_text(_toml(folder, self.port, broker_port), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when the node is ready."""
        command = [sys.executable, "-m", "edge_node", "serve", "--config", str(self.config)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=_environment())
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.url}/health/ready", timeout=1).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.05)
        raise AssertionError(f"the node did not start:\n{self.log.read_text()}")

    def kill(self) -> None:
        """As a power cut would: no time for anything."""
        self._end(signal.SIGKILL)

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Ask it to stop; seconds until it has."""
        started = time.monotonic()
        self._end(number)
        return time.monotonic() - started

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command of the program on the same settings."""
        command = [sys.executable, "-m", "edge_node", *arguments, "--config", str(self.config)]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, env=_environment(), check=False)

    def _end(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(15)


@contextmanager
def edge_process(folder: Path, *, rows: Sequence[Entity] | None = None, broker_port: int = 0) -> Iterator[EdgeProcess]:
    """A running node with an office's feed rows."""
    prepare(folder, rows)
    process = EdgeProcess(folder, broker_port=broker_port)
    process.start()
    try:
        yield process
    finally:
        process.kill()


class Browser:
    """One browser at the console: cookies, cross-site token, JSON."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(verify=NO_TLS, base_url=url, timeout=10)
        self.http.get("/api/v1/services")

    def sign_in(self, staff_id: str, secret: str = SECRET) -> httpx.Response:
        return self.post("/api/v1/sign-in", {"staff_id": staff_id, "secret": secret})

    def do(self, verb: str, **fields: Any) -> httpx.Response:
        """A command; makes its request_id unless given."""
        return self.post(f"/api/v1/commands/{verb}", {"request_id": new_id(), **fields})

    def post(self, path: str, body: Any) -> httpx.Response:
        return self.http.post(path, json=body, headers=self.headers)

    @property
    def headers(self) -> dict[str, str]:
        return {"x-csrf-token": self.http.cookies[CSRF]}

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("VENTANILLA_")}


def _toml(folder: Path, port: int, broker_port: int) -> str:
    return f"""
production = false
[office]
id = "{OFFICE}"
node = "{OFFICE}-1"
[data]
folder = "{folder}"
[central]
public_url = "https://citas.example"
[broker]
port = {broker_port}
[http]
port = {port}
[log]
form = "json"
[[devices]]
id = "kiosk-1"
kind = "kiosk"
[[devices]]
id = "display-1"
kind = "display"
"""
