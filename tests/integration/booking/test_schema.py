"""Central's schema: `schema.sql` is what the steps leave, and the runner is safe to repeat and refuses what it does not know."""

from __future__ import annotations

import asyncio
import re
from importlib.resources import files
from typing import Any

import asyncpg
import pytest

from central import migrations

pytestmark = pytest.mark.postgres

SMALL = {"0016_oversight": {"audit"}}
"""Tables that are small enough for an index inside a step: what people do is thousands a year."""

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


async def test_the_build_before_goes_on_beside_a_step_that_only_adds(
    connection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrations.steps()
    await migrations.migrate(connection)
    newer = {
        **known,
        "9997_more": "-- phase: expand\nALTER TABLE office ADD COLUMN floor int",
        "9998_less": "-- phase: contract\nALTER TABLE office DROP COLUMN phone",
    }
    monkeypatch.setattr(migrations, "steps", lambda: newer)
    with pytest.raises(migrations.SchemaBehindError):
        await migrations.check(connection)
    assert await migrations.migrate(connection, only_expand=True) == ["9997_more"]
    await migrations.check(connection)

    monkeypatch.setattr(migrations, "steps", lambda: known)
    await migrations.check(connection)
    assert await migrations.migrate(connection) == []

    monkeypatch.setattr(migrations, "steps", lambda: newer)
    assert await migrations.migrate(connection) == ["9998_less"]
    monkeypatch.setattr(migrations, "steps", lambda: known)
    with pytest.raises(migrations.SchemaTooNewError) as refused:
        await migrations.check(connection)
    assert refused.value.unknown == ["9998_less"]


async def test_a_step_lets_go_of_a_table_in_use_and_tries_again(
    connection: Any, postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrations.migrate(connection)
    newer = {**migrations.steps(), "9998_more": "ALTER TABLE office ADD COLUMN floor int"}
    monkeypatch.setattr(migrations, "steps", lambda: newer)
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT", "20ms")
    monkeypatch.setattr(migrations, "PAUSE_S", 0.02)
    other = await asyncpg.connect(postgres_database)
    try:
        transaction = other.transaction()
        await transaction.start()
        await other.fetch("SELECT FROM office")
        with pytest.raises(migrations.SchemaBusyError, match="9998_more"):
            await migrations.migrate(connection)
        migrating = asyncio.create_task(migrations.migrate(connection))
        await asyncio.sleep(0.1)
        await transaction.commit()
        assert await migrating == ["9998_more"]
    finally:
        await other.close()


INDEX = "-- phase: expand\n-- outside a transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS {} ON office (phone);\n"


async def test_an_index_is_made_while_its_table_is_written_to(
    connection: Any, postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrations.migrate(connection)
    newer = {**migrations.steps(), "9998_index": INDEX.format("office_by_phone")}
    monkeypatch.setattr(migrations, "steps", lambda: newer)
    first, second = [await asyncpg.connect(postgres_database) for _ in range(2)]
    try:
        transaction = first.transaction()
        await transaction.start()
        await first.execute("UPDATE office SET phone = phone")
        migrating = asyncio.create_task(migrations.migrate(connection, only_expand=True))
        beside = asyncio.create_task(migrations.migrate(second))
        await asyncio.sleep(0.3)
        assert not migrating.done(), "it waits for who writes"
        await asyncio.wait_for(first.execute("UPDATE office SET phone = phone"), 5)
        other = await asyncpg.connect(postgres_database)
        await asyncio.wait_for(other.execute("UPDATE office SET phone = phone WHERE false"), 5)
        await other.close()
        await transaction.commit()
        assert sorted(await asyncio.gather(migrating, beside)) == [[], ["9998_index"]]
    finally:
        await first.close()
        await second.close()
    assert await connection.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'office_by_phone'::regclass")


async def test_an_index_that_was_broken_off_is_made_anew(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await migrations.migrate(connection)
    await connection.execute("CREATE TABLE twice (n int); INSERT INTO twice VALUES (1), (1)")
    text = "-- phase: expand\n-- outside a transaction\n-- why\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS once ON twice (n)"
    newer = {**migrations.steps(), "9998_once": text}
    monkeypatch.setattr(migrations, "steps", lambda: newer)
    for _ in range(2):
        with pytest.raises(asyncpg.UniqueViolationError):
            await migrations.migrate(connection)
        assert not await connection.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'once'::regclass")
        assert not await connection.fetchval("SELECT EXISTS (SELECT FROM schema_migration WHERE name = '9998_once')")
    await connection.execute("DELETE FROM twice WHERE ctid = (SELECT min(ctid) FROM twice)")
    assert await migrations.migrate(connection) == ["9998_once"]
    assert await connection.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'once'::regclass")


@pytest.mark.parametrize("more", ["SELECT 1;", "CREATE INDEX CONCURRENTLY IF NOT EXISTS b ON office (id);"])
async def test_outside_a_transaction_there_is_one_index(
    connection: Any, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    await migrations.migrate(connection)
    newer = {**migrations.steps(), "9998_more": INDEX.format("a") + more}
    monkeypatch.setattr(migrations, "steps", lambda: newer)
    with pytest.raises(migrations.SchemaError, match="9998_more is outside"):
        await migrations.migrate(connection)


def test_a_step_that_adds_makes_no_index_of_a_table_that_is_there() -> None:
    for name, text in migrations.steps().items():
        if name >= "0016" and migrations.phase_of(text) == "expand":
            made = set(re.findall(r"CREATE TABLE (\w+)", text))
            indexed = set(re.findall(r"INDEX \w+ ON (\w+)", text))
            assert indexed - made <= SMALL.get(name, set()), f"{name}: build it outside a transaction"


async def test_a_database_from_before_there_were_phases_is_brought_up_to_date(connection: Any) -> None:
    await migrations.migrate(connection)
    await connection.execute("ALTER TABLE schema_migration DROP COLUMN phase")
    await migrations.check(connection)
    assert await migrations.migrate(connection) == []
    assert await connection.fetchval("SELECT count(*) FROM schema_migration WHERE phase = 'contract'") > 10


def test_new_steps_say_their_phase() -> None:
    for name, text in migrations.steps().items():
        assert name < "0013" or text.startswith(("-- phase: expand\n", "-- phase: contract\n")), name


async def test_what_offices_told_and_who_did_what_is_never_changed(connection: Any) -> None:
    await migrations.migrate(connection)
    await connection.execute(
        "INSERT INTO fact (office, epoch, seq, type, v, actor_id, device_id, occurred_at, boot_id, mono_ns, body, hash) "
        "VALUES ('a', 1, 1, 't', 1, 'x', 'd', now(), '', 0, '', decode(repeat('00', 32), 'hex'))"
    )
    for change in ("UPDATE fact SET v = 2", "DELETE FROM fact"):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="fact is a log"):
            await connection.execute(change)


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
