"""The emulators as processes, run until told to stop."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from kiosk_agent.emulators.control import printer_control, scanner_control
from kiosk_agent.emulators.printer import PrinterEmulator
from kiosk_agent.emulators.scanner import ScannerEmulator
from kiosk_agent.serving import serving
from kiosk_agent.stopping import stopped_by_signal


async def emulate_printer(
    emulator: PrinterEmulator, *, host: str, port: int | None, pty: Path | None, control_port: int | None
) -> None:
    """Listen on a port, a pty or both; write the addresses to standard output."""
    stop = stopped_by_signal()
    async with emulator:
        if port is not None:
            click.echo(f"{host}:{await emulator.listen(host, port)}")
        if pty is not None:
            await asyncio.to_thread(pty.parent.mkdir, parents=True, exist_ok=True)
            click.echo(emulator.open_pty(pty))
        if control_port is None:
            await stop.wait()
            return
        async with serving(printer_control(emulator), host, control_port):
            await stop.wait()


async def emulate_scanner(emulator: ScannerEmulator, *, host: str, control_port: int) -> None:
    """Take scans over HTTP."""
    stop = stopped_by_signal()
    async with serving(scanner_control(emulator), host, control_port):
        await stop.wait()
