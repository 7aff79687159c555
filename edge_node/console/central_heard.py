"""How old what this office knows of its staff may be. Kept through restarts, or each would make it fresh."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta

from edge_node.queue.journal import written
from edge_node.writer import Writer
from sync.io.sql import load

SQL = load("edge_node.console", "central_heard.sql")
KEEP_EVERY = timedelta(minutes=5)


class CentralHeard:
    """When central was last heard.

    Args:
        connected: whether it is heard now; none where the node works without central.
    """

    def __init__(self, writer: Writer, connected: Callable[[], bool | None], now: Callable[[], datetime]) -> None:
        self._writer = writer
        self._connected = connected
        self._now = now
        self._at: datetime | None = None

    async def load(self) -> None:
        """A database that never heard of central counts from its first start."""

        def read(connection: sqlite3.Connection) -> str | None:
            row = connection.execute(SQL.heard).fetchone()
            return row[0] if row else None

        kept = await self._writer.run(read)
        if kept is not None:
            self._at = datetime.fromisoformat(kept)
        else:
            await self._keep(self._now())

    async def watch(self) -> None:
        """Note it while central is heard; called every now and then."""
        if self._connected() and (self._at is None or self._now() - self._at >= KEEP_EVERY):
            await self._keep(self._now())

    def age(self) -> timedelta:
        """How long ago it was; nothing while it is heard, and where there is no central."""
        if self._connected() is not False or self._at is None:
            return timedelta()
        return max(timedelta(), self._now() - self._at)

    async def _keep(self, at: datetime) -> None:
        row = {"at": written(at)}
        await self._writer.run(lambda connection: connection.execute(SQL.put_heard, row).rowcount)
        self._at = at
