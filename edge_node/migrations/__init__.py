"""The history of the database's shape: ``NNNN_name.sql`` files, each applied with its record in one transaction.

``schema.sql`` beside this package is the whole shape at once; a test proves both equal.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from sqlite_utils import Database, Migrations

SET = "edge_node"


class DatabaseTooNew(RuntimeError):
    """The file was written by a later version of this program; ``names`` are the steps that this one does not know."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        super().__init__(
            f"the database was made by a newer version (unknown: {', '.join(names)}); install that version"
        )


def steps() -> dict[str, str]:
    """The SQL of every step by its name, in order."""
    found = [entry for entry in files(__name__).iterdir() if entry.name.endswith(".sql")]
    return {entry.name.removesuffix(".sql"): entry.read_text("utf-8") for entry in sorted(found, key=lambda e: e.name)}


def migrate(file: Path) -> list[str]:
    """Bring a database to the present shape, making it if need be. The caller holds the folder's lock.

    Returns:
        Names of the steps that were applied now.

    Raises:
        DatabaseTooNew: a step is recorded that this version does not know; nothing was changed.
    """
    database = Database(str(file))
    try:
        history = _history()
        known = set(steps())
        if unknown := [each.name for each in history.applied(database) if each.name not in known]:
            raise DatabaseTooNew(unknown)
        pending = [each.name for each in history.pending(database)]
        database.enable_wal()
        history.apply(database)
        return pending
    finally:
        database.close()


def describe(file: Path) -> str:
    """The shape of a database as SQL, without the record of migrations: what ``schema.sql`` must say."""
    database = Database(str(file))
    try:
        rows = database.query(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name NOT LIKE '\\_sqlite\\_%' ESCAPE '\\' "
            "AND tbl_name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY tbl_name, type DESC, name"
        )
        return "\n\n".join(f"{row['sql']};" for row in rows) + "\n"
    finally:
        database.close()


def _history() -> Migrations:
    history = Migrations(SET)
    for name, sql in steps().items():
        _register(history, name, sql)
    return history


def _register(history: Migrations, name: str, sql: str) -> None:
    @history(name=name)
    def step(db: Database) -> None:
        db.executescript(sql)  # sqlite-utils' own: it keeps the step and its record in one transaction
