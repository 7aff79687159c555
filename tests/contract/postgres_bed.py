"""Central's real store on a real Postgres, both versions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import msgspec
import pytest

from central.database import open_pool
from central.exchange.folding import record_of
from central.exchange.rights_store import PostgresRights
from central.exchange.store import PostgresCentralStore
from central.settings import Database
from sync.messages.envelope import FactRecord
from sync.messages.fact_types import FACTS
from sync.messages.facts import UnknownFact
from sync.protocol.rights import Conflict
from sync.protocol.store import OpenedFact
from tests.contract.factories import POISON
from tests.kit.central_database import ADD_OFFICE, migrate_central

ADD_POOL = """
INSERT INTO pool (office_id, id, services, slot_min, seats) VALUES ($1, 'main', '{padron}', 10, 4) ON CONFLICT DO NOTHING
"""
ADD_SLOT = """
INSERT INTO slot (slot_id, office_id, pool_id, service_date, start_at, duration_min)
VALUES ($1, $2, 'main', $3::timestamptz::date, $3, 10)
"""


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

    async def add_slot(self, office: str, slot_id: str, start_at: datetime, seats: int) -> None:
        await self._pool.execute(ADD_POOL, office)
        await self._pool.execute(ADD_SLOT, slot_id, office, start_at)
        await self._pool.execute(
            "INSERT INTO seat (slot_id, seat_no) SELECT $1, generate_series(1, $2)", slot_id, seats
        )

    async def conflicts(self) -> Sequence[Conflict]:
        rows = await self._pool.fetch("SELECT * FROM conflict ORDER BY key")
        return [msgspec.convert({**row, "detail": msgspec.json.decode(row["detail"])}, Conflict) for row in rows]


async def leave_trace(tx: PostgresRights, opened: OpenedFact, fact: object) -> None:
    """The projector of the bed: one trace per fact."""
    header = opened.record.header
    await tx.connection.execute("INSERT INTO trace VALUES ($1, $2) ON CONFLICT DO NOTHING", header.office, header.seq)
    if header.actor_id == POISON:
        await tx.connection.execute("SELECT 1 / 0")


@asynccontextmanager
async def postgres_central(request: pytest.FixtureRequest, kind: str) -> AsyncIterator[PostgresCentralBed]:
    cluster = request.getfixturevalue("clusters")[kind]
    with cluster.fresh(cluster.template("central", migrate_central)) as dsn:
        async with open_pool(Database(dsn=dsn, pool_max=4)) as pool:
            await pool.execute("CREATE TABLE trace (office text, seq bigint, PRIMARY KEY (office, seq))")
            yield PostgresCentralBed(pool)
