"""Central on a real Postgres: its pool alone (both versions), or the whole application behind HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from central.database import open_pool
from central.settings import Database
from tests.integration.exchange.client import NodeClient
from tests.kit.central_database import ADD_OFFICE, Clusters, migrate_central
from tests.kit.central_server import CentralServer, running_central

OFFICES = ("centro", "real", "victoria")


@pytest.fixture
async def pool(central_database: str) -> AsyncIterator[Any]:
    """A pool on a migrated database with three offices, once per Postgres version."""
    async with open_pool(Database(dsn=central_database, pool_max=24)) as pool:
        await pool.executemany(ADD_OFFICE, [(office,) for office in OFFICES])
        yield pool


@pytest.fixture
def dsn(clusters: Clusters) -> Iterator[str]:
    """One Postgres is enough for what is about HTTP."""
    cluster = clusters["wheel"]
    with cluster.fresh(cluster.template("central", migrate_central)) as dsn:
        yield dsn


@pytest.fixture
async def central(dsn: str, tmp_path: Path) -> AsyncIterator[CentralServer]:
    async with running_central(dsn, tmp_path) as server:
        await server.central.pool.executemany(ADD_OFFICE, [(office,) for office in OFFICES])
        yield server


@pytest.fixture
async def node(central: CentralServer) -> AsyncIterator[NodeClient]:
    """A registered node of ``centro``."""
    async with NodeClient(central.url, "centro") as node:
        await node.enrol(central.central.pool)
        yield node
