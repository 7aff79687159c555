"""Seats lent to an office: never booked by anybody else, each accounted for, a sale final."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from central.audit import Attested
from central.booking.appointments import Booked, Cancelled, LimitReached, Taken
from central.booking.sold import take_person
from central.exchange.leases import Lent, Statement, lend, recall, reclaim, settle, statements
from central.exchange.store import transaction_on
from central.offices.city import City
from central.settings import Leases
from sync.domain.leases import LeaseBook
from sync.messages.facts import LeaseReturned, LeaseSold
from sync.messages.feed import Lease, LeasedSeat
from sync.messages.people import PersonRequest
from sync.messages.values import SeatRef
from tests.integration.booking.conftest import TUESDAY_9H, Bed, person, request_id, wish
from tests.integration.booking.teller import Holder, holder

pytestmark = pytest.mark.postgres

__all__ = ["holder"]

ONE_DAY = Leases(seats_per_slot=1, horizon_days=1)
SLOTS = 30
"""Slots of a day: 9:00 to 14:00, every ten minutes."""


async def lent(bed: Bed) -> Lent:
    async with bed.pool.acquire() as connection:
        answer = await lend(connection, ONE_DAY, bed.clock.now())
    assert isinstance(answer, Lent)
    return answer


async def account(bed: Bed) -> Statement:
    [one] = await statements(bed.pool, bed.clock.now())
    assert one.granted == one.sold + one.returned + one.reclaimed + one.lapsed + one.outstanding
    return one


def sale(lease: Lease, seats: Sequence[LeasedSeat], locator: str = "ACDEFG", service: str = "viaje") -> LeaseSold:
    return LeaseSold(
        lease_id=lease.id,
        seats=tuple(seat.seat for seat in seats),
        appointment_id=request_id(),
        locator=locator,
        service=service,
        slot_start_at=seats[0].start_at,
        duration_min=10 * len(seats),
    )


def who(bed: Bed, statement: str = "") -> Attested:
    return Attested(actor="ana", at=bed.clock.now(), statement=statement)


async def kinds(bed: Bed) -> list[str]:
    return [row["kind"] for row in await bed.pool.fetch("SELECT kind FROM conflict ORDER BY kind")]


@pytest.mark.parametrize("bed", [2], indirect=True)
async def test_one_seat_of_each_slot_is_lent_and_no_more(bed: Bed, holder: Holder) -> None:
    assert await lent(bed) == Lent(leases=1, seats=SLOTS)
    assert await lent(bed) == Lent(leases=0, seats=0)
    lease = await holder.lease()
    assert (len(lease.seats), lease.fence, {seat.services for seat in lease.seats}) == (SLOTS, 1, {("padron", "viaje")})
    assert lease.sell_until == max(seat.start_at for seat in lease.seats)
    one = await account(bed)
    assert (one.granted, one.outstanding) == (SLOTS, SLOTS)


async def test_an_office_without_a_node_is_lent_nothing_and_nobody_else_then(bed: Bed, holder: Holder) -> None:
    async with bed.pool.acquire() as connection:
        for office in ("nowhere", "real"):
            assert await lend(connection, ONE_DAY, bed.clock.now(), (holder.office, office)) == "no_node"
    assert await bed.pool.fetchval("SELECT count(*) FROM lease") == 0


async def test_the_last_seat_of_a_slot_is_never_lent(bed: Bed, holder: Holder) -> None:
    assert await lent(bed) == Lent(leases=0, seats=0)


@pytest.mark.parametrize("bed", [2], indirect=True)
async def test_nobody_books_a_lent_seat(bed: Bed, holder: Holder) -> None:
    await lent(bed)
    assert isinstance(await bed.booking.bookings.book(request_id(), wish(), person(1)), Booked)
    assert isinstance(await bed.booking.bookings.hold(wish()), Taken)
    assert isinstance(await bed.booking.bookings.book(request_id(), wish(), person(2)), Taken)
    catalogue = await bed.booking.catalogue.current()
    starts = await bed.booking.availability.starts(
        catalogue.offices["centro"], catalogue.services["viaje"], (TUESDAY_9H).date()
    )
    assert TUESDAY_9H not in starts
    assert len(starts) == SLOTS - 1


@pytest.mark.parametrize("bed", [2], indirect=True)
async def test_taking_seats_back_waits_for_facts_that_are_being_taken(bed: Bed, holder: Holder) -> None:
    await lent(bed)
    lease = await holder.lease()
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with bed.pool.acquire() as taking, bed.pool.acquire() as asked:
        async with transaction_on(taking) as tx:
            await tx.lock_authority("centro")
            await tx.seat(lease.seats[0].seat)
            reclaiming = asyncio.create_task(reclaim(asked, who(bed, "burnt"), lease.id))
            while not await bed.pool.fetchval(waits):  # noqa: ASYNC110 - it waits at the server
                await asyncio.sleep(0.01)
            await tx.lease(lease.id)  # in the order of a sale
        assert await reclaiming == SLOTS


@pytest.mark.parametrize("bed", [2], indirect=True)
async def test_a_sale_is_an_appointment_like_any_other(bed: Bed, holder: Holder) -> None:
    await lent(bed)
    lease = await holder.lease()
    sold = sale(lease, lease.seats[:2], service="padron")
    await holder.tell(sold)
    one = await account(bed)
    assert (one.sold, one.outstanding) == (2, SLOTS - 2)
    booking = await bed.booking.changes.by_id(sold.appointment_id)
    assert booking is not None
    assert (booking.status, booking.locator, booking.family, booking.full_name) == ("booked", "ACDEFG", "padron", None)
    assert await kinds(bed) == []

    cancelled = await bed.booking.changes.cancel(booking)
    assert isinstance(cancelled, Cancelled)
    assert await bed.seats() == {"free": await total(bed) - (SLOTS - 2), "leased": SLOTS - 2}
    assert (await account(bed)).sold == 2, "the account stays"
    assert isinstance(await bed.booking.bookings.book(request_id(), wish(), person(3)), Booked)
    assert isinstance(await bed.booking.bookings.book(request_id(), wish(), person(4)), Booked)


async def total(bed: Bed) -> int:
    return int(await bed.pool.fetchval("SELECT count(*) FROM seat"))


@pytest.mark.parametrize("bed", [2], indirect=True)
async def test_a_sale_can_be_moved_and_frees_its_seats(bed: Bed, holder: Holder) -> None:
    await lent(bed)
    lease = await holder.lease()
    sold = sale(lease, lease.seats[:1])
    await holder.tell(sold)
    booking = await bed.booking.changes.by_id(sold.appointment_id)
    assert booking is not None
    later = wish(TUESDAY_9H + timedelta(hours=2))
    assert isinstance(await bed.booking.changes.reschedule(request_id(), booking, later), Booked)
    assert await bed.pool.fetchval("SELECT count(*) FROM seat WHERE lease_id IS NOT NULL") == SLOTS - 1


@pytest.mark.parametrize("bed", [2], indirect=True)
async def test_what_is_given_back_is_free_and_a_settled_lease_leaves_the_stream(bed: Bed, holder: Holder) -> None:
    await lent(bed)
    lease = await holder.lease()
    async with bed.pool.acquire() as connection:
        assert await recall(connection, who(bed), lease.id)
        assert not await recall(connection, who(bed), request_id())
    assert (await holder.lease()).recalled
    assert (await bed.seats())["leased"] == SLOTS, "asking frees nothing"
    book = LeaseBook()
    sold = sale(lease, lease.seats[:1])
    book.apply(sold)
    rest = tuple(seat.seat for seat in book.unsold(lease))
    await holder.tell(sold, LeaseReturned(lease_id=lease.id, seats=rest))
    one = await account(bed)
    assert (one.sold, one.returned, one.outstanding) == (1, SLOTS - 1, 0)
    assert "leased" not in await bed.seats()
    async with bed.pool.acquire() as connection:
        assert await settle(connection, bed.clock.now()) == 1
        assert await settle(connection, bed.clock.now()) == 0
    assert await bed.pool.fetchval("SELECT count(*) FROM feed_entity WHERE kind = 'lease'") == 0
    assert (await account(bed)).is_settled


@pytest.mark.parametrize("bed", [2], indirect=True)
async def test_time_lets_a_lease_lapse_and_frees_nothing(bed: Bed, holder: Holder) -> None:
    await lent(bed)
    lease = await holder.lease()
    bed.clock.advance(hours=27)
    one = await account(bed)
    assert (one.lapsed > 0, one.outstanding > 0) == (True, True)
    bed.clock.advance(hours=24)
    assert (await account(bed)).lapsed == SLOTS
    assert (await bed.seats())["leased"] == SLOTS
    async with bed.pool.acquire() as connection:
        assert await settle(connection, bed.clock.now()) == 1
    sold = sale(lease, lease.seats[:1])
    await holder.tell(sold)
    assert (await account(bed)).sold == 1, "a sale that was told of late is still a sale"


@pytest.mark.parametrize("bed", [2], indirect=True)
async def test_taken_back_by_attestation_and_then_sold_all_the_same(bed: Bed, holder: Holder) -> None:
    await lent(bed)
    lease = await holder.lease()
    async with bed.pool.acquire() as connection:
        assert await reclaim(connection, who(bed, "burnt"), lease.id) == SLOTS
        assert await reclaim(connection, who(bed, "burnt"), request_id()) is None
    assert (await account(bed)).reclaimed == SLOTS
    assert await bed.pool.fetchval("SELECT attested FROM audit WHERE act = 'lease.reclaimed'") == "burnt"
    for number in (1, 2):
        assert isinstance(await bed.booking.bookings.book(request_id(), wish(), person(number)), Booked)

    sold = sale(lease, lease.seats[:1])
    await holder.tell(sold)
    assert await kinds(bed) == ["lease_reclaimed_sale"]
    assert (await account(bed)).sold == 1
    rows = await bed.pool.fetch("SELECT over, state FROM seat WHERE appointment_id = $1", sold.appointment_id)
    assert [tuple(row) for row in rows] == [(True, "booked")], "both are honoured, above the capacity"


@pytest.mark.parametrize("bed", [2], indirect=True)
async def test_less_capacity_keeps_lent_seats_above_it(bed: Bed, holder: Holder, small: Any) -> None:
    await lent(bed)
    await small(1)
    await bed.booking.bookings.book(request_id(), wish(), person(1))
    rows = await bed.pool.fetch("SELECT state, over, count(*) AS n FROM seat WHERE state = 'leased' GROUP BY 1, 2")
    assert sum(row["n"] for row in rows) == SLOTS
    assert isinstance(await bed.booking.bookings.book(request_id(), wish(), person(2)), Taken)
    lease = await holder.lease()
    await holder.tell(sale(lease, lease.seats[:1]))
    assert await kinds(bed) == []


@pytest.fixture
def small(bed: Bed) -> Any:
    """Load the city again, with fewer seats."""

    async def load_again(seats: int) -> None:
        from central.loading import load
        from tests.kit.small_city import small_city

        city: City = small_city(seats)
        async with bed.pool.acquire() as connection:
            await load(connection, settings=bed.central.settings, city=city, now=bed.clock.now())

    return load_again


def person_of(sold: LeaseSold, number: int = 1, **changes: Any) -> PersonRequest:
    known: dict[str, Any] = {
        "request_id": request_id(),
        "office": "centro",
        "appointment_id": sold.appointment_id,
        "full_name": "Fátima  Mohamed Haddu",
        "document_kind": "passport",
        "document": f"ab{number:06}",
        "email": "fatima@example.org",
        "language": "ar",
    }
    return PersonRequest(**known | changes)


@pytest.mark.parametrize("bed", [2], indirect=True)
async def test_the_person_comes_later_once_and_gets_a_mail(bed: Bed, holder: Holder) -> None:
    await lent(bed)
    lease = await holder.lease()
    sold = sale(lease, lease.seats[:1])
    assert await take_person(bed.central, person_of(sold)) == "not_yet"
    await holder.tell(sold)
    assert await take_person(bed.central, person_of(sold, office="real")) == "not_yet"
    for _ in range(2):
        assert await take_person(bed.central, person_of(sold)) == "taken"
    assert await take_person(bed.central, person_of(sold, full_name="Otra Persona")) == "taken"

    booking = await bed.booking.changes.by_id(sold.appointment_id)
    assert booking is not None
    assert (booking.full_name, booking.document_end, booking.version) == ("Fátima Mohamed Haddu", "0001", 2)
    assert [row["display_name"] for row in await bed.feed("centro")] == ["", "Fátima M."]
    mails = await bed.pool.fetch("SELECT kind, recipient, version FROM mail")
    assert [tuple(row) for row in mails] == [("confirmed", "fatima@example.org", 2)]
    found = await bed.booking.changes.by_locator("ACD-EFG", "0001")
    assert getattr(found, "appointment_id", None) == sold.appointment_id
    again = await bed.booking.bookings.book(request_id(), wish(TUESDAY_9H + timedelta(hours=3)), person(1))
    assert isinstance(again, LimitReached), "the limit of the family holds for sold ones too"


@pytest.mark.parametrize("bed", [2], indirect=True)
async def test_a_person_is_taken_though_no_pool_offers_the_service_any_more(bed: Bed, holder: Holder) -> None:
    await lent(bed)
    lease = await holder.lease()
    await bed.pool.execute("UPDATE pool SET services = array_remove(services, 'viaje')")
    elsewhere = SeatRef(slot_id=request_id(), seat_no=1)
    gone = LeasedSeat(seat=elsewhere, start_at=TUESDAY_9H, duration_min=10, services=("viaje",))
    sold = sale(lease, [gone])
    await holder.tell(sold)
    assert await kinds(bed) == ["seat_gone"]
    assert await take_person(bed.central, person_of(sold)) == "taken"
    booking = await bed.booking.changes.by_id(sold.appointment_id)
    assert booking is not None
    assert (booking.status, booking.full_name, booking.pool_id) == ("booked", "Fátima Mohamed Haddu", "")
    assert isinstance(await bed.booking.changes.cancel(booking), Cancelled)


@pytest.mark.parametrize("bed", [2], indirect=True)
async def test_a_person_with_two_appointments_keeps_both_and_somebody_is_told(bed: Bed, holder: Holder) -> None:
    assert isinstance(await bed.booking.bookings.book(request_id(), wish(), person(1)), Booked)
    await lent(bed)
    lease = await holder.lease()
    sold = sale(lease, lease.seats[3:4])
    await holder.tell(sold)
    assert await take_person(bed.central, person_of(sold)) == "taken"
    assert await kinds(bed) == ["second_appointment"]
    booking = await bed.booking.changes.by_id(sold.appointment_id)
    assert booking is not None
    assert (booking.status, booking.full_name) == ("booked", "Fátima Mohamed Haddu")


@pytest.mark.parametrize("bed", [2], indirect=True)
async def test_a_document_that_cannot_be_right_loses_no_sale(bed: Bed, holder: Holder) -> None:
    await lent(bed)
    lease = await holder.lease()
    sold = sale(lease, lease.seats[:1])
    await holder.tell(sold)
    typed = person_of(sold, document_kind="dni", document="12345678A")
    assert await take_person(bed.central, typed) == "taken"
    assert await kinds(bed) == ["document_unclear"]
    booking = await bed.booking.changes.by_id(sold.appointment_id)
    assert booking is not None
    assert booking.document_end == "678A"


@pytest.mark.parametrize("bed", [2], indirect=True)
async def test_offices_without_a_node_get_nothing(bed: Bed) -> None:
    assert await lent(bed) == Lent(leases=0, seats=0)
