"""What any store of central must do for rights that move: ``rights.RightsTx``, ``recovery``, ``replacement``."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from sync.domain.leases import ends_at
from sync.messages import codec
from sync.messages.desk_facts import CounterPaused, CounterServicesChanged
from sync.messages.facts import (
    CounterClosed,
    CounterOpened,
    DayClosed,
    DayOpened,
    Fact,
    LeaseReturned,
    LeaseSold,
    TicketCalled,
    TicketCard,
    TicketFinished,
    TicketIssued,
    TicketNoShow,
    TicketReleased,
    Why,
)
from sync.messages.feed import Appointment, Lease, LeasedSeat, NumberFloor, TicketGrant
from sync.messages.policy import Policy
from sync.messages.values import GENESIS, SeatRef
from sync.messages.wire import Activation
from sync.protocol.rights import Conflict, LeaseState, Seat, TicketToken
from sync.protocol.store import START, Authority, OpenedFact, Position
from sync.protocol.uplink import chain_batch
from tests.contract.aborting import aborted
from tests.contract.factories import POISON, CentralBed
from tests.kit.facts import MORNING, printed_run, raw_record, record_of, ticket_accepted, ticket_issued, uuid_of

TICKET, PERSON, LEASE = uuid_of(1), uuid_of(2), uuid_of(3)
NINE, TEN_PAST = uuid_of(900), uuid_of(910)
DAY = date(2026, 3, 2)
OFFICE = "office:centro"
CARD = TicketCard(label="P7", service="padron", origin="walk_in", waited_ms=5, present_ms=6, follow_hash=bytes(32))


def grant_of(tenure: int) -> TicketGrant:
    return TicketGrant(
        id=TICKET, tenure=tenure, from_office="centro", service_date=DAY, released_at=MORNING, card=CARD, travel_min=7
    )


def token_of(tenure: int = 2, **changes: Any) -> TicketToken:
    known: dict[str, Any] = {
        "ticket_id": TICKET,
        "tenure": tenure,
        "office": "real",
        "accepted": False,
        "service_date": DAY,
        "grant": grant_of(tenure),
    }
    return TicketToken(**known | changes)


def appointment_of(version: int = 1, **changes: Any) -> Appointment:
    known: dict[str, Any] = {
        "id": PERSON,
        "version": version,
        "locator": "ACDEFG",
        "service_id": "padron",
        "slot_start_at": MORNING,
        "duration_min": 20,
        "status": "booked",
    }
    return Appointment(**known | changes)


def lease_of(**changes: Any) -> Lease:
    seats = tuple(
        LeasedSeat(seat=SeatRef(slot, 1), start_at=at, duration_min=10, services=("padron",))
        for slot, at in ((NINE, MORNING), (TEN_PAST, MORNING + timedelta(minutes=10)))
    )
    known: dict[str, Any] = {"id": LEASE, "fence": 1, "seats": seats, "sell_until": ends_at(seats[-1])}
    return Lease(**known | changes)


@pytest.fixture
async def city(central: CentralBed) -> CentralBed:
    """Two offices; centro has two slots one after the other, with two seats each."""
    await central.add_office("centro", 1)
    await central.add_office("real", 1)
    await central.add_slot("centro", NINE, MORNING, 2)
    await central.add_slot("centro", TEN_PAST, MORNING + timedelta(minutes=10), 2)
    return central


async def test_an_earlier_epoch_has_an_end_and_an_adopted_one_begins_empty(city: CentralBed) -> None:
    chained = chain_batch(GENESIS, printed_run(1, 3))
    last = Position(3, chained[-1].hash)
    async with city.store.transaction() as tx:
        await tx.append(chained)
        await tx.advance("centro", last)
        assert await tx.present_epoch("centro") == 1
        assert await tx.present_epoch("nowhere") == 0
    activation = Activation(office="centro", node="edge-2", epoch=2, public_key=bytes(32), signature=bytes(64))
    async with city.store.transaction() as tx:
        await tx.adopt(activation)
    async with city.store.transaction() as tx:
        assert await tx.lock_authority("centro") == Authority(epoch=2, last=START)
        assert await tx.present_epoch("centro") == 2
        assert [await tx.log_end("centro", epoch) for epoch in (1, 2)] == [last, START]


async def test_the_last_floor_is_of_the_latest_day_up_to_one(city: CentralBed) -> None:
    floors = [NumberFloor(service_date=date(2026, 3, day), epoch=day, floors={"P": day}) for day in (2, 9, 3)]
    async with city.store.transaction() as tx:
        assert await tx.last_floor("centro", date(2026, 3, 9)) is None
        for floor in floors:
            day = floor.service_date.isoformat()
            body = codec.encode(floor)
            await tx.emit(OFFICE, kind=NumberFloor.KIND, entity_id=day, version=floor.epoch, op="put", body=body)
        for until, expected in ((1, None), (2, floors[0]), (8, floors[2]), (9, floors[1]), (31, floors[1])):
            assert await tx.last_floor("centro", date(2026, 3, until)) == expected, (
                "a floor dated ahead counts on its day"
            )
        assert await tx.last_floor("real", date(2026, 3, 31)) is None


async def test_an_instant_is_of_the_service_day_of_its_office(city: CentralBed) -> None:
    async with city.store.transaction() as tx:
        assert await tx.service_date("centro", datetime(2026, 3, 2, 2, 59, tzinfo=UTC)) == date(2026, 3, 1)
        assert await tx.service_date("centro", datetime(2026, 3, 2, 3, 0, tzinfo=UTC)) == date(2026, 3, 2)


async def test_a_token_is_kept_whole_and_replaced(city: CentralBed) -> None:
    async with city.store.transaction() as tx:
        assert await tx.token(TICKET) is None
        await tx.set_token(token_of())
        assert await tx.token(TICKET) == token_of()
    accepted = token_of(3, office="centro", accepted=True, grant=None, held_as=2)
    async with city.store.transaction() as tx:
        await tx.set_token(accepted)
    async with aborted(city.store) as tx:
        await tx.set_token(token_of(4))
    async with city.store.transaction() as tx:
        assert await tx.token(TICKET) == accepted
        await tx.set_token(token_of(4))
        assert await tx.token(TICKET) == token_of(4)


async def test_offices_are_known(city: CentralBed) -> None:
    async with city.store.transaction() as tx:
        assert [await tx.has_office(office) for office in ("real", "nowhere")] == [True, False]


async def test_a_lease_is_kept_whole_and_replaced(city: CentralBed) -> None:
    lent = LeaseState(lease=lease_of(), office="centro")
    async with city.store.transaction() as tx:
        assert await tx.lease(LEASE) is None
        await tx.put_lease(lent)
        assert await tx.lease(LEASE) == lent
    back = LeaseState(lease=lease_of(recalled=True), office="centro", reclaimed=True)
    async with city.store.transaction() as tx:
        await tx.put_lease(back)
    async with city.store.transaction() as tx:
        assert await tx.lease(LEASE) == back


@pytest.mark.parametrize(
    "claim",
    [
        Seat(state="leased", lease_id=LEASE),
        Seat(state="booked", appointment_id=PERSON),
        Seat(state="booked", appointment_id=PERSON, lease_id=LEASE),
        Seat(state="free"),
    ],
)
async def test_a_seat_is_whose_it_says(city: CentralBed, claim: Seat) -> None:
    ref = SeatRef(NINE, 2)
    async with city.store.transaction() as tx:
        await tx.set_seat(ref, Seat(state="leased", lease_id=uuid_of(8)))
        await tx.set_seat(ref, claim)
    async with city.store.transaction() as tx:
        assert await tx.seat(ref) == claim
        assert await tx.seat(SeatRef(NINE, 1)) == Seat(state="free")
        assert await tx.seat(SeatRef(NINE, 3)) is None


async def test_a_slot_is_of_an_office(city: CentralBed) -> None:
    async with city.store.transaction() as tx:
        assert [await tx.slot_office(slot) for slot in (NINE, uuid_of(77))] == ["centro", None]


async def test_a_seat_above_the_capacity(city: CentralBed) -> None:
    async with city.store.transaction() as tx:
        assert await tx.add_seat_over(NINE, PERSON) == SeatRef(NINE, 3)
        assert await tx.add_seat_over(NINE, uuid_of(7)) == SeatRef(NINE, 4)
        assert await tx.add_seat_over(uuid_of(999), PERSON) is None
        assert await tx.seat(SeatRef(NINE, 3)) == Seat(state="booked", appointment_id=PERSON)


async def test_seats_of_an_appointment_are_its_own_then_free_ones(city: CentralBed) -> None:
    async with city.store.transaction() as tx:
        assert list(await tx.seats_of(appointment_of(), "centro")) == [SeatRef(NINE, 1), SeatRef(TEN_PAST, 1)]
        await tx.set_seat(SeatRef(NINE, 1), Seat(state="leased", lease_id=LEASE))
        await tx.set_seat(SeatRef(TEN_PAST, 2), Seat(state="booked", appointment_id=PERSON))
        assert list(await tx.seats_of(appointment_of(), "centro")) == [SeatRef(NINE, 2), SeatRef(TEN_PAST, 2)]
        assert list(await tx.seats_of(appointment_of(duration_min=30), "centro")) == []
        assert list(await tx.seats_of(appointment_of(), "real")) == []


async def test_seats_of_an_appointment_are_released_and_no_others(city: CentralBed) -> None:
    mine, other = SeatRef(NINE, 1), SeatRef(NINE, 2)
    async with city.store.transaction() as tx:
        await tx.set_seat(mine, Seat(state="booked", appointment_id=PERSON, lease_id=LEASE))
        await tx.set_seat(other, Seat(state="booked", appointment_id=uuid_of(8)))
        await tx.put_appointment(appointment_of(), "centro", [mine], "lease")
    async with city.store.transaction() as tx:
        await tx.release_seats(PERSON)
        await tx.release_seats(uuid_of(99))
        assert await tx.seat(mine) == Seat(state="free")
        assert (await tx.seat(other)) == Seat(state="booked", appointment_id=uuid_of(8))


async def test_an_appointment_without_its_person_is_written_and_replaced(city: CentralBed) -> None:
    async with city.store.transaction() as tx:
        assert await tx.appointment_version(PERSON) is None
        assert await tx.person_of(PERSON) == ("", "es", ())
        await tx.put_appointment(appointment_of(), "centro", [SeatRef(NINE, 1)], "lease")
        assert await tx.appointment_version(PERSON) == 1
    async with city.store.transaction() as tx:
        await tx.put_appointment(appointment_of(4, status="cancelled"), "centro", (), "recovered")
    async with city.store.transaction() as tx:
        assert await tx.appointment_version(PERSON) == 4


async def test_two_offices_may_have_made_the_same_locator(city: CentralBed) -> None:
    async with city.store.transaction() as tx:
        await tx.put_appointment(appointment_of(), "centro", (), "lease")
        await tx.put_appointment(appointment_of(id=uuid_of(22)), "real", (), "lease")
    async with city.store.transaction() as tx:
        assert [await tx.appointment_version(one) for one in (PERSON, uuid_of(22))] == [1, 1]


async def test_a_divergence_is_noted_once(city: CentralBed) -> None:
    conflict = Conflict(
        key="k",
        kind="seat_gone",
        office="centro",
        subject_id=PERSON,
        suggestion="call_person",
        detail={"n": 1, "s": "x"},
    )
    async with city.store.transaction() as tx:
        await tx.note_conflict(conflict)
    async with city.store.transaction() as tx:
        await tx.note_conflict(msgspec.structs.replace(conflict, office="real"))
        await tx.note_conflict(msgspec.structs.replace(conflict, key="l", detail={}))
    assert list(await city.conflicts()) == [conflict, msgspec.structs.replace(conflict, key="l", detail={})]


async def test_queued_rows_are_written_at_the_end_in_the_order_of_the_streams(city: CentralBed) -> None:
    async with city.store.transaction() as tx:
        for stream, entity_id in (("office:real", "1"), (OFFICE, "2"), ("office:real", "3")):
            await tx.emit_at_end(stream, kind="lease", entity_id=entity_id, version=1, op="put", body=b"{}")
        assert (await tx.stream(OFFICE)).last == START
    async with aborted(city.store) as tx:
        await tx.emit_at_end(OFFICE, kind="lease", entity_id="9", version=1, op="put", body=b"{}")
    async with city.store.transaction() as tx:
        assert [one.row.entity_id for one in await tx.rows_after(OFFICE, 0, 9)] == ["2"]
        assert [one.row.entity_id for one in await tx.rows_after("office:real", 0, 9)] == ["1", "3"]


async def test_offices_are_awaited_until_they_are_not(city: CentralBed) -> None:
    async with city.store.transaction() as tx:
        assert await tx.awaited() == frozenset()
        assert not await tx.is_recovering()
        assert not await tx.awaits("centro")
        await tx.set_awaited(frozenset({"centro", "real"}))
    async with city.store.transaction() as tx:
        assert await tx.awaited() == frozenset({"centro", "real"})
        assert await tx.is_recovering()
        assert await tx.awaits("centro")
        await tx.set_awaited(frozenset({"real"}))
        assert not await tx.awaits("centro")


def issued(number: int) -> TicketIssued:
    return ticket_issued(uuid_of(number), f"P{number}", follow_hash=number.to_bytes(32, "big"))


async def test_a_day_is_folded_from_the_last_opening_of_an_epoch(city: CentralBed) -> None:
    opened = DayOpened(service_date=DAY, policy_version=1, policy=Policy())
    facts: list[Fact] = [opened, issued(1), opened, issued(2), issued(3)]
    records = [record_of(fact, seq) for seq, fact in enumerate(facts, 1)]
    poison = raw_record("ticket.called", 1, 6, b'{"ticket_id":7}')
    async with city.store.transaction() as tx:
        await tx.append(chain_batch(GENESIS, [*records, poison, record_of(issued(4), 7)]))
    async with city.store.transaction() as tx:
        day = await tx.present_day("centro", 1)
        assert sorted(day.tickets) == [uuid_of(2), uuid_of(3), uuid_of(4)]
        assert (day.seq, day.last_numbers) == (7, {"P": 4})
        assert not (await tx.present_day("centro", 2)).tickets


def opened(
    fact: Fact, seq: int = 1, *, office: str = "centro", actor_id: str = "system", late: bool = False
) -> OpenedFact:
    record = record_of(fact, seq, office=office, actor_id=actor_id)
    return OpenedFact(record=record, fact=fact, happened_at=MORNING, late=late)


RELEASED = TicketReleased(ticket_id=TICKET, service_date=DAY, to_office="real", tenure=1, card=CARD)
SOLD = LeaseSold(
    lease_id=LEASE,
    seats=(SeatRef(NINE, 1),),
    appointment_id=PERSON,
    locator="ACDEFG",
    service="padron",
    slot_start_at=MORNING,
    duration_min=10,
)


async def test_projecting_moves_rights(city: CentralBed) -> None:
    async with city.store.transaction() as tx:
        await tx.set_seat(SeatRef(NINE, 1), Seat(state="leased", lease_id=LEASE))
        await tx.set_seat(SeatRef(NINE, 2), Seat(state="leased", lease_id=LEASE))
        returned = LeaseReturned(lease_id=LEASE, seats=(SeatRef(NINE, 2),))
        assert list(await tx.project([opened(RELEASED), opened(SOLD, 2), opened(returned, 3)])) == []
    async with city.store.transaction() as tx:
        token = await tx.token(TICKET)
        assert token is not None
        assert (token.tenure, token.office, token.accepted) == (2, "real", False)
        assert await tx.seat(SeatRef(NINE, 1)) == Seat(state="booked", appointment_id=PERSON, lease_id=LEASE)
        assert await tx.seat(SeatRef(NINE, 2)) == Seat(state="free")
        assert await tx.appointment_version(PERSON) == 1
        assert [one.row.kind for one in await tx.rows_after("office:real", 0, 9)] == ["ticket_grant"]
        assert {one.row.kind for one in await tx.rows_after(OFFICE, 0, 9)} == {"ticket_grant", "appointment"}


async def test_a_fact_that_fails_moves_nothing_and_its_rows_are_not_written(city: CentralBed) -> None:
    async with city.store.transaction() as tx:
        await tx.set_token(token_of(1, office="centro", accepted=True, grant=None))
        failed = await tx.project([opened(RELEASED, actor_id=POISON), opened(SOLD, 2)])
        assert [one.record.seq for one in failed] == [1]
    async with city.store.transaction() as tx:
        token = await tx.token(TICKET)
        assert token is not None
        assert token.tenure == 1
        assert list(await tx.rows_after("office:real", 0, 9)) == []
        assert await tx.appointment_version(PERSON) == 1


async def test_what_moves_the_seats_of_another_office_fails(city: CentralBed) -> None:
    leased = Seat(state="leased", lease_id=LEASE)
    async with city.store.transaction() as tx:
        await tx.set_seat(SeatRef(NINE, 1), leased)
        returned = LeaseReturned(lease_id=LEASE, seats=SOLD.seats)
        failed = await tx.project([opened(SOLD, office="real"), opened(returned, 2, office="real")])
        assert [one.record.seq for one in failed] == [1, 2]
    async with city.store.transaction() as tx:
        assert await tx.seat(SeatRef(NINE, 1)) == leased
        assert await tx.appointment_version(PERSON) is None


def walk_in(number: int, **changes: Any) -> TicketIssued:
    return ticket_issued(uuid_of(200 + number), f"P{number}", **{"follow_hash": number.to_bytes(32, "big")} | changes)


async def test_a_day_of_walk_ins_and_of_people_who_were_absent_leaves_every_seat_as_it_was(city: CentralBed) -> None:
    """Walk-ins never consume a seat, lent or free; a place that somebody left is filled from the queue alone."""
    seats = {
        SeatRef(NINE, 1): Seat(state="leased", lease_id=LEASE),
        SeatRef(NINE, 2): Seat(state="free"),
        SeatRef(TEN_PAST, 1): Seat(state="free"),
        SeatRef(TEN_PAST, 2): Seat(state="booked", appointment_id=PERSON),
    }
    async with city.store.transaction() as tx:
        await tx.put_lease(LeaseState(lease=lease_of(), office="centro"))
        for ref, seat in seats.items():
            await tx.set_seat(ref, seat)
    session, because = uuid_of(90), Why(rule="primary", origin="walk_in", arrived_at=MORNING, due_at=MORNING)
    came = [walk_in(number) for number in range(1, 5)]
    called = [
        TicketCalled(ticket_id=each.ticket_id, session=session, counter="1", how="next", why=because) for each in came
    ]
    ended = [
        TicketNoShow(ticket_id=came[0].ticket_id, session=session),
        *(TicketFinished(ticket_id=each.ticket_id, session=session) for each in came[1:]),
    ]
    facts = [DayOpened(service_date=DAY, policy_version=1, policy=Policy()), *came, *called, *ended]
    async with city.store.transaction() as tx:
        assert list(await tx.project([opened(fact, seq) for seq, fact in enumerate(facts, 1)])) == []
    async with city.store.transaction() as tx:
        assert {ref: await tx.seat(ref) for ref in seats} == seats
        assert list(await tx.rows_after(OFFICE, 0, 9)) == [], "nothing to tell the office of its own queue"


async def test_what_an_office_decides_about_its_counters_comes_back_from_nowhere(city: CentralBed) -> None:
    """Counters, pauses and what a counter serves today are the edge's alone: central keeps the facts and writes no row."""
    session = uuid_of(90)
    facts = [
        DayOpened(service_date=DAY, policy_version=1, policy=Policy()),
        CounterOpened(session=session, counter="1", primary=("padron",), secondary=(), zone="a"),
        CounterServicesChanged(session=session, counter="1", primary=("registro",), secondary=()),
        CounterPaused(session=session, counter="1", reason="break"),
        CounterClosed(session=session, counter="1", reason="day_end"),
        DayClosed(service_date=DAY, reason="scheduled"),
    ]
    async with city.store.transaction() as tx:
        assert list(await tx.project([opened(fact, seq) for seq, fact in enumerate(facts, 1)])) == []
    async with city.store.transaction() as tx:
        for stream in (OFFICE, "office:real", "global"):
            assert list(await tx.rows_after(stream, 0, 9)) == []


async def test_late_facts_move_only_what_was_promised(city: CentralBed) -> None:
    finished = TicketFinished(ticket_id=TICKET, session=uuid_of(50))
    accepted = ticket_accepted(TICKET, 9, "P7", from_office="real")
    async with city.store.transaction() as tx:
        await tx.set_token(token_of())
        late = [opened(RELEASED, late=True), opened(accepted, 2, late=True), opened(SOLD, 3, late=True)]
        assert list(await tx.project([*late, opened(finished, 4, late=True)])) == []
    async with city.store.transaction() as tx:
        token = await tx.token(TICKET)
        assert token is not None
        assert (token.tenure, token.office, token.accepted) == (2, "real", True)
        assert await tx.appointment_version(PERSON) == 1
        assert [one.row.kind for one in await tx.rows_after("office:real", 0, 9)] == ["ticket_closed", "ticket_grant"]
