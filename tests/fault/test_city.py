"""A whole city as a newcomer runs it: the journey with a cut and a heal, and the demo's start, stop and second start."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
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


@pytest.mark.timeout(420)
def test_what_is_killed_runs_again_and_is_told_of_and_nothing_outlives_a_killed_demo(
    config: tuple[DemoConfig, Path], tmp_path: Path, demos: list[Demo]
) -> None:
    ports, file = config
    demo = Demo(file, tmp_path / "city")
    demos.append(demo)
    demo.wait_until_it_runs()
    office = ports.offices[0]
    for words in (("edge_node", "offices/centro"), ("offices/centro/broker",), ("central/postgres/data",)):
        [child] = [pid for pid, command in _children(demo.process.pid) if all(word in command for word in words)]
        os.kill(child, signal.SIGKILL)
    page = ports.url(ports.start_page)
    for part in ("El nodo de la oficina (Centro)", "El bróker MQTT (Centro)", "La base de datos Postgres"):
        _until(lambda part=part: f"{part}: terminó" in httpx.get(page, params={"lang": "es"}, timeout=10).text)  # type: ignore[misc]
    _until(lambda: httpx.get(ports.url(office.edge) + "/health/ready", timeout=10).status_code == 200)
    _until(lambda: httpx.get(ports.url(ports.central) + "/health/ready", timeout=10).status_code == 200)
    demo.process.kill()
    output, _ = demo.process.communicate(timeout=30)
    for part in ("centro.edge", "centro.broker", "postgres"):
        assert f"{part} has ended (signal 9)" in output
        assert f"{part} is started again" in output
    _until(lambda: not [port for port in ports.ports() if _listens(port)])


def _children(parent: int) -> list[tuple[int, str]]:
    """The children of a process with their command lines."""
    pids = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [(int(pid), Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")) for pid in pids]


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(httpx.HTTPError):
            if holds():
                return
        assert time.monotonic() < deadline
        time.sleep(0.2)


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
