"""Central behind its real HTTP server on a real Postgres, with a small city and a clock that tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from central.database import connect
from central.loading import load
from central.offices.city import City
from central.settings import Database, Keys, Settings
from tests.integration.portal.citizen import Citizen
from tests.kit.central_server import CentralServer, running_central
from tests.kit.clock import ManualClock
from tests.kit.small_city import MONDAY_8H, small_city


class Bed:
    """A running portal."""

    def __init__(self, server: CentralServer, clock: ManualClock) -> None:
        self.server = server
        self.clock = clock

    def citizen(self, language: str = "es") -> Citizen:
        return Citizen(self.server.url, language)


@asynccontextmanager
async def running_portal(dsn: str, folder: Path, city: City) -> AsyncIterator[Bed]:
    """Central with a loaded city while inside."""
    clock = ManualClock(MONDAY_8H)
    settings = Settings(database=Database(dsn=dsn), keys=Keys(folder=folder / "keys", create_missing=True))
    connection = await connect(settings.database)
    await load(connection, settings=settings, city=city, now=clock.now())
    await connection.close()
    async with running_central(dsn, folder, clock) as server:
        yield Bed(server, clock)


@pytest.fixture
async def portal(central_database: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Bed]:
    """The small city with one seat per slot, or as many as the test's parameter says."""
    async with running_portal(central_database, tmp_path, small_city(getattr(request, "param", 1))) as bed:
        yield bed
