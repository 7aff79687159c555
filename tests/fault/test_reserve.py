"""The edge's computer dies: the kiosk goes on by itself, and everything it gave is in the queue once the edge is back."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from kiosk_agent.emulators.printer import PrinterEmulator
from provisioning.launchers.broker import Broker
from provisioning.launchers.ports import free_port
from sync.messages.topics import BOARD_STALE_S
from tests.kit.edge import OFFICE
from tests.kit.edge_process import Browser, edge_process

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(180)]


class KioskProcess:
    """``python -m kiosk_agent run``, and a hand at its page."""

    def __init__(self, folder: Path, *, broker_port: int, printer_port: int) -> None:
        self.port, self.log = free_port(), folder / "kiosk.log"
        self.config = folder / "kiosk.toml"
        self.config.write_text(
            f"""
data = "{folder / "kiosk"}"
strict_texts = true
[device]
office = "{OFFICE}"
id = "kiosk-1"
[broker]
host = "127.0.0.1"
port = {broker_port}
client_id = "kiosk-1"
[printer]
kind = "network"
port = {printer_port}
raster = false
[http]
port = {self.port}
""",
            encoding="utf-8",
        )

    @contextmanager
    def running(self) -> Iterator[httpx.Client]:
        command = [sys.executable, "-m", "kiosk_agent", "run", "--config", str(self.config)]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("VENTANILLA_")}
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=5) as page:
                wait_for(lambda: answers(page), self.log)
                yield page
        finally:
            process.kill()
            process.wait(15)


def answers(page: httpx.Client) -> bool:
    try:
        return page.get("/health/live").status_code == 200
    except httpx.HTTPError:
        return False


def wait_for(condition: Callable[[], Any], log: Path, within_s: float = 40) -> None:
    end = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"it did not come:\n{log.read_text()[-3000:]}")
        time.sleep(0.05)


def touch(page: httpx.Client, *buttons: str) -> str:
    """Touch buttons one after the other; what the page shows then."""
    for button in buttons:
        page.post("/act", data={"do": button})
    return page.get("/").text


def gives(page: httpx.Client, printer: PrinterEmulator, label: str, log: Path) -> None:
    """A person takes a ticket, and touches once more in vain."""
    shown = touch(page, "restart", "without", "choose:padron", "take", "take")
    assert label in shown
    wait_for(lambda: any(label in ticket.lines for ticket in printer.tickets), log)
    wait_for(lambda: "Recoja su turno" in page.get("/").text, log)


async def test_three_touches_without_an_edge_are_three_tickets_at_their_true_arrival(
    tmp_path: Path, broker: Broker
) -> None:
    async with PrinterEmulator() as printer:
        kiosk = KioskProcess(tmp_path, broker_port=broker.port, printer_port=await printer.listen("127.0.0.1", 0))
        await asyncio.to_thread(the_edge_dies, tmp_path, broker.port, kiosk, printer)
    labels = [next(line for line in each.lines if line[1:].isdigit()) for each in printer.tickets]
    assert labels == ["Y1", "Y2", "Y3", "A1"]


def the_edge_dies(folder: Path, broker_port: int, kiosk: KioskProcess, printer: PrinterEmulator) -> None:
    alone, gave_at = "Puede sacar turno sin cita", []
    with edge_process(folder / "edge", broker_port=broker_port) as edge:
        with kiosk.running() as page:
            wait_for(lambda: page.get("/health/ready").status_code == 200, kiosk.log)
            wait_for(lambda: page.get("/health/ready").json()["reserve"], kiosk.log)
            edge.kill()
            wait_for(lambda: alone in page.get("/").text, kiosk.log, BOARD_STALE_S + 10)
            for label in ("Y1", "Y2"):
                gave_at.append(datetime.now().astimezone())
                gives(page, printer, label, kiosk.log)
            wait_for(lambda: kiosk.log.read_text().count("slip.ended") == 2, kiosk.log)
        with kiosk.running() as page:
            wait_for(lambda: alone in page.get("/").text, kiosk.log, BOARD_STALE_S + 20)
            gave_at.append(datetime.now().astimezone())
            gives(page, printer, "Y3", kiosk.log)
            edge.start()
            with Browser(edge.url) as clerk:
                clerk.sign_in("clerk-1")
                wait_for(lambda: [each["print_state"] for each in waiting(clerk)] == ["printed"] * 3, kiosk.log)
                found = waiting(clerk)
                assert [each["label"] for each in found] == ["Y1", "Y2", "Y3"]
                for each, at in zip(found, gave_at, strict=True):
                    assert abs(datetime.fromisoformat(each["arrived_at"]) - at) < timedelta(seconds=2)
        with kiosk.running() as page, Browser(edge.url) as clerk:  # a kiosk that starts again tells nothing again
            clerk.sign_in("clerk-1")
            wait_for(lambda: page.get("/health/ready").status_code == 200, kiosk.log)
            assert "Y4" not in touch(page, "restart", "without", "choose:padron", "take")
            wait_for(lambda: len(printer.tickets) == 4, kiosk.log)
            assert [each["label"] for each in waiting(clerk)] == ["Y1", "Y2", "Y3", "A1"]


def waiting(clerk: Browser) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = clerk.http.get("/api/v1/queue").json()["waiting"]
    return found
