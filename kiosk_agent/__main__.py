"""The kiosk's command line: ``python -m kiosk_agent``."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import click

from provisioning.logs import configure
from provisioning.settings import SettingsError, config_path, load

# What a command needs is imported inside it: help, wrong settings and emulators answer without loading a whole kiosk.


@click.group(epilog="Example: python -m kiosk_agent run --config kiosk.toml")
def main() -> None:
    """A ticket kiosk, and software that stands in for its printer and scanner."""


@main.command(epilog="Example: python -m kiosk_agent run --config kiosk.toml")
@click.option("--config", type=click.Path(path_type=Path), help="The settings; else VENTANILLA_CONFIG.")
def run(config: Path | None) -> None:
    """Serve the touch page, print tickets, read codes."""
    from kiosk_agent.settings import Settings

    try:
        settings = load(Settings, config_path(config, os.environ), os.environ)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    configure("kiosk_agent", settings.log.level, settings.log.form)

    from kiosk_agent.process import run_agent
    from kiosk_agent.serving import PortTakenError
    from kiosk_agent.spool import SpoolTakenError

    try:
        asyncio.run(run_agent(settings))
    except (PortTakenError, SpoolTakenError) as error:
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

    from kiosk_agent.emulators.printer import PrinterEmulator
    from kiosk_agent.emulators.process import emulate_printer
    from kiosk_agent.serving import PortTakenError

    emulator = PrinterEmulator(folder, width_dots=width)
    try:
        asyncio.run(emulate_printer(emulator, host=host, port=port, pty=pty, control_port=control_port))
    except PortTakenError as error:
        raise click.ClickException(str(error)) from error


@emulate.command(epilog="Example: python -m kiosk_agent emulate scanner --link scanner.tty --control-port 8071")
@click.option("--link", type=click.Path(path_type=Path), help="This link points at the line.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the control listens.")
@click.option("--control-port", type=int, help="Take scans over HTTP here; without it every line of the input is one.")
def scanner(link: Path | None, host: str, control_port: int | None) -> None:
    """Read codes from HTTP or from the terminal, and put them on a serial line."""
    configure("emulated_scanner")

    from kiosk_agent.emulators.process import emulate_scanner
    from kiosk_agent.emulators.scanner import ScannerEmulator
    from kiosk_agent.serving import PortTakenError

    try:
        with ScannerEmulator(link) as emulator:
            click.echo(emulator.path)
            if control_port is None:
                for line in sys.stdin:
                    emulator.scan(line.rstrip("\n"))
            else:
                asyncio.run(emulate_scanner(emulator, host=host, control_port=control_port))
    except PortTakenError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
