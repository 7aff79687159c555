"""When central last heard of each office: observations for people, never authority.

A process notes whom it hears in memory and writes all of them in one statement every few seconds; an open long-poll counts
as being heard. So "connected" is at most ``CONNECTED_S`` late, and the same on every central process.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from sync.io.clock import Clock
from sync.io.sql import load
from sync.messages.feed import Counter, Holiday, Neighbour, NodeKey, Office, OfficePolicy, QrKey, Service, Staff
from sync.messages.values import Instant
from sync.messages.wire import HelloRequest

_queries = load("central.exchange", "nodes.sql")

HEARD_EVERY_S = 3.0
CONFIGURATION = [
    kind.KIND for kind in (Service, QrKey, Holiday, NodeKey, Office, Neighbour, Counter, Staff, OfficePolicy)
]
"""Kinds of feed rows that say how an office works, not what comes and goes with its day."""
CONNECTED_S = 12.0
"""An office that was not heard for so long is not connected: four times that, so that a busy moment is no alarm."""

CLOCK_OFF_MAX = timedelta(days=150 * 365)
"""A clock that says more is as wrong as one that says this, and what is counted with it stays within the calendar."""


class OfficeLink(msgspec.Struct, frozen=True, kw_only=True):
    """What central knows of an office's node.

    Args:
        acked_seq: facts of the present epoch in the raw log.
        reported_seq: facts in the node's journal when it last said hello.
        parked: facts that no projection holds.
        awaited: a restored central waits for the office's report.
        conflicts: entries of the conflict inbox that nobody has dealt with.
        rolled_back: the node said that it gives no tickets and calls nobody: it was put back in time.
    """

    office: str
    last_contact_at: Instant | None
    hello_at: Instant | None
    clock_offset_ms: int | None
    reported_seq: int | None
    epoch: int | None
    acked_seq: int
    parked: int
    awaited: bool = False
    disk_free_bytes: int | None = None
    conflicts: int = 0
    rolled_back: bool = False

    @property
    def lag(self) -> int:
        """Facts that the office has and central has not, as far as it said."""
        return max(0, (self.reported_seq or 0) - self.acked_seq)

    def is_connected(self, now: datetime) -> bool:
        """Whether the office was heard just now."""
        return self.last_contact_at is not None and now - self.last_contact_at <= timedelta(seconds=CONNECTED_S)

    def stale_since(self, now: datetime) -> datetime | None:
        """None while connected; else the instant that the office's live data are from (None if never heard of)."""
        return None if self.is_connected(now) else self.last_contact_at


async def read_links(pool: asyncpg.Pool) -> list[OfficeLink]:
    """The link of every office, sorted by office."""
    return [OfficeLink(**row) for row in await pool.fetch(_queries.links)]


class Behind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of configuration of which an office does not have every row as it is now.

    Args:
        published, applied: the highest version of a row; the same when only others are behind.
    """

    kind: str
    published: int
    applied: int


async def read_behind(pool: asyncpg.Pool) -> dict[str, tuple[Behind, ...]]:
    """What each office still has to apply, by office; only offices that have ever said what they work with."""
    found: dict[str, list[Behind]] = {}
    for row in await pool.fetch(_queries.configurations, CONFIGURATION):
        behind = found.setdefault(row["office"], [])
        applied = msgspec.json.decode(row["applied"], type=dict[str, int]).get(row["kind"], 0)
        states = msgspec.json.decode(row["states"], type=dict[str, str])
        is_behind = states.get(row["kind"]) != row["state"] if states else applied < row["version"]
        if is_behind:
            behind.append(Behind(kind=row["kind"], published=row["version"], applied=applied))
    return {office: tuple(behind) for office, behind in found.items()}


async def note_hello(pool: asyncpg.Pool, hello: HelloRequest, now: datetime, *, is_fenced: bool = False) -> None:
    """Keep what a node said of itself.

    Args:
        is_fenced: another node holds the office; the standing of this one says nothing about it.
    """
    offset = min(max(hello.clock_at - now, -CLOCK_OFF_MAX), CLOCK_OFF_MAX)
    await pool.execute(
        _queries.hello,
        hello.office,
        now,
        hello.node,
        hello.incarnation,
        offset // timedelta(milliseconds=1),
        hello.disk_free_bytes,
        hello.sqlite_version,
        hello.schema,
        hello.last_seq,
        None if is_fenced else hello.rolled_back,
    )


async def clock_ahead_ms(connection: Any, office: str) -> int:
    """The clock of the office's node that was heard last minus central's; 0 when none was."""
    return await connection.fetchval(_queries.clock_ahead, office) or 0


class Hearing:
    """Offices heard since the last flush, and those with an open long-poll."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._heard: set[str] = set()
        self._polling: Tally[str] = Tally()

    def heard(self, office: str) -> None:
        """A signed request of the office came in."""
        self._heard.add(office)

    @contextmanager
    def polling(self, office: str) -> Iterator[None]:
        """While inside, the office has a long-poll open."""
        self._polling[office] += 1
        try:
            yield
        finally:
            self._polling[office] -= 1
            if not self._polling[office]:
                del self._polling[office]

    @property
    def open_polls(self) -> int:
        return self._polling.total()

    async def flush(self) -> None:
        """Write down everybody heard since the last time."""
        offices = sorted(self._heard | set(self._polling))
        self._heard.clear()
        if offices:
            await self._pool.execute(_queries.heard_from, offices, self._clock.now())
