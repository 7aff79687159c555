"""The one writer: a thread that runs whole functions, each in a transaction of its own, one after the other.

A caller that is cancelled while it waits changes nothing: its function has been handed over and runs to its COMMIT. So
a transaction is never split, and never left open. When COMMIT itself fails nobody knows what is on the disk: the
connection is closed and opened anew, and the caller is told that the outcome is unknown.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import structlog

from edge_node.database import open_writer

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
_Job = tuple[Callable[[sqlite3.Connection], Any], "asyncio.Future[Any]", asyncio.AbstractEventLoop]

log = structlog.get_logger()


class WriteFailed(RuntimeError):
    """A transaction did not end as it should.

    Attributes:
        outcome_unknown: COMMIT failed; ask the file what is there. Otherwise the transaction was rolled back.
        no_room: the disk is full.
    """

    def __init__(self, error: Exception, *, outcome_unknown: bool) -> None:
        super().__init__(str(error))
        self.outcome_unknown = outcome_unknown
        self.no_room = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


class Writer:
    """Owns the writing connection of a database.

    Args:
        file: the database, already migrated.
        opener: makes the connection; tests put a failing disk here.
    """

    def __init__(self, file: Path, opener: Callable[[Path], sqlite3.Connection] = open_writer) -> None:
        self._file = file
        self._opener = opener
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="edge-writer", daemon=True)
        self.last_commit_s = 0.0

    def start(self) -> None:
        self._thread.start()

    async def run(self, work: Work[T]) -> T:
        """Run ``work`` between BEGIN IMMEDIATE and COMMIT, and give what it returns once that is durable.

        Raises:
            WriteFailed: the disk or SQLite failed.
            Exception: whatever ``work`` raised; the transaction was rolled back.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._jobs.put((work, done, loop))
        return await done

    async def close(self) -> None:
        """Finish what was handed over, checkpoint and close the file."""
        if self._thread.is_alive():
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        connection: sqlite3.Connection | None = None
        while (job := self._jobs.get()) is not None:
            work, done, loop = job
            try:
                connection = connection or self._opener(self._file)
                result = self._transact(connection, work)
            except WriteFailed as failure:
                _discard(connection)
                connection = None
                _tell(loop, done.set_exception, done, failure)
            except sqlite3.Error as error:
                _discard(connection)
                connection = None
                _tell(loop, done.set_exception, done, WriteFailed(error, outcome_unknown=False))
            except Exception as error:  # noqa: BLE001 - it belongs to the caller, and this thread must go on
                _tell(loop, done.set_exception, done, error)
            else:
                _tell(loop, done.set_result, done, result)
        if connection is not None:
            _checkpoint(connection)
            connection.close()

    def _transact(self, connection: sqlite3.Connection, work: Work[T]) -> T:
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(connection)
        except Exception:
            if connection.in_transaction:  # a full or failing disk makes SQLite roll back by itself
                connection.execute("ROLLBACK")
            raise
        started = time.perf_counter()
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise WriteFailed(error, outcome_unknown=True) from error
        self.last_commit_s = time.perf_counter() - started
        return result


def _tell(
    loop: asyncio.AbstractEventLoop, settle: Callable[[Any], None], done: asyncio.Future[Any], value: Any
) -> None:
    def answer() -> None:
        if not done.done():  # the caller was cancelled meanwhile
            settle(value)

    try:
        loop.call_soon_threadsafe(answer)
    except RuntimeError:  # the loop is gone, and with it the caller
        log.warning("writer.caller_gone")


def _discard(connection: sqlite3.Connection | None) -> None:
    """Close a connection that cannot be trusted any more; the next job opens a new one."""
    if connection is not None:
        try:
            connection.close()
        except sqlite3.Error as error:
            log.warning("writer.close_failed", error=str(error))


def _checkpoint(connection: sqlite3.Connection) -> None:
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        log.warning("writer.checkpoint_failed", error=str(error))
