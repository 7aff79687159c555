"""Books in groups when many come at once: what waits while one group is written is the next group.

Theory. Bookings stand in one line per process, and one group of them is written at a time: more connections make a hot slot
slower, and every group more costs a flush. Nobody is waited for: a lone request finds nothing being written and goes at once,
by the statement `book` as it is.

A group is one statement, so it is whole or not at all. If it fails, for whatever one of them, each of it is tried alone; what
it left out is looked into alone; `ALONE` per office at a time. Whatever is slow stops waiting to be alone on the line:
a group waits for locks no longer than `lock_timeout_ms`, and the line goes on without a lone booking after `PATIENCE_S`.

Nothing here is needed for being right: other processes book beside, and it is Postgres that keeps seats, requests and persons
apart.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import asyncpg
import structlog

from central.booking.claims import ClaimEnd, claim, claim_at_once
from central.booking.groups import Ask, group_arguments, together
from sync.io.sql import load

log = structlog.get_logger(__name__)

queries = load("central.booking", "groups.sql")

MOST = 50
"""How many bookings a group may have: more is not faster, and all of them wait for the last."""
ALONE = 2
"""How many bookings of an office are tried alone at a time."""
PATIENCE_S = 0.25
"""How long the line waits for what is being written: a little longer than a group waits for a lock."""

Waiting = tuple[Ask, asyncio.Future[Any]]


class Apart(Exception):
    """The group failed: try each alone."""


class Surge:
    """The line of bookings that wait to be written, and the task that writes them while there are any.

    Args:
        lock_timeout_ms: how long a group, or a second try, waits for somebody else's lock.
    """

    def __init__(self, pool: Any, lock_timeout_ms: int) -> None:
        self._pool = pool
        self._lock_timeout_ms = lock_timeout_ms
        self._alone: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(ALONE))
        self._line: list[Waiting] = []
        self._working: asyncio.Task[None] | None = None
        self._writing: set[asyncio.Task[None]] = set()

    async def book(self, ask: Ask) -> ClaimEnd:
        """Book, together with whoever is waiting."""

        async def first_try() -> Any | None:
            return await self._first_try(ask)

        return await claim(
            self._pool, "book", ask.arguments, ask.where, self._lock_timeout_ms,
            first_try=first_try, gate=self._alone[ask.where.office],
        )  # fmt: skip

    async def _first_try(self, ask: Ask) -> Any | None:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._line.append((ask, answer))
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        try:
            return await answer
        except Apart:
            async with self._alone[ask.where.office]:
                return await claim_at_once(self._pool, "book", ask.arguments)

    async def _work(self) -> None:
        """Write until the line is empty, in tasks of their own: no group ends because one of its callers hung up."""
        try:
            while group := self._next_group():
                writing = asyncio.create_task(self._write(group))
                self._writing.add(writing)
                writing.add_done_callback(self._writing.discard)
                await asyncio.wait({writing}, timeout=PATIENCE_S)
        finally:
            self._working = None

    def _next_group(self) -> list[Waiting]:
        waiting = [(ask, answer) for ask, answer in self._line if not answer.done()]  # who hung up is left out
        group, rest = together([ask for ask, _ in waiting], MOST)
        self._line = [waiting[at] for at in rest]
        return [waiting[at] for at in group]

    async def _write(self, group: list[Waiting]) -> None:
        try:
            rows = await self._rows([ask for ask, _ in group])
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait for it get it
            _answer(group, error)
        except BaseException:
            _answer(group, ConnectionAbortedError("the process ends"))
            raise
        else:
            for (_, answer), row in zip(group, rows, strict=True):
                if not answer.done():
                    answer.set_result(row)

    async def _rows(self, asks: Sequence[Ask]) -> list[Any | None]:
        if len(asks) == 1:
            return [await claim_at_once(self._pool, "book", asks[0].arguments)]
        try:
            rows = await self._pool.fetch(queries.book_group, *group_arguments(asks), f"{self._lock_timeout_ms}ms")
        except asyncpg.PostgresConnectionError:
            raise
        except (asyncpg.PostgresError, asyncpg.DataError) as error:
            log.info("bookings.apart", count=len(asks), error=type(error).__name__)
            raise Apart from error
        made = {row["appointment_id"]: row for row in rows}
        return [made.get(ask.appointment_id) for ask in asks]


def _answer(group: Sequence[Waiting], error: Exception) -> None:
    for _, answer in group:
        if not answer.done():
            answer.set_exception(error)
