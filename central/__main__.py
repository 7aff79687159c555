"""Central's command line: `python -m central serve|migrate|load-city|open-round-the-clock`."""

import asyncio
import os
import sys
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click
import uvloop

from central import database, migrations
from central.settings import Settings
from provisioning import logs
from provisioning.settings import SettingsError, config_path
from provisioning.settings import load as load_settings
from sync.io.clock import SystemClock

CONFIG = click.option(
    "--config", type=click.Path(path_type=Path, dir_okay=False), help="Settings file; else $VENTANILLA_CONFIG."
)


NODE_PROBLEMS = {
    "id_taken": "{node} is already registered with another key, office or epoch; a new node needs a new name",
    "epoch_taken": "another node holds epoch {epoch} of {office}; register this one with the next epoch",
    "office_unknown": "there is no office {office}; load the city first",
}


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


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Central: bookings, the feed to the offices, and the pages that citizens and managers see."""


@main.command(epilog="Example: python -m central serve --config central.toml")
@CONFIG
@explained
def serve(config: Path | None) -> None:
    """Serve pages, API and sync until SIGTERM or Ctrl-C."""
    from central.app import create_app
    from provisioning.serving import serve as serve_app

    settings = settings_of(config)

    async def run() -> None:
        await _check(settings)
        app = create_app(settings)
        await serve_app(app, settings.http.host, settings.http.port, partial(_stop, app))

    uvloop.run(run())


@main.command(epilog="Example: python -m central migrate --config central.toml")
@CONFIG
@explained
def migrate(config: Path | None) -> None:
    """Bring the database to this build's schema. Safe to repeat; two at once wait for each other."""
    settings = settings_of(config)
    applied = asyncio.run(_with_connection(settings, migrations.migrate))
    click.echo(f"applied: {', '.join(applied)}" if applied else "nothing to apply")


@main.command("load-city", epilog="Example: python -m central load-city provisioning/demo/melilla.toml")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@CONFIG
@explained
def load_city(file: Path, config: Path | None) -> None:
    """Make offices, services, hours, counters and staff what FILE says, and tell the offices. Safe to repeat."""
    from central.loading import load
    from central.offices.city import CityError, read_city

    settings = settings_of(config)
    try:
        city = read_city(file.read_text("utf-8"))
    except CityError as error:
        raise click.ClickException(
            f"{file} was not loaded:\n" + "\n".join(f"  {one}" for one in error.problems)
        ) from error
    asyncio.run(_with_connection(settings, partial(load, settings=settings, city=city, now=SystemClock().now())))
    click.echo(f"loaded {city.city.name}: {len(city.offices)} offices, {len(city.services)} services")


@main.command("open-round-the-clock", epilog="Example: python -m central open-round-the-clock centro real")
@click.argument("offices", nargs=-1, required=True)
@click.option("--days", default=2, show_default=True, help="Service days, from the present one on.")
@click.option("--note", default="demo: open round the clock", show_default=True, help="Why, for those who look.")
@CONFIG
@explained
def open_round_the_clock(offices: tuple[str, ...], days: int, note: str, config: Path | None) -> None:
    """Open OFFICES all of this service day and the next, as a dated exception; the demo does so at each start."""
    from central.loading import open_offices

    settings = settings_of(config)
    work = partial(open_offices, settings=settings, offices=offices, days=days, note=note, now=SystemClock().now())
    if unknown := asyncio.run(_with_connection(settings, work)):
        raise click.ClickException(f"there is no office {', '.join(unknown)}")
    click.echo(f"open round the clock for {days} service days: {', '.join(offices)}")


@main.command(
    "register-node", epilog="Example: python -m central register-node centro edge-centro --public-key node.pub.pem"
)
@click.argument("office")
@click.argument("node")
@click.option("--public-key", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True, help="PEM.")
@click.option("--epoch", default=1, show_default=True, help="The life of the office's node that this one begins.")
@CONFIG
@explained
def register_node(office: str, node: str, public_key: Path, epoch: int, config: Path | None) -> None:
    """Let NODE speak for OFFICE, known by the public half of a key that was made on the node. Safe to repeat."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    from central.exchange.nodes import register

    settings = settings_of(config)
    try:
        key = load_pem_public_key(public_key.read_bytes()).public_bytes(Encoding.Raw, PublicFormat.Raw)
    except ValueError as error:
        raise click.ClickException(f"{public_key} holds no public Ed25519 key in PEM form") from error
    work = partial(register, node_id=node, office=office, epoch=epoch, public_key=key)
    answer = asyncio.run(_with_connection(settings, work))
    if answer not in ("registered", "unchanged"):
        raise click.ClickException(NODE_PROBLEMS[answer].format(office=office, node=node, epoch=epoch))
    click.echo(f"{node} speaks for {office} from epoch {epoch} on")


def _stop(app: Any) -> None:
    app.state.central.stopping.set()


async def _check(settings: Settings) -> None:
    await _with_connection(settings, migrations.check)


async def _with_connection(settings: Settings, work: Callable[[Any], Any]) -> Any:
    connection = await database.connect(settings.database)
    try:
        return await work(connection)
    finally:
        await connection.close()


if __name__ == "__main__":
    sys.exit(main())
