"""An acknowledgement stands on a COMMIT that nobody could cancel."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from central.database import open_pool
from central.exchange.store import PostgresCentralStore, committed
from central.settings import Database
from sync.messages.values import GENESIS
from sync.protocol.store import Position
from sync.protocol.uplink import chain_batch
from tests.kit.facts import printed_run

pytestmark = pytest.mark.postgres

SLOW_COMMIT = """
CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.6); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON fact DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION be_slow();
"""
"""COMMIT takes as long as with a standby far away."""


async def ingest_one(pool: Any) -> None:
    chained = chain_batch(GENESIS, printed_run(1, 1))
    async with PostgresCentralStore(pool).transaction() as tx:
        await tx.append(chained)
        await tx.advance("centro", Position(1, chained[0].hash))


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_cancelled_request_does_not_cancel_its_commit(pool: Any, times: int) -> None:
    await pool.execute(SLOW_COMMIT)
    ingesting = asyncio.create_task(ingest_one(pool))
    while not await pool.fetchval("SELECT count(*) FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active'"):
        assert not ingesting.done()
        await asyncio.sleep(0.01)
    for _ in range(times):
        ingesting.cancel()
        await asyncio.sleep(0.05)
        assert not ingesting.done()
    with pytest.raises(asyncio.CancelledError):
        await ingesting

    assert await pool.fetchval("SELECT count(*) FROM fact") == 1


async def test_a_commit_has_no_deadline(pool: Any, central_database: str) -> None:
    await pool.execute(SLOW_COMMIT)
    async with open_pool(Database(dsn=central_database, pool_max=2)) as hasty:
        async with hasty.acquire() as connection:
            await connection.execute("SELECT 1", timeout=0.2)
        hasty._connect_kwargs["command_timeout"] = 0.2
        await hasty.expire_connections()
        with pytest.raises(TimeoutError):
            await hasty.execute("SELECT pg_sleep(0.6)")
        await ingest_one(hasty)

    assert await pool.fetchval("SELECT count(*) FROM fact") == 1


async def test_a_cancelled_request_before_its_commit_leaves_nothing(pool: Any) -> None:
    async def work() -> None:
        async with pool.acquire() as connection, committed(connection):
            await connection.execute("INSERT INTO stream_head VALUES ('s', 1, $1)", GENESIS)
            await connection.execute("SELECT pg_sleep(20)")

    working = asyncio.create_task(work())
    await asyncio.sleep(0.3)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert await pool.fetchval("SELECT count(*) FROM stream_head") == 0


async def test_a_broken_commit_raises(pool: Any) -> None:
    await pool.execute(SLOW_COMMIT.replace("PERFORM pg_sleep(0.6);", "RAISE EXCEPTION 'no';"))
    with pytest.raises(asyncpg.RaiseError):
        await ingest_one(pool)
    assert await pool.fetchval("SELECT count(*) FROM fact") == 0
