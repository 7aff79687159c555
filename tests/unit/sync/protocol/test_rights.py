"""Central's part in what moves: each row of the tables in handover.py, lease.py, replacement.py and recovery.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, timedelta

import msgspec
import pytest

from sync.domain.leases import LeaseBook
from sync.messages import codec
from sync.messages.facts import (
    DayOpened,
    LeaseReturned,
    LeaseSold,
    ReserveGranted,
    TicketAccepted,
    TicketCard,
    TicketIssued,
    TicketReleased,
)
from sync.messages.feed import (
    Appointment,
    Cursor,
    Lease,
    LeasedSeat,
    NumberFloor,
    TicketClosed,
    TicketGrant,
    office_stream,
)
from sync.messages.policy import Policy
from sync.messages.values import SeatRef
from sync.messages.wire import Activation, HeldLease, KnownBooking, ReportReply, ReportRequest, SnapshotRow
from sync.protocol import handover, lease, recovery
from sync.protocol.hello import Node
from sync.protocol.replacement import FLOOR_GAP, floor_behind, replace_node
from sync.protocol.rights import Origin, RightsTx, Seat
from sync.protocol.steps import finish
from sync.protocol.store import Position
from sync.protocol.uplink import UplinkSession, ingest
from tests.kit.facts import MORNING, record_of, uuid_of
from tests.kit.memory_store import MemoryCentralStore, MemoryCentralTx, MemoryEdgeStore, Slot

DAY = date(2026, 3, 2)
TICKET, APPOINTMENT, LEASE, SLOT = uuid_of(1), uuid_of(2), uuid_of(3), uuid_of(4)
SEAT = SeatRef(SLOT, 1)
CARD = TicketCard(
    label="K1", service="padron", origin="walk_in", waited_ms=60_000, present_ms=60_000, follow_hash=bytes(32)
)
Do = Callable[[RightsTx, Origin], Awaitable[None]]


def city() -> MemoryCentralStore:
    store = MemoryCentralStore(uuid_of(9))
    for office in ("centro", "real", "victoria"):
        store.add_office(office)
    store.add_slot(Slot(slot_id=SLOT, office="centro", start_at=MORNING + timedelta(hours=4)), 1)
    return store


def released(tenure: int, to_office: str) -> TicketReleased:
    return TicketReleased(ticket_id=TICKET, service_date=DAY, to_office=to_office, tenure=tenure, card=CARD)


def accepted(tenure: int, via: str = "grant") -> TicketAccepted:
    return TicketAccepted(
        ticket_id=TICKET,
        service_date=DAY,
        tenure=tenure,
        from_office="centro",
        via=via,  # type: ignore[arg-type]
        transit_ms=0,
        label="K1",
        series="K",
        number=1,
        service="padron",
        origin="walk_in",
        arrived_at=MORNING,
        due_at=MORNING,
        callable_at=MORNING,
        follow_hash=bytes(32),
    )


def tell(
    store: MemoryCentralStore, office: str, fact: TicketReleased | TicketAccepted | LeaseSold | LeaseReturned
) -> None:
    """A fact of an office is projected."""

    async def step() -> None:
        async with store.transaction() as tx:
            origin = Origin(office=office, happened_at=MORNING)
            match fact:
                case TicketReleased():
                    await handover.on_released(tx, origin, fact)
                case TicketAccepted():
                    await handover.on_accepted(tx, origin, fact)
                case LeaseSold():
                    await lease.on_sold(tx, origin, fact)
                case LeaseReturned():
                    await lease.on_returned(tx, origin, fact)

    finish(step())


def holder(store: MemoryCentralStore) -> tuple[str, int, bool]:
    token = store.tokens[TICKET]
    return token.office, token.tenure, token.accepted


def live(store: MemoryCentralStore, office: str, kind: str) -> list[int]:
    """Versions of an office's rows of a kind."""
    return [row.version for key, row in sorted(store.live.items()) if key[:2] == (office_stream(office), kind)]


# ------------------------------------------------------------------------------------------------------------- tickets


