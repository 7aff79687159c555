"""Central's real store on a real Postgres, both versions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from central.database import open_pool
from central.exchange.store import PostgresCentralStore, record_of
from central.settings import Database
from sync.messages.envelope import FactHeader, FactRecord
from sync.messages.facts import FACTS, UnknownFact
from tests.contract.factories import POISON
from tests.kit.central_database import ADD_OFFICE, migrate_central


class PostgresCentralBed:
    concurrent = True

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self.store = PostgresCentralStore(pool, dict.fromkeys([*FACTS.values(), UnknownFact], leave_trace))

    async def add_office(self, office: str, epoch: int) -> None:
        await self._pool.execute(ADD_OFFICE, office)
        await self._pool.execute("INSERT INTO office_authority (office, epoch) VALUES ($1, $2)", office, epoch)

    async def raw_log(self, office: str, epoch: int) -> Sequence[FactRecord]:
        rows = await self._pool.fetch(
            "SELECT office, epoch, seq, type, v, request_id, actor_id, device_id, occurred_at, boot_id, mono_ns, body "
            "FROM fact WHERE office = $1 AND epoch = $2 ORDER BY seq",
            office,
            epoch,
        )
        return [record_of(row) for row in rows]

    async def projected(self, office: str) -> Sequence[int]:
        return [
            row["seq"] for row in await self._pool.fetch("SELECT seq FROM trace WHERE office = $1 ORDER BY seq", office)
        ]

    async def parked(self, office: str) -> Sequence[int]:
        rows = await self._pool.fetch("SELECT seq FROM fact_parked WHERE office = $1 ORDER BY seq", office)
        return [row["seq"] for row in rows]

    async def prune(self, stream: str, oldest: int) -> None:
        await self._pool.execute("DELETE FROM feed WHERE stream = $1 AND seq < $2", stream, oldest)


async def leave_trace(connection: Any, header: FactHeader, fact: object) -> None:
    """The projector of the bed: one trace per fact."""
    await connection.execute("INSERT INTO trace VALUES ($1, $2) ON CONFLICT DO NOTHING", header.office, header.seq)
    if header.actor_id == POISON:
        await connection.execute("SELECT 1 / 0")


@asynccontextmanager
async def postgres_central(request: pytest.FixtureRequest, kind: str) -> AsyncIterator[PostgresCentralBed]:
    cluster = request.getfixturevalue("clusters")[kind]
    with cluster.fresh(cluster.template("central", migrate_central)) as dsn:
        async with open_pool(Database(dsn=dsn, pool_max=4)) as pool:
            await pool.execute("CREATE TABLE trace (office text, seq bigint, PRIMARY KEY (office, seq))")
            yield PostgresCentralBed(pool)
