"""Closing an office for some days, and opening it again: its hours, its slots, what it is told. What is booked stays booked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Literal

from central.audit import Attested, note
from central.booking.slots import plan_changed
from central.offices.load import publish
from central.offices.store import queries as offices
from central.offices.store import read_catalogue
from central.settings import Settings
from sync.domain.service_day import service_date
from sync.io.sql import load

queries = load("central.closures")

MOST_DAYS = 31
Refusal = Literal["no_office", "past", "too_many", "backwards"]


def days_of(since: date, until: date) -> list[date]:
    """The days from one to another, both included."""
    return [since + timedelta(days=n) for n in range((until - since).days + 1)]


async def close_office(
    connection: Any, settings: Settings, who: Attested, *, office: str, since: date, until: date, reason: str
) -> list[date] | Refusal:
    """Close an office for whole service days. Appointments stay booked until somebody moves them.

    Days that are closed already stay whoever's closure they are. Hours that a day had of its own are kept beside.

    Args:
        reason: for those who look; citizens do not see it.

    Returns:
        the days, or why not.
    """
    record = (await read_catalogue(connection, since)).offices.get(office)
    if record is None:
        return "no_office"
    today = service_date(who.at, record.zone)
    if refusal := _refusal(since, until, today):
        return refusal
    days = days_of(since, until)
    async with connection.transaction():
        await connection.execute(offices.lock_catalogue)
        await connection.execute(queries.keep_hours, office, days)
        closed = sorted(row["service_date"] for row in await connection.fetch(queries.close_days, office, days, reason))
        if closed:
            await note(connection, who, "closure.set", office, office=office, day=_span(closed), days=len(closed))
        await _plan(connection, settings, office, days, who)
        await publish(connection, today)
    return days


async def open_again(connection: Any, settings: Settings, who: Attested, *, office: str, day: date) -> bool:
    """Take back that staff closed an office on a day: it has its other hours again. False when nobody did."""
    record = (await read_catalogue(connection, day)).offices.get(office)
    if record is None:
        return False
    async with connection.transaction():
        await connection.execute(offices.lock_catalogue)
        if await connection.fetchval(queries.lift, office, day) is None:
            return False
        await connection.execute(queries.restore_hours, office, day)
        await connection.execute(queries.stop_items, office, day, who.at)
        await note(connection, who, "closure.lifted", office, office=office, day=day.isoformat())
        await _plan(connection, settings, office, [day], who)
        await publish(connection, service_date(who.at, record.zone))
    return True


async def _plan(connection: Any, settings: Settings, office: str, days: Sequence[date], who: Attested) -> None:
    """Fit the slots to the hours, in the transaction that changes these: a crash leaves both or neither."""
    catalogue = await read_catalogue(connection, who.at.date() - timedelta(days=2))
    horizon_days = settings.booking.horizon_days
    await plan_changed(
        connection, catalogue, catalogue.offices[office], days=days, now=who.at, horizon_days=horizon_days
    )


def _refusal(since: date, until: date, today: date) -> Refusal | None:
    if until < since:
        return "backwards"
    if since < today:
        return "past"
    return "too_many" if (until - since).days >= MOST_DAYS else None


def _span(days: Sequence[date]) -> str:
    return str(days[0]) if len(days) == 1 else f"{days[0]} – {days[-1]}"