def test_a_ticket_goes_where_it_was_sent_and_is_held_when_accepted() -> None:
    store = city()
    tell(store, "centro", released(1, "real"))
    assert (holder(store), live(store, "real", "ticket_grant")) == (("real", 2, False), [2])
    tell(store, "real", accepted(2))
    assert (holder(store), live(store, "real", "ticket_grant")) == (("real", 2, True), [])


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (1, 0, 3, 2), (3, 2, 1, 0), (2, 3, 0, 1), (1, 3, 0, 2)])
def test_facts_in_any_order_and_twice_name_the_same_holder(order: tuple[int, ...]) -> None:
    story: list[tuple[str, TicketReleased | TicketAccepted]] = [
        ("centro", released(1, "real")),
        ("real", accepted(2, "slip")),
        ("real", released(2, "victoria")),
        ("victoria", accepted(3, "slip")),
    ]
    store = city()
    for index in (*order, *order):
        tell(store, *story[index])
    assert holder(store)[:2] == ("victoria", 3)
    assert live(store, "victoria", "ticket_closed") == []


def test_a_stale_release_is_recorded_only() -> None:
    store = city()
    tell(store, "real", accepted(4, "slip"))
    tell(store, "centro", released(1, "victoria"))
    assert holder(store) == ("real", 4, True)
    assert live(store, "victoria", "ticket_grant") == []


def test_a_stale_copy_is_voided() -> None:
    store = city()
    tell(store, "real", accepted(4))
    tell(store, "victoria", accepted(2))
    assert holder(store) == ("real", 4, True)
    assert live(store, "victoria", "ticket_closed") == [2]


def test_who_carries_the_slip_keeps_the_place_against_a_restored_copy() -> None:
    store = city()
    restored_at_centro(store)
    assert holder(store) == ("centro", 2, False)
    tell(store, "real", accepted(2, "slip"))
    assert holder(store) == ("real", 2, True)
    assert live(store, "centro", "ticket_closed") == [2]
    assert [c.kind for c in store.conflicts.values()] == ["ticket_held_twice"]
    tell(store, "real", released(2, "victoria"))
    assert holder(store) == ("victoria", 3, False)


def test_a_ticket_for_an_unknown_office_comes_back_and_somebody_is_told() -> None:
    store = city()
    tell(store, "centro", released(1, "nowhere"))
    assert holder(store) == ("centro", 2, False)
    assert live(store, "centro", "ticket_grant") == [2]
    assert [c.kind for c in store.conflicts.values()] == ["ticket_undeliverable"]


def test_a_person_can_send_a_ticket_elsewhere_while_nobody_has_it() -> None:
    store = city()
    tell(store, "centro", released(1, "real"))
    assert in_tx(store, lambda tx: handover.send_elsewhere(tx, TICKET, "victoria"))
    assert holder(store) == ("victoria", 3, False)
    assert (live(store, "real", "ticket_grant"), live(store, "real", "ticket_closed")) == ([], [2])
    tell(store, "victoria", accepted(3))
    assert not in_tx(store, lambda tx: handover.send_elsewhere(tx, TICKET, "real"))


def in_tx(store: MemoryCentralStore, work: Callable[[MemoryCentralTx], Awaitable[object]]) -> object:
    async def step() -> object:
        async with store.transaction() as tx:
            return await work(tx)

    return finish(step())


# ---------------------------------------------------------------------------------------------------------- replacement


def activation(epoch: int, office: str = "centro") -> Activation:
    return Activation(office=office, node=f"edge-{epoch}", epoch=epoch, public_key=bytes(32), signature=b"s")


def restored_at_centro(store: MemoryCentralStore) -> None:
    """Centro had a ticket, told of it, and got a new node."""
    edge = MemoryEdgeStore()
    issued = TicketIssued(
        ticket_id=TICKET,
        label="K7",
        series="K",
        number=7,
        service="padron",
        origin="walk_in",
        arrived_at=MORNING,
        due_at=MORNING,
        callable_at=MORNING,
        follow_hash=bytes(32),
    )
    opened = DayOpened(service_date=DAY, policy_version=1, policy=Policy())
    edge.write_facts([record_of(opened, 1), record_of(issued, 2)])
    node = Node(office="centro", node="edge-1", epoch=1, incarnation=uuid_of(8))
    request = finish(UplinkSession(edge, node).next_request(uuid_of(7)))
    assert request is not None
    finish(ingest(store, request, MORNING))
    replaced = in_tx(store, lambda tx: replace_node(tx, activation(2), MORNING + timedelta(minutes=5)))
    assert replaced is not None


