"""What a display remembers over a restart: calls it sounded and proved, acks without answer, its last config.

One small SQLite file. It is written without waiting for the disk at each commit (synchronous = NORMAL): after a power cut the
last moments may be missing, and then a call can be sounded again only if it is still younger than 30 s after the boot.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import aiosqlite
import msgspec
import structlog

from display_agent.board import CallMark
from display_agent.remembering import REMEMBERED
from sync.io import sql
from sync.messages.codec import MalformedMessage, decode

ACKS_MAX = 1000

T = TypeVar("T")

_SQL = sql.load("display_agent", "spool.sql")
log = structlog.get_logger(__name__)


class Remembered(msgspec.Struct, frozen=True):
    """Marks by what was done about them, oldest first."""

    sounded: tuple[CallMark, ...]
    proven: tuple[CallMark, ...]


class Spool:
    """The open file."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._db = connection
        self._writing = asyncio.Lock()

    async def remembered(self) -> Remembered:
        sounded, proven = [], []
        async with self._db.execute(_SQL.calls) as rows:
            async for ticket_id, announcement, called_at, recalls, was_sounded, was_proven in rows:
                mark = CallMark(ticket_id, announcement, recalls, datetime.fromisoformat(called_at))
                if was_sounded:
                    sounded.append(mark)
                if was_proven:
                    proven.append(mark)
        return Remembered(tuple(sounded), tuple(proven))

    async def mark_sounded(self, mark: CallMark) -> None:
        await self._write((_SQL.mark_sounded, _row(mark)))

    async def add_proof(self, mark: CallMark, ack_id: str, body: bytes) -> None:
        """Note the call as proven and its ack as waiting for an answer, together."""
        await self._write(
            (_SQL.mark_proven, _row(mark)),
            (_SQL.add_ack, {"ack_id": ack_id, "body": body}),
            (_SQL.trim_acks, {"most": ACKS_MAX}),
        )

    async def drop_ack(self, ack_id: str) -> None:
        await self._write((_SQL.drop_ack, {"ack_id": ack_id}))

    async def acks(self) -> dict[str, bytes]:
        """Bodies by ack id, oldest first."""
        async with self._db.execute(_SQL.acks) as rows:
            return {ack_id: body async for ack_id, body in rows}

    async def forget(self, most: int = REMEMBERED) -> None:
        """Drop all but the newest calls."""
        await self._write((_SQL.forget_calls, {"most": most}))

    async def keep(self, name: str, body: bytes) -> None:
        await self._write((_SQL.keep, {"name": name, "body": body}))

    async def kept(self, name: str, shape: type[T]) -> T | None:
        """What was kept under a name; none when there is nothing, or only what an older build wrote."""
        async with self._db.execute(_SQL.kept, {"name": name}) as rows:
            row = await rows.fetchone()
        try:
            return None if row is None else decode(row[0], shape)
        except MalformedMessage:
            return None

    async def _write(self, *steps: tuple[str, dict[str, object]]) -> None:
        """All of it or nothing: no other task's commit may fall in between. A full disk must not darken the screen."""
        async with self._writing:
            try:
                for statement, values in steps:
                    await self._db.execute(statement, values)
                await self._db.commit()
            except sqlite3.Error:
                log.exception("spool.write_failed")
                await self._db.rollback()


@contextlib.asynccontextmanager
async def open_spool(path: Path) -> AsyncIterator[Spool]:
    """Open the file, making it and its folder when they are not there; a damaged one is put aside."""
    await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
    try:
        connection = await _connect(path)
    except sqlite3.DatabaseError:
        log.exception("spool.damaged", path=str(path))
        await asyncio.to_thread(path.replace, path.with_suffix(".damaged"))
        connection = await _connect(path)
    try:
        yield Spool(connection)
    finally:
        await connection.close()


async def _connect(path: Path) -> aiosqlite.Connection:
    connection = await aiosqlite.connect(path)
    try:
        await connection.execute("PRAGMA journal_mode = WAL")
        await connection.execute("PRAGMA synchronous = NORMAL")
        for statement in (_SQL.drop_call, _SQL.create_announcement, _SQL.create_ack, _SQL.create_kept):
            await connection.execute(statement)
        await connection.commit()
    except sqlite3.DatabaseError:
        await connection.close()
        raise
    return connection


def _row(mark: CallMark) -> dict[str, object]:
    return {
        "ticket_id": mark.ticket_id,
        "announcement": mark.announcement,
        "called_at": _text(mark.called_at),
        "recalls": mark.recalls,
    }


def _text(at: datetime) -> str:
    """One form for all instants, so that their order as text is their order in time."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
