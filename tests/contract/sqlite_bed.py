"""The edge's real store on a real SQLite file, with the edge's own migrations and pragmas."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from edge_node.database import open_writer
from edge_node.migrations import migrate
from edge_node.uplink.store import SqliteEdgeStore, read_entities
from sync.messages.envelope import FactRecord, chain
from sync.messages.values import GENESIS
from sync.messages.wire import SnapshotRow

INSERT_FACT = f"INSERT INTO fact VALUES ({', '.join('?' * 13)})"
"""In the order of the table: epoch, seq, office, then the rest of the header, body, hash."""


class SqliteEdgeBed:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.store = SqliteEdgeStore(connection)

    async def write_facts(self, records: Sequence[FactRecord]) -> None:
        write_facts(self._connection, records)

    async def entities(self) -> Sequence[SnapshotRow]:
        return read_entities(self._connection)


def write_facts(connection: sqlite3.Connection, records: Sequence[FactRecord]) -> None:
    """Append facts to their journal with the chain's hashes, as the queue does."""
    for record in records:
        office, epoch, seq, *rest = msgspec.to_builtins(record.header)
        row = connection.execute("SELECT hash FROM fact WHERE epoch = ? AND seq = ?", (epoch, seq - 1)).fetchone()
        hash_ = chain(row[0] if row else GENESIS, record)
        connection.execute(INSERT_FACT, (epoch, seq, office, *rest, bytes(record.body), hash_))


@asynccontextmanager
async def sqlite_edge(request: pytest.FixtureRequest) -> AsyncIterator[SqliteEdgeBed]:
    folder: Path = request.getfixturevalue("tmp_path")
    migrate(folder / "edge.db")
    connection = open_writer(folder / "edge.db")
    try:
        yield SqliteEdgeBed(connection)
    finally:
        connection.close()
