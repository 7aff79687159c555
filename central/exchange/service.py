"""The exchange of one central process: what it keeps in memory, and the work it does beside requests.

Waking the offices' long-polls. One small read of ``stream_head`` per ``HEADS_EVERY_S``, for the streams that somebody waits
for, and none while nobody does. NOTIFY would be quicker by some milliseconds and is not used: transactions that notify commit
one after the other, database-wide (measured with ten writers: 200 feed rows a second with it, 1300 without).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import structlog

from central.context import Central
from central.exchange import metrics
from central.exchange.backpressure import Backpressure
from central.exchange.conflicts import open_by_kind
from central.exchange.leases import lend, settle, statements, totals
from central.exchange.links import HEARD_EVERY_S, Hearing, OfficeLink, read_behind, read_links
from central.exchange.nodes import announce
from central.exchange.office_days import OfficeDays
from central.exchange.recovery import awaited
from central.exchange.snapshot_files import SnapshotFiles
from central.exchange.store import PostgresCentralStore
from central.exchange.wakes import Wakes
from sync.io.sql import load

log = structlog.get_logger(__name__)

_feed = load("central.exchange", "feed.sql")
_facts = load("central.exchange", "facts.sql")

HOUSE_EVERY_S = 3600.0
MEASURE_EVERY_S = 30.0
HEADS_EVERY_S = 0.04
LOGS_EVERY_S = 0.25
RETRY_S = 1.0


class Exchange:
    """What features of central and the routes of sync share.

    Attributes:
        store: the ``CentralStore`` that the protocol's steps run on.
        days: the folded day of each office, for progress pages and live overviews.
        changes: woken with an office's id after its day changed: watch, read ``days``, wait.
        streams: woken with a stream's name when it has a new row.
        hearing: who was heard.
        snapshots: what offices take when their cursors do not hold.
        backpressure: asks senders of backlogs to wait.
        announced: by office, the epochs whose activation was looked at here.
    """

    def __init__(self, central: Central) -> None:
        self.central = central
        self.store = PostgresCentralStore(central.pool)
        self.changes = Wakes()
        self.streams = Wakes()
        self.days = OfficeDays(central.pool, self.changes)
        self.hearing = Hearing(central.pool, central.clock)
        self.snapshots = SnapshotFiles(self.store)
        self.backpressure = Backpressure(central.settings.exchange)
        self.announced: defaultdict[str, set[int]] = defaultdict(set)
        self._heads: dict[str, int] = {}

    async def announce_nodes(self) -> None:
        """Tell the offices the keys of nodes that they have not heard of."""
        async with self.central.pool.acquire() as connection, connection.transaction():
            await announce(connection)

    async def fenced_by(self, office: str, epoch: int) -> int | None:
        """The later epoch that holds the office, if there is one; standing on a commit that is on the standby."""
        async with self.store.transaction() as tx:
            if await tx.present_epoch(office) <= epoch:
                return None
            authority = await tx.lock_authority(office)
            return authority.epoch if authority is not None else None

    async def look_at_heads(self) -> None:
        """Wake who waits for a stream whose head has moved."""
        watched = self.streams.watched
        if not watched:
            return
        for row in await self.central.pool.fetch(_feed.heads, watched):
            if self._heads.get(row["stream"]) != row["head"]:
                self._heads[row["stream"]] = row["head"]
                self.streams.wake(row["stream"])

    async def keep_house(self) -> None:
        """Tell of keys that were never told, keep the leases."""
        await self.announce_nodes()
        if self.central.settings.leases.automatic:
            await self.keep_leases()

    async def keep_leases(self) -> None:
        """Settle leases that are over and lend the seats of new days."""
        now = self.central.clock.now()
        async with self.central.pool.acquire() as connection:
            await settle(connection, now)
            await lend(connection, self.central.settings.leases, now)

    async def measure(self) -> None:
        """Bring the gauges up to date; one process's view of the database is as good as another's."""
        metrics.PARKED.set(await self.central.pool.fetchval(_facts.parked))
        for link in await read_links(self.central.pool):
            _measure_office(link, self.central.clock.now())
        for office, behind in (await read_behind(self.central.pool)).items():
            metrics.BEHIND.labels(office).set(len(behind))
        metrics.of_conflicts(await open_by_kind(self.central.pool))
        metrics.AWAITED.set(len(await awaited(self.central.pool)))
        metrics.of_leases(totals(await statements(self.central.pool, self.central.clock.now())))


def _measure_office(link: OfficeLink, now: datetime) -> None:
    """An office that was never heard has no figures."""
    if link.last_contact_at is None:
        return
    metrics.LAG_FACTS.labels(link.office).set(link.lag)
    metrics.SILENT.labels(link.office).set(max(0.0, (now - link.last_contact_at).total_seconds()))
    if link.disk_free_bytes is not None:
        metrics.DISK_FREE.labels(link.office).set(link.disk_free_bytes)


async def repeat(work: Callable[[], Awaitable[None]], every_s: float) -> None:
    """Do something again and again until cancelled. It outlives every error: waiting offices depend on it.

    A connection that is killed can surface as nearly any of asyncpg's errors, its internal ones among them.
    """
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - see above
            log.warning("exchange.work_failed", work=getattr(work, "__name__", ""), error=type(error).__name__)
            await asyncio.sleep(RETRY_S)
        await asyncio.sleep(every_s)


@asynccontextmanager
async def open_exchange(central: Central) -> AsyncIterator[Exchange]:
    """Open the exchange of this process; its work ends with the block.

    The days are folded before the block begins.
    """
    exchange = Exchange(central)
    await exchange.days.look()
    work = (
        repeat(exchange.look_at_heads, HEADS_EVERY_S),
        repeat(exchange.days.look, LOGS_EVERY_S),
        repeat(exchange.hearing.flush, HEARD_EVERY_S),
        repeat(exchange.keep_house, HOUSE_EVERY_S),
        repeat(exchange.measure, MEASURE_EVERY_S),
    )
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield exchange
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        exchange.snapshots.close()
