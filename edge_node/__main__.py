"""``python -m edge_node``: an office's own server."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import click
import structlog
import uvloop

from edge_node.app import create_app
from edge_node.console.reveals import read_reveals
from edge_node.database import DatabaseDamaged, FolderInUse, folder_lock
from edge_node.migrations import DatabaseTooNew, describe, migrate
from edge_node.node import running
from edge_node.queue.boot import WrongNode
from edge_node.queue.journal import JournalBroken
from edge_node.settings import Settings, read_settings
from provisioning import logs
from provisioning.serving import serve as serve_http
from provisioning.settings import SettingsError, config_path
from sync.io.clock import SystemClock
from sync.messages import codec

log = structlog.get_logger()

_CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of settings (edge.toml); default: $VENTANILLA_CONFIG.",
)


@click.group()
def main() -> None:
    """Run an office's edge node, which owns today's queue.

    Example: python -m edge_node serve --config /etc/ventanilla/edge.toml
    """


@main.command()
@_CONFIG
def serve(config: Path | None) -> None:
    """Serve the office until SIGTERM or Ctrl-C.

    Example: python -m edge_node serve --config edge.toml
    """
    settings = _settings(config)
    with _explained(), folder_lock(settings.data.folder):
        uvloop.run(_serve(settings))


@main.command("migrate")
@_CONFIG
def migrate_command(config: Path | None) -> None:
    """Bring the database to the shape of this version; `serve` does it too.

    Example: python -m edge_node migrate --config edge.toml
    """
    settings = _settings(config)
    with _explained(), folder_lock(settings.data.folder):
        for step in migrate(settings.database_file):
            click.echo(step)


@main.command()
def schema() -> None:
    """Print the shape that the migrations make, for edge_node/schema.sql.

    Example: python -m edge_node schema > edge_node/schema.sql
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "edge.db"
        migrate(file)
        click.echo(describe(file), nl=False)


@main.command("reveals")
@_CONFIG
@click.option("--days", default=30, show_default=True, help="How far to look back.")
def reveals_command(config: Path | None, days: int) -> None:
    """Who asked to see a visit's personal data again after the screen had hidden them; one line of JSON each, ids only.

    Example: python -m edge_node reveals --config edge.toml --days 7
    """
    settings = _settings(config)
    since = SystemClock().now() - timedelta(days=days)
    with contextlib.closing(
        sqlite3.connect(f"{settings.database_file.resolve().as_uri()}?mode=ro", uri=True)
    ) as reader:
        for reveal in read_reveals(reader, since):
            click.echo(codec.encode(reveal))


async def _serve(settings: Settings) -> None:
    async with running(settings) as node:
        await serve_http(
            create_app(node), settings.http.host, settings.http.port, node.stop_streams, with_lifespan=False
        )


def _settings(config: Path | None) -> Settings:
    try:
        settings = read_settings(config_path(config, os.environ))
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    logs.configure("edge_node", settings.log.level, settings.log.form)
    return settings


@contextmanager
def _explained() -> Iterator[None]:
    """Reasons not to start end the process with one sentence, not with a trace."""
    try:
        yield
    except (FolderInUse, DatabaseTooNew, DatabaseDamaged, JournalBroken, WrongNode, SettingsError) as error:
        log.error("node.not_started", reason=type(error).__name__, detail=str(error))  # noqa: TRY400
        click.echo(str(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
