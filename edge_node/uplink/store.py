"""The edge's ``EdgeStore`` over its SQLite file.

No method ever suspends, so a whole step of the protocol runs on the writer's own thread, between the writer's BEGIN IMMEDIATE
and its COMMIT, in order with the transactions of the queue::

    outcome = await writer.run(lambda connection: finish(step(SqliteEdgeStore(connection))))

``transaction()`` joins a transaction that is already open on its connection (the writer's: it commits, and only then does
``run`` return) and makes its own where there is none.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from provisioning.failpoints import failpoint
from sync.io.sql import load
from sync.messages.envelope import FactHeader, FactRecord
from sync.messages.feed import Cursor
from sync.messages.wire import SnapshotRow
from sync.protocol.store import START, Position

_queries = load("edge_node.uplink", "queries.sql")


class SqliteEdgeTx:
    """One transaction on the writing connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def journal_end(self, epoch: int) -> Position:
        return self._position(_queries.journal_end, epoch)

    async def journal_hash(self, epoch: int, seq: int) -> bytes | None:
        if seq == 0:
            return START.hash
        row = self._connection.execute(_queries.journal_hash, {"epoch": epoch, "seq": seq}).fetchone()
        return None if row is None else bytes(row[0])

    async def facts_after(self, epoch: int, seq: int, limit: int) -> Sequence[FactRecord]:
        rows = self._connection.execute(_queries.facts_after, {"epoch": epoch, "seq": seq, "limit": limit})
        return [_record(row) for row in rows]

    async def acked(self, epoch: int) -> Position:
        return self._position(_queries.acked, epoch)

    async def set_acked(self, epoch: int, position: Position) -> None:
        self._connection.execute(_queries.set_acked, {"epoch": epoch, "seq": position.seq, "hash": position.hash})

    async def fenced_by(self) -> int:
        return read_fence(self._connection)

    async def set_fenced_by(self, epoch: int) -> None:
        self._connection.execute(_queries.set_fenced_by, {"epoch": epoch})

    async def cursors(self) -> Mapping[str, Cursor]:
        rows = self._connection.execute(_queries.cursors)
        return {row[0]: Cursor(stream=row[0], gen=row[1], seq=row[2], hash=row[3]) for row in rows}

    async def set_cursor(self, cursor: Cursor) -> None:
        failpoint("edge.rows_put")
        self._connection.execute(_queries.set_cursor, msgspec.structs.asdict(cursor))

    async def put_entity(self, row: SnapshotRow) -> None:
        self._connection.execute(_queries.put_entity, _columns(row))

    async def delete_entity(self, stream: str, kind: str, entity_id: str) -> None:
        key = {"stream": stream, "kind": kind, "entity_id": entity_id}
        self._connection.execute(_queries.delete_entity, key)

    async def clear_staging(self) -> None:
        self._connection.execute(_queries.clear_staging)

    async def stage(self, rows: Sequence[SnapshotRow]) -> None:
        self._connection.executemany(_queries.stage, map(_columns, rows))

    async def staged_counts(self) -> Mapping[str, int]:
        return dict(self._connection.execute(_queries.staged_counts).fetchall())

    async def swap_staged(self, cursors: Sequence[Cursor]) -> None:
        for statement in (_queries.clear_entities, _queries.take_staged, _queries.clear_staging):
            self._connection.execute(statement)
        failpoint("edge.snapshot_swapped")
        self._connection.execute(_queries.clear_cursors)
        self._connection.executemany(_queries.set_cursor, map(msgspec.structs.asdict, cursors))

    async def put_aside(self, kinds: Sequence[str]) -> None:
        self._connection.executemany(_queries.put_aside, [{"kind": kind} for kind in kinds])

    async def aside(self) -> Sequence[SnapshotRow]:
        return read_aside(self._connection)

    async def clear_aside(self, kinds: Sequence[str]) -> None:
        self._connection.executemany(_queries.clear_aside, [{"kind": kind} for kind in kinds])

    async def entities_of(self, kind: str) -> Sequence[SnapshotRow]:
        return [_row(row) for row in self._connection.execute(_queries.entities_of, {"kind": kind})]

    def _position(self, statement: str, epoch: int) -> Position:
        row = self._connection.execute(statement, {"epoch": epoch}).fetchone()
        return START if row is None else Position(*row)


class SqliteEdgeStore:
    """An office's database, seen from the thread that owns its writing connection (``isolation_level=None``)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SqliteEdgeTx]:
        """Join the writer's transaction, or BEGIN IMMEDIATE and COMMIT one."""
        if self._connection.in_transaction:
            yield SqliteEdgeTx(self._connection)
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield SqliteEdgeTx(self._connection)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def read_entities(connection: sqlite3.Connection) -> list[SnapshotRow]:
    """Every entity of every stream: what the catalogue and the agenda are built from at start and after a snapshot."""
    return [_row(row) for row in connection.execute(_queries.entities)]


def read_fence(connection: sqlite3.Connection) -> int:
    """The later epoch that holds this office, 0 while none is known."""
    row = connection.execute(_queries.fenced_by).fetchone()
    return 0 if row is None else int(row[0])


def read_aside(connection: sqlite3.Connection) -> list[SnapshotRow]:
    """Rows that central forgot when it was restored, and that this office has not reported yet."""
    return [_row(row) for row in connection.execute(_queries.aside)]


def _row(row: Sequence[Any]) -> SnapshotRow:
    stream, kind, entity_id, version, body = row
    return SnapshotRow(stream=stream, kind=kind, entity_id=entity_id, version=version, body=msgspec.Raw(body))


def put_entities(connection: sqlite3.Connection, rows: Sequence[SnapshotRow]) -> None:
    """Write rows as the feed would, for an office that no central speaks to."""
    connection.executemany(_queries.put_entity, map(_columns, rows))


def _columns(row: SnapshotRow) -> dict[str, Any]:
    return {
        "stream": row.stream,
        "kind": row.kind,
        "entity_id": row.entity_id,
        "version": row.version,
        "body": bytes(row.body),
    }


def _record(row: Sequence[Any]) -> FactRecord:
    *header, body = row
    return FactRecord(header=msgspec.convert(header, FactHeader), body=msgspec.Raw(body))
