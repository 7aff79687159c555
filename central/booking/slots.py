"""Makes slots and seats from hours and capacity: after a change of the catalogue, and each day for the day that comes into
reach. Safe to repeat; what is claimed is never touched.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import structlog

from central.offices.catalogue import Catalogue, OfficeRecord, Pool
from central.offices.rules import slots_of
from sync.domain.opening import Week
from sync.domain.service_day import service_date
from sync.io.ids import new_id
from sync.io.sql import load

log = structlog.get_logger(__name__)

queries = load("central.booking", "slots.sql")

DAYS_AT_ONCE = 7
"""Service days planned in one transaction: short enough that nobody waits for the locks."""


async def plan_city(connection: Any, catalogue: Catalogue, now: datetime, horizon_days: int) -> None:
    """Fit the slots of every office and day of the horizon to the catalogue."""
    for office in catalogue.offices.values():
        await plan_office(connection, catalogue, office, now, horizon_days)


async def plan_office(
    connection: Any, catalogue: Catalogue, office: OfficeRecord, now: datetime, horizon_days: int
) -> None:
    """Fit the slots of an office from today to the horizon."""
    today = service_date(now, office.zone)
    await _plan_days(connection, catalogue, office, _days(today, today + timedelta(days=horizon_days)), now)


async def plan_changed(
    connection: Any,
    catalogue: Catalogue,
    office: OfficeRecord,
    *,
    days: Sequence[date],
    now: datetime,
    horizon_days: int,
) -> None:
    """Fit the slots of the days whose hours have changed; those beyond the horizon come with it.

    In a transaction of the caller it is one with the change: there never are hours without their slots. Seats are locked
    until its end, so the caller gives few days, and takes no lock of a feed before.
    """
    today = service_date(now, office.zone)
    within = [day for day in days if today <= day <= today + timedelta(days=horizon_days)]
    await _plan_days(connection, catalogue, office, within, now)


async def extend_horizon(connection: Any, catalogue: Catalogue, now: datetime, horizon_days: int) -> None:
    """Make the slots of the days that have come into reach since the last time; usually one day, or none."""
    for office in catalogue.offices.values():
        today = service_date(now, office.zone)
        until: date | None = await connection.fetchval(queries.horizon, office.id)
        first = today if until is None else max(today, until + timedelta(days=1))
        await _plan_days(connection, catalogue, office, _days(first, today + timedelta(days=horizon_days)), now)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


async def _plan_days(
    connection: Any, catalogue: Catalogue, office: OfficeRecord, days: Sequence[date], now: datetime
) -> None:
    for first in range(0, len(days), DAYS_AT_ONCE):
        some = days[first : first + DAYS_AT_ONCE]
        async with connection.transaction():
            await connection.execute(queries.lock_office, office.id)
            await connection.execute(queries.prefer_indexes)
            for pool in office.pools:
                await _plan_pool(connection, office, pool, catalogue.week(office), days=some, now=now)
            await connection.execute(queries.note_horizon, office.id, some[-1])
            await connection.execute(queries.tell, office.id, list(some))
    if days:
        log.info("slots.planned", office=office.id, days=len(days), until=days[-1].isoformat())


async def _plan_pool(
    connection: Any, office: OfficeRecord, pool: Pool, week: Week, *, days: Sequence[date], now: datetime
) -> None:
    plan = [(day, slot) for day in days for slot in slots_of(day, week, pool.capacity)] if pool.services else []
    dates, starts = [day for day, _ in plan], [slot.start_at for _, slot in plan]
    seats, ids = [slot.seats for _, slot in plan], [new_id() for _ in plan]
    length = pool.capacity.slot_min
    await connection.execute(queries.put_slots, office.id, pool.id, length, ids, dates, starts)
    await connection.execute(queries.close_slots, office.id, pool.id, list(days), starts)
    await connection.execute(queries.fit_seats, office.id, pool.id, list(days), starts, seats, now)
    await connection.execute(queries.add_seats, office.id, pool.id, starts, seats)
