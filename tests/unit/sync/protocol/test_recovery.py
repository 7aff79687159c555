"""A central that was restored: what it is told before it sells again."""

from __future__ import annotations

import msgspec
import pytest

from sync.domain.leases import LeaseBook
from sync.messages import codec
from sync.messages.facts import (
    DayOpened,
)
from sync.messages.feed import (
    Cursor,
    TicketClosed,
    office_stream,
)
from sync.messages.policy import Policy
from sync.messages.wire import (
    HeldLease,
    KnownBooking,
    ReportReply,
    ReportRequest,
    SnapshotRow,
)
from sync.protocol import recovery
from sync.protocol.hello import Node
from sync.protocol.rights import Seat
from sync.protocol.steps import finish
from sync.protocol.store import Position
from tests.kit.facts import MORNING, record_of, uuid_of
from tests.kit.memory_edge import MemoryEdgeStore
from tests.unit.sync.protocol.rights_city import (
    APPOINTMENT,
    BOOKED,
    DAY,
    LEASE,
    SEAT,
    TICKET,
    accepted,
    city,
    in_tx,
    lent,
    live,
    report,
    restored,
    tell,
)


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
    report(store, office="real", leases=(HeldLease(lease=lent(), unsold=(SEAT,)),))
    assert store.seats[SEAT] == Seat(state="free"), "nobody is lent the seats of another office"
    assert store.leases == {}
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