def test_a_new_node_gets_the_open_tickets_with_label_and_place_and_floors_behind_all_numbers() -> None:
    store = city()
    restored_at_centro(store)
    row = next(row for key, row in store.live.items() if key[1] == TicketGrant.KIND)
    grant = codec.decode(bytes(row.body), TicketGrant)
    assert (grant.series, grant.number, grant.card.label, grant.tenure) == ("K", 7, "K7", 2)
    assert grant.card.waited_ms == 5 * 60_000
    floor = next(row for key, row in store.live.items() if key[1] == NumberFloor.KIND)
    assert codec.decode(bytes(floor.body), NumberFloor).floors == {"K": 7 + FLOOR_GAP}
    assert store.authorities["centro"].epoch == 2


def test_a_replacement_is_made_once() -> None:
    store = city()
    assert in_tx(store, lambda tx: replace_node(tx, activation(2), MORNING)) is not None
    assert in_tx(store, lambda tx: replace_node(tx, activation(2), MORNING)) is None
    assert in_tx(store, lambda tx: replace_node(tx, activation(4), MORNING)) is None


def test_floors_grow_over_a_node_that_died_before_it_spoke() -> None:
    from sync.domain.office_day import OfficeDay

    before = NumberFloor(service_date=DAY, epoch=2, floors={"K": 27, "T": 900})
    behind = floor_behind(OfficeDay("centro"), before, 3)
    assert behind is not None
    assert behind.floors == {"K": 27 + FLOOR_GAP, "T": 900 + FLOOR_GAP}
    top = floor_behind(OfficeDay("centro"), msgspec.structs.replace(before, floors={"K": 990}), 3)
    assert top is not None
    assert top.floors == {"K": 999}
    assert floor_behind(OfficeDay("centro"), None, 3) is None


def test_floors_lie_behind_all_that_kiosks_were_granted() -> None:
    from sync.domain.office_day import OfficeDay

    day = OfficeDay("centro")
    day.service_date, day.last_numbers = DAY, {"Y": 3}
    day.reserves = {"k": ReserveGranted(device="k", service_date=DAY, series="Y", first=1, last=60)}
    behind = floor_behind(day, None, 2)
    assert behind is not None
    assert behind.floors == {"Y": 60 + FLOOR_GAP}


# --------------------------------------------------------------------------------------------------------------- leases


def lent(**changes: object) -> Lease:
    seat = LeasedSeat(seat=SEAT, start_at=MORNING + timedelta(hours=4), duration_min=10, services=("padron",))
    whole = Lease(id=LEASE, fence=1, seats=(seat,), sell_until=MORNING + timedelta(days=1))
    return msgspec.structs.replace(whole, **changes)


def sale(appointment_id: str = APPOINTMENT) -> LeaseSold:
    return LeaseSold(
        lease_id=LEASE,
        seats=(SEAT,),
        appointment_id=appointment_id,
        locator="ACDEFG",
        service="padron",
        slot_start_at=MORNING + timedelta(hours=4),
        duration_min=10,
    )


def test_lending_takes_only_what_is_free() -> None:
    store = city()
    assert in_tx(store, lambda tx: lease.grant(tx, "centro", lent())) == lent()
    assert store.seats[SEAT] == Seat(state="leased", lease_id=LEASE)
    assert in_tx(store, lambda tx: lease.grant(tx, "centro", lent(id=uuid_of(33)))) is None


