"""Commands about what past days say: how published waits held."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from central.command_line import CONFIG, explained, on_database, settings_of
from sync.io.clock import SystemClock
from sync.messages import codec

NO_OFFICE = "there is no office {office}; offices: {known}"


@click.group("waits", epilog="Example: python -m central waits coverage --office centro")
def waits() -> None:
    """Expected waits: how they held, and the model that they are made from."""


@waits.command("coverage", epilog="Example: python -m central waits coverage --office centro --days 28 --json")
@click.option("--office", required=True)
@click.option("--days", default=28, show_default=True, type=click.IntRange(1, 366), help="Past days to judge.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
@CONFIG
@explained
def coverage_command(office: str, days: int, as_json: bool, config: Path | None) -> None:
    """How the waits that walk-ins were told at OFFICE held."""
    from central.insight.wait_models import told_waits
    from sync.domain.waits.fit import coverage

    told = on_database(
        settings_of(config), partial(_of_office, office=office, work=told_waits, span=timedelta(days=days))
    )
    held = coverage(told)
    if held is None:
        raise click.ClickException(f"nobody was told a wait at {office} in the last {days} days")
    if as_json:
        click.echo(codec.encode({"office": office, "days": days, **msgspec.to_builtins(held)}))
        return
    click.echo(f"{held.count} waits told in {days} days")
    click.echo(f"within the upper end  {held.within_upper / 10:5.1f} %   (wanted 75-87)")
    click.echo(f"below the median      {held.below_median / 10:5.1f} %   (wanted 42-58)")
    click.echo(f"over by 10 min        {held.over_by_10_min / 10:5.1f} %   (wanted 3 at most)")
    click.echo(f"median error          {held.median_error_s / 60:5.1f} min")


@waits.command("fit", epilog="Example: python -m central waits fit --office centro")
@click.option("--office", required=True)
@CONFIG
@explained
def fit_command(office: str, config: Path | None) -> None:
    """Make the model of OFFICE from its past weeks now, and tell the office. Safe to repeat; done weekly by itself."""
    from central.insight.wait_models import make

    async def work(connection: Any, record: Any, now: Any, _span: Any) -> Any:
        from central.offices.store import read_catalogue

        return await make(connection, record, await read_catalogue(connection, now.date()), now)

    model = on_database(settings_of(config), partial(_of_office, office=office, work=work, span=timedelta()))
    if model is None:
        raise click.ClickException(f"{office} has no past day yet")
    visits = sum(times.visits for times in model.services.values())
    click.echo(f"{office}: a model from {visits} visits; the range's upper end is read at {model.level} %")


async def _of_office(connection: Any, *, office: str, work: Any, span: timedelta) -> Any:
    """Do some work on an office of the catalogue, now."""
    from central.offices.store import read_catalogue

    now = SystemClock().now()
    city = await read_catalogue(connection, now.date())
    if (record := city.offices.get(office)) is None:
        raise click.ClickException(NO_OFFICE.format(office=office, known=", ".join(city.offices)))
    return await work(connection, record, now, span)


COMMANDS = (waits,)
