"""Central behind its real HTTP server on a real Postgres, with a small city and a clock that tests move."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from central.booking.service import BookingService
from central.database import connect
from central.loading import load
from central.offices.city import City
from central.settings import Database, Keys, Settings
from sync.io.single_sign_on.settings import SingleSignOn
from tests.integration.portal.citizen import Citizen
from tests.integration.portal.office import Office
from tests.kit.central_database import Clusters, migrate_central
from tests.kit.central_server import CentralServer, running_central
from tests.kit.clock import ManualClock
from tests.kit.small_city import MONDAY_8H, small_city


class Bed:
    """A running portal."""

    def __init__(self, server: CentralServer, clock: ManualClock) -> None:
        self.server = server
        self.clock = clock

    @property
    def booking(self) -> BookingService:
        booking: BookingService = self.server._app.state.booking
        return booking

    def citizen(self, language: str = "es") -> Citizen:
        return Citizen(self.server.url, language)

    async def count(self, table: str, where: str = "true") -> int:
        return int(await self.server.central.pool.fetchval(f"SELECT count(*) FROM {table} WHERE {where}"))

    @asynccontextmanager
    async def office(self, office: str = "centro") -> AsyncIterator[Office]:
        """A connected office, its counter 1 open."""
        node = Office(self.server, await self.booking.catalogue.current(), office, self.clock)
        await node.start()
        try:
            yield node
        finally:
            await node.stop()


async def load_into(dsn: str, keys: Path, city: City) -> None:
    """Load a city into a migrated database."""
    settings = Settings(database=Database(dsn=dsn), keys=Keys(folder=keys, create_missing=True))
    connection = await connect(settings.database)
    try:
        await load(connection, settings=settings, city=city, now=MONDAY_8H)
    finally:
        await connection.close()


@asynccontextmanager
async def running_portal(
    dsn: str, folder: Path, clock: ManualClock | None = None, single_sign_on: SingleSignOn | None = None
) -> AsyncIterator[Bed]:
    """Central with what was loaded, while inside. ``folder`` has its keys."""
    clock = clock or ManualClock(MONDAY_8H)
    async with running_central(dsn, folder, clock, single_sign_on) as server:
        yield Bed(server, clock)


def _prepare(keys: Path, seats: int, dsn: str) -> None:
    migrate_central(dsn)
    with ThreadPoolExecutor(1) as thread:  # a test's loop may be running
        thread.submit(asyncio.run, load_into(dsn, keys, small_city(seats))).result()


@pytest.fixture(scope="session")
def portal_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keys that all databases of these tests know."""
    return tmp_path_factory.mktemp("portal")


@pytest.fixture
def portal_dsn(clusters: Clusters, portal_folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database with the small city; one Postgres is enough for what is about HTTP."""
    cluster, seats = clusters["wheel"], int(getattr(request, "param", 1))
    template = cluster.template(f"portal_{seats}", partial(_prepare, portal_folder / "keys", seats))
    with cluster.fresh(template) as dsn:
        yield dsn


@pytest.fixture
async def portal(portal_dsn: str, portal_folder: Path) -> AsyncIterator[Bed]:
    """The small city with one seat per slot, or as many as `portal_dsn`'s parameter says."""
    async with running_portal(portal_dsn, portal_folder) as bed:
        yield bed


@pytest.fixture(scope="module")
def shared_dsn(clusters: Clusters, portal_folder: Path) -> Iterator[str]:
    """One database for the rows of a table of bad input: they leave nothing behind."""
    cluster = clusters["wheel"]
    with cluster.fresh(cluster.template("portal_1", partial(_prepare, portal_folder / "keys", 1))) as dsn:
        yield dsn


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_portal(shared_dsn: str, portal_folder: Path) -> AsyncIterator[Bed]:
    """One running portal for a whole module."""
    async with running_portal(shared_dsn, portal_folder) as bed:
        yield bed
