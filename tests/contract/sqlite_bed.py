"""The edge's real store on a real SQLite file, with the edge's own migrations and pragmas."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge_node.database import open_writer
from edge_node.migrations import migrate
from edge_node.uplink.store import SqliteEdgeStore, read_entities
from sync.messages.envelope import FactRecord
from sync.messages.wire import SnapshotRow
from tests.kit.edge_end import write_facts


class SqliteEdgeBed:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.store = SqliteEdgeStore(connection)

    async def write_facts(self, records: Sequence[FactRecord]) -> None:
        write_facts(self._connection, records)

    async def entities(self) -> Sequence[SnapshotRow]:
        return read_entities(self._connection)


@asynccontextmanager
async def sqlite_edge(request: pytest.FixtureRequest) -> AsyncIterator[SqliteEdgeBed]:
    folder: Path = request.getfixturevalue("tmp_path")
    migrate(folder / "edge.db")
    connection = open_writer(folder / "edge.db")
    try:
        yield SqliteEdgeBed(connection)
    finally:
        connection.close()
