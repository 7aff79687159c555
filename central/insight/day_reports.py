"""What past days say of their queue, counted beside ingest: where staff changed the order, and how announced waits ended.

A day is counted by folding its facts with the code that the office itself works with, once it is over; a page that asks for a
day that was not counted yet, today above all, has it folded then. So taking facts in costs nothing, and no rule of the queue
stands in SQL. Safe to repeat and in several processes: the same facts give the same rows.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import structlog

from central.context import Central
from central.insight.past_days import Journal, PastDay, days_of, journal_of
from central.offices.catalogue import OfficeRecord
from central.offices.store import CatalogueCopy
from sync.domain.overrides import Override, overrides
from sync.domain.service_day import service_date
from sync.domain.waits.fit import Held, held
from sync.domain.waits.history import observe
from sync.io.sql import load
from sync.messages import codec

log = structlog.get_logger(__name__)

queries = load("central.insight", "reports.sql")

RULES = 1
"""Raised when days are counted otherwise: then all that the reports reach are counted anew."""
DAYS = 31
"""How many days a report reaches back, today among them."""
LOOK_EVERY_S = 300.0
AT_ONCE = 40
"""Stretches that one look counts, over all offices. When there are more, the next look goes on after a moment."""
AGAIN_S = 5.0
MOST_OVERRIDES = 500
MOST_COUNTS = 5000


class DayReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a day says of its queue.

    Args:
        overrides: oldest first.
        held: by service.
    """

    overrides: tuple[Override, ...] = ()
    held: Mapping[str, Held] = {}


class _Stretch(msgspec.Struct, frozen=True, kw_only=True):
    day: PastDay
    last_seq: int

    @property
    def key(self) -> tuple[int, int, int]:
        return self.day.epoch, self.day.first_seq, self.last_seq


class _Counted(msgspec.Struct, frozen=True):
    """A day that a page had counted, and from which facts."""

    day: date
    of: tuple[tuple[int, int, int], ...]
    report: DayReport


