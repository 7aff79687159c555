"""Availability answers from memory, follows hints, and is never older than two seconds."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from central.booking.appointments import Booked, Held
from tests.integration.booking.conftest import TUESDAY_9H, Bed, person, request_id, wish

pytestmark = pytest.mark.postgres

TUESDAY = date(2026, 11, 24)

BLOCK_9H = """
UPDATE seat SET over = true FROM slot
WHERE slot.slot_id = seat.slot_id AND slot.start_at = $1 AND slot.office_id = 'centro'
"""
"""A change that tells nobody."""


class CountedPool:
    """The real pool, counting the reads of free seats."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self.reads = 0

    async def fetch(self, *arguments: Any) -> Any:
        self.reads += 1
        return await self._pool.fetch(*arguments)


@pytest.fixture
def counted(bed: Bed) -> CountedPool:
    pool = CountedPool(bed.pool)
    bed.booking.availability._pool = pool
    return pool


async def starts(bed: Bed, service: str = "viaje") -> Any:
    catalogue = await bed.booking.catalogue.current()
    return await bed.booking.availability.starts(catalogue.offices["centro"], catalogue.services[service], TUESDAY)


async def test_all_days_come_in_one_read(bed: Bed, counted: CountedPool) -> None:
    catalogue = await bed.booking.catalogue.current()
    office, service = catalogue.offices["centro"], catalogue.services["viaje"]
    days = await bed.booking.availability.days(office, service)

    assert counted.reads == 1
    assert len(days) == 21
    assert {len(day.starts) for day in days} == {30}
    assert await bed.booking.availability.starts(office, service, TUESDAY) == days[1].starts
    assert counted.reads == 1


async def test_a_hundred_askers_are_one_read(bed: Bed, counted: CountedPool) -> None:
    await bed.booking.catalogue.current()
    answers = await asyncio.gather(*(starts(bed) for _ in range(100)))
    assert counted.reads == 1
    assert all(len(answer) == 30 for answer in answers)


async def test_a_hundred_who_are_refused_are_few_reads_and_know_what_is_free(bed: Bed, counted: CountedPool) -> None:
    await bed.pool.execute(BLOCK_9H, TUESDAY_9H)
    catalogue = await bed.booking.catalogue.current()
    office, service = catalogue.offices["centro"], catalogue.services["viaje"]
    ask = bed.booking.availability.alternatives
    answers = await asyncio.gather(*(ask(office, service, TUESDAY_9H, TUESDAY) for _ in range(100)))

    assert counted.reads == 2  # the day itself, then those around it
    assert set(answers) == {tuple(TUESDAY_9H + timedelta(minutes=m) for m in (10, 20, 30))}


async def test_memory_that_still_offers_what_was_taken_is_read_again(bed: Bed, counted: CountedPool) -> None:
    assert TUESDAY_9H in await starts(bed)
    await bed.pool.execute(BLOCK_9H.replace("= $1", "<= $1::timestamptz + interval '10 minutes'"), TUESDAY_9H)
    catalogue = await bed.booking.catalogue.current()
    office, service = catalogue.offices["centro"], catalogue.services["viaje"]
    found = await bed.booking.availability.alternatives(office, service, TUESDAY_9H, TUESDAY)

    assert TUESDAY_9H + timedelta(minutes=10) not in found


async def test_memory_is_used_for_two_seconds(bed: Bed, counted: CountedPool) -> None:
    assert len(await starts(bed)) == 30
    await bed.pool.execute(BLOCK_9H, TUESDAY_9H)
    bed.clock.advance(seconds=1.9)
    assert len(await starts(bed)) == 30
    bed.clock.advance(seconds=0.2)
    assert len(await starts(bed)) == 29
    assert counted.reads == 2


async def test_every_change_of_a_seat_is_heard(bed: Bed) -> None:
    async def settled(count: int) -> bool:
        async with asyncio.timeout(5):
            while len(await starts(bed)) != count:  # noqa: ASYNC110 - what we wait for is an answer
                await asyncio.sleep(0.01)
        return True

    assert await settled(30)
    hold = await bed.booking.bookings.hold(wish())
    assert isinstance(hold, Held)
    assert await settled(29)
    await bed.booking.bookings.release(hold.hold_id)
    assert await settled(30)
    booked = await bed.booking.bookings.book(request_id(), wish(), person())
    assert isinstance(booked, Booked)
    assert await settled(29)
    booking = await bed.booking.changes.by_id(booked.appointment_id)
    assert booking is not None
    moved = await bed.booking.changes.reschedule(request_id(), booking, wish(TUESDAY_9H + timedelta(days=1)))
    assert isinstance(moved, Booked)
    assert await settled(30)


async def test_an_expired_hold_is_offered_again(bed: Bed) -> None:
    await bed.booking.bookings.hold(wish())
    assert TUESDAY_9H not in await starts(bed)
    bed.clock.advance(minutes=10)
    assert TUESDAY_9H in await starts(bed)


async def test_long_services_need_neighbouring_seats(bed: Bed) -> None:
    await bed.booking.bookings.book(request_id(), wish(TUESDAY_9H + timedelta(minutes=10)), person())
    free = await starts(bed, "padron")
    assert len(free) == 27  # 29 pairs but for the two that need 9:10
    assert TUESDAY_9H not in free
    assert TUESDAY_9H + timedelta(minutes=10) not in free


async def test_past_starts_are_not_offered(bed: Bed) -> None:
    bed.clock.advance(hours=26)  # Tuesday 10:00
    free = await starts(bed)
    assert free[0] == TUESDAY_9H + timedelta(minutes=70)


async def test_memory_is_bounded(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("central.booking.availability.MAX_ENTRIES", 10)
    catalogue = await bed.booking.catalogue.current()
    for office in catalogue.offices.values():
        days = await bed.booking.availability.days(office, catalogue.services["viaje"])
        assert len(days) == 21
    assert len(bed.booking.availability._days) == 10
