"""Central's own view of each office's queue: one folded ``OfficeDay`` per office, by the same rule as at the edge.

Rebuilt from the raw log at start (from the last ``day.opened``) and kept up to date by what is ingested: at once in the
process that took the facts, a moment later in the others, which look at the ends of the logs. Positions make it idempotent:
a fact is folded when it is the next one, skipped when it was folded, and a hole is filled from the raw log.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import asyncpg

from central.exchange.folding import fold, record_of
from central.exchange.wakes import Wakes
from sync.domain.office_day import OfficeDay
from sync.io.sql import load
from sync.messages.envelope import FactRecord

_queries = load("central.exchange", "facts.sql")

READ_AT_ONCE = 1000


class OfficeDays:
    """The offices' days.

    Args:
        changes: woken with an office's id after its day has changed.
    """

    def __init__(self, pool: asyncpg.Pool, changes: Wakes) -> None:
        self._pool = pool
        self._changes = changes
        self._days: dict[str, OfficeDay] = {}
        self._reading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def __getitem__(self, office: str) -> OfficeDay:
        """The office's day; an empty one for an office that has never sent a fact."""
        if office not in self._days:
            self._days[office] = OfficeDay(office)
        return self._days[office]

    async def look(self) -> None:
        """Fold whatever the raw logs have that the days have not; all of the present days when called first."""
        for row in await self._pool.fetch(_queries.log_ends):
            day = self[row["office"]]
            if row["last_seq"] and (row["epoch"], row["last_seq"]) != (day.epoch, day.seq):
                await self.catch_up(row["office"])

    async def ingested(self, office: str, records: Sequence[FactRecord]) -> int:
        """Facts were committed by this process. Returns how many of them were news here."""
        day = self[office]
        fresh = [r for r in records if (r.header.epoch, r.seq) > (day.epoch, day.seq)]
        if fresh and (fresh[0].header.epoch, fresh[0].seq) != (day.epoch, day.seq + 1):
            await self.catch_up(office)
        elif fresh:
            fold(day, fresh)
            self._changes.wake(office)
        return len(fresh)

    async def catch_up(self, office: str) -> None:
        """Fold what the raw log has and the day has not."""
        async with self._reading[office]:
            start = await self._pool.fetchrow(_queries.day_start, office)
            if start is None:
                return
            day = self[office]
            if start["epoch"] != day.epoch:
                day = OfficeDay(office)
            next_seq = day.seq + 1 if day.epoch else start["seq"] or 1
            while records := await self._read(office, start["epoch"], next_seq):
                fold(day, records)
                next_seq = records[-1].seq + 1
            self._days[office] = day
        self._changes.wake(office)

    async def _read(self, office: str, epoch: int, seq: int) -> list[FactRecord]:
        rows = await self._pool.fetch(_queries.facts_from, office, epoch, seq, READ_AT_ONCE)
        return [record_of(row) for row in rows]
