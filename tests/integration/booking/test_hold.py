"""Holds: kept for their time, counted as free after it, confirmed with their own seats or others."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from central.booking.appointments import Booked, Held, NotOffered, Taken
from tests.integration.booking.conftest import TUESDAY_9H, Bed, person, request_id, wish

pytestmark = pytest.mark.postgres


async def held(bed: Bed, **asked: object) -> Held:
    outcome = await bed.booking.bookings.hold(wish(**asked))  # type: ignore[arg-type]
    assert isinstance(outcome, Held)
    return outcome


async def test_a_held_seat_is_nobody_elses(bed: Bed) -> None:
    hold = await held(bed)

    assert isinstance(await bed.booking.bookings.book(request_id(), wish(), person(2)), Taken)
    assert isinstance(await bed.booking.bookings.hold(wish()), Taken)
    assert await bed.booking.bookings.held(hold.hold_id) == hold
    confirmed = await bed.booking.bookings.confirm(request_id(), wish(), person(), hold.hold_id)
    assert isinstance(confirmed, Booked)
    assert (await bed.seats())["booked"] == 1
    assert await bed.booking.bookings.held(hold.hold_id) is None


async def test_an_expired_hold_counts_as_free_before_anybody_sweeps(bed: Bed) -> None:
    hold = await held(bed)
    bed.clock.advance(minutes=10)

    assert await bed.booking.bookings.held(hold.hold_id) is None
    assert isinstance(await bed.booking.bookings.book(request_id(), wish(), person(2)), Booked)


async def test_a_lapsed_hold_is_confirmed_while_its_slot_has_seats(bed: Bed) -> None:
    hold = await held(bed, service="padron")
    bed.clock.advance(minutes=30)
    assert await bed.upkeep.release_expired_holds() == 1
    assert "held" not in await bed.seats()

    confirmed = await bed.booking.bookings.confirm(request_id(), wish(service="padron"), person(), hold.hold_id)
    assert isinstance(confirmed, Booked)


async def test_a_time_that_is_held_can_be_confirmed_until_it_begins(bed: Bed) -> None:
    bed.clock.advance(seconds=(TUESDAY_9H - timedelta(minutes=6) - bed.clock.now()).total_seconds())
    hold = await held(bed)
    bed.clock.advance(minutes=5)  # nobody could choose it now
    assert isinstance(await bed.booking.bookings.hold(wish()), NotOffered)
    asked = request_id()
    confirmed = await bed.booking.bookings.confirm(asked, wish(), person(), hold.hold_id)
    assert isinstance(confirmed, Booked)

    bed.clock.advance(minutes=2)
    assert await bed.booking.bookings.confirm(asked, wish(), person(), hold.hold_id) == confirmed
    assert isinstance(await bed.booking.bookings.confirm(request_id(), wish(), person(2), hold.hold_id), NotOffered)


async def test_a_confirmation_that_meets_the_release_of_its_own_hold_still_books(bed: Bed) -> None:
    """The release locks the hold first and the seats then, a confirmation the other way round."""
    hold = await held(bed)
    async with bed.central.pool.acquire() as release, release.transaction():
        await release.execute("SELECT FROM hold WHERE hold_id = $1 FOR UPDATE", hold.hold_id)
        confirming = asyncio.create_task(bed.booking.bookings.confirm(request_id(), wish(), person(), hold.hold_id))
        await asyncio.sleep(0.3)  # it has the seat by now, and is the first of the two to look for a deadlock
        await release.execute(
            "UPDATE seat SET state = 'free', hold_id = NULL, held_until = NULL WHERE hold_id = $1", hold.hold_id
        )
        await release.execute("DELETE FROM hold WHERE hold_id = $1", hold.hold_id)
    assert isinstance(await confirming, Booked)


async def test_a_lapsed_hold_whose_seat_went_is_answered_with_other_times(bed: Bed) -> None:
    hold = await held(bed)
    bed.clock.advance(minutes=11)
    assert isinstance(await bed.booking.bookings.book(request_id(), wish(), person(2)), Booked)

    outcome = await bed.booking.bookings.confirm(request_id(), wish(), person(1), hold.hold_id)
    assert isinstance(outcome, Taken)
    assert outcome.alternatives == tuple(TUESDAY_9H + timedelta(minutes=10 * n) for n in (1, 2, 3))


async def test_the_sweeper_leaves_holds_that_stand(bed: Bed) -> None:
    await held(bed)
    bed.clock.advance(minutes=6)
    later = await held(bed, start_at=TUESDAY_9H + timedelta(hours=1))
    bed.clock.advance(minutes=6)

    assert await bed.upkeep.release_expired_holds() == 1
    assert await bed.upkeep.release_expired_holds() == 0
    assert (await bed.seats())["held"] == 1
    assert await bed.booking.bookings.held(later.hold_id) is not None


async def test_a_hold_is_extended_three_times_at_most(bed: Bed) -> None:
    hold = await held(bed)
    for so_far in range(3):
        bed.clock.advance(minutes=9)
        longer = await bed.booking.bookings.extend(hold.hold_id, so_far)
        assert longer is not None
        assert longer.extensions == so_far + 1
        assert longer.held_until == bed.clock.now() + timedelta(minutes=10)
    assert await bed.booking.bookings.extend(hold.hold_id, 3) is None
    bed.clock.advance(minutes=9)
    assert isinstance(await bed.booking.bookings.book(request_id(), wish(), person(2)), Taken)


async def test_another_time_replaces_the_hold_also_if_it_overlaps(bed: Bed) -> None:
    first = await held(bed, service="padron")
    second = await bed.booking.bookings.hold(wish(TUESDAY_9H + timedelta(minutes=10), "padron"), replaces=first.hold_id)

    assert isinstance(second, Held)
    assert (await bed.seats())["held"] == 2
    assert await bed.booking.bookings.held(first.hold_id) is None
    assert isinstance(await bed.booking.bookings.book(request_id(), wish(), person(2)), Booked)


async def test_a_hold_that_cannot_move_keeps_its_seats(bed: Bed) -> None:
    await bed.booking.bookings.book(request_id(), wish(TUESDAY_9H + timedelta(hours=1)), person(2))
    hold = await held(bed)

    moved = await bed.booking.bookings.hold(wish(TUESDAY_9H + timedelta(hours=1)), replaces=hold.hold_id)
    assert isinstance(moved, Taken)
    assert await bed.booking.bookings.held(hold.hold_id) == hold


async def test_release_gives_seats_back_and_spares_what_was_booked(bed: Bed) -> None:
    hold = await held(bed)
    await bed.booking.bookings.release(hold.hold_id)
    assert set(await bed.seats()) == {"free"}

    again = await held(bed)
    await bed.booking.bookings.confirm(request_id(), wish(), person(), again.hold_id)
    await bed.booking.bookings.release(again.hold_id)
    assert (await bed.seats())["booked"] == 1


@pytest.mark.parametrize("bed", [3], indirect=True)
async def test_fifty_holds_for_three_seats(bed: Bed) -> None:
    outcomes = await asyncio.gather(*(bed.booking.bookings.hold(wish()) for _ in range(50)))
    holds = [one for one in outcomes if isinstance(one, Held)]
    assert len(holds) == 3

    confirmed = await asyncio.gather(
        *(
            bed.booking.bookings.confirm(request_id(), wish(), person(number), hold.hold_id)
            for number, hold in enumerate(holds)
        )
    )
    assert all(isinstance(one, Booked) for one in confirmed)
    assert (await bed.seats())["booked"] == 3
