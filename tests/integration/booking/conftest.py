"""Booking on a real Postgres of both versions, with a clock that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from central.app import open_central
from central.booking.appointments import Person, Wish
from central.booking.documents import Document
from central.booking.service import BookingService, make_booking
from central.booking.upkeep import Upkeep
from central.context import Central
from central.settings import Database, Keys, Settings
from sync.io.ids import new_id
from tests.kit.clock import ManualClock
from tests.kit.services import Cluster
from tests.kit.small_city import MONDAY_8H, loaded_city

TUESDAY_9H = MONDAY_8H + timedelta(hours=25)
"""The first slot of tomorrow."""


@dataclass(frozen=True)
class Bed:
    """A loaded city, and booking without its background work: tests call that themselves."""

    central: Central
    booking: BookingService
    clock: ManualClock

    @property
    def pool(self) -> Any:
        return self.central.pool

    @property
    def upkeep(self) -> Upkeep:
        return Upkeep(self.central, self.booking.catalogue)

    async def seats(self) -> dict[str, int]:
        """How many seats are in which state."""
        rows = await self.pool.fetch("SELECT state, count(*) AS n FROM seat GROUP BY state")
        return {row["state"]: row["n"] for row in rows}

    async def feed(self, office: str) -> list[dict[str, Any]]:
        """The bodies of an office's appointment rows, in order."""
        rows = await self.pool.fetch(
            "SELECT op, body FROM feed WHERE stream = $1 AND kind = 'appointment' ORDER BY seq", f"office:{office}"
        )
        return [{"op": row["op"], **msgspec.json.decode(row["body"])} for row in rows]


def settings_for(dsn: str, folder: Path) -> Settings:
    return Settings(database=Database(dsn=dsn, pool_min=1, pool_max=12), keys=Keys(folder=folder / "keys"))


@pytest.fixture
async def bed(postgres_cluster: Cluster, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Bed]:
    """A city with one seat per slot, or as many as the test's parameter says."""
    with loaded_city(postgres_cluster, tmp_path, getattr(request, "param", 1)) as dsn:
        clock = ManualClock(MONDAY_8H)
        async with open_central(settings_for(dsn, tmp_path), clock) as central:
            booking = make_booking(central)
            await (
                central.listener.wait_until_up()
            )  # else its first hint, "anything may have changed", falls into the test
            yield Bed(central, booking, clock)


def wish(start_at: datetime = TUESDAY_9H, service: str = "viaje", office: str = "centro") -> Wish:
    return Wish(office_id=office, service_id=service, slot_start_at=start_at)


def person(number: int = 1, email: str | None = None) -> Person:
    return Person(full_name=f"Fátima Mohamed {number}", document=Document("passport", f"AB{number:06}"), email=email)


def request_id() -> str:
    return new_id()
