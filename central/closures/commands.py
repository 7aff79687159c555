"""``close-office``, ``open-office`` and ``move-affected``."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import click

from central.command_line import BY, CONFIG, attested, explained, on_database, settings_of
from central.settings import Settings

REFUSED = {
    "no_office": "there is no office {office}: give the id that the city file has for it",
    "past": "a day that is over cannot be closed: give today or a later one",
    "too_many": "at most 31 days at once: close the rest with another call",
    "backwards": "the last day is before the first: change --until",
}
DAY = click.DateTime(["%Y-%m-%d"])


@click.command("close-office", epilog="Example: python -m central close-office centro 2026-12-07 --reason works")
@click.argument("office")
@click.argument("since", type=DAY)
@click.option("--until", type=DAY, help="The last day; else one day is closed.")
@click.option("--reason", default="", help="For those who look; citizens do not see it.")
@BY
@CONFIG
@explained
def close_office(
    *, office: str, since: datetime, until: datetime | None, reason: str, by: str, config: Path | None
) -> None:
    """Close OFFICE for whole service days from SINCE on. What is booked stays so: `move-affected` moves it."""
    from central.closures.marking import close_office as close

    settings = settings_of(config)
    work = partial(
        close, settings=settings, who=attested(by), office=office, since=since.date(),
        until=(until or since).date(), reason=reason,
    )  # fmt: skip
    done = on_database(settings, work)
    if isinstance(done, str):
        raise click.ClickException(REFUSED[done].format(office=office))
    click.echo(f"closed {office}: {', '.join(map(str, done))}")


@click.command("open-office", epilog="Example: python -m central open-office centro 2026-12-07")
@click.argument("office")
@click.argument("day", type=DAY)
@BY
@CONFIG
@explained
def open_office(*, office: str, day: datetime, by: str, config: Path | None) -> None:
    """Take back that OFFICE is closed on DAY."""
    from central.closures.marking import open_again

    settings = settings_of(config)
    work = partial(open_again, settings=settings, who=attested(by), office=office, day=day.date())
    if not on_database(settings, work):
        raise click.ClickException(
            f"nobody has closed {office} on {day.date()}: a day of the city file is opened there"
        )
    click.echo(f"{office} has the hours of the city file on {day.date()}")


@click.command("move-affected", epilog="Example: python -m central move-affected centro --dry-run")
@click.argument("office")
@click.option("--since", type=DAY, help="First day; else today.")
@click.option("--until", type=DAY, help="Last day; else all that can be booked.")
@click.option("--offer", is_flag=True, help="Move nobody: write to them with a proposal.")
@click.option("--same-office", is_flag=True, help="Propose no other office.")
@click.option(
    "--notice-h",
    default=24,
    show_default=True,
    type=click.IntRange(0, 720),
    help="No time nearer than that.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@BY
@CONFIG
@explained
def move_affected(
    *, office: str, since: datetime | None, until: datetime | None, offer: bool, same_office: bool, notice_h: int,
    dry_run: bool, by: str, config: Path | None,
) -> None:  # fmt: skip
    """Move the appointments of OFFICE that have lost their place, who booked first first. Broken off, the next call goes on."""
    settings = settings_of(config)
    span = since.date() if since else None, until.date() if until else None
    work = _moved(
        settings, office, span, offer=offer, same_office=same_office, notice_h=notice_h, dry_run=dry_run, by=by
    )
    for line in asyncio.run(work):
        click.echo(line)


async def _moved(
    settings: Settings, office: str, span: tuple[date | None, date | None], *, offer: bool, same_office: bool, notice_h: int,
    dry_run: bool, by: str,
) -> list[str]:  # fmt: skip
    from central.booking.alone import booking_alone
    from central.closures.marking import queries
    from central.closures.service import Closures

    who, lines = attested(by), []
    async with booking_alone(settings) as booking:
        if office not in (await booking.catalogue.current()).offices:
            raise click.ClickException(REFUSED["no_office"].format(office=office))
        closures = Closures(booking)
        await closures.work()  # what an earlier call left
        first = span[0] or who.at.date() - timedelta(days=1)
        last = span[1] or who.at.date() + timedelta(days=settings.booking.horizon_days)
        notice = timedelta(hours=notice_h)
        plan = await closures.plan(office, first, last, notice=notice, own_office_only=same_office)
        for one in plan:
            to = f"{one.place.office_id} {one.place.start_at:%Y-%m-%d %H:%M}Z" if one.place else "no place within reach"
            lines.append(f"{one.affected.locator} {one.affected.slot_start_at:%Y-%m-%d %H:%M}Z -> {to}")
        if dry_run or not plan:
            return [*lines, f"{len(plan)} appointments without a place"]
        begun = await closures.begin(
            who, office, plan, "offer" if offer else "move", notice=notice, own_office_only=same_office
        )
        if await closures.work() is None:
            return [*lines, f"{begun.items} begun; a serving process of central goes on with them"]
        rows = await booking.central.pool.fetch(queries.counts, [begun.run_id])
        lines += [f"{row['act']} {row['state']} {row['problem']}: {row['items']}".replace(" :", ":") for row in rows]
        return [*lines, f"{begun.items} begun, {begun.without_place} without a place within reach"]


COMMANDS = (close_office, open_office, move_affected)
