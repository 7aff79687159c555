"""Central's schema, step by step: `NNNN_name.sql` in this folder, each applied once in a transaction of its own.

The record of a step is written in the step's transaction, so a step is either there with its record or not at all. One
runner at a time: an advisory lock is held from before the first look to after the last step.

A step says its phase in its first line. `-- phase: expand` only adds what the build before does not mind: it is applied while
that build serves, and that build may also be started again on the newer schema. `-- phase: contract` takes away or changes
what the build before uses: it is applied when no process of that build is left. So an upgrade stops nobody: `migrate --expand`
with the new build, replace the processes one by one, `migrate`. Something renamed is added under its new name in one release
and dropped under its old one in the next.

A step whose second line is `-- outside a transaction` is one `CREATE INDEX CONCURRENTLY IF NOT EXISTS`: it makes an index of a
table that is written to all the time without stopping anybody. Its record is written after it. What a broken-off try leaves, an
index that is not valid, is dropped before the next one.

A database with contracting steps that this build does not know is newer than the
build: nobody may touch it. No step waits for a table longer than a moment, since all who come after it would wait as long; it
lets go and tries again.

`central/schema.sql` is the whole schema as the steps leave it (a test compares them); it is for readers, the runner never uses
it.
"""

import asyncio
import re
from importlib.resources import files
from typing import Any, Final, Literal

import asyncpg
import structlog

log = structlog.get_logger(__name__)

_LOCK = 0x56454E54  # "VENT": any number will do, as long as nobody else in this database uses it
LOCK_TIMEOUT: Final = "2s"
LOCK_TRIES: Final = 20
PAUSE_S: Final = 0.5
_NAME = re.compile(r"\d{4}_[a-z0-9_]+")
_RECORD = """
CREATE TABLE IF NOT EXISTS schema_migration (
    name text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now(),
    phase text NOT NULL DEFAULT 'contract' CHECK (phase IN ('expand', 'contract'))
)"""
_RECORD_PHASE = "ALTER TABLE schema_migration ADD COLUMN IF NOT EXISTS phase text NOT NULL DEFAULT 'contract' \
CHECK (phase IN ('expand', 'contract'))"
_PHASE = re.compile(r"-- phase: (expand|contract)\n")
_OUTSIDE = "-- phase: expand\n-- outside a transaction\n"
_ONE_INDEX = re.compile(
    r"(?:--[^\n]*\n)*CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS ([a-z0-9_]+) ON [^;]+;?\s*"
)
_IS_BROKEN = "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid)"
_RECORDED = "INSERT INTO schema_migration (name, phase) VALUES ($1, $2)"

Phase = Literal["expand", "contract"]


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


class SchemaBusyError(SchemaError):
    """A step could not have its tables, for a moment, all the time that it tried; run `python -m central migrate` again.

    Attributes:
        step: its name.
    """

    def __init__(self, step: str) -> None:
        self.step = step
        super().__init__(f"{step} found its tables in use: run `python -m central migrate` again")


def steps() -> dict[str, str]:
    """The text of every step by name, in order."""
    found = [file for file in files(__package__).iterdir() if file.name.endswith(".sql")]
    texts = {file.name.removesuffix(".sql"): file.read_text(encoding="utf-8") for file in found}
    if odd := [name for name in texts if not _NAME.fullmatch(name)]:
        raise SchemaError(f"not a step's name: {', '.join(odd)}")
    return dict(sorted(texts.items()))


def phase_of(text: str) -> Phase:
    """The phase of a step's text; one that does not say so is of the time before, when nobody served meanwhile."""
    found = _PHASE.match(text)
    return "expand" if found is not None and found[1] == "expand" else "contract"


async def migrate(connection: Any, *, only_expand: bool = False) -> list[str]:
    """Apply what is missing, in order.

    Args:
        only_expand: up to the first step that the build before would not bear.

    Returns:
        the names of the steps applied now.

    Raises:
        SchemaTooNewError: nothing was changed.
        SchemaBusyError: a step's tables were in use all the time; the steps before it are applied.
    """
    await _lock(connection)
    try:
        await connection.execute(_RECORD)
        await connection.execute(_RECORD_PHASE)
        done: list[str] = []
        for name in _missing(await _applied(connection)):
            if only_expand and phase_of(steps()[name]) == "contract":
                break
            text = steps()[name]
            await (_apply_outside if text.startswith(_OUTSIDE) else _apply)(connection, name, text)
            done.append(name)
        return done
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def check(connection: Any) -> None:
    """Refuse to work on a schema that this build cannot work on: one that lacks expanding steps, or has contracting ones that it
    does not know. Contracting steps that are still to come are no obstacle.

    Raises:
        SchemaTooNewError, SchemaBehindError: see there.
    """
    missing = _missing(await _applied(connection))
    if not missing:
        return
    if len(missing) == len(steps()) or any(phase_of(steps()[name]) == "expand" for name in missing):
        raise SchemaBehindError(missing)
    log.info("schema.contracting_later", steps=missing)


async def _lock(connection: Any) -> None:
    """Wait for other runners by asking again: who waits inside a statement has a snapshot, and whoever makes an index beside
    other transactions waits for all of these.
    """
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):  # noqa: ASYNC110 - another process has it
        await asyncio.sleep(PAUSE_S)


async def _apply_outside(connection: Any, name: str, text: str) -> None:
    """Make an index while everybody goes on; it takes as long as the transactions that are open now."""
    found = _ONE_INDEX.fullmatch(text)
    if found is None:
        raise SchemaError(f"{name} is outside a transaction and not one CREATE INDEX CONCURRENTLY IF NOT EXISTS")
    if await connection.fetchval(_IS_BROKEN, found[1]):
        log.info("schema.broken_index_dropped", step=name, index=found[1])
        await connection.execute(f"DROP INDEX CONCURRENTLY {found[1]}")
    await connection.execute(text)
    await connection.execute(_RECORDED, name, phase_of(text))
    log.info("schema.step_applied", step=name)


async def _apply(connection: Any, name: str, text: str) -> None:
    for _ in range(LOCK_TRIES):
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                await connection.execute(text)
                await connection.execute(_RECORDED, name, phase_of(text))
        except asyncpg.LockNotAvailableError:
            log.info("schema.step_waits", step=name)
            await asyncio.sleep(PAUSE_S)
        else:
            log.info("schema.step_applied", step=name)
            return
    raise SchemaBusyError(name)


async def _applied(connection: Any) -> dict[str, Phase]:
    """Names of applied steps, with the phase that the build which applied them knew."""
    if await connection.fetchval("SELECT to_regclass('schema_migration')") is None:
        return {}
    # by way of JSON, since a database from before there were phases lacks the column
    rows = await connection.fetch(
        "SELECT name, coalesce(to_jsonb(m) ->> 'phase', 'contract') AS phase FROM schema_migration m"
    )
    return {row["name"]: row["phase"] for row in rows}


def _missing(applied: dict[str, Phase]) -> list[str]:
    known = steps()
    unknown = sorted(name for name, phase in applied.items() if name not in known and phase == "contract")
    if unknown:
        raise SchemaTooNewError(unknown)
    return [name for name in known if name not in applied]
