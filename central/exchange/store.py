"""Central's ``CentralStore`` over Postgres: ingest, projections, feed rows and their heads in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import date
from typing import Any

import asyncpg
import msgspec
import structlog

from central.exchange import metrics
from central.exchange.folding import fold, position, record_of
from central.exchange.projections import PROJECTIONS, Projection, project
from central.exchange.rights_store import PostgresRights
from provisioning.failpoints import failpoint
from sync.domain.office_day import OfficeDay
from sync.io.sql import load
from sync.messages import codec
from sync.messages.facts import Fact
from sync.messages.feed import FeedRow, NumberFloor, Op, office_stream
from sync.messages.values import GENESIS
from sync.messages.wire import Activation, SnapshotRow, StreamHead
from sync.protocol.store import (
    START,
    Authority,
    ChainedFact,
    ChainedRow,
    OpenedFact,
    Parked,
    Position,
    StreamState,
)

log = structlog.get_logger(__name__)

_facts = load("central.exchange", "facts.sql")
_feed = load("central.exchange", "feed.sql")
_nodes = load("central.exchange", "nodes.sql")

COMMIT_WAIT_S = 7 * 24 * 3600.0
"""In effect for ever: asyncpg knows no "no deadline" where its pool has one."""
AT_ONCE = 1000
"""Facts per round trip while a day is folded."""
SNAPSHOT_FETCH = 500
"""Entities per round trip while a snapshot is read."""


class PostgresCentralTx(PostgresRights):
    """One read-write transaction."""

    def __init__(
        self, connection: asyncpg.Connection, projections: Mapping[type[Fact], Projection] = PROJECTIONS
    ) -> None:
        super().__init__(connection)
        self._connection = connection
        self._projections = projections

    async def lock_authority(self, office: str) -> Authority | None:
        """An office that has no node yet, or whose first one a restored central has forgotten, is at epoch 0."""
        row = await self._connection.fetchrow(_facts.lock_authority, office)
        if row is not None:
            return Authority(epoch=row["epoch"], last=Position(row["last_seq"], row["last_hash"]))
        return Authority(epoch=0, last=START) if await self.has_office(office) else None

    async def present_epoch(self, office: str) -> int:
        return await self._connection.fetchval(_facts.present_epoch, office) or 0

    async def adopt(self, activation: Activation) -> None:
        said = (activation.node, activation.office, activation.epoch, activation.public_key, activation.signature)
        await self._connection.execute(_nodes.activate_node, *said)
        await self._connection.execute(_nodes.adopt_epoch, activation.office, activation.epoch)

    async def log_end(self, office: str, epoch: int) -> Position:
        row = await self._connection.fetchrow(_facts.log_end, office, epoch)
        return Position(row["seq"], row["hash"]) if row is not None else START

    async def present_day(self, office: str, epoch: int) -> OfficeDay:
        day = OfficeDay(office)
        next_seq = await self._connection.fetchval(_facts.day_start_of, office, epoch)
        while next_seq and (rows := await self._connection.fetch(_facts.facts_from, office, epoch, next_seq, AT_ONCE)):
            fold(day, [record_of(row) for row in rows])
            next_seq = day.seq + 1
        return day

    async def last_floor(self, office: str, until: date) -> NumberFloor | None:
        body = await self._connection.fetchval(_feed.last_floor, office_stream(office), until.isoformat())
        return None if body is None else codec.decode(body, NumberFloor)

    async def advance(self, office: str, last: Position) -> None:
        await self._connection.execute(_facts.advance, office, last.seq, last.hash)

    async def fact_hash(self, office: str, epoch: int, seq: int) -> bytes | None:
        found: bytes | None = await self._connection.fetchval(_facts.fact_hash, office, epoch, seq)
        return found

    async def append(self, facts: Sequence[ChainedFact]) -> None:
        rows = [(*msgspec.structs.astuple(f.record.header), bytes(f.record.body), f.hash) for f in facts]
        if rows:
            await self._connection.execute(_facts.append, *(list(column) for column in zip(*rows, strict=True)))

    async def project(self, facts: Sequence[OpenedFact]) -> Sequence[Parked]:
        return await project(self, facts, self._projections)

    async def park(self, parked: Sequence[Parked]) -> None:
        headers = [(p.record.header, p.detail) for p in parked]
        rows = [(h.office, h.epoch, h.seq, h.type, detail) for h, detail in headers]
        await self._connection.executemany(_facts.park, rows)
        for header, detail in headers:
            log.error("fact.parked", **position(header), detail=detail)
        metrics.PARKED.inc(len(rows))  # too many if this transaction fails; the hourly count puts it right

    async def emit(self, stream: str, *, kind: str, entity_id: str, version: int, op: Op, body: bytes) -> StreamHead:
        row = await self._connection.fetchrow(_feed.feed_put, stream, kind, entity_id, version, op, body)
        return StreamHead(stream=stream, seq=row["fed_seq"], hash=row["fed_hash"])

    async def gen(self) -> str:
        return await _gen(self._connection)

    async def stream(self, stream: str) -> StreamState:
        row = await self._connection.fetchrow(_feed.stream_end, stream)
        if row is None:
            return StreamState(last=START, oldest=1)
        return StreamState(last=Position(row["head"], row["hash"]), oldest=row["oldest"])

    async def feed_hash(self, stream: str, seq: int) -> bytes | None:
        found: bytes | None = await self._connection.fetchval(_feed.feed_hash, stream, seq)
        return found

    async def rows_after(self, stream: str, seq: int, limit: int) -> Sequence[ChainedRow]:
        return [_chained(row) for row in await self._connection.fetch(_feed.rows_after, stream, seq, limit)]


class PostgresSnapshotReading:
    """One consistent read of gen, heads and entities."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def gen(self) -> str:
        return await _gen(self._connection)

    async def heads(self, streams: Sequence[str]) -> Sequence[StreamHead]:
        rows = {row["stream"]: row for row in await self._connection.fetch(_feed.heads, list(streams))}
        return [_head(stream, rows.get(stream)) for stream in streams]

    async def counts(self, streams: Sequence[str]) -> Mapping[str, int]:
        rows = await self._connection.fetch(_feed.entity_counts, list(streams))
        return {row["kind"]: row["entities"] for row in rows}

    async def entities(self, streams: Sequence[str]) -> AsyncIterator[SnapshotRow]:
        async for row in self._connection.cursor(_feed.entities, list(streams), prefetch=SNAPSHOT_FETCH):
            yield SnapshotRow(
                stream=row["stream"],
                kind=row["kind"],
                entity_id=row["entity_id"],
                version=row["version"],
                body=msgspec.Raw(row["body"]),
            )


