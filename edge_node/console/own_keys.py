"""The keys that people have chosen, at the edge: they go with the person to any PC of the office, and through restarts."""

from __future__ import annotations

import sqlite3

from edge_node.console.key_bindings import bindings
from edge_node.writer import Writer
from sync.io.sql import load
from sync.messages import codec
from sync.messages.codec import MalformedMessage

SQL = load("edge_node.console", "own_keys.sql")


class OwnKeys:
    """All of them, in memory and on the disk."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._keys: dict[str, dict[str, str]] = {}

    async def load(self) -> None:
        def read(connection: sqlite3.Connection) -> list[tuple[str, str]]:
            return connection.execute(SQL.all_keys).fetchall()

        for staff_id, keys in await self._writer.run(read):
            try:
                self._keys[staff_id] = codec.decode(keys.encode(), dict[str, str])
            except MalformedMessage:  # the usual ones then: keys are a comfort, never a reason not to start
                continue

    def of(self, staff_id: str) -> dict[str, str]:
        """The key of every verb for somebody, by its usual key."""
        return bindings(self._keys.get(staff_id, {}))

    async def keep(self, staff_id: str, keys: dict[str, str]) -> None:
        """Keep what differs from the usual keys; nothing: forget it."""
        row = {"staff_id": staff_id, "keys": codec.encode(keys).decode()}
        statement = SQL.put_keys if keys else SQL.drop_keys
        await self._writer.run(lambda connection: connection.execute(statement, row).rowcount)
        self._keys[staff_id] = keys
