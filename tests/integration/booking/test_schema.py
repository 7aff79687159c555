"""Central's schema: `schema.sql` is what the steps leave, and the runner is safe to repeat and refuses what it does not know."""

from __future__ import annotations

import asyncio
from importlib.resources import files
from typing import Any

import asyncpg
import pytest

from central import migrations

pytestmark = pytest.mark.postgres

CATALOGUE = """
SELECT 'column' AS kind, c.relname || '.' || a.attname AS name,
       concat_ws(' ', a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
                 (SELECT collname FROM pg_collation WHERE oid = a.attcollation)) AS definition
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
UNION ALL
SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT 'function', proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'options', relname, reloptions::text FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND reloptions IS NOT NULL
ORDER BY 1, 2
"""


@pytest.fixture
async def connection(postgres_database: str) -> Any:
    connection = await asyncpg.connect(postgres_database)
    yield connection
    await connection.close()


async def catalogue(connection: Any) -> set[tuple[str, str, str]]:
    return {tuple(row) for row in await connection.fetch(CATALOGUE)}


async def empty(connection: Any) -> None:
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


async def test_schema_sql_is_what_the_steps_leave(connection: Any) -> None:
    await migrations.migrate(connection)
    replayed = await catalogue(connection)
    await empty(connection)
    await connection.execute((files("central") / "schema.sql").read_text(encoding="utf-8"))
    written = await catalogue(connection)

    assert replayed - written == set(), "central/schema.sql lacks this"
    assert written - replayed == set(), "only central/schema.sql has this"
    assert len(written) > 150


async def test_a_second_run_applies_nothing(connection: Any) -> None:
    assert await migrations.migrate(connection) == list(migrations.steps())
    assert await migrations.migrate(connection) == []
    await migrations.check(connection)


async def test_two_runners_at_once(connection: Any, postgres_database: str) -> None:
    other = await asyncpg.connect(postgres_database)
    try:
        applied = await asyncio.gather(migrations.migrate(connection), migrations.migrate(other))
    finally:
        await other.close()
    assert sorted(map(len, applied)) == [0, len(migrations.steps())]


async def test_a_newer_database_is_refused_and_untouched(connection: Any) -> None:
    await migrations.migrate(connection)
    await connection.execute("INSERT INTO schema_migration (name) VALUES ('9999_from_the_future')")
    before = await catalogue(connection)

    for refuse in (migrations.migrate, migrations.check):
        with pytest.raises(migrations.SchemaTooNewError) as refused:
            await refuse(connection)
        assert refused.value.unknown == ["9999_from_the_future"]
    assert await catalogue(connection) == before


async def test_a_database_that_is_behind_says_what_to_do(connection: Any) -> None:
    with pytest.raises(migrations.SchemaBehindError, match="python -m central migrate"):
        await migrations.check(connection)


async def test_a_failed_step_leaves_nothing(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await migrations.migrate(connection)
    before = await catalogue(connection)
    known = migrations.steps()
    broken = {**known, "9998_broken": "CREATE TABLE half (id int); SELECT 1 / 0"}
    monkeypatch.setattr(migrations, "steps", lambda: broken)

    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrations.migrate(connection)
    assert await catalogue(connection) == before
    monkeypatch.setattr(migrations, "steps", lambda: known)
    await migrations.check(connection)
