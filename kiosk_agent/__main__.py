"""The kiosk's command line: ``python -m kiosk_agent``."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import click
import structlog

from kiosk_agent.agent import Agent, Hardware
from kiosk_agent.emulators.control import printer_control, scanner_control
from kiosk_agent.emulators.printer import PrinterEmulator
from kiosk_agent.emulators.scanner import ScannerEmulator
from kiosk_agent.printing.letters import Letters
from kiosk_agent.printing.printer import printer_for
from kiosk_agent.scanner import Scanner
from kiosk_agent.screen import Glass, create_app
from kiosk_agent.serving import PortTakenError, serving
from kiosk_agent.settings import Settings
from kiosk_agent.spool import SpoolTakenError, open_spool
from provisioning.logs import configure
from provisioning.settings import SettingsError, config_path, load
from sync.io.clock import SystemClock
from ui.catalog import load_catalog

log = structlog.get_logger("kiosk_agent")


@click.group(epilog="Example: python -m kiosk_agent run --config kiosk.toml")
def main() -> None:
    """A ticket kiosk, and software that stands in for its printer and scanner."""


@main.command(epilog="Example: python -m kiosk_agent run --config kiosk.toml")
@click.option("--config", type=click.Path(path_type=Path), help="The settings; else VENTANILLA_CONFIG.")
def run(config: Path | None) -> None:
    """Serve the touch page, print tickets, read codes."""
    try:
        settings = load(Settings, config_path(config, os.environ), os.environ)
        configure("kiosk_agent", settings.log.level, settings.log.form)
        asyncio.run(_run(settings))
    except (SettingsError, PortTakenError, SpoolTakenError) as error:
        raise click.ClickException(str(error)) from error


@main.group(epilog="Example: python -m kiosk_agent emulate printer --port 9100 --folder tickets --control-port 8061")
def emulate() -> None:
    """Stand in for hardware, with the same bytes on the same wires."""


@emulate.command(epilog="Example: python -m kiosk_agent emulate printer --pty printer.tty --folder tickets")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=int, help="Be a network printer on this port; 0 takes a free one.")
@click.option("--pty", type=click.Path(path_type=Path), help="Be a serial printer; this link points at its line.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where tickets go as PNG and JSON.")
@click.option("--width", default=576, show_default=True, help="Dots across the paper.")
@click.option("--control-port", type=int, help="Serve tickets and the state of the paper here, over HTTP.")
def printer(
    *, host: str, port: int | None, pty: Path | None, folder: Path | None, width: int, control_port: int | None
) -> None:
    """Print on nothing: decode ESC/POS, answer its questions, draw every ticket."""
    if port is None and pty is None:
        raise click.UsageError("say how the printer is reached: --port or --pty")
    configure("emulated_printer")
    try:
        asyncio.run(_emulate_printer(host, port, pty, PrinterEmulator(folder, width_dots=width), control_port))
    except PortTakenError as error:
        raise click.ClickException(str(error)) from error


@emulate.command(epilog="Example: python -m kiosk_agent emulate scanner --link scanner.tty --control-port 8071")
@click.option("--link", type=click.Path(path_type=Path), help="This link points at the line.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the control listens.")
@click.option("--control-port", type=int, help="Take scans over HTTP here; without it every line of the input is one.")
def scanner(link: Path | None, host: str, control_port: int | None) -> None:
    """Read codes from HTTP or from the terminal, and put them on a serial line."""
    configure("emulated_scanner")
    try:
        with ScannerEmulator(link) as emulator:
            click.echo(emulator.path)
            if control_port is None:
                for line in sys.stdin:
                    emulator.scan(line.rstrip("\n"))
            else:
                asyncio.run(_emulate_scanner(host, control_port, emulator))
    except PortTakenError as error:
        raise click.ClickException(str(error)) from error


async def _run(settings: Settings) -> None:
    stop = _stopped_by_signal()
    letters = Letters()
    hardware = Hardware(printer_for(settings.printer, letters), Scanner(settings.scanner), letters)
    catalog = load_catalog(strict=settings.strict_texts)
    async with open_spool(settings.data) as spool:
        agent = Agent(settings, spool, hardware, catalog, SystemClock(), jitter=random.random)
        glass = Glass(agent, catalog)
        async with serving(create_app(glass), settings.http.host, settings.http.port, before_stop=glass.close) as port:
            log.info("kiosk.started", port=port, device=settings.device.id, office=settings.device.office)
            await agent.run(stop)
    hardware.printer.close()
    log.info("kiosk.stopped")


async def _emulate_printer(
    host: str, port: int | None, pty: Path | None, emulator: PrinterEmulator, control_port: int | None
) -> None:
    stop = _stopped_by_signal()
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


async def _emulate_scanner(host: str, control_port: int, emulator: ScannerEmulator) -> None:
    stop = _stopped_by_signal()
    async with serving(scanner_control(emulator), host, control_port):
        await stop.wait()


def _stopped_by_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


if __name__ == "__main__":
    main()
