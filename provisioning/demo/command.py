"""``ventanilla demo``: start the city and stay with it; ``cut`` and ``heal`` the network of an office."""

from __future__ import annotations

import contextlib
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import httpx
import msgspec
from rich.console import Console

from provisioning.demo.city import City, SetUpFailed
from provisioning.demo.keeper import Keeper
from provisioning.demo.plan import DemoConfig, Places, read_config
from provisioning.launchers.broker import BrokerNotFound
from provisioning.launchers.ports import PortTaken
from provisioning.launchers.postgres_binaries import PostgresError
from provisioning.launchers.process import StartFailed

FOLDER = Path(".demo")
WATCH_EVERY_S = 1.0
OTHER_DEMO = (
    "If it is another demo, press Ctrl-C in its terminal. "
    "For other ports, copy provisioning/demo/demo.toml and run: make demo ARGS='--config FILE'"
)

CONFIG = click.option(
    "--config", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Another demo.toml: other ports."
)


def _read(config: Path | None) -> DemoConfig:
    try:
        return read_config(config)
    except (msgspec.MsgspecError, OSError, ValueError) as error:
        raise click.ClickException(f"{config or 'demo.toml'}: {error}") from error


def _read_running(context: click.Context, config: Path | None) -> DemoConfig:
    """Where the demo stands that a command is for: what was said, else what the demo of the folder noted, else the usual."""
    assert context.parent is not None
    said = context.parent.params
    config = config or said["config"]
    noted = Places(said["folder"]).config
    if config is None and noted.is_file():
        try:
            return msgspec.json.decode(noted.read_bytes(), type=DemoConfig)
        except msgspec.MsgspecError:
            return _read(None)  # noted by another build
    return _read(config)


@click.group(invoke_without_command=True, epilog="Example: ventanilla demo --reset")
@CONFIG
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=FOLDER, show_default=True)
@click.option("--reset", is_flag=True, help="Forget what earlier runs left.")
@click.pass_context
def demo(context: click.Context, config: Path | None, folder: Path, reset: bool) -> None:
    """Run a whole city on this machine until Ctrl-C. Data stay in the folder for the next start."""
    if context.invoked_subcommand is not None:
        return
    console = Console()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: _stop_once(stop))
    city = City(
        folder,
        _read(config),
        tell=lambda text: console.print(f"  [dim]·[/] {text}", highlight=False),
        dies_with_us=True,
    )
    try:
        if reset:
            city.reset()
        console.print("Starting the city…")
        city.start()
    except PortTaken as error:
        raise click.ClickException(f"{error}\n{OTHER_DEMO}") from error
    except (PostgresError, BrokerNotFound, StartFailed, SetUpFailed) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.Abort from None
    try:
        _welcome(console, city)
        _watch(console, city, stop)
    finally:
        with contextlib.suppress(OSError):  # the terminal may be closed: that is what SIGHUP says
            console.print("Stopping…")
        city.stop()
        with contextlib.suppress(OSError):
            console.print("Everything has stopped. The data stay for the next start.")


@demo.command(epilog="Example: ventanilla demo cut centro --silent")
@click.argument("office")
@click.option("--silent", is_flag=True, help="Close nothing: packets vanish and nobody is told.")
@CONFIG
@click.pass_context
def cut(context: click.Context, office: str, silent: bool, config: Path | None) -> None:
    """Cut the network between an office and central."""
    _set_wan(_read_running(context, config), office, "silent" if silent else "cut")


@demo.command(epilog="Example: ventanilla demo heal centro")
@click.argument("office")
@CONFIG
@click.pass_context
def heal(context: click.Context, office: str, config: Path | None) -> None:
    """Repair the network between an office and central."""
    _set_wan(_read_running(context, config), office, "up")


def _set_wan(config: DemoConfig, office: str, state: str) -> None:
    address = config.url(config.start_page)
    try:
        reply = httpx.post(f"{address}/api/wan/{office}", json={"state": state}, timeout=5)
    except httpx.HTTPError as error:
        raise click.ClickException(f"No demo answers at {address}. Start it with 'make demo'.") from error
    if reply.status_code == 404:
        known = ", ".join(o.id for o in config.offices)
        raise click.ClickException(f"The demo runs no office called '{office}'. It runs: {known}.")
    reply.raise_for_status()
    click.echo(f"{office}: network {'up' if state == 'up' else state}")


def _stop_once(stop: threading.Event) -> None:
    if stop.is_set():
        return
    stop.set()
    raise KeyboardInterrupt


def _welcome(console: Console, city: City) -> None:
    config: Any = city.config
    console.print()
    console.print(f"[bold]The city runs.[/] Start here: [bold]{config.url(config.start_page)}[/]", highlight=False)
    console.print(f"  portal     {config.url(config.central)}", highlight=False)
    for office in config.offices:
        console.print(f"  {office.id:<9}  console  {config.url(office.edge)}", highlight=False)
        console.print(f"  {'':<9}  kiosk    {config.url(office.kiosk)}", highlight=False)
        console.print(f"  {'':<9}  display  {config.url(office.display)}", highlight=False)
    console.print(f"  logs       {city.places.logs}", highlight=False)
    console.print("Ctrl-C stops everything; the data stay for the next start.\n")


def _watch(console: Console, city: City, stop: threading.Event) -> None:
    """Stay until told to stop; start again what ended by itself, and say so."""
    keeper = Keeper(city.parts, city.places.falls, lambda text: console.print(f"[red]{text}[/]", highlight=False))
    try:
        while not stop.wait(WATCH_EVERY_S):
            keeper.look(datetime.now(UTC))
    except KeyboardInterrupt:
        pass
