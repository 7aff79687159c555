"""The edge's SQLite file: who may open it, how, and whether it is sound.

One process owns the folder (flock), one connection in it writes and checkpoints (``writer``), readers are read-only and
never checkpoint. ``synchronous=FULL``: what was acknowledged is on the disk, also after a power cut.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import aiosqlite

BUSY_TIMEOUT_MS = 5000

_WRITER_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    "PRAGMA trusted_schema = OFF",
)
_READER_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    "PRAGMA query_only = ON",
    "PRAGMA trusted_schema = OFF",
)


class FolderInUse(RuntimeError):
    """Another process owns the data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"{folder} is in use by another edge node; stop that one first")


class DatabaseDamaged(RuntimeError):
    """SQLite's own check found the file damaged: this node must not go on with it."""


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Own the data folder while inside, making it (0700) if need be.

    The lock goes with the process, however it ends.

    Raises:
        FolderInUse: another process owns it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderInUse(folder) from error
        yield
    finally:
        os.close(descriptor)


def open_writer(file: Path) -> sqlite3.Connection:
    """The connection that writes; transactions are begun and ended by hand. Used on one thread only."""
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, cached_statements=64)
    for pragma in _WRITER_PRAGMAS:
        connection.execute(pragma)
    return connection


async def open_reader(file: Path) -> aiosqlite.Connection:
    """A read-only connection with its own thread, giving rows by column name."""
    reader = await aiosqlite.connect(f"file:{file}?mode=ro", uri=True, isolation_level=None)
    reader.row_factory = sqlite3.Row
    for pragma in _READER_PRAGMAS:
        await reader.execute(pragma)
    return reader


def quick_check(file: Path) -> None:
    """Ask SQLite whether the file is sound.

    Raises:
        DatabaseDamaged: it is not.
    """
    try:
        with closing(open_writer(file)) as connection:  # a file whose first pages are gone cannot even be opened
            findings = [row[0] for row in connection.execute("PRAGMA quick_check(5)")]
    except sqlite3.DatabaseError as error:
        raise DatabaseDamaged(str(error)) from error
    if findings != ["ok"]:
        raise DatabaseDamaged("; ".join(findings))
