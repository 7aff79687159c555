"""Once a week, for every office: the model of waiting from the facts of its past weeks, told to the office by its stream.

Safe to repeat and in several processes: the same facts give the same row, and a row that says nothing new is not made.
"""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import structlog

from central.context import Central
from central.exchange.feed import emit
from central.insight.office_now import domain_catalogue
from central.insight.past_days import booked_on, days_of, journal_of, queries
from central.offices.catalogue import Catalogue, OfficeRecord
from central.offices.store import CatalogueCopy
from sync.domain.service_day import service_date
from sync.domain.waits.fit import fit
from sync.domain.waits.history import Observed, Told, observe
from sync.messages import codec
from sync.messages.feed import WaitModel, office_stream

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 3600.0
MADE_EVERY = timedelta(days=7)
WEEKS = timedelta(weeks=8)
LEVEL_WEEKS = timedelta(weeks=4)
"""The upper end of the range is set from the waits told in the last four weeks."""
MOST_DAYS = 60


class WaitModels:
    """The weekly work."""

    def __init__(self, central: Central, catalogue: CatalogueCopy) -> None:
        self._central = central
        self._catalogue = catalogue

    async def run(self) -> None:
        """Look every hour until cancelled; a failed office is logged and tried again."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except Exception:
                log.exception("wait_models.failed")

    async def look(self) -> int:
        """Make the models that are a week old. Returns how many."""
        city, now = await self._catalogue.current(), self._central.clock.now()
        made = 0
        for record in city.offices.values():
            async with self._central.pool.acquire() as connection:
                if await _is_due(connection, record, now) and await make(connection, record, city, now):
                    made += 1
        return made


async def make(connection: Any, record: OfficeRecord, city: Catalogue, now: datetime) -> WaitModel | None:
    """Make an office's model and tell the office; none while it has no past day."""
    seen = await observed_days(connection, record, now, WEEKS)
    if not seen:
        return None
    today = service_date(now, record.zone)
    recent = [told for day, one in seen if day >= today - LEVEL_WEEKS for told in one.told]
    catalogue = domain_catalogue(record, city)
    model = await asyncio.to_thread(fit, [one for _, one in seen], catalogue, today, recent)
    async with connection.transaction():
        await emit(connection, office_stream(record.id), model)
    log.info("wait_model.made", office=record.id, days=len(seen), told=len(recent), level=model.level)
    return model


async def observed_days(
    connection: Any, record: OfficeRecord, now: datetime, span: timedelta
) -> Sequence[tuple[date, Observed]]:
    """What the past days of an office say, oldest first; the newest `MOST_DAYS` of a span."""
    today = service_date(now, record.zone)
    days = (await days_of(connection, record.id, now - span, today))[-MOST_DAYS:]
    booked = await booked_on(connection, record.id, {day.service_date for day in days})
    seen = []
    for day in days:
        one = await asyncio.to_thread(observe, await journal_of(connection, day))
        one.booked = booked.pop(day.service_date, one.came)  # a day in two lives counts its bookings once
        seen.append((day.service_date, one))
    return seen


async def told_waits(connection: Any, record: OfficeRecord, now: datetime, span: timedelta) -> list[Told]:
    """Every wait that was published in a span of days, with how long it was."""
    return [told for _, one in await observed_days(connection, record, now, span) for told in one.told]


async def _is_due(connection: Any, record: OfficeRecord, now: datetime) -> bool:
    body = await connection.fetchval(queries.wait_model, office_stream(record.id), WaitModel.KIND)
    made_on = codec.decode(bytes(body), WaitModel).made_on if body is not None else date.min
    return service_date(now, record.zone) - made_on >= MADE_EVERY
