"""Cancelling, moving and finding appointments."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from central.booking.appointments import (
    Booked,
    Booking,
    Cancelled,
    NotChangeable,
    NotFound,
    NotOffered,
    Taken,
    TooManyTries,
)
from central.booking.rules import secret_link
from central.retention.service import carry_out
from sync.messages import booking_token
from tests.integration.booking.conftest import TUESDAY_9H, Bed, person, request_id, wish

pytestmark = pytest.mark.postgres

TEN = TUESDAY_9H + timedelta(hours=1)


async def booked(bed: Bed, number: int = 1, **asked: Any) -> tuple[Booked, Booking]:
    outcome = await bed.booking.bookings.book(request_id(), wish(**asked), person(number, "fatima@example.org"))
    assert isinstance(outcome, Booked)
    booking = await bed.booking.changes.by_link(outcome.link)
    assert isinstance(booking, Booking)
    return outcome, booking


async def test_cancelling_frees_the_seats_and_tells_the_office(bed: Bed) -> None:
    outcome, booking = await booked(bed, service="padron")
    end = await bed.booking.changes.cancel(booking)

    assert end == Cancelled(appointment_id=outcome.appointment_id, version=2)
    assert set(await bed.seats()) == {"free"}
    last = (await bed.feed("centro"))[-1]
    assert (last["status"], last["version"], last["display_name"]) == ("cancelled", 2, "")
    assert isinstance(await bed.booking.bookings.book(request_id(), wish(service="padron"), person(1)), Booked)


async def test_ten_cancels_are_one(bed: Bed) -> None:
    outcome, booking = await booked(bed)
    ends = await asyncio.gather(*(bed.booking.changes.cancel(booking) for _ in range(10)))

    assert set(map(str, ends)) == {str(Cancelled(appointment_id=outcome.appointment_id, version=2))}
    assert len(await bed.feed("centro")) == 2
    assert await bed.pool.fetchval("SELECT count(*) FROM mail WHERE kind = 'cancelled'") == 1


async def test_an_office_that_never_heard_of_it_hears_no_cancelling(bed: Bed) -> None:
    _, booking = await booked(bed, start_at=TUESDAY_9H + timedelta(days=10))
    assert isinstance(await bed.booking.changes.cancel(booking), Cancelled)
    assert await bed.feed("centro") == []


async def test_a_move_keeps_the_old_time_until_the_new_one_is_sure(bed: Bed) -> None:
    _, booking = await booked(bed)
    await booked(bed, 2, start_at=TEN)

    outcome = await bed.booking.changes.reschedule(request_id(), booking, wish(TEN))
    assert isinstance(outcome, Taken)
    assert await bed.booking.changes.by_id(booking.appointment_id) == booking
    assert (await bed.seats())["booked"] == 2

    moved = await bed.booking.changes.reschedule(request_id(), booking, wish(TEN + timedelta(hours=1)))
    assert isinstance(moved, Booked)
    assert (moved.locator, moved.link, moved.version) == (booking.locator, (await _link(bed, booking)), 2)
    assert (await bed.seats())["booked"] == 2
    assert isinstance(await bed.booking.bookings.book(request_id(), wish(), person(3)), Booked)


async def _link(bed: Bed, booking: Booking) -> str:
    return secret_link(bed.central.keys.links, booking.appointment_id, booking.link_version)


async def test_a_move_within_an_office_replaces_its_row(bed: Bed) -> None:
    _, booking = await booked(bed)
    await bed.booking.changes.reschedule(request_id(), booking, wish(TEN))

    rows = await bed.feed("centro")
    assert [(row["status"], row["version"], row["slot_start_at"]) for row in rows] == [
        ("booked", 1, "2026-11-24T08:00:00Z"),
        ("booked", 2, "2026-11-24T09:00:00Z"),
    ]


@pytest.mark.parametrize("there,back", [("real", "centro"), ("centro", "real")])
async def test_a_move_between_offices_tells_both(bed: Bed, there: str, back: str) -> None:
    _, booking = await booked(bed, office=back)
    moved = await bed.booking.changes.reschedule(request_id(), booking, wish(TEN, office=there))

    assert isinstance(moved, Booked)
    gone, come = (await bed.feed(back))[-1], (await bed.feed(there))[-1]
    assert (gone["status"], gone["version"], gone["slot_start_at"], gone["display_name"]) == (
        "moved", 2, "2026-11-24T08:00:00Z", "",
    )  # fmt: skip
    assert (come["status"], come["version"], come["display_name"]) == ("booked", 2, "Fátima M.")
    assert (await bed.seats())["booked"] == 1


async def test_moves_in_both_directions_at_once_do_not_wait_for_each_other(bed: Bed) -> None:
    pairs = [
        await booked(bed, number, office=office, start_at=TUESDAY_9H + timedelta(minutes=10 * number))
        for number, office in enumerate(["centro", "real"] * 10)
    ]
    moves = [
        bed.booking.changes.reschedule(
            request_id(),
            booking,
            wish(
                booking.slot_start_at + timedelta(days=1), office="real" if booking.office_id == "centro" else "centro"
            ),
        )
        for _, booking in pairs
    ]
    outcomes = await asyncio.wait_for(asyncio.gather(*moves), 20)
    assert all(isinstance(one, Booked) for one in outcomes)
    assert (await bed.seats())["booked"] == 20


async def test_moving_out_of_the_horizon_and_back(bed: Bed) -> None:
    _, booking = await booked(bed)
    far = await bed.booking.changes.reschedule(request_id(), booking, wish(TUESDAY_9H + timedelta(days=10)))
    assert isinstance(far, Booked)
    assert [row["status"] for row in await bed.feed("centro")] == ["booked", "moved"]

    bed.clock.advance(days=4)
    assert await bed.upkeep.feed_appointments() == 1
    last = (await bed.feed("centro"))[-1]
    assert (last["status"], last["version"], last["slot_start_at"]) == ("booked", 2, "2026-12-04T08:00:00Z")


async def test_moving_by_half_its_length_uses_its_own_seat(bed: Bed) -> None:
    _, booking = await booked(bed, service="padron")
    moved = await bed.booking.changes.reschedule(
        request_id(), booking, wish(TUESDAY_9H + timedelta(minutes=10), "padron")
    )
    assert isinstance(moved, Booked)
    starts = await bed.pool.fetch(
        "SELECT start_at FROM seat JOIN slot USING (slot_id) WHERE state = 'booked' ORDER BY 1"
    )
    assert [row["start_at"] for row in starts] == [TUESDAY_9H + timedelta(minutes=10 * n) for n in (1, 2)]


async def test_a_repeated_move_is_answered_the_same(bed: Bed) -> None:
    _, booking = await booked(bed)
    request = request_id()
    outcomes = await asyncio.gather(*(bed.booking.changes.reschedule(request, booking, wish(TEN)) for _ in range(8)))
    assert isinstance(outcomes[0], Booked)
    assert all(one == outcomes[0] for one in outcomes)
    assert (await bed.seats())["booked"] == 1
    assert len(await bed.feed("centro")) == 2


async def test_a_repeated_move_is_answered_the_same_also_after_a_cancellation(bed: Bed) -> None:
    _, booking = await booked(bed)
    request = request_id()
    moved = await bed.booking.changes.reschedule(request, booking, wish(TEN))
    current = await bed.booking.changes.by_id(booking.appointment_id)
    assert current is not None
    await bed.booking.changes.cancel(current)
    assert await bed.booking.changes.reschedule(request, booking, wish(TEN)) == moved


async def test_a_cancelled_appointment_does_not_move(bed: Bed) -> None:
    _, booking = await booked(bed)
    await bed.booking.changes.cancel(booking)
    stale = await bed.booking.changes.reschedule(request_id(), booking, wish(TEN))
    assert stale == NotChangeable(status="cancelled")
    assert set(await bed.seats()) == {"free"}


async def test_an_appointment_keeps_its_service(bed: Bed) -> None:
    _, booking = await booked(bed)
    other = await bed.booking.changes.reschedule(request_id(), booking, wish(TEN, "padron"))
    assert other == NotOffered(reason="not_bookable_here")


async def test_cancel_and_move_at_once_end_in_one_state(bed: Bed) -> None:
    for number in range(10):
        _, booking = await booked(bed, number, start_at=TUESDAY_9H + timedelta(minutes=10 * number))
        target = wish(booking.slot_start_at + timedelta(days=1))
        await asyncio.gather(
            bed.booking.changes.cancel(booking), bed.booking.changes.reschedule(request_id(), booking, target)
        )
        after = await bed.booking.changes.by_id(booking.appointment_id)
        assert after is not None
        assert after.status == "cancelled"
    assert set(await bed.seats()) == {"free"}


SLOW_TRY = """
CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.1); RETURN NEW; END $$;
CREATE TRIGGER slow_try BEFORE INSERT ON lookup_try FOR EACH ROW EXECUTE FUNCTION be_slow();
"""
"""Those that come at once are all at it when the first one is noted."""


async def test_links_open_only_their_own_appointment(bed: Bed) -> None:
    first, _ = await booked(bed, 1)
    second, _ = await booked(bed, 2, start_at=TEN)

    mixed = first.link[:22] + second.link[22:]
    for wrong in (mixed, first.link[:-1], first.link + "A", "", "no link", "é" * 44):
        assert await bed.booking.changes.by_link(wrong) == NotFound()


async def test_a_locator_is_guessed_five_times_in_fifteen_minutes(bed: Bed) -> None:
    outcome, booking = await booked(bed)
    changes, typed = bed.booking.changes, f" {outcome.locator[:3]}-{outcome.locator[3:]} ".lower()

    assert await changes.by_locator(typed, "0001") == booking
    for _ in range(4):
        assert await changes.by_locator(typed, "0002") == NotFound()
    assert await changes.by_locator(typed, "0001") == TooManyTries(retry_after_s=900)
    bed.clock.advance(minutes=15)
    assert await changes.by_locator(typed, "0001") == booking


async def test_tries_at_once_are_each_counted(bed: Bed) -> None:
    outcome, _ = await booked(bed)
    await bed.pool.execute(SLOW_TRY)
    answers = await asyncio.gather(*(bed.booking.changes.by_locator(outcome.locator, "0002") for _ in range(20)))
    assert answers.count(NotFound()) == 5
    assert answers.count(TooManyTries(retry_after_s=900)) == 15


async def test_a_refused_try_does_not_make_the_wait_longer(bed: Bed) -> None:
    for _ in range(5):
        assert await bed.booking.changes.by_locator("AAAAAA", "0001") == NotFound()
        bed.clock.advance(minutes=2)
    for _ in range(3):
        assert await bed.booking.changes.by_locator("AAAAAA", "0001") == TooManyTries(retry_after_s=300)
    bed.clock.advance(minutes=5)
    assert await bed.booking.changes.by_locator("AAAAAA", "0001") == NotFound()
    assert await bed.booking.changes.by_locator("AAAAAA", "0001") == TooManyTries(retry_after_s=120)


async def test_unknown_and_wrong_locators_get_the_same_answers(bed: Bed) -> None:
    for _ in range(5):
        assert await bed.booking.changes.by_locator("AAAAAA", "0001") == NotFound()
    assert isinstance(await bed.booking.changes.by_locator("AAAAAA", "0001"), TooManyTries)
    assert await bed.booking.changes.by_locator("IOSBL1", "0001") == NotFound()


async def forgotten(bed: Bed) -> dict[str, int]:
    """Carry the rules of retention out; what went, by kind."""
    done = await carry_out(bed.pool, bed.central.settings, bed.clock.now())
    assert done is not None
    return {one.rule.kind: one.gone for one in done}


async def test_what_is_past_leaves_the_stream_two_days_later(bed: Bed) -> None:
    _, booking = await booked(bed)
    await booked(bed, 2, start_at=TUESDAY_9H + timedelta(days=1))
    await bed.booking.changes.cancel(booking)

    bed.clock.advance(days=3)  # Thursday: the second day after
    assert (await forgotten(bed))["streams"] == 0
    bed.clock.advance(days=1)
    assert (await forgotten(bed))["streams"] == 1
    assert (await forgotten(bed))["streams"] == 0
    assert (await bed.feed("centro"))[-1] == {"op": "del"}


async def test_people_are_forgotten_and_answers_too(bed: Bed) -> None:
    await booked(bed)
    bed.clock.advance(days=33)
    await forgotten(bed)

    row = await bed.pool.fetchrow("SELECT full_name, document_end, email, phone FROM appointment")
    assert list(row) == [None] * 4
    assert await bed.pool.fetchval("SELECT count(*) FROM booking_reply") == 0


async def test_the_token_is_signed_by_the_announced_key(bed: Bed) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from central.booking.news import token_of

    _, booking = await booked(bed)
    row = await bed.pool.fetchrow("SELECT entity_id, body FROM feed WHERE kind = 'qr_key'")

    def verify(kid: str, data: bytes, signature: bytes) -> bool:
        import base64

        import msgspec

        key = base64.b64decode(msgspec.json.decode(row["body"])["public_key"])
        Ed25519PublicKey.from_public_bytes(key).verify(signature, data)
        return kid == str(row["entity_id"])

    token = booking_token.read(token_of(booking, bed.central.keys), verify)
    assert token is not None
    assert (token.appointment_id, token.office_id, token.slot_start_at) == (
        booking.appointment_id, "centro", TUESDAY_9H,
    )  # fmt: skip
