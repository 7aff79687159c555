"""``python -m display_agent run``: one process that listens to the LAN and serves the screen."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from importlib import metadata
from pathlib import Path

import click
import msgspec
import structlog
import uvicorn

from display_agent.link import EdgeLink
from display_agent.screen import Wording, create_app
from display_agent.settings import Http, Settings
from display_agent.show import Show, start_show
from display_agent.spool import open_spool
from provisioning import logs
from provisioning.collector import spare_what_boot_made
from provisioning.settings import SettingsError, config_path, load
from sync.io.clock import SystemClock
from sync.io.ids import new_id
from sync.messages.topics import DeviceConfig

GRACE_S = 2

log = structlog.get_logger(__name__)


@click.group(epilog="Example: python -m display_agent run --config display.toml")
def main() -> None:
    """The waiting room's display."""


@main.command(epilog="Example: python -m display_agent run --config display.toml")
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; else VENTANILLA_CONFIG.")
def run(config: Path | None) -> None:
    """Show and sound the calls of one zone.

    Example: python -m display_agent run --config display.toml
    """
    try:
        settings = load(Settings, config_path(config, os.environ), os.environ)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    listener = _listen(settings.http)
    logs.configure("display_agent", settings.log.level, settings.log.form)
    asyncio.run(serve(settings, listener))


async def serve(settings: Settings, listener: socket.socket) -> None:
    """Run until SIGINT or SIGTERM; streams end at once, then the server, then the LAN hears that we are gone."""
    clock, wording = SystemClock(), Wording(strict=settings.strict_texts)
    async with open_spool(settings.spool) as spool:
        link = EdgeLink(named(settings), spool, clock, version=version(), jitter=random.random)
        show = await start_show(
            link,
            spool,
            clock,
            first_config=first_config(settings),
            phrases_for=wording.phrases,
            start=new_id()[-6:],
        )
        server = _Server(
            uvicorn.Config(
                create_app(show, wording, host=settings.http.host, port=listener.getsockname()[1]),
                log_config=None,
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=GRACE_S,
                ws="none",
                server_header=False,
            )
        )
        async with link.running():
            spare_what_boot_made()
            log.info("screen.serving", host=settings.http.host, port=listener.getsockname()[1])
            async with _at_work(show, link), _ended_by_signals(show, server):
                await server.serve(sockets=[listener])


@contextlib.asynccontextmanager
async def _at_work(show: Show, link: EdgeLink) -> AsyncIterator[None]:
    """Follow the edge and the time, and deliver, while inside; a fault in any of them ends the process."""
    async with asyncio.TaskGroup() as tasks:
        working = [tasks.create_task(work) for work in (show.follow_edge(), show.keep_time(), link.deliver())]
        yield
        for task in working:
            task.cancel()


@contextlib.asynccontextmanager
async def _ended_by_signals(show: Show, server: uvicorn.Server) -> AsyncIterator[None]:
    def end() -> None:
        log.info("screen.ending")
        show.streams.close()
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


class _Server(uvicorn.Server):
    """Leaves signals to us: streams have to end before the server waits for them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def named(settings: Settings) -> Settings:
    """The settings with a client id of our own where none is given."""
    device = settings.device
    client_id = settings.broker.client_id or f"{device.office}.{device.id}"
    return msgspec.structs.replace(settings, broker=msgspec.structs.replace(settings.broker, client_id=client_id))


def first_config(settings: Settings) -> DeviceConfig:
    """What is shown before the edge has ever spoken to this display."""
    device = settings.device
    return DeviceConfig(
        office=device.office,
        office_name="",
        device=device.id,
        zone=device.zone or "",
        time_zone="Africa/Ceuta",
    )


def version() -> str:
    """The installed version; empty in a source tree."""
    try:
        return metadata.version("ventanilla")
    except metadata.PackageNotFoundError:
        return ""


def _listen(http: Http) -> socket.socket:
    try:
        return socket.create_server((http.host, http.port))
    except OSError as error:
        raise click.ClickException(f"cannot serve the page on {http.host}:{http.port}: {error.strerror}") from error


if __name__ == "__main__":
    main()