class PostgresCentralStore:
    """Central's database behind a pool.

    Args:
        projections: what facts change beside the raw log; tests put a failing one here.
    """

    def __init__(self, pool: asyncpg.Pool, projections: Mapping[type[Fact], Projection] = PROJECTIONS) -> None:
        self._pool = pool
        self._projections = projections

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresCentralTx]:
        async with self._pool.acquire() as connection, transaction_on(connection, self._projections) as tx:
            yield tx

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[PostgresSnapshotReading]:
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield PostgresSnapshotReading(connection)


@asynccontextmanager
async def transaction_on(
    connection: asyncpg.Connection, projections: Mapping[type[Fact], Projection] = PROJECTIONS
) -> AsyncIterator[PostgresCentralTx]:
    """A transaction on a connection of one's own; rows for the offices are its last statements."""
    async with committed(connection):
        tx = PostgresCentralTx(connection, projections)
        yield tx
        await tx.flush()
        failpoint("central.uncommitted")


@asynccontextmanager
async def committed(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """A transaction whose COMMIT nobody can cancel, neither the caller nor the pool's command timeout.

    A cancelled wait for a synchronous standby would leave a commit that is visible and not replicated, and the batch sent
    again would be acknowledged without another wait. So once COMMIT is on its way it is waited for, and only then does a
    cancellation go on.
    """
    await connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await connection.execute("ROLLBACK")
        raise
    commit = asyncio.ensure_future(connection.execute("COMMIT", timeout=COMMIT_WAIT_S))
    await _whatever_comes(commit)
    failpoint("central.committed")


async def _whatever_comes(commit: asyncio.Future[str]) -> None:
    """Wait to the end however often one is cancelled: the client that goes, then the server that stops."""
    cancelled: asyncio.CancelledError | None = None
    while not commit.done():
        try:
            await asyncio.wait({commit})  # being cancelled, it leaves the future alone
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        await asyncio.gather(commit, return_exceptions=True)  # done: only so that its error counts as seen
        raise cancelled
    commit.result()


async def _gen(connection: asyncpg.Connection) -> str:
    return str(await connection.fetchval(_feed.gen))


def _head(stream: str, row: Any) -> StreamHead:
    if row is None:
        return StreamHead(stream=stream, seq=0, hash=GENESIS)
    return StreamHead(stream=stream, seq=row["head"], hash=row["hash"])


def _chained(row: Any) -> ChainedRow:
    feed_row = FeedRow(
        seq=row["seq"],
        kind=row["kind"],
        entity_id=row["entity_id"],
        version=row["version"],
        op=row["op"],
        body=msgspec.Raw(row["body"]),
    )
    return ChainedRow(row=feed_row, hash=row["row_hash"])