@pytest.mark.parametrize(
    "seat,left,conflict",
    [
        (Seat(state="leased", lease_id=LEASE), "booked", None),
        (Seat(state="free"), "booked", None),
        (Seat(state="held"), "booked", None),
        (Seat(state="booked", appointment_id=uuid_of(50)), "booked", "lease_conflict"),
        (Seat(state="leased", lease_id=uuid_of(51)), "leased", "lease_conflict"),
    ],
    ids=["lent", "forgotten by a restore", "held by a web form", "booked by somebody", "lent to somebody else"],
)
def test_a_sale_always_ends_in_an_appointment(seat: Seat, left: str, conflict: str | None) -> None:
    store = city()
    store.seats[SEAT] = seat
    tell(store, "centro", sale())
    tell(store, "centro", sale())
    assert store.seats[SEAT].state == left
    booked = store.appointments[APPOINTMENT]
    assert len(booked.seats) == 1
    assert store.seats[booked.seats[0]].appointment_id == APPOINTMENT
    assert [c.kind for c in store.conflicts.values()] == ([conflict] if conflict else [])


def test_a_sale_that_is_known_leaves_no_seat_lent() -> None:
    store = city()
    in_tx(store, lambda tx: lease.grant(tx, "centro", lent()))
    other = SeatRef(SLOT, 2)
    store.seats[other] = Seat(state="booked", appointment_id=APPOINTMENT)
    in_tx(store, lambda tx: tx.put_appointment(BOOKED, "centro", [other], "recovered"))
    tell(store, "centro", sale())
    assert store.seats[SEAT] == Seat(state="free")
    assert store.seats[other].appointment_id == APPOINTMENT


def test_a_sale_after_a_reclaim_is_honoured_and_told() -> None:
    store = city()
    in_tx(store, lambda tx: lease.grant(tx, "centro", lent()))
    assert in_tx(store, lambda tx: lease.reclaim(tx, LEASE)) == (SEAT,)
    store.seats[SEAT] = Seat(state="booked", appointment_id=uuid_of(60))
    tell(store, "centro", sale())
    assert store.appointments[APPOINTMENT].seats == (SeatRef(SLOT, 2),)
    assert [c.kind for c in store.conflicts.values()] == ["lease_reclaimed_sale"]


def test_what_is_given_back_is_free_and_what_was_sold_is_not() -> None:
    store = city()
    in_tx(store, lambda tx: lease.grant(tx, "centro", lent()))
    assert in_tx(store, lambda tx: lease.recall(tx, LEASE))
    assert store.seats[SEAT].state == "leased", "a recall alone frees nothing"
    tell(store, "centro", LeaseReturned(lease_id=LEASE, seats=(SEAT,)))
    assert store.seats[SEAT] == Seat(state="free")
    tell(store, "centro", sale())
    tell(store, "centro", LeaseReturned(lease_id=LEASE, seats=(SEAT,)))
    assert store.seats[SEAT].state == "booked"


@pytest.mark.parametrize(
    "capacity,free,leased,may",
    [(1, 1, 0, False), (2, 2, 0, True), (2, 1, 0, False), (30, 9, 2, True), (30, 9, 3, False)],
)
def test_how_much_may_be_lent(capacity: int, free: int, leased: int, may: bool) -> None:
    assert lease.may_lend(capacity, free, leased) is may


# ------------------------------------------------------------------------------------------------------------- recovery

BOOKED = Appointment(
    id=APPOINTMENT,
    version=1,
    locator="ACDEFG",
    service_id="padron",
    slot_start_at=MORNING + timedelta(hours=4),
    duration_min=10,
    status="booked",
)


def report(store: MemoryCentralStore, **changes: object) -> ReportReply:
    whole = ReportRequest(
        request_id=uuid_of(70),
        office="centro",
        epoch=1,
        gen=store.generation,
        facts_seq=0,
        leases=(),
        bookings=(),
    )
    asked = msgspec.structs.replace(whole, **changes)
    reply = in_tx(store, lambda tx: recovery.take_report(tx, asked, MORNING))
    assert isinstance(reply, ReportReply)
    return reply


def restored() -> MemoryCentralStore:
    store = city()
    store.restore(uuid_of(10))
    return store


