"""A display agent as a real process, and a reader of its page's live stream that stamps the arrival of every call."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import msgspec

from provisioning.launchers.ports import free_port
from tests.kit.edge import OFFICE

START_S = 60
STOP_S = 10
DEVICE, ZONE = "display-1", "a"


class DisplayProcess:
    """``python -m display_agent run`` on a folder of its own."""

    def __init__(self, folder: Path, broker_port: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "display.log"
        self._config = folder / "display.toml"
        self._config.write_text(_toml(folder, self.port, broker_port), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it shows what the edge says."""
        command = [sys.executable, "-m", "display_agent", "run", "--config", str(self._config)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        end = time.monotonic() + START_S
        while time.monotonic() < end and self._process.poll() is None:
            with suppress(httpx.HTTPError):
                if self.state()["view"]["state"] == "live":
                    return
            time.sleep(0.1)
        raise RuntimeError(f"the display did not start:\n{self.log.read_text()}")

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(STOP_S)

    def state(self) -> dict[str, Any]:
        """What it shows and how it is."""
        return dict(httpx.get(f"{self.url}/state", timeout=5).json())


@contextmanager
def display_process(folder: Path, broker_port: int) -> Iterator[DisplayProcess]:
    """A running display."""
    process = DisplayProcess(folder, broker_port)
    try:
        process.start()
        yield process
    finally:
        process.stop()


class Announced:
    """When each label was first the display's large call, on this process's ``perf_counter``."""

    def __init__(self) -> None:
        self._at: dict[str, float] = {}
        self._news = asyncio.Event()

    def saw(self, label: str, at: float) -> None:
        self._at.setdefault(label, at)
        self._news.set()

    async def first(self, label: str, within_s: float) -> float:
        """The instant of a label's arrival.

        Raises:
            TimeoutError: it did not come.
        """
        async with asyncio.timeout(within_s):
            while label not in self._at:
                self._news.clear()
                await self._news.wait()
        return self._at[label]


@asynccontextmanager
async def announced(port: int) -> AsyncIterator[Announced]:
    """Follow a display's ``/events`` while inside, as its page does."""
    seen = Announced()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /events HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise RuntimeError(f"the display gave no stream: {head!r}")
    following = asyncio.create_task(_follow(reader, seen))
    try:
        yield seen
    finally:
        following.cancel()
        writer.close()
        with suppress(asyncio.CancelledError, OSError):
            await following


async def _follow(reader: asyncio.StreamReader, seen: Announced) -> None:
    """Take every event of a chunked stream: an event is complete at its empty line."""
    text = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        text += (await reader.readexactly(size + 2))[:size]
        at = perf_counter()
        *events, text = text.replace(b"\r\n", b"\n").split(b"\n\n")
        for event in events:
            if (label := _large_label(event)) is not None:
                seen.saw(label, at)


def _large_label(event: bytes) -> str | None:
    lines = dict(line.split(b": ", 1) for line in event.split(b"\n") if b": " in line)
    if lines.get(b"event") != b"view":
        return None
    main = msgspec.json.decode(lines[b"data"])["main"]
    return None if main is None else str(main["label"])


def _toml(folder: Path, port: int, broker_port: int) -> str:
    return f"""
spool = "{folder / "display.db"}"
[device]
office = "{OFFICE}"
id = "{DEVICE}"
zone = "{ZONE}"
[broker]
port = {broker_port}
[http]
port = {port}
[log]
form = "json"
"""
