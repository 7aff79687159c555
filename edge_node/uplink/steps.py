"""Running the protocol's steps on the one writer of the edge's database."""

from __future__ import annotations

import sqlite3
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from edge_node.uplink.store import SqliteEdgeStore
from edge_node.writer import Writer
from sync.protocol.steps import finish
from sync.protocol.store import EdgeTx

T = TypeVar("T")


class WriterStore:
    """The ``EdgeStore`` of one session, usable only inside ``run``: one step at a time, whole, in the writer's transaction.

    A step that is waited for by a cancelled task runs to its end all the same; whoever cancelled makes a new session.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._store: SqliteEdgeStore | None = None

    def transaction(self) -> AbstractAsyncContextManager[EdgeTx]:
        """The writer's transaction, which is open for the running step."""
        if self._store is None:
            raise RuntimeError("a step runs inside WriterStore.run")
        return self._store.transaction()

    async def run(self, step: Coroutine[Any, Any, T]) -> T:
        """Run a step between BEGIN IMMEDIATE and COMMIT; its outcome is durable when this returns.

        Raises:
            WriteFailed: the disk or SQLite failed; the session's request counts as failed.
        """

        def work(connection: sqlite3.Connection) -> T:
            self._store = SqliteEdgeStore(connection)
            try:
                return finish(step)
            finally:
                self._store = None

        return await self._writer.run(work)
