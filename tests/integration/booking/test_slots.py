"""Slots and seats follow the catalogue, and what is claimed is never taken away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from central.booking.appointments import Booked, NotOffered, Taken
from central.booking.slots import extend_horizon
from central.loading import load, open_offices
from tests.integration.booking.conftest import TUESDAY_9H, Bed, person, request_id, wish
from tests.kit.small_city import small_city

pytestmark = pytest.mark.postgres

SEATS_OF_9H = """
SELECT seat_no, state, over FROM seat JOIN slot USING (slot_id)
WHERE office_id = 'centro' AND start_at = $1 ORDER BY seat_no
"""


async def reload(bed: Bed, seats: int) -> None:
    async with bed.pool.acquire() as connection:
        await load(connection, settings=bed.central.settings, city=small_city(seats), now=bed.clock.now())


async def nine_o_clock(bed: Bed) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await bed.pool.fetch(SEATS_OF_9H, TUESDAY_9H)]


async def test_each_opening_hour_has_its_slots(bed: Bed) -> None:
    days = await bed.pool.fetch(
        "SELECT service_date, count(*) AS n FROM slot WHERE office_id = 'real' GROUP BY 1 ORDER BY 1"
    )
    assert {row["n"] for row in days} == {30}
    assert all(row["service_date"].weekday() < 5 for row in days)
    holidays = {row["day"] for row in await bed.pool.fetch("SELECT day FROM holiday")}
    assert not holidays & {row["service_date"] for row in days}
    assert len(days) == 21  # 23 November to 23 December: 23 weekdays without 7 and 8 December


async def test_loading_twice_changes_nothing(bed: Bed) -> None:
    async def state() -> list[Any]:
        return [
            await bed.pool.fetch(f"SELECT * FROM {table} ORDER BY 1, 2")
            for table in ("slot", "seat", "stream_head", "feed_entity", "staff", "office", "holiday")
        ]

    before = await state()
    await reload(bed, 1)
    assert await state() == before


async def test_capacity_up_adds_seats_and_down_deletes_free_ones(bed: Bed) -> None:
    await reload(bed, 3)
    assert await nine_o_clock(bed) == [(1, "free", False), (2, "free", False), (3, "free", False)]
    await reload(bed, 1)
    assert await nine_o_clock(bed) == [(1, "free", False)]


async def test_capacity_down_never_touches_what_is_claimed(bed: Bed) -> None:
    await reload(bed, 3)
    for number in range(2):
        assert isinstance(await bed.booking.bookings.book(request_id(), wish(), person(number)), Booked)
    await reload(bed, 1)

    assert await nine_o_clock(bed) == [(1, "booked", False), (2, "booked", True)]
    assert isinstance(await bed.booking.bookings.book(request_id(), wish(), person(9)), Taken)
    await reload(bed, 3)
    assert await nine_o_clock(bed) == [(1, "booked", False), (2, "booked", False), (3, "free", False)]


async def test_a_seat_above_the_capacity_is_not_sold_again(bed: Bed) -> None:
    await reload(bed, 2)
    outcomes = [await bed.booking.bookings.book(request_id(), wish(), person(number)) for number in range(2)]
    await reload(bed, 1)
    second = outcomes[1]
    assert isinstance(second, Booked)
    booking = await bed.booking.changes.by_id(second.appointment_id)
    assert booking is not None
    await bed.booking.changes.cancel(booking)

    assert isinstance(await bed.booking.bookings.book(request_id(), wish(), person(9)), Taken)
    await reload(bed, 1)
    assert await nine_o_clock(bed) == [(1, "booked", False)]


async def test_open_round_the_clock_makes_slots_of_the_whole_day(bed: Bed) -> None:
    async with bed.pool.acquire() as connection:
        unknown = await open_offices(
            connection,
            settings=bed.central.settings,
            offices=["centro", "nowhere"],
            days=2,
            note="demo",
            now=bed.clock.now(),
        )
    assert unknown == ["nowhere"]
    catalogue = await bed.booking.catalogue.current()
    office, service = catalogue.offices["centro"], catalogue.services["viaje"]
    days = await bed.booking.availability.days(office, service)
    assert [len(day.starts) for day in days[:3]] == [119, 144, 30]  # today from 8:05 on, all of tomorrow, a usual day
    assert office.exceptions[0].note == "demo"


async def test_a_closed_day_keeps_its_bookings_and_gives_no_more(bed: Bed) -> None:
    kept = await bed.booking.bookings.book(request_id(), wish(), person(1))
    assert isinstance(kept, Booked)
    await bed.pool.execute("INSERT INTO holiday VALUES ('2026-11-24', '{\"es\": \"Fiesta\"}', true)")
    async with bed.pool.acquire() as connection:
        from central.booking.slots import plan_city
        from central.offices.store import read_catalogue

        catalogue = await read_catalogue(connection, TUESDAY_9H.date())
        await plan_city(connection, catalogue, bed.clock.now(), 30)

    assert await nine_o_clock(bed) == [(1, "booked", True)]
    later = wish(TUESDAY_9H + timedelta(hours=1))
    assert isinstance(await bed.booking.bookings.book(request_id(), later, person(2)), NotOffered)
    assert await bed.pool.fetchval("SELECT status FROM appointment") == "booked"


async def test_the_horizon_grows_by_what_came_into_reach(bed: Bed) -> None:
    async def last_day() -> Any:
        return await bed.pool.fetchval("SELECT max(service_date) FROM slot WHERE office_id = 'centro'")

    before = await last_day()
    bed.clock.advance(days=7)
    await bed.upkeep.extend_slots()
    assert (await last_day() - before).days == 7
    async with bed.pool.acquire() as connection:
        await extend_horizon(connection, await bed.booking.catalogue.current(), bed.clock.now(), 30)
    assert (await last_day() - before).days == 7
