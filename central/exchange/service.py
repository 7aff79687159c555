"""The exchange of one central process: what it keeps in memory, and the work it does beside requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import structlog

from central.context import Central
from central.exchange import metrics
from central.exchange.feed import WAKE_CHANNEL
from central.exchange.links import Hearing
from central.exchange.office_days import CHANNEL, OfficeDays
from central.exchange.store import PostgresCentralStore
from central.exchange.wakes import Wakes
from sync.io.sql import load

log = structlog.get_logger(__name__)

_feed = load("central.exchange", "feed.sql")
_facts = load("central.exchange", "facts.sql")

FEED_KEPT = timedelta(days=14)
PRUNE_EVERY_S = 3600.0
HEAD_POLL_S = 1.0
SNAPSHOTS_AT_ONCE = 4


class Exchange:
    """What features of central and the routes of sync share.

    Attributes:
        store: the ``CentralStore`` that the protocol's steps run on.
        days: the folded day of each office, for progress pages and live overviews.
        changes: woken with an office's id after its day changed: watch, read ``days``, wait.
        streams: woken with a stream's name when it has a new row.
        hearing: who was heard.
        snapshots: how many snapshots may be made at once.
    """

    def __init__(self, central: Central) -> None:
        self.central = central
        self.store = PostgresCentralStore(central.pool)
        self.changes = Wakes()
        self.streams = Wakes()
        self.days = OfficeDays(central.pool, self.changes)
        self.hearing = Hearing(central.pool, central.clock)
        self.snapshots = asyncio.Semaphore(SNAPSHOTS_AT_ONCE)
        self._heads: dict[str, int] = {}

    def on_stream(self, stream: str | None) -> None:
        """A notification of ``feed_put``; None after the listener came back: anything may have been missed."""
        if stream is None:
            self.streams.wake_all()
        else:
            self.streams.wake(stream)

    async def poll_heads(self) -> None:
        """While nobody listens for us, look at the heads of the watched streams every second."""
        while True:
            await asyncio.sleep(HEAD_POLL_S)
            if not self.central.listener.is_up:
                await self._look_at_heads()

    async def _look_at_heads(self) -> None:
        try:
            rows = await self.central.pool.fetch(_feed.heads, self.streams.watched)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("feed.poll_failed", error=type(error).__name__)
            return
        heads = {row["stream"]: row["head"] for row in rows}
        for stream, head in heads.items():
            if self._heads.get(stream) != head:
                self.streams.wake(stream)
        self._heads = heads

    async def keep_house(self) -> None:
        """Delete old feed rows and count what is parked, every hour."""
        while True:
            try:
                await prune(self.central.pool, self.central.clock.now() - FEED_KEPT)
                metrics.PARKED.set(await self.central.pool.fetchval(_facts.parked))
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("feed.prune_failed", error=type(error).__name__)
            await asyncio.sleep(PRUNE_EVERY_S)


async def prune(pool: asyncpg.Pool, before: datetime) -> int:
    """Delete feed rows older than ``before``, stream by stream; entities stay. Returns how many rows went."""
    pruned = 0
    for row in await pool.fetch(_feed.streams):
        deleted = int((await pool.execute(_feed.prune, row["stream"], before)).split()[-1])
        pruned += deleted
        metrics.FEED_PRUNED.inc(deleted)
    return pruned


@asynccontextmanager
async def open_exchange(central: Central) -> AsyncIterator[Exchange]:
    """Open the exchange of this process; its work ends with the block.

    The days are loaded before the block begins and after the subscription: nothing falls in between.
    """
    exchange = Exchange(central)
    ends = [
        central.listener.subscribe(WAKE_CHANNEL, exchange.on_stream),
        central.listener.subscribe(CHANNEL, exchange.days.heard),
    ]
    await exchange.days.load()
    work: list[Coroutine[Any, Any, None]] = [exchange.hearing.run(), exchange.poll_heads(), exchange.keep_house()]
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield exchange
    finally:
        for end in ends:
            end()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await exchange.days.close()
