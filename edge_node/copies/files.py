"""Copying and checking a database that is in use, by connections of its own that only read."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

from edge_node.copies.rules import made_at, name_of, too_many
from edge_node.database import BUSY_TIMEOUT_MS, DatabaseDamaged

DAMAGED: Final = "damaged"
"""A file beside the database, which says that this database is not to be used any more, and why."""
_UNDER_WAY: Final = "copy.part"


def make_copy(database: Path, folder: Path, now: datetime, keep: int) -> None:
    """One more copy in a folder, whole and checked or not there at all; the oldest beyond ``keep`` go.

    Raises:
        DatabaseDamaged: the copy is not sound.
        OSError, sqlite3.Error: it could not be made; earlier copies are as they were.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = folder / _UNDER_WAY
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # it holds names: nobody else reads it
    try:
        with closing(_reader(database)) as connection:
            connection.execute("VACUUM INTO ?", (str(part),))
        check(part)
        _sync(part)
        part.replace(folder / name_of(now))
        _sync(folder)
    finally:
        part.unlink(missing_ok=True)
    for old in too_many((file.name for file in folder.iterdir()), keep, now):
        (folder / old).unlink(missing_ok=True)


def latest_copy(folder: Path, now: datetime) -> datetime | None:
    """When the newest copy in a folder was made; those from the future are not believed."""
    if not folder.is_dir():
        return None
    found = (made_at(file.name) for file in folder.iterdir())
    return max((at for at in found if at is not None and at <= now), default=None)


def check(file: Path) -> None:
    """Read all of a database, indexes too.

    Raises:
        DatabaseDamaged: it is not sound.
        sqlite3.Error: it could not be read now, which says nothing about it.
    """
    try:
        with closing(_reader(file)) as connection:
            findings = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise DatabaseDamaged(str(error)) from error
        raise
    if findings != ["ok"]:
        raise DatabaseDamaged("; ".join(findings))


def condemn(folder: Path, why: str) -> None:
    """Leave word that the database in a data folder is not to be used any more."""
    (folder / DAMAGED).write_text(f"{why}\n", encoding="utf-8")


def refuse_condemned(folder: Path) -> None:
    """Do not start on a database that was found damaged.

    Raises:
        DatabaseDamaged: it was.
    """
    file = folder / DAMAGED
    if file.exists():
        why = file.read_text(encoding="utf-8").strip()
        raise DatabaseDamaged(
            f"the database was found damaged ({why}): replace this node, or delete {file} after a repair"
        )


def _reader(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    return connection


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