@pytest.mark.parametrize(
    "changes",
    [{"gen": uuid_of(9)}, {"epoch": 2}, {"facts_seq": 5}],
    ids=["of another gen", "of another node", "too early"],
)
def test_a_report_that_does_not_fit_claims_nothing(changes: dict[str, object]) -> None:
    store = restored()
    reply = report(store, bookings=(KnownBooking(version=1, body=BOOKED),), **changes)
    assert not reply.taken
    assert store.life["awaited"] == frozenset({"centro", "real", "victoria"})
    assert store.appointments == {}


def test_central_opens_when_everybody_has_reported_or_was_skipped() -> None:
    store = restored()
    assert report(store).taken
    assert report(store, office="real").taken
    assert store.life["awaited"] == frozenset({"victoria"})
    assert in_tx(store, lambda tx: recovery.skip(tx, "victoria"))
    assert not in_tx(store, lambda tx: recovery.skip(tx, "victoria"))
    assert store.life["awaited"] == frozenset()


def test_what_only_the_office_knows_is_claimed_again() -> None:
    store = restored()
    report(store, bookings=(KnownBooking(version=1, body=BOOKED),))
    assert store.seats[SEAT] == Seat(state="booked", appointment_id=APPOINTMENT)
    assert store.appointments[APPOINTMENT].source == "recovered"
    assert [c.kind for c in store.conflicts.values()] == ["booking_recovered"]
    gone = msgspec.structs.replace(BOOKED, version=2, status="cancelled")
    report(store, bookings=(KnownBooking(version=2, body=gone),))
    assert store.seats[SEAT] == Seat(state="free")
    report(store, bookings=(KnownBooking(version=1, body=BOOKED),))
    assert store.appointments[APPOINTMENT].body.status == "cancelled", "a cancelled booking does not come back"


def test_a_lease_that_was_forgotten_is_the_offices_again() -> None:
    store = restored()
    report(store, leases=(HeldLease(lease=lent(), unsold=(SEAT,)),))
    assert store.seats[SEAT] == Seat(state="leased", lease_id=LEASE)
    assert live(store, "centro", "lease") == [1]


def test_a_report_waits_for_the_switch_and_for_all_facts() -> None:
    edge = MemoryEdgeStore()
    node = Node(office="centro", node="edge-1", epoch=1, incarnation=uuid_of(8))
    aside = SnapshotRow(
        stream=office_stream("centro"),
        kind="appointment",
        entity_id=APPOINTMENT,
        version=1,
        body=msgspec.Raw(codec.encode(BOOKED)),
    )
    edge.put_aside[aside.stream, aside.kind, aside.entity_id] = aside

    def made() -> ReportRequest | None:
        return finish(recovery.next_report(edge, node, uuid_of(71), LeaseBook(), MORNING))

    for stream, gen in (("global", uuid_of(10)), ("office:centro", uuid_of(9))):
        edge.places[stream] = Cursor(stream=stream, gen=gen, seq=0, hash=bytes(32))
    assert made() is None, "one stream is still of the old gen"
    edge.places["office:centro"] = Cursor(stream="office:centro", gen=uuid_of(10), seq=0, hash=bytes(32))
    edge.write_facts([record_of(DayOpened(service_date=DAY, policy_version=1, policy=Policy()), 1)])
    assert made() is None, "a fact is still to be sent"
    edge.acks[1] = Position(1, edge.journal[1][0].hash)
    request = made()
    assert request is not None
    assert (request.gen, request.facts_seq, request.bookings) == (
        uuid_of(10),
        1,
        (KnownBooking(version=1, body=BOOKED),),
    )
    refused = ReportReply(request_id=request.request_id, taken=False, gen=uuid_of(10))
    assert not finish(recovery.on_report_reply(edge, request, refused))
    assert edge.put_aside
    assert finish(recovery.on_report_reply(edge, request, msgspec.structs.replace(refused, taken=True)))
    assert not edge.put_aside


def test_closed_rows_carry_the_tenure_that_is_over() -> None:
    store = city()
    tell(store, "real", accepted(4))
    tell(store, "victoria", accepted(2))
    row = next(row for key, row in store.live.items() if key[1] == TicketClosed.KIND)
    assert codec.decode(bytes(row.body), TicketClosed) == TicketClosed(
        id=TICKET, tenure=2, service_date=DAY, reason="superseded"
    )
