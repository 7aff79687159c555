"""A whole city as a newcomer runs it: the journey with a cut and a heal, and the demo's start, stop and second start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from provisioning.demo.plan import DemoConfig, on_free_ports, read_config
from provisioning.launchers.ports import free_port

START_TIMEOUT_S = 180
STOP_S = 5.0


@pytest.fixture
def config(tmp_path: Path) -> tuple[DemoConfig, Path]:
    config = on_free_ports(read_config(), free_port)
    file = tmp_path / "demo.toml"
    file.write_bytes(msgspec.toml.encode(config))
    return config, file


class Demo:
    """``ventanilla demo`` as a process on its own terminal-like group."""

    def __init__(self, config: Path, folder: Path) -> None:
        self.output = ""
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "provisioning.cli", "demo", "--config", config, "--folder", folder],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "COLUMNS": "200"},
        )

    def wait_until_it_runs(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line
            if "Ctrl-C stops everything" in line:
                return
            assert time.monotonic() < deadline, self.output
        raise AssertionError(f"the demo ended:\n{self.output}")

    def interrupt(self) -> float:
        """Ctrl-C; seconds until it is gone."""
        started_s = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=30)
        return time.monotonic() - started_s


@pytest.fixture
def demos() -> Iterator[list[Demo]]:
    running: list[Demo] = []
    yield running
    for demo in running:
        if demo.process.poll() is None:
            demo.process.terminate()
            demo.process.communicate(timeout=30)


@pytest.mark.timeout(420)
def test_the_journey_loses_doubles_and_reorders_nothing() -> None:
    done = subprocess.run([sys.executable, "-m", "tests.smoke"], capture_output=True, text=True, check=False)
    verdict = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
    assert done.returncode == 0, f"{verdict}\n{done.stderr[-4000:]}"
    assert (verdict["lost"], verdict["duplicates"], verdict["order_violations"]) == (0, 0, 0)
    assert verdict["during_cut"]["checkins"] > 0
    assert verdict["calls_shown"] == verdict["tickets"]


@pytest.mark.timeout(420)
def test_the_demo_stops_in_five_seconds_with_open_tabs_and_goes_on_where_it_stopped(
    config: tuple[DemoConfig, Path], tmp_path: Path, demos: list[Demo]
) -> None:
    ports, file = config
    folder = tmp_path / "city"
    first = Demo(file, folder)
    demos.append(first)
    first.wait_until_it_runs()
    office = ports.offices[0]
    kiosk = ports.url(office.kiosk)
    for what in ("without", "choose:viaje", "take"):
        httpx.post(f"{kiosk}/act", data={"do": what}, timeout=10)
    with httpx.Client(timeout=None) as browser:
        tabs = [
            browser.send(browser.build_request("GET", url), stream=True)
            for url in (f"{kiosk}/live", f"{ports.url(office.display)}/events", ports.url(ports.start_page) + "/stream")
        ]
        assert [tab.status_code for tab in tabs] == [200, 200, 200]
        took_s = first.interrupt()
        for tab in tabs:
            tab.close()
    assert took_s < STOP_S
    assert first.process.returncode == 0
    assert not [port for port in ports.ports() if _listens(port)]

    second = Demo(file, folder)
    demos.append(second)
    second.wait_until_it_runs()
    overview = _told(ports, lambda office: office["tickets"] == 1)
    assert overview["tickets"] == 1
    second.interrupt()


def _told(ports: DemoConfig, enough: object) -> dict[str, int]:
    """Central's picture of the first office, once it is ``enough`` or ten seconds later."""
    assert callable(enough)
    office: dict[str, int] = {}
    for _ in range(100):
        reply = httpx.get(ports.url(ports.central) + "/api/v1/overview", timeout=10).json()
        office = next(o for o in reply["offices"] if o["office"] == ports.offices[0].id)
        if enough(office):
            break
        time.sleep(0.1)
    return office


def test_a_taken_port_is_a_clear_message(config: tuple[DemoConfig, Path], tmp_path: Path, demos: list[Demo]) -> None:
    ports, file = config
    with socket.create_server((ports.host, ports.central)):
        demo = Demo(file, tmp_path / "city")
        demos.append(demo)
        output, _ = demo.process.communicate(timeout=60)
    assert demo.process.returncode == 1
    assert f"Port {ports.central} on {ports.host} is taken, and central needs it" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("arguments, says", [(["cut", "nowhere"], "No demo answers"), (["--help"], "Example:")])
def test_the_command_line_explains_itself(arguments: list[str], says: str, config: tuple[DemoConfig, Path]) -> None:
    command = [sys.executable, "-m", "provisioning.cli", "demo", *arguments]
    if "--help" not in arguments:
        command += ["--config", str(config[1])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert says in done.stdout + done.stderr


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
