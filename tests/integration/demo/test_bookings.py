"""The start page offers every booking to the scanner, also one that no mail told of."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from central.app import open_central
from central.booking.appointments import Booked
from central.booking.news import token_of
from central.booking.service import make_booking
from central.settings import Database, Keys, Settings
from provisioning.demo.bookings import Bookings
from provisioning.demo.plan import Places
from tests.integration.booking.conftest import TUESDAY_9H, person, request_id, wish
from tests.kit.clock import ManualClock
from tests.kit.services import Cluster
from tests.kit.small_city import MONDAY_8H, loaded_city

pytestmark = pytest.mark.postgres


async def test_a_booking_without_an_address_has_centrals_own_token(postgres_cluster: Cluster, tmp_path: Path) -> None:
    places = Places(tmp_path / "demo")
    with loaded_city(postgres_cluster, tmp_path, 1) as dsn:
        settings = Settings(database=Database(dsn=dsn, pool_min=1, pool_max=4), keys=Keys(folder=tmp_path / "keys"))
        bookings = Bookings(places)
        assert await bookings.coming(MONDAY_8H) == [], "central has no settings yet"
        places.central.mkdir(parents=True)
        told = {"database": {"dsn": dsn}, "keys": {"folder": str(tmp_path / "keys")}}
        places.central_settings_file.write_bytes(msgspec.toml.encode(told))
        async with open_central(settings, ManualClock(MONDAY_8H)) as central:
            booked = await make_booking(central).bookings.book(request_id(), wish(), person(email=None))
            assert isinstance(booked, Booked)
            (code,) = await bookings.coming(MONDAY_8H)
            assert (code.token, code.office) == (token_of(booked, central.keys), "centro")
            assert await bookings.coming(TUESDAY_9H + timedelta(hours=1)) == [], "it is past"
        await bookings.stop()
    await bookings.stop()
