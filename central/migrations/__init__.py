"""Central's schema, step by step: `NNNN_name.sql` in this folder, each applied once in a transaction of its own.

The record of a step is written in the step's transaction, so a step is either there with its record or not at all. One
runner at a time: an advisory lock is held from before the first look to after the last step. A database that knows steps
this build does not is newer than the build: nobody may touch it. `central/schema.sql` is the whole schema as the steps
leave it (a test compares them); it is for readers, the runner never uses it.
"""

import re
from importlib.resources import files
from typing import Any

import structlog

log = structlog.get_logger(__name__)

_LOCK = 0x56454E54  # "VENT": any number will do, as long as nobody else in this database uses it
_NAME = re.compile(r"\d{4}_[a-z0-9_]+")
_RECORD = """
CREATE TABLE IF NOT EXISTS schema_migration (
    name text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""


class SchemaError(Exception):
    """The database's schema does not fit this build."""


class SchemaTooNewError(SchemaError):
    """The database has steps that this build does not know; run the newer build.

    Attributes:
        unknown: their names, sorted.
    """

    def __init__(self, unknown: list[str]) -> None:
        self.unknown = unknown
        super().__init__(f"the database is newer than this build: it has {', '.join(unknown)}")


class SchemaBehindError(SchemaError):
    """The database lacks steps of this build; run `python -m central migrate`.

    Attributes:
        missing: their names, in order.
    """

    def __init__(self, missing: list[str]) -> None:
        self.missing = missing
        super().__init__(f"the database lacks {', '.join(missing)}: run `python -m central migrate`")


def steps() -> dict[str, str]:
    """The text of every step by name, in order."""
    found = [file for file in files(__package__).iterdir() if file.name.endswith(".sql")]
    texts = {file.name.removesuffix(".sql"): file.read_text(encoding="utf-8") for file in found}
    if odd := [name for name in texts if not _NAME.fullmatch(name)]:
        raise SchemaError(f"not a step's name: {', '.join(odd)}")
    return dict(sorted(texts.items()))


async def migrate(connection: Any) -> list[str]:
    """Apply what is missing, in order.

    Returns:
        the names of the steps applied now.

    Raises:
        SchemaTooNewError: nothing was changed.
    """
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
    try:
        await connection.execute(_RECORD)
        missing = _missing(await _applied(connection))
        for name in missing:
            await _apply(connection, name, steps()[name])
        return missing
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def check(connection: Any) -> None:
    """Refuse to work on a schema that is not exactly this build's.

    Raises:
        SchemaTooNewError, SchemaBehindError: see there.
    """
    if missing := _missing(await _applied(connection)):
        raise SchemaBehindError(missing)


async def _apply(connection: Any, name: str, text: str) -> None:
    async with connection.transaction():
        await connection.execute(text)
        await connection.execute("INSERT INTO schema_migration (name) VALUES ($1)", name)
    log.info("schema.step_applied", step=name)


async def _applied(connection: Any) -> set[str]:
    if await connection.fetchval("SELECT to_regclass('schema_migration')") is None:
        return set()
    return {row["name"] for row in await connection.fetch("SELECT name FROM schema_migration")}


def _missing(applied: set[str]) -> list[str]:
    known = steps()
    if unknown := sorted(applied - known.keys()):
        raise SchemaTooNewError(unknown)
    return [name for name in known if name not in applied]
