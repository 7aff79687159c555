"""Every statement of central is prepared, and planned on a large database: none reads a large table whole.

All ``central/**/*.sql`` with named statements are found by themselves. A statement that has to read a large table whole says
so, and why, in its comment: ``-- whole table: once a night``. A new table that can grow gets rows in ``tests/kit/large_city.sql``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import central
from central.database import SESSION, prepare_connection
from sync.io.sql import load, parse
from tests.kit.central_database import migrate_central
from tests.kit.services import Cluster
from tests.kit.small_city import loaded_city

pytestmark = pytest.mark.postgres

ROOT = Path(central.__file__).parent
LARGE_ROWS = 10_000
EXEMPT = "-- whole table:"


def statements() -> Iterator[Any]:
    for file in sorted(ROOT.rglob("*.sql")):
        if file.parent.name != "migrations" and file.name != "schema.sql":
            name = file.relative_to(ROOT).with_suffix("").as_posix()
            for statement, text in parse(file.read_text(encoding="utf-8"), source=str(file)).items():
                key = f"{name}.{statement}"
                yield pytest.param(text, id=key)


def fill(dsn: str) -> None:
    """A migrated database with a large city."""

    async def work() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(
                (Path(__file__).parent.parent / "kit" / "large_city.sql").read_text(encoding="utf-8")
            )
            await connection.execute("ANALYZE")
        finally:
            await connection.close()

    migrate_central(dsn)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work()).result()


@pytest.fixture
async def connection(postgres_cluster: Cluster) -> AsyncIterator[Any]:
    """A connection to the large city; every test rolls back."""
    connection = await asyncpg.connect(postgres_cluster.server.dsn(postgres_cluster.template("large_city", fill)))
    await prepare_connection(connection)
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


async def large_tables(connection: Any) -> set[str]:
    rows = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND reltuples >= $1",
        LARGE_ROWS,
    )
    return {row["relname"] for row in rows}


async def plan_of(connection: Any, text: str) -> dict[str, Any]:
    """The generic plan of a statement: the one that serves any arguments."""
    parameters = (await connection.prepare(text)).get_parameters()
    types = ", ".join(f"{p.schema}.{p.name.removesuffix('[]')}{'[]' * p.name.endswith('[]')}" for p in parameters)
    await connection.execute(f"PREPARE planned{f' ({types})' if types else ''} AS {text}")
    nulls = ", ".join("NULL" for _ in parameters)
    found = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE planned{f' ({nulls})' if nulls else ''}")
    plan: dict[str, Any] = json.loads(found)[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's node and all below it."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def whole_reads(plan: dict[str, Any]) -> Iterator[str]:
    """Tables that a plan reads from end to end, in any of its nodes."""
    return (node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan")


@pytest.mark.parametrize("text", list(statements()))
async def test_no_statement_reads_a_large_table_whole(connection: Any, text: str) -> None:
    plan = await plan_of(connection, text)
    found = set(whole_reads(plan)) & await large_tables(connection)

    if EXEMPT in text:
        assert found, "this statement no longer reads a large table whole: drop the remark"
    else:
        assert not found, json.dumps(plan, indent=1)


async def test_the_city_is_large(connection: Any) -> None:
    known = {"fact", "feed", "feed_entity", "seat", "slot", "appointment", "day_report", "day_override", "day_held"}
    assert known <= await large_tables(connection)


async def test_feeding_reads_no_large_table_whole(connection: Any) -> None:
    """Statements inside functions have no plan of their own to look at: count what they read."""
    count = "SELECT sum(seq_scan) FROM pg_stat_xact_user_tables WHERE relname LIKE 'feed%'"
    before = await connection.fetchval(count)
    for op in ("put", "put", "del"):
        await connection.fetchrow("SELECT * FROM feed_put('office:office-1', 'appointment', 'a7', 2, $1, '{}')", op)
    await connection.fetchrow("SELECT * FROM feed_put_changed('office:office-2', 'appointment', 'a7', '{\"n\":1}')")

    assert await connection.fetchval(count) == before


async def test_what_is_planned_on_the_first_day_reads_by_index_when_tables_have_grown(
    postgres_cluster: Cluster, tmp_path: Path
) -> None:
    """A plan is kept as long as its connection and the statistics: made when nobody had booked yet, it must serve a first rush."""
    with loaded_city(postgres_cluster, tmp_path, 1) as dsn:
        connection = await asyncpg.connect(dsn, server_settings=SESSION)
        try:
            await prepare_connection(connection)
            await connection.execute("VACUUM ANALYZE")
            plan = await plan_of(connection, load("central.booking", "groups.sql").book_group)
        finally:
            await connection.close()

    reads = [node for node in nodes(plan) if "Relation Name" in node and node["Node Type"] != "ModifyTable"]
    reads = [node for node in reads if node["Relation Name"] != "central_life"]  # one row, for ever
    assert {node["Relation Name"] for node in reads} == {"booking_reply", "hold", "seat", "slot"}
    for node in reads:
        finder = next(nodes(node["Plans"][0])) if node["Node Type"] == "Bitmap Heap Scan" else node
        assert "Index Cond" in finder, json.dumps(node, indent=1)


async def test_the_check_finds_a_whole_read(connection: Any) -> None:
    plan = await plan_of(connection, "SELECT count(*) FROM feed WHERE entity_id LIKE $1")
    assert set(whole_reads(plan)) == {"feed"}
