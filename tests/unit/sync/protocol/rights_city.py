"""A city in memory, and what its offices tell, for the tests of rights that move."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import cast

import msgspec

from sync.domain.office_day import OfficeDay
from sync.messages import codec
from sync.messages.desk_facts import TicketWantedBack
from sync.messages.facts import (
    DayOpened,
    LeaseReturned,
    LeaseSold,
    TicketAccepted,
    TicketCard,
    TicketReleased,
)
from sync.messages.feed import (
    Appointment,
    Lease,
    LeasedSeat,
    NumberFloor,
    office_stream,
)
from sync.messages.policy import Policy
from sync.messages.values import SeatRef
from sync.messages.wire import (
    Activation,
    ReportReply,
    ReportRequest,
)
from sync.protocol import handover, lease, recovery
from sync.protocol.hello import Node
from sync.protocol.replacement import replace_node
from sync.protocol.rights import Origin, RightsTx
from sync.protocol.steps import finish
from sync.protocol.uplink import UplinkSession, ingest
from tests.kit.facts import MORNING, record_of, ticket_accepted, ticket_issued, uuid_of
from tests.kit.memory_central import MemoryCentralStore, MemoryCentralTx, Slot
from tests.kit.memory_edge import MemoryEdgeStore

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


def released(tenure: int, to_office: str, service_date: date = DAY) -> TicketReleased:
    return TicketReleased(ticket_id=TICKET, service_date=service_date, to_office=to_office, tenure=tenure, card=CARD)


def accepted(tenure: int, via: str = "grant") -> TicketAccepted:
    return ticket_accepted(TICKET, tenure, "K1", via=via)


def tell(
    store: MemoryCentralStore,
    office: str,
    fact: TicketReleased | TicketAccepted | TicketWantedBack | LeaseSold | LeaseReturned,
    *,
    at: datetime = MORNING,
    by_age: bool = False,
) -> None:
    """A fact of an office is projected."""

    async def step() -> None:
        async with store.transaction() as tx:
            origin = Origin(office=office, happened_at=at, by_age=by_age)
            match fact:
                case TicketReleased():
                    await handover.on_released(tx, origin, fact)
                case TicketWantedBack():
                    await handover.on_wanted_back(tx, origin, fact)
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


WANTED = TicketWantedBack(ticket_id=TICKET, service_date=DAY, tenure=1)


def in_tx(store: MemoryCentralStore, work: Callable[[MemoryCentralTx], Awaitable[object]]) -> object:
    async def step() -> object:
        async with store.transaction() as tx:
            return await work(tx)

    return finish(step())


def activation(epoch: int, office: str = "centro") -> Activation:
    return Activation(office=office, node=f"edge-{epoch}", epoch=epoch, public_key=bytes(32), signature=b"s")


ORIGIN = Origin(office="centro", happened_at=MORNING + timedelta(minutes=5))


def day_of(store: MemoryCentralStore) -> OfficeDay:
    return cast("OfficeDay", in_tx(store, lambda tx: tx.present_day("centro", 1)))


def restored_at_centro(store: MemoryCentralStore) -> None:
    """Centro had a ticket, told of it, and got a new node."""
    told_by_centro(store)
    assert replaced_at_centro(store, 2) is not None


def replaced_at_centro(store: MemoryCentralStore, epoch: int) -> object:
    return in_tx(store, lambda tx: replace_node(tx, activation(epoch), MORNING + timedelta(minutes=5)))


def told_by_centro(store: MemoryCentralStore, service_date: date = DAY) -> None:
    """Centro's first node opened its day, gave a ticket and told of both."""
    edge = MemoryEdgeStore()
    issued = ticket_issued(TICKET, "K7")
    opened = DayOpened(service_date=service_date, policy_version=1, policy=Policy())
    edge.write_facts([record_of(opened, 1), record_of(issued, 2)])
    node = Node(office="centro", node="edge-1", epoch=1, incarnation=uuid_of(8))
    request = finish(UplinkSession(edge, node).next_request(uuid_of(7)))
    assert request is not None
    finish(ingest(store, request, MORNING))


def put_floor(store: MemoryCentralStore, floor: NumberFloor) -> None:
    day, body = floor.service_date.isoformat(), codec.encode(floor)
    stream, kind = office_stream("centro"), NumberFloor.KIND
    in_tx(store, lambda tx: tx.emit(stream, kind=kind, entity_id=day, version=1, op="put", body=body))


def floors_at_centro(store: MemoryCentralStore) -> list[tuple[date, int, dict[str, int]]]:
    rows = sorted((row for key, row in store.live.items() if key[1] == NumberFloor.KIND), key=lambda row: row.entity_id)
    floors = [codec.decode(bytes(row.body), NumberFloor) for row in rows]
    return [(floor.service_date, floor.epoch, floor.floors) for floor in floors]


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


def set_awaited(store: MemoryCentralStore, *offices: str) -> None:
    in_tx(store, lambda tx: tx.set_awaited(frozenset(offices)))
