"""What a node does for its kiosks, in the simulator: the production's rules of reserves and of what a kiosk may tell, over one
simulated node. It stands for the edge's shell on the LAN: replies are kept with what they answered, grants come before tickets.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec

from sync.domain import reserve, retold
from sync.domain.outcomes import refuse
from sync.messages import topics as t
from sync.messages.commands import CITIZEN, Actor, AnyCommand, TakePrinted, TakeTicket
from sync.messages.facts import Fact, ReserveGranted
from sync.messages.feed import NumberFloor
from sync.messages.refusals import Refusal
from tests.simulation.office import OfficeNode

KIOSKS = ("kiosk-1", "kiosk-2")
Asked = t.KioskTakeTicket | t.KioskTellReserved | t.KioskTellPrinted


def hear_status(node: OfficeNode, device: str, held: t.HeldNumbers) -> None:
    """A kiosk has said what it knows of numbers: pass over what is on paper, grant what is due."""
    if node.numbers.get(device) != held:
        node.numbers[device] = held
        node.numbers_settled = None
    settle(node)


def settle(node: OfficeNode) -> None:
    """First what must be passed over, then the blocks behind it; nothing before the day is open."""
    queue = node.queue
    queue.turn()
    day = queue.day
    given = (day.service_date, day.is_open, tuple(day.last_numbers.values()), tuple(day.reserves.values()))
    place = (queue.run, node.rows.looks, given)
    if node.numbers_settled == place:  # nothing that this follows from has changed
        return
    node.numbers_settled = place
    told = node.numbers
    facts: list[Fact] = [*reserve.skipped(queue.day, told, lambda series: believed(node, series))]
    facts += reserve.grants(queue.day, KIOSKS, told, queue.catalogue)
    if facts:
        node.commit(facts)


def block_of(node: OfficeNode, device: str) -> ReserveGranted | None:
    """What is left of a kiosk's block, as its config says it."""
    day = node.queue.day
    block = day.reserves.get(device)
    if block is None or not day.is_open:
        return None
    first = max(block.first, day.last_numbers.get(block.series, 0) + 1)
    return msgspec.structs.replace(block, first=first) if first <= block.last else None


def answer(node: OfficeNode, asked: Asked) -> t.KioskReply:
    """The reply to a kiosk's message, durable; the process may die at it."""
    actor = Actor(actor_id=CITIZEN, device_id=asked.device)
    match asked:
        case t.KioskTakeTicket():
            take = TakeTicket(request_id=asked.request_id, service=asked.service, follow_hash=bytes(32))
            return _answered(node, take, actor, gives=True)
        case t.KioskTellReserved():
            settle(node)
            day = node.queue.day
            if day.is_open and asked.device not in day.reserves and asked.service_date == day.service_date:
                return t.KioskReply(request_id=asked.request_id, refusal=refuse("retry"))
            return _answered(node, reserve.command_of(asked), actor)
        case t.KioskTellPrinted():
            return _answered(node, _printed(node, asked), actor)


def believed(node: OfficeNode, series: str) -> int:
    """How far this node believes kiosks about a series: every run of the simulator is one service day."""
    today = node.queue.day.service_date
    floor = floor_of(node, today) if today is not None else None
    return retold.believed_up_to(
        follows_another=node.epoch > 1,
        is_copy=False,
        floor=floor.floors.get(series, 0) if floor is not None else 0,
        known=node.queue.day.last_numbers.get(series, 0),
    )


def floor_of(node: OfficeNode, day: date) -> NumberFloor | None:
    """Central's floors for this life of the node on a service day."""
    return next((row for row in node.rows.floors(node.epoch) if row.service_date == day), None)


def _answered(node: OfficeNode, command: AnyCommand, actor: Actor, *, gives: bool = False) -> t.KioskReply:
    decision = node.queue.submit(command, actor)
    if isinstance(decision, Refusal):
        return t.KioskReply(request_id=command.request_id, refusal=decision)
    slip = _slip(node, command.request_id) if gives else None
    return t.KioskReply(request_id=command.request_id, slip=slip)


def _slip(node: OfficeNode, ticket_id: str) -> t.Slip:
    """As it was when the request was carried out, whatever has become of the ticket's label since."""
    ticket = node.queue.day.tickets[ticket_id]
    label = node.queue.first_labels.get(ticket_id, ticket.label)
    return slip_of(ticket_id, label, ticket.service, ticket.issued_at)


def slip_of(ticket_id: str, label: str, service: str, issued_at: datetime) -> t.Slip:
    return t.Slip(
        ticket_id=ticket_id,
        label=label,
        office_name="",
        zone="a",
        service_names={"es": service},
        issued_at=issued_at,
        language="es",
        people_ahead=0,
        wait=None,
        follow_url="",
        service=service,
    )


def _printed(node: OfficeNode, told: t.KioskTellPrinted) -> TakePrinted:
    is_moved = told.ticket_id in {row.id for row in node.rows.closed} | {row.id for row in node.rows.taken}
    code = told.follow_code or bytes(t.FOLLOW_CODE_BYTES)
    floor = floor_of(node, told.service_date)
    return retold.command_of(told, code, floor=floor, is_moved=is_moved, up_to=believed(node, told.series))


def since(at: datetime, now: datetime) -> int:
    """Milliseconds from then until now."""
    return max(0, (now - at) // timedelta(milliseconds=1))
