"""What all of central's commands share: settings, one connection, errors in one line."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from central import database, migrations
from central.audit import Attested
from central.settings import Settings
from provisioning import logs
from provisioning.settings import SettingsError, config_path
from provisioning.settings import load as load_settings
from sync.io.clock import SystemClock

T = TypeVar("T")

CONFIG = click.option(
    "--config", type=click.Path(path_type=Path, dir_okay=False), help="Settings file; else $VENTANILLA_CONFIG."
)


def said(_context: click.Context, _option: click.Parameter, text: str) -> str:
    """What a person says for the record, and not nothing."""
    if not (words := text.strip()):
        raise click.BadParameter("must not be empty")
    return words


BY = click.option(
    "--by",
    callback=said,
    default=lambda: os.environ.get("SUDO_USER") or os.environ.get("USER") or "operator",
    help="Who does it, for the record; else the user's name.",
)
ATTEST = click.option(
    "--attest", required=True, callback=said, help="What you have made sure of, in your words; kept for ever."
)


def explained(command: Callable[..., None]) -> Callable[..., None]:
    """Turn what an operator can put right into one line instead of a traceback."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except (SettingsError, migrations.SchemaError) as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            raise click.ClickException(f"cannot reach the database or a file: {error}") from error

    return run


def settings_of(config: Path | None) -> Settings:
    """Load settings and start logging."""
    settings = load_settings(Settings, config_path(config, os.environ), os.environ)
    logs.configure("central", settings.logs.level, settings.logs.form)
    return settings


async def with_connection(settings: Settings, work: Callable[[Any], Awaitable[T]]) -> T:
    """Do some work on a connection to a database of this build's schema."""
    connection = await database.connect(settings.database)
    try:
        return await work(connection)
    finally:
        await connection.close()


def on_database(settings: Settings, work: Callable[[Any], Awaitable[T]]) -> T:
    """The same, from a command."""
    return asyncio.run(with_connection(settings, work))


def attested(by: str, statement: str = "") -> Attested:
    """Who acts now."""
    return Attested(actor=by, at=SystemClock().now(), statement=statement)
