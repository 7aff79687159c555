"""Central's command line: `python -m central serve|migrate|load-city|…`; `--help` names them all."""

import sys
from functools import partial
from pathlib import Path
from typing import Any

import click
import uvloop

from central import migrations
from central.closures import commands as closures
from central.command_line import CONFIG, explained, on_database, settings_of, with_connection
from central.exchange import commands as exchange
from central.insight import commands as insight
from central.offices import commands as offices
from central.policy import commands as policy
from central.retention import commands as retention
from central.settings import Settings
from sync.io.clock import SystemClock


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: python -m central serve --config central.toml",
)
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
@click.option("--expand", "only_expand", is_flag=True, help="Only what the build before bears, while it still serves.")
@CONFIG
@explained
def migrate(*, only_expand: bool, config: Path | None) -> None:
    """Bring the database to this build's schema. Safe to repeat; two at once wait for each other.

    To upgrade without a stop: `migrate --expand`, replace the processes one by one, `migrate`.
    """
    settings = settings_of(config)
    applied = on_database(settings, partial(migrations.migrate, only_expand=only_expand))
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
    on_database(settings, partial(load, settings=settings, city=city, now=SystemClock().now()))
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
    if unknown := on_database(settings, work):
        raise click.ClickException(f"there is no office {', '.join(unknown)}")
    click.echo(f"open round the clock for {days} service days: {', '.join(offices)}")


def _stop(app: Any) -> None:
    app.state.central.stopping.set()


async def _check(settings: Settings) -> None:
    await with_connection(settings, migrations.check)


for command in (
    *closures.COMMANDS,
    *exchange.COMMANDS,
    *insight.COMMANDS,
    *offices.COMMANDS,
    *policy.COMMANDS,
    *retention.COMMANDS,
):
    main.add_command(command)

if __name__ == "__main__":
    sys.exit(main())
