"""What happened on both sides of a cut: each rule one test, each divergence one entry for a person."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from central.audit import Attested
from central.booking.appointments import Booked, Booking, Cancelled
from central.exchange.conflicts import KINDS, listed, open_by_kind, resolve, send_ticket
from central.exchange.rules import KnownAppointment, presence
from sync.messages.facts import LeaseSold, TicketCard, TicketIssued, TicketReleased
from sync.messages.values import SeatRef
from tests.integration.booking.conftest import TUESDAY_9H, Bed, person, request_id, wish
from tests.integration.booking.teller import Holder, holder
from tests.kit.facts import ticket_accepted, uuid_of

pytestmark = pytest.mark.postgres

__all__ = ["holder"]
DAY = date(2026, 11, 24)


async def entries(bed: Bed) -> list[tuple[str, str, str]]:
    return [(one.kind, one.office, one.suggestion) for one in await listed(bed.pool, bed.clock.now())]


async def booked(bed: Bed, office: str = "centro", start_at: datetime = TUESDAY_9H) -> Booking:
    made = await bed.booking.bookings.book(request_id(), wish(start_at, office=office), person(1))
    assert isinstance(made, Booked)
    return await found(bed, made.appointment_id)


async def found(bed: Bed, appointment_id: str) -> Booking:
    booking = await bed.booking.changes.by_id(appointment_id)
    assert booking is not None
    return booking


def checked_in(booking: Booking, number: int = 1) -> TicketIssued:
    """The ticket of somebody who came with a booking as it was then."""
    return TicketIssued(
        ticket_id=request_id(),
        label=f"K{number}",
        series="K",
        number=number,
        service="viaje",
        origin="appointment",
        arrived_at=booking.slot_start_at,
        due_at=booking.slot_start_at,
        callable_at=booking.slot_start_at,
        slot_start_at=booking.slot_start_at,
        duration_min=5,
        appointment_id=booking.appointment_id,
        follow_hash=number.to_bytes(32, "big"),
    )


async def test_a_check_in_as_it_should_be_is_no_conflict(bed: Bed, holder: Holder) -> None:
    booking = await booked(bed)
    await holder.tell(checked_in(booking))
    await holder.tell(checked_in(booking, 2))  # after the first one was given up
    assert (await found(bed, booking.appointment_id)).status == "attended"
    assert await entries(bed) == []


async def test_cancelled_while_the_person_was_there(bed: Bed, holder: Holder) -> None:
    booking = await booked(bed)
    assert isinstance(await bed.booking.changes.cancel(booking), Cancelled)
    again = await bed.booking.bookings.book(request_id(), wish(), person(2))
    assert isinstance(again, Booked), "the seat is somebody else's already"
    await holder.tell(checked_in(booking))

    assert (await found(bed, booking.appointment_id)).status == "attended"
    assert await entries(bed) == [("attended_after_cancel", "centro", "give_courtesy")]
    assert (await bed.seats())["booked"] == 1


async def test_moved_to_another_slot_while_the_person_was_there(bed: Bed, holder: Holder) -> None:
    booking = await booked(bed)
    later = TUESDAY_9H + timedelta(hours=3)
    assert isinstance(await bed.booking.changes.reschedule(request_id(), booking, wish(later)), Booked)
    await holder.tell(checked_in(booking))

    now = await found(bed, booking.appointment_id)
    assert (now.status, now.version) == ("attended", 3)
    assert (await bed.seats()).get("booked") is None, "the new time is free for others"
    assert [row["status"] for row in await bed.feed("centro")] == ["booked", "booked", "moved"]
    assert await entries(bed) == [("attended_other_slot", "centro", "none_needed")]


async def test_moved_to_another_office_while_the_person_was_there(bed: Bed, holder: Holder) -> None:
    booking = await booked(bed)
    there = wish(TUESDAY_9H + timedelta(hours=3), office="real")
    assert isinstance(await bed.booking.changes.reschedule(request_id(), booking, there), Booked)
    await holder.tell(checked_in(booking))

    assert (await found(bed, booking.appointment_id)).status == "attended"
    assert [row["status"] for row in await bed.feed("real")] == ["booked", "moved"], "real need not wait for them"
    assert await entries(bed) == [("attended_other_slot", "centro", "none_needed")]
    assert (await bed.seats()).get("booked") is None


async def test_moved_to_a_slot_that_has_begun_by_then_keeps_its_seat(bed: Bed, holder: Holder) -> None:
    booking = await booked(bed)
    assert isinstance(await bed.booking.changes.reschedule(request_id(), booking, wish(office="real")), Booked)
    bed.clock.advance(hours=26)
    await holder.tell(checked_in(booking))
    [one] = await listed(bed.pool, bed.clock.now())
    assert (one.kind, one.detail) == ("attended_other_slot", {"other_office": "real", "seats": "kept"})
    assert (await bed.seats())["booked"] == 1


async def test_a_ticket_for_an_appointment_of_another_office(bed: Bed, holder: Holder) -> None:
    booking = await booked(bed, office="real")
    await holder.tell(checked_in(booking))
    assert (await found(bed, booking.appointment_id)).status == "booked"
    assert await entries(bed) == [("checked_in_elsewhere", "centro", "serve_here")]


async def test_checked_in_at_two_offices(bed: Bed, holder: Holder) -> None:
    real = Holder(bed, "real")
    await real.begin()
    booking = await booked(bed)
    await holder.tell(checked_in(booking))
    await real.tell(checked_in(booking))
    await real.tell(checked_in(booking, 2))
    assert await entries(bed) == [("checked_in_elsewhere", "real", "serve_here")]
    assert await bed.pool.fetchval("SELECT attended_office FROM appointment") == "centro"


def sold(seat: SeatRef) -> LeaseSold:
    return LeaseSold(
        lease_id=uuid_of(1),
        seats=(seat,),
        appointment_id=request_id(),
        locator="ACDEFG",
        service="viaje",
        slot_start_at=TUESDAY_9H,
        duration_min=5,
    )


async def slot_at(bed: Bed) -> str:
    return str(
        await bed.pool.fetchval("SELECT slot_id FROM slot WHERE office_id = 'centro' AND start_at = $1", TUESDAY_9H)
    )


async def test_sold_a_seat_that_somebody_else_has(bed: Bed, holder: Holder) -> None:
    booking = await booked(bed)
    sale = sold(SeatRef(await slot_at(bed), 1))
    await holder.tell(sale)
    assert await entries(bed) == [("lease_conflict", "centro", "call_person")]
    assert (await bed.seats())["booked"] == 2
    assert {(await found(bed, one)).status for one in (booking.appointment_id, sale.appointment_id)} == {"booked"}


async def test_sold_a_seat_whose_slot_is_gone(bed: Bed, holder: Holder) -> None:
    sale = sold(SeatRef(uuid_of(999), 1))
    await holder.tell(sale)
    assert await entries(bed) == [("seat_gone", "centro", "call_person")]
    assert (await found(bed, sale.appointment_id)).status == "booked", "the citizen has the confirmation"


async def test_sold_a_free_seat_of_a_forgotten_lease_is_no_conflict(bed: Bed, holder: Holder) -> None:
    await holder.tell(sold(SeatRef(await slot_at(bed), 1)))
    assert await entries(bed) == []
    assert (await bed.seats())["booked"] == 1


CARD = TicketCard(label="P7", service="padron", origin="walk_in", waited_ms=5, present_ms=6, follow_hash=bytes(32))


def released(to_office: str) -> TicketReleased:
    return TicketReleased(ticket_id=uuid_of(7), service_date=DAY, to_office=to_office, tenure=1, card=CARD)


async def test_a_ticket_for_an_office_that_does_not_exist_comes_back_and_is_sent_elsewhere(
    bed: Bed, holder: Holder
) -> None:
    await holder.tell(released("nowhere"))
    assert await entries(bed) == [("ticket_undeliverable", "centro", "send_elsewhere")]
    who = Attested(actor="ana", at=bed.clock.now())
    async with bed.pool.acquire() as connection:
        assert not await send_ticket(connection, who, uuid_of(7), "nowhere")
        assert not await send_ticket(connection, who, uuid_of(8), "real")
        assert await send_ticket(connection, who, uuid_of(7), "real")
    token = await bed.pool.fetchrow("SELECT office, tenure, accepted FROM ticket_token")
    assert tuple(token) == ("real", 3, False)


async def test_a_ticket_held_twice_stays_with_who_accepted_it(bed: Bed, holder: Holder) -> None:
    real = Holder(bed, "real")
    await real.begin()
    accepted = ticket_accepted(uuid_of(7), 2, at=TUESDAY_9H, from_office="victoria", via="slip")
    await holder.tell(accepted)
    await real.tell(accepted)
    assert await entries(bed) == [("ticket_held_twice", "real", "none_needed")]
    closed = await bed.pool.fetchval(
        "SELECT count(*) FROM feed_entity WHERE kind = 'ticket_closed' AND stream = 'office:centro'"
    )
    assert closed == 1


async def test_an_entry_is_resolved_once_with_who_and_what(bed: Bed, holder: Holder) -> None:
    booking = await booked(bed, office="real")
    await holder.tell(checked_in(booking))
    [one] = await listed(bed.pool, bed.clock.now())
    counts = await open_by_kind(bed.pool)
    assert (sorted(counts), counts["checked_in_elsewhere"]) == (sorted(KINDS), 1)
    who = Attested(actor="ana", at=bed.clock.now(), statement="served there")
    async with bed.pool.acquire() as connection:
        assert await resolve(connection, who, one.key)
        assert not await resolve(connection, who, one.key)
        assert not await resolve(connection, who, "nothing")
    await holder.tell(checked_in(booking, 2))  # found again: it stays resolved
    [one] = await listed(bed.pool, bed.clock.now())
    assert (one.resolved_by, one.resolved_at, one.resolution) == ("ana", bed.clock.now(), "served there")
    bed.clock.advance(hours=24 * 8)
    assert await listed(bed.pool, bed.clock.now()) == []
    assert sum((await open_by_kind(bed.pool)).values()) == 0


@pytest.mark.parametrize("slot_start_at, meaning", [(None, "plain"), (TUESDAY_9H, "plain")])
def test_an_office_that_tells_no_slot_is_believed(slot_start_at: datetime | None, meaning: str) -> None:
    known = KnownAppointment(
        status="booked", office="centro", slot_start_at=TUESDAY_9H, attended_office=None, was_told=True
    )
    assert presence(known, "centro", slot_start_at) == meaning
