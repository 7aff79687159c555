"""A whole office as processes: broker, edge node, kiosk agent with a scanner on a pty and a printer on the network.

Everything is looked at from outside: the kiosk's page over HTTP, the journal's file opened for reading, ``/metrics``.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx

from kiosk_agent.emulators.scanner import ScannerEmulator
from provisioning.launchers.broker import Broker
from provisioning.launchers.ports import free_port
from provisioning.launchers.process import Child, http_ready
from tests.integration.bad_input.bookings import Bookings
from tests.integration.portal.citizen import Document
from tests.kit.edge import OFFICE, prepare
from tests.kit.edge_process import EdgeProcess
from tests.kit.plain_http import NO_TLS

WITHIN_S = 10.0
KIOSK = "kiosk-1"


class Screen(Document):
    """The kiosk's page as a person finds it."""

    def __init__(self, html: str) -> None:
        super().__init__(html)
        self.html = html


class KioskFace:
    """The glass, as the browser on the kiosk sees and touches it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(verify=NO_TLS, base_url=url, timeout=10)

    def screen(self) -> Screen:
        return Screen(self.http.get("/").text)

    def touch(self, *buttons: str) -> None:
        for button in buttons:
            assert self.http.post("/act", data={"do": button}).status_code == 303

    def begin(self, language: str) -> None:
        """A new person who reads ``language``. Whoever is asking is let finish."""
        until(lambda: self._is_home(self.screen()), lambda: self.touch("restart"))
        self.touch(f"language:{language}")

    def shows(self, *words: str) -> Screen:
        """The screen, as soon as it has all these words."""
        shown = self.screen()

        def has_words() -> bool:
            nonlocal shown
            shown = self.screen()
            return all(text in shown.words for text in words)

        assert until(has_words), f"{words} not on the screen: {shown.words}"
        return shown

    @staticmethod
    def _is_home(screen: Screen) -> bool:
        return "¿Tiene cita?" in screen.words


class Evidence:
    """What the edge has written and counted since an instant."""

    def __init__(self, edge: EdgeProcess) -> None:
        self._edge = edge
        self._seq = self._last_seq()
        self._refused = self._counted()

    def facts(self) -> tuple[str, ...]:
        """Types of the facts that the journal's file got, in order."""
        with closing(self._journal()) as journal:
            rows = journal.execute("SELECT type FROM fact WHERE seq > ? ORDER BY seq", (self._seq,))
            return tuple(row[0] for row in rows)

    def refused(self) -> dict[str, int]:
        """How much ``ventanilla_refused_total`` grew, by code."""
        now = self._counted()
        return {code: grown for code in now if (grown := now[code] - self._refused.get(code, 0))}

    def becomes(self, facts: tuple[str, ...], refused: dict[str, int]) -> None:
        """Both are as expected, now or soon; and exactly so."""
        until(lambda: (self.facts(), self.refused()) == (facts, refused))
        assert (self.facts(), self.refused()) == (facts, refused)

    def _journal(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self._edge.folder / 'edge.db'}?mode=ro", uri=True)

    def _last_seq(self) -> int:
        with closing(self._journal()) as journal:
            return int(journal.execute("SELECT coalesce(max(seq), 0) FROM fact").fetchone()[0])

    def _counted(self) -> dict[str, int]:
        return refused_total(httpx.get(f"{self._edge.url}/metrics", timeout=10).text)


class Office:
    """The running office."""

    def __init__(
        self, broker: Broker, edge: EdgeProcess, kiosk: KioskFace, scanner: ScannerEmulator, bookings: Bookings
    ) -> None:
        self.broker = broker
        self.edge = edge
        self.kiosk = kiosk
        self.scanner = scanner
        self.bookings = bookings

    def evidence(self) -> Evidence:
        """Begin to look."""
        return Evidence(self.edge)


@contextmanager
def running_office(folder: Path) -> Iterator[Office]:
    """Start everything, at once where possible; all of it ends with the block."""
    bookings = Bookings()
    with ExitStack() as stack:
        broker = stack.enter_context(Broker(folder / "broker"))
        scanner = stack.enter_context(ScannerEmulator(folder / "scanner.tty"))
        prepare(folder / "edge", bookings.rows)
        edge = EdgeProcess(folder / "edge", broker_port=broker.port)
        stack.callback(edge.kill)
        printer_port, kiosk_port = free_port(), free_port()
        printer = _child(folder, "emulate", "printer", "--port", str(printer_port))
        config = _kiosk_toml(folder, kiosk_port, broker.port, printer_port)
        url = f"http://127.0.0.1:{kiosk_port}"
        kiosk = _child(folder, "run", "--config", str(config), ready=http_ready(f"{url}/health/ready"))
        for child in (printer, kiosk):
            child.launch()
            stack.callback(child.stop)
        edge.start()
        kiosk.wait_ready()
        face = KioskFace(url)
        stack.callback(face.http.close)
        yield Office(broker, edge, face, scanner, bookings)


def until(condition: Callable[[], bool], meanwhile: Callable[[], None] = lambda: None) -> bool:
    """Wait for what happens in another process; whether it did."""
    end = time.monotonic() + WITHIN_S
    while time.monotonic() < end:
        if condition():
            return True
        meanwhile()
        time.sleep(0.02)
    return condition()


def refused_total(metrics: str) -> dict[str, int]:
    """``ventanilla_refused_total`` by code, from Prometheus' text."""
    lines = (line for line in metrics.splitlines() if line.startswith("ventanilla_refused_total{"))
    return {line.split('"')[1]: int(float(line.rsplit(" ", 1)[1])) for line in lines}


def _child(folder: Path, *arguments: str, ready: Callable[[], bool] = lambda: True) -> Child:
    command = [sys.executable, "-m", "kiosk_agent", *arguments]
    return Child(" ".join(arguments[:2]), command, log=folder / f"{arguments[0]}.log", ready=ready, ready_timeout_s=60)


def _kiosk_toml(folder: Path, port: int, broker_port: int, printer_port: int) -> Path:
    config = folder / "kiosk.toml"
    config.write_text(
        f"""
data = "{folder / "kiosk"}"
strict_texts = true
[device]
office = "{OFFICE}"
id = "{KIOSK}"
[broker]
port = {broker_port}
[printer]
kind = "network"
port = {printer_port}
[scanner]
path = "{folder / "scanner.tty"}"
[http]
port = {port}
""",
        encoding="utf-8",
    )
    return config
