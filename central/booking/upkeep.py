"""The work that booking does beside requests, in one task with a fixed beat.

Every few seconds expired holds are released. Every minute each office is told of the appointments that it should know and
does not: what came into its horizon over night, and what a booking around midnight left out. Once an hour the slots of new
days are made, and appointments whose day is over without anybody coming are closed. What is deleted when is elsewhere
(`central/retention`). Everything is bounded, safe to repeat, and safe in several
processes at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import structlog

from central.booking.appointments import Booking
from central.booking.changes import queries
from central.booking.claims import queries as seats
from central.booking.news import feed_appointment
from central.booking.slots import extend_horizon
from central.context import Central
from central.exchange.feed import emit
from central.offices.catalogue import OfficeRecord
from central.offices.store import CatalogueCopy
from sync.domain.service_day import service_date
from sync.messages.feed import Appointment, office_stream

log = structlog.get_logger(__name__)

BEAT_S = 5.0
FEED_EVERY = 12
HOURLY = 720
HOLDS_AT_ONCE = 200
ROWS_AT_ONCE = 200
REPORTS_WITHIN = timedelta(days=30)
"""How long a report of an office may still say how its appointments ended that central knew nothing of."""


class Upkeep:
    """Booking's background work."""

    def __init__(self, central: Central, catalogue: CatalogueCopy) -> None:
        self._central = central
        self._catalogue = catalogue

    async def run(self) -> None:
        """Work until cancelled. A failed piece is logged and done at its next turn."""
        beat = 0
        while True:
            await self._safely(self.release_expired_holds)
            if beat % FEED_EVERY == 0:
                await self._safely(self.feed_appointments)
            if beat % HOURLY == 0:
                await self._safely(self.extend_slots)
                await self._safely(self.close_past)
            beat += 1
            await asyncio.sleep(BEAT_S)

    async def release_expired_holds(self) -> int:
        """Free the seats of holds that ended. They counted as free already; this keeps tables and availability tidy."""
        row = await self._central.pool.fetchrow(seats.release_expired, self._central.clock.now(), HOLDS_AT_ONCE)
        return int(row["holds"])

    async def feed_appointments(self) -> int:
        """Tell every office of the appointments that it should know by now. Returns how many."""
        catalogue = await self._catalogue.current()
        fed = 0
        for office in catalogue.offices.values():
            while told := await self._feed_office(office):
                fed += told
        return fed

    async def close_past(self) -> int:
        """Close the appointments of past days that nobody came for: `no_show` once their office has reported the end of that
        day, else `unknown`. A later report tells better, and presence wins over both. Returns how many.
        """
        catalogue, now = await self._catalogue.current(), self._central.clock.now()
        closed = 0
        for office in catalogue.offices.values():
            today = service_date(now, office.zone)
            closed += await self._repeat(queries.close_past, office.id, today, now)
            closed += await self._repeat(queries.settle_unknown, office.id, today - REPORTS_WITHIN, now)
        return closed

    async def extend_slots(self) -> None:
        """Make the slots of the days that came into reach."""
        catalogue = await self._catalogue.current()
        async with self._central.pool.acquire() as connection:
            await extend_horizon(
                connection, catalogue, self._central.clock.now(), self._central.settings.booking.horizon_days
            )

    async def _feed_office(self, office: OfficeRecord) -> int:
        today = service_date(self._central.clock.now(), office.zone)
        until = today + timedelta(days=self._central.settings.booking.feed_days)
        async with self._central.pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(queries.unfed, office.id, until, ROWS_AT_ONCE)
            await connection.execute(queries.mark_fed, [row["appointment_id"] for row in rows])
            for appointment in map(_appointment, rows):
                await emit(connection, office_stream(office.id), appointment)
        return len(rows)

    async def _repeat(self, statement: str, *arguments: Any) -> int:
        """Run a bounded update until it finds no more. Returns how many rows it changed."""
        changed = 0
        while (rows := _rows(await self._central.pool.execute(statement, *arguments, ROWS_AT_ONCE))) > 0:
            changed += rows
        return changed

    async def _safely(self, work: Callable[[], Awaitable[Any]]) -> None:
        try:
            await work()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("upkeep.failed", work=work.__name__, error=type(error).__name__)
        except Exception:
            log.exception("upkeep.failed", work=work.__name__)


def _rows(tag: str) -> int:
    """How many rows a command changed, as its tag says: `UPDATE 3`."""
    return int(tag.rpartition(" ")[2])


def _appointment(row: Any) -> Appointment:
    return feed_appointment(msgspec.convert({**row, "needs": tuple(row["needs"])}, Booking))
