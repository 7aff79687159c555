"""A central restored from a backup: nothing is promised until every office has said what was forgotten."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from central.audit import Attested
from central.booking.appointments import Booked, Cancelled, Held, Recovering
from central.exchange.leases import lend
from central.exchange.recovery import awaited, begin, skip_office
from central.exchange.store import PostgresCentralStore
from central.settings import Leases
from sync.messages.feed import Appointment, Lease, LeasedSeat
from sync.messages.values import SeatRef
from sync.messages.wire import HeldLease, KnownBooking, ReportReply, ReportRequest
from sync.protocol.recovery import take_report
from tests.integration.booking.conftest import TUESDAY_9H, Bed, person, request_id, wish

pytestmark = pytest.mark.postgres


def who(bed: Bed) -> Attested:
    return Attested(actor="ana", at=bed.clock.now(), statement="all processes are stopped")


@pytest.fixture
async def gen(bed: Bed) -> str:
    """A restored city of two offices; its new gen."""
    await bed.pool.execute("INSERT INTO office_authority (office, epoch) VALUES ('centro', 1), ('real', 1)")
    before = await bed.pool.fetchval("SELECT gen::text FROM central_life")
    async with bed.pool.acquire() as connection:
        assert await begin(connection, who(bed)) == ["centro", "real"]
    after = str(await bed.pool.fetchval("SELECT gen::text FROM central_life"))
    assert after != before
    return after


async def report(bed: Bed, gen: str, office: str = "centro", **changes: Any) -> ReportReply:
    known: dict[str, Any] = {
        "request_id": request_id(),
        "office": office,
        "epoch": 1,
        "gen": gen,
        "facts_seq": 0,
        "leases": (),
        "bookings": (),
    }
    async with PostgresCentralStore(bed.pool).transaction() as tx:
        return await take_report(tx, ReportRequest(**known | changes), bed.clock.now())


async def test_nothing_is_promised_while_an_office_is_awaited(bed: Bed) -> None:
    booked = await bed.booking.bookings.book(request_id(), wish(), person(1))
    held = await bed.booking.bookings.hold(wish(TUESDAY_9H + timedelta(hours=1)))
    assert isinstance(booked, Booked)
    assert isinstance(held, Held)
    await bed.pool.execute("INSERT INTO office_authority (office, epoch) VALUES ('centro', 1)")
    async with bed.pool.acquire() as connection:
        assert await begin(connection, who(bed)) == ["centro"]
        assert await awaited(connection) == ["centro"]
        assert await lend(connection, Leases(), bed.clock.now()) == "recovering"

    later = TUESDAY_9H + timedelta(hours=2)
    assert await bed.booking.bookings.is_recovering()
    assert isinstance(await bed.booking.bookings.hold(wish(later)), Recovering)
    assert isinstance(await bed.booking.bookings.book(request_id(), wish(later), person(2)), Recovering)
    confirmed = await bed.booking.bookings.confirm(request_id(), held.wish, person(3), held.hold_id)
    assert isinstance(confirmed, Recovering)
    booking = await bed.booking.changes.by_id(booked.appointment_id)
    assert booking is not None
    assert isinstance(await bed.booking.changes.reschedule(request_id(), booking, wish(later)), Recovering)
    assert isinstance(await bed.booking.changes.cancel(booking), Cancelled), "to give a seat back is always possible"

    async with bed.pool.acquire() as connection:
        assert not await skip_office(connection, who(bed), "real")
        assert await skip_office(connection, who(bed), "centro")
    assert isinstance(await bed.booking.bookings.confirm(request_id(), held.wish, person(3), held.hold_id), Booked)
    acts = [row["act"] for row in await bed.pool.fetch("SELECT act FROM audit ORDER BY audit_id")]
    assert acts == ["central.restored", "office.skipped"]


async def test_many_at_once_are_told_the_same(bed: Bed) -> None:
    await bed.pool.execute("UPDATE central_life SET awaited = '{centro}'")
    starts = [TUESDAY_9H + timedelta(minutes=10 * n) for n in range(8)]
    booking = (bed.booking.bookings.book(request_id(), wish(at), person(n)) for n, at in enumerate(starts))
    assert [type(end) for end in await asyncio.gather(*booking)] == [Recovering] * 8


async def test_a_request_that_was_answered_before_keeps_its_answer(bed: Bed) -> None:
    request = request_id()
    booked = await bed.booking.bookings.book(request, wish(), person(1))
    await bed.pool.execute("UPDATE central_life SET awaited = '{centro}'")
    assert await bed.booking.bookings.book(request, wish(), person(1)) == booked


async def seat_at(bed: Bed, minutes: int = 0) -> LeasedSeat:
    start_at = TUESDAY_9H + timedelta(minutes=minutes)
    slot = await bed.pool.fetchval("SELECT slot_id FROM slot WHERE office_id = 'centro' AND start_at = $1", start_at)
    return LeasedSeat(seat=SeatRef(slot, 1), start_at=start_at, duration_min=10, services=("viaje",))


async def test_an_office_reports_what_was_forgotten_and_the_last_one_opens(bed: Bed, gen: str) -> None:
    forgotten = Appointment(
        id=request_id(),
        version=3,
        locator="ACDEFG",
        service_id="padron",
        slot_start_at=TUESDAY_9H,
        duration_min=20,
        status="booked",
        display_name="Fátima M.",
    )
    free, sold = await seat_at(bed, 60), await seat_at(bed, 70)
    lease = Lease(id=request_id(), fence=1, seats=(free, sold), sell_until=sold.start_at)
    held = HeldLease(lease=lease, unsold=(free.seat,))
    reply = await report(bed, gen, leases=(held,), bookings=(KnownBooking(version=forgotten.version, body=forgotten),))
    assert reply.taken
    async with bed.pool.acquire() as connection:
        assert await awaited(connection) == ["real"]
    assert isinstance(await bed.booking.bookings.hold(wish()), Recovering)
    assert (await report(bed, gen, office="real")).taken

    booking = await bed.booking.changes.by_id(forgotten.id)
    assert booking is not None
    assert (booking.status, booking.version, booking.locator, booking.full_name) == ("booked", 3, "ACDEFG", "Fátima M.")
    seats = await bed.pool.fetch("SELECT state, count(*) AS n FROM seat WHERE state <> 'free' GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in seats] == [("booked", 2), ("leased", 1)]
    kinds = await bed.pool.fetch("SELECT kind, office FROM conflict")
    assert [tuple(row) for row in kinds] == [("booking_recovered", "centro")]
    assert isinstance(await bed.booking.bookings.hold(wish(TUESDAY_9H + timedelta(minutes=70))), Held)


@pytest.mark.parametrize("change", [{"gen": request_id()}, {"epoch": 2}, {"facts_seq": 1}])
async def test_a_report_of_another_life_or_before_its_facts_is_not_taken(
    bed: Bed, gen: str, change: dict[str, Any]
) -> None:
    reply = await report(bed, **{"gen": gen, **change})
    assert (reply.taken, reply.gen) == (False, gen)
    async with bed.pool.acquire() as connection:
        assert await awaited(connection) == ["centro", "real"]


async def test_a_cancelled_appointment_does_not_come_back(bed: Bed) -> None:
    booked = await bed.booking.bookings.book(request_id(), wish(), person(1))
    assert isinstance(booked, Booked)
    await bed.pool.execute("INSERT INTO office_authority (office, epoch) VALUES ('centro', 1)")
    async with bed.pool.acquire() as connection:
        await begin(connection, who(bed))
    gen = str(await bed.pool.fetchval("SELECT gen::text FROM central_life"))
    told = Appointment(
        id=booked.appointment_id,
        version=2,
        locator=booked.locator,
        service_id="viaje",
        slot_start_at=TUESDAY_9H,
        duration_min=5,
        status="cancelled",
    )
    assert (await report(bed, gen, bookings=(KnownBooking(version=2, body=told),))).taken
    booking = await bed.booking.changes.by_id(booked.appointment_id)
    assert booking is not None
    assert (booking.status, booking.full_name) == ("cancelled", "Fátima Mohamed 1")
    assert (await bed.seats()).get("booked") is None
