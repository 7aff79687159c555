"""Holds: kept for their time, counted as free after it, confirmed with their own seats or others."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from central.booking.appointments import Booked, Crowded, Held, NotOffered, Taken, Wish
from central.booking.rules import holder_hash
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


LIBRARY = holder_hash(b"key", "203.0.113.7")
OTHER = holder_hash(b"key", "203.0.113.8")


def many_wishes(count: int) -> list[Wish]:
    """Different times of this week."""
    return [wish(TUESDAY_9H + timedelta(days=n // 30, minutes=10 * (n % 30))) for n in range(count)]


async def test_one_address_keeps_forty_times_at_most_however_fast_it_asks(bed: Bed) -> None:
    bookings, wishes = bed.booking.bookings, many_wishes(62)
    outcomes = await asyncio.gather(*(bookings.hold(one, holder=LIBRARY) for one in wishes[:60]))
    held = [one for one in outcomes if isinstance(one, Held)]
    assert len(held) == 40
    assert {one for one in outcomes if not isinstance(one, Held)} == {Crowded(retry_after_s=600)}
    assert (await bed.seats())["held"] == 40

    assert isinstance(await bookings.hold(wishes[60], holder=OTHER), Held)
    moved = await bookings.hold(wishes[61], holder=LIBRARY, replaces=held[0].hold_id)
    assert isinstance(moved, Held), "who changes their time keeps one all along"
    again = await bookings.hold(moved.wish, holder=LIBRARY, hold_id=moved.hold_id)
    assert again == moved, "a double click gets the hold that stands"

    assert isinstance(await bookings.hold(held[0].wish, holder=LIBRARY), Crowded)
    assert isinstance(await bookings.confirm(request_id(), moved.wish, person(), moved.hold_id), Booked)
    bed.clock.advance(minutes=4)
    assert isinstance(await bookings.hold(held[0].wish, holder=LIBRARY), Held)
    crowded = await bookings.hold(wishes[59], holder=LIBRARY)
    assert crowded == Crowded(retry_after_s=360)
    bed.clock.advance(minutes=6)
    assert isinstance(await bookings.hold(wishes[59], holder=LIBRARY), Held)


async def test_a_hold_keeps_no_address(bed: Bed) -> None:
    await bed.booking.bookings.hold(wish(), holder=LIBRARY)
    assert b"203.0.113" not in await bed.pool.fetchval("SELECT holder FROM hold")
    assert await bed.upkeep.release_expired_holds() == 0
    bed.clock.advance(minutes=11)
    assert await bed.upkeep.release_expired_holds() == 1
    assert await bed.pool.fetchval("SELECT count(*) FROM hold") == 0