class DayReports:
    """Counts the days, and answers what they say."""

    def __init__(self, central: Central, catalogue: CatalogueCopy) -> None:
        self._central = central
        self._catalogue = catalogue
        self._counting: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._counted: dict[str, _Counted] = {}

    async def run(self) -> None:
        """Look every few minutes until cancelled; a failed look is logged and tried again."""
        pause_s = LOOK_EVERY_S
        while True:
            await asyncio.sleep(pause_s)
            try:
                pause_s = AGAIN_S if await self.look() == AT_ONCE else LOOK_EVERY_S
            except Exception:
                log.exception("day_reports.failed")
                pause_s = LOOK_EVERY_S

    async def look(self, at_once: int = AT_ONCE) -> int:
        """Count past days that were not, or have grown since. Returns how many stretches were counted."""
        counted = 0
        for record in (await self._catalogue.current()).offices.values():
            today = self.today(record)
            async with self._central.pool.acquire() as connection:
                for stretch in await self._uncounted(connection, record, today):
                    if counted >= at_once:
                        return counted
                    await self._keep(connection, stretch)
                    counted += 1
        return counted

    def today(self, record: OfficeRecord) -> date:
        return service_date(self._central.clock.now(), record.zone)

    async def overrides_of(self, record: OfficeRecord, day: date) -> Sequence[Override]:
        """Where an office's order was changed on a day; at most `MOST_OVERRIDES`, the first of the day."""
        fresh = await self._fresh(record, day)
        if fresh is not None:
            return fresh.overrides[:MOST_OVERRIDES]
        rows = await self._central.pool.fetch(queries.overrides_of_day, record.id, day, MOST_OVERRIDES)
        return [codec.decode(bytes(row["body"]), Override) for row in rows]

    async def counts(self, record: OfficeRecord) -> dict[tuple[date, str, str], int]:
        """How often the order was changed in the last `DAYS` days, by day, kind and reason."""
        today = self.today(record)
        since = today - timedelta(days=DAYS - 1)
        rows = await self._central.pool.fetch(queries.override_counts, record.id, since, today, MOST_COUNTS)
        found = {(row["service_date"], row["kind"], row["reason"]): row["changes"] for row in rows}
        fresh = await self._fresh(record, today)
        for one in fresh.overrides if fresh is not None else ():
            if not one.is_undone:
                key = (today, one.kind, one.reason)
                found[key] = found.get(key, 0) + 1
        return found

    async def held_by_service(
        self, record: OfficeRecord, days: int, recent: int
    ) -> tuple[dict[str, Held], dict[str, Held]]:
        """How announced waits ended, by service: in the last `days` days before today, and in the last `recent`."""
        today = self.today(record)
        since, recently = today - timedelta(days=days), today - timedelta(days=recent)
        rows = await self._central.pool.fetch(queries.held_by_service, record.id, since, recently, today)
        return _by("service", rows)

    async def held_by_office(
        self, offices: Sequence[str], days: int, recent: int
    ) -> tuple[dict[str, Held], dict[str, Held]]:
        """The same of whole offices, by office."""
        city = await self._catalogue.current()
        today = min((self.today(city.offices[office]) for office in offices), default=self._central.clock.now().date())
        since, recently = today - timedelta(days=days), today - timedelta(days=recent)
        rows = await self._central.pool.fetch(queries.held_by_office, list(offices), since, recently, today)
        return _by("office", rows)

    async def last_counted(self, office: str) -> datetime | None:
        """When a day of the office was counted last."""
        at: datetime | None = await self._central.pool.fetchval(queries.last_counted, office)
        return at

    async def _fresh(self, record: OfficeRecord, day: date) -> DayReport | None:
        """A day as its facts say now; none where the table says the same."""
        async with self._counting[record.id], self._central.pool.acquire() as connection:
            found = await self._stretches(connection, record, day, day + timedelta(days=1))
            known = await self._known(connection, record, day)
            if all(stretch.key in known for stretch in found):
                return None
            of = tuple(stretch.key for stretch in found)
            before = self._counted.get(record.id)
            if before is not None and (before.day, before.of) == (day, of):
                return before.report
            reports = [await _counted(connection, stretch) for stretch in found]
            report = DayReport(overrides=tuple(one for report in reports for one in report.overrides))
            if day == self.today(record):  # what people come back to
                self._counted[record.id] = _Counted(day, of, report)
            return report

    async def _uncounted(self, connection: Any, record: OfficeRecord, today: date) -> list[_Stretch]:
        since = today - timedelta(days=DAYS - 1)
        known = await self._known(connection, record, since)
        return [s for s in await self._stretches(connection, record, since, today) if s.key not in known]

    async def _known(self, connection: Any, record: OfficeRecord, since: date) -> set[tuple[int, int, int]]:
        rows = await connection.fetch(queries.reported, record.id, since, RULES)
        return {(row["epoch"], row["first_seq"], row["last_seq"]) for row in rows}

    async def _stretches(self, connection: Any, record: OfficeRecord, since: date, before: date) -> list[_Stretch]:
        """The stretches of days from one on and before another, oldest first, each with its last fact so far."""
        opened_since = datetime.combine(since - timedelta(days=1), datetime.min.time(), tzinfo=record.zone)
        days = [day for day in await days_of(connection, record.id, opened_since, before) if day.service_date >= since]
        ends = {day.epoch: await connection.fetchval(queries.log_end, record.id, day.epoch) for day in days}
        return [_Stretch(day=day, last_seq=min(day.end_seq - 1, ends[day.epoch])) for day in days]

    async def _keep(self, connection: Any, stretch: _Stretch) -> None:
        day, report = stretch.day, await _counted(connection, stretch)
        place = (day.office, day.service_date, day.epoch, day.first_seq)
        made = report.overrides
        async with connection.transaction():
            await connection.execute(
                queries.keep_report,
                day.office,
                day.epoch,
                day.first_seq,
                stretch.last_seq,
                day.service_date,
                RULES,
                self._central.clock.now(),
            )
            await connection.execute(queries.drop_overrides, *place)
            await connection.execute(
                queries.keep_overrides,
                *place,
                [one.seq for one in made],
                [one.kind for one in made],
                [one.reason for one in made],
                [one.is_undone for one in made],
                [codec.encode(one) for one in made],
            )
            await connection.execute(queries.drop_held, *place)
            shares = list(report.held.items())
            await connection.execute(
                queries.keep_held,
                *place,
                [service for service, _ in shares],
                [one.count for _, one in shares],
                [one.before for _, one in shares],
                [one.inside for _, one in shares],
                [one.after for _, one in shares],
                [one.far_after for _, one in shares],
            )


async def _counted(connection: Any, stretch: _Stretch) -> DayReport:
    journal = await journal_of(connection, msgspec.structs.replace(stretch.day, end_seq=stretch.last_seq + 1))
    return await asyncio.to_thread(report_of, journal)


def report_of(journal: Journal) -> DayReport:
    """What the facts of a day say of its queue."""
    return DayReport(overrides=tuple(overrides(journal)), held=held(observe(journal).told))


def _by(key: str, rows: Sequence[Any]) -> tuple[dict[str, Held], dict[str, Held]]:
    """All of the days, and the recent ones."""
    whole: dict[str, Held] = {}
    recent: dict[str, Held] = {}
    for row in rows:
        counts = {field: row[field] for field in Held.__struct_fields__}
        whole[row[key]] = whole.get(row[key], Held()) + Held(**counts)
        if row["is_recent"]:
            recent[row[key]] = Held(**counts)
    return whole, recent
