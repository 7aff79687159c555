"""Booking under contention and repetition: never oversold, never twice, never half."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from central.booking.appointments import Booked, LimitReached, NotOffered, Reused, Taken
from tests.integration.booking.conftest import TUESDAY_9H, Bed, person, request_id, wish

pytestmark = pytest.mark.postgres


async def test_a_booking_takes_a_seat_in_each_slot_that_it_needs(bed: Bed) -> None:
    outcome = await bed.booking.bookings.book(request_id(), wish(service="padron"), person())

    assert isinstance(outcome, Booked)
    taken = await bed.pool.fetch(
        "SELECT slot.start_at FROM seat JOIN slot USING (slot_id) WHERE appointment_id = $1 ORDER BY 1",
        outcome.appointment_id,
    )
    assert [row["start_at"] for row in taken] == [TUESDAY_9H, TUESDAY_9H + timedelta(minutes=10)]
    assert (await bed.seats())["booked"] == 2


@pytest.mark.parametrize("bed", [3], indirect=True)
async def test_200_people_for_the_last_three_seats(bed: Bed) -> None:
    outcomes = await asyncio.gather(
        *(bed.booking.bookings.book(request_id(), wish(), person(number)) for number in range(200))
    )

    assert sum(isinstance(one, Booked) for one in outcomes) == 3
    losers = [one for one in outcomes if isinstance(one, Taken)]
    assert len(losers) == 197
    assert all(len(one.alternatives) == 3 and TUESDAY_9H not in one.alternatives for one in losers)
    assert await bed.pool.fetchval("SELECT count(*) FROM appointment") == 3
    assert (await bed.seats())["booked"] == 3


@pytest.mark.parametrize("bed", [2], indirect=True)
async def test_overlapping_wishes_sell_every_seat_at_most_once(bed: Bed) -> None:
    """Two-slot services at starts that overlap: the claims lock slots in one order and none is left half claimed."""
    starts = [TUESDAY_9H + timedelta(minutes=10 * n) for n in range(6)]
    outcomes = await asyncio.gather(
        *(
            bed.booking.bookings.book(request_id(), wish(starts[number % 6], "padron"), person(number))
            for number in range(60)
        )
    )

    won = [one for one in outcomes if isinstance(one, Booked)]
    booked = await bed.pool.fetch(
        "SELECT slot_id, count(*) AS n FROM seat WHERE state = 'booked' GROUP BY slot_id ORDER BY 1"
    )
    assert sum(row["n"] for row in booked) == 2 * len(won)
    assert all(row["n"] <= 2 for row in booked)
    assert len(won) >= 4  # 7 slots of 2 seats: pairs at the second and fifth slot already leave room for no other
    assert {type(one) for one in outcomes} <= {Booked, Taken}


async def test_ten_submits_of_one_form_book_once(bed: Bed) -> None:
    request = request_id()
    outcomes = await asyncio.gather(*(bed.booking.bookings.book(request, wish(), person()) for _ in range(10)))

    assert len({one.appointment_id for one in outcomes if isinstance(one, Booked)}) == 1
    assert all(isinstance(one, Booked) for one in outcomes)
    assert (await bed.seats())["booked"] == 1


async def test_a_request_id_answers_one_question(bed: Bed) -> None:
    request = request_id()
    first = await bed.booking.bookings.book(request, wish(), person())

    assert isinstance(first, Booked)
    assert await bed.booking.bookings.book(request, wish(TUESDAY_9H + timedelta(hours=1)), person()) == Reused()
    assert await bed.booking.bookings.book(request, wish(), person(2)) == Reused()
    assert await bed.booking.bookings.book(request, wish(), person()) == first


async def test_one_appointment_per_person_and_family(bed: Bed) -> None:
    bookings = bed.booking.bookings
    assert isinstance(await bookings.book(request_id(), wish(), person()), Booked)

    again = await bookings.book(request_id(), wish(TUESDAY_9H + timedelta(hours=1)), person())
    assert again == LimitReached(family="viaje")
    other = await bookings.book(request_id(), wish(TUESDAY_9H + timedelta(hours=1), "padron"), person())
    assert isinstance(other, Booked)
    assert (await bed.seats())["booked"] == 3


async def test_twenty_tabs_of_one_person_book_one_appointment(bed: Bed) -> None:
    starts = [TUESDAY_9H + timedelta(minutes=10 * n) for n in range(20)]
    outcomes = await asyncio.gather(*(bed.booking.bookings.book(request_id(), wish(at), person()) for at in starts))

    assert sum(isinstance(one, Booked) for one in outcomes) == 1
    assert sum(one == LimitReached(family="viaje") for one in outcomes) == 19
    assert (await bed.seats())["booked"] == 1


@pytest.mark.parametrize(
    "asked,reason",
    [
        (wish(office="nowhere"), "office_unknown"),
        (wish(service="nothing"), "service_unknown"),
        (wish(service="informacion"), "service_unknown"),
        (wish(TUESDAY_9H - timedelta(hours=26)), "too_late"),
        (wish(TUESDAY_9H + timedelta(days=40)), "too_far"),
    ],
)
async def test_what_is_not_offered(bed: Bed, asked: object, reason: str) -> None:
    assert await bed.booking.bookings.book(request_id(), asked, person()) == NotOffered(reason=reason)  # type: ignore[arg-type]
    assert "booked" not in await bed.seats()


@pytest.mark.parametrize("start_at", [TUESDAY_9H - timedelta(hours=1), TUESDAY_9H + timedelta(minutes=5)])
async def test_a_time_that_is_no_slot_is_answered_with_real_ones(bed: Bed, start_at: object) -> None:
    outcome = await bed.booking.bookings.book(request_id(), wish(start_at), person())  # type: ignore[arg-type]
    assert isinstance(outcome, NotOffered)
    assert (outcome.reason, outcome.alternatives[0]) == ("no_such_time", TUESDAY_9H)


async def test_the_last_start_of_the_day_has_room_for_the_whole_service(bed: Bed) -> None:
    last = TUESDAY_9H + timedelta(hours=4, minutes=50)  # 13:50, the office closes at 14:00
    assert isinstance(await bed.booking.bookings.book(request_id(), wish(last, "padron"), person()), NotOffered)
    assert isinstance(await bed.booking.bookings.book(request_id(), wish(last, "viaje"), person()), Booked)


async def test_locators_that_are_taken_are_drawn_again(bed: Bed) -> None:
    drawn = iter([0] * 6 + [0] * 6 + [1] * 6)
    bed.booking.bookings._random_below = lambda _: next(drawn)
    first = await bed.booking.bookings.book(request_id(), wish(), person(1))
    second = await bed.booking.bookings.book(request_id(), wish(TUESDAY_9H + timedelta(hours=1)), person(2))

    assert isinstance(first, Booked)
    assert isinstance(second, Booked)
    assert (first.locator, second.locator) == ("AAAAAA", "CCCCCC")


async def test_the_office_hears_of_a_near_booking_at_once_and_of_a_far_one_later(bed: Bed) -> None:
    bookings = bed.booking.bookings
    near = await bookings.book(request_id(), wish(), person(1))
    far = await bookings.book(request_id(), wish(TUESDAY_9H + timedelta(days=10)), person(2))
    assert isinstance(near, Booked)
    assert isinstance(far, Booked)

    rows = await bed.feed("centro")
    assert [(row["id"], row["display_name"], row["status"]) for row in rows] == [
        (near.appointment_id, "Fátima M.", "booked")
    ]
    assert await bed.upkeep.feed_appointments() == 0
    bed.clock.advance(days=4)  # ten days and one from Monday come within seven
    assert await bed.upkeep.feed_appointments() == 1
    assert await bed.upkeep.feed_appointments() == 0
    assert [row["id"] for row in await bed.feed("centro")] == [near.appointment_id, far.appointment_id]


async def test_a_letter_is_queued_with_the_booking_and_only_once(bed: Bed) -> None:
    request = request_id()
    for _ in range(3):
        await bed.booking.bookings.book(request, wish(), person(email="fatima@example.org"))
    await bed.booking.bookings.book(request_id(), wish(TUESDAY_9H + timedelta(hours=1)), person(2))

    rows = await bed.pool.fetch("SELECT kind, state, recipient FROM mail")
    assert [tuple(row) for row in rows] == [("confirmed", "queued", "fatima@example.org")]
