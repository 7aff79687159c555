"""A kiosk that goes on giving tickets while the edge does not answer: out of numbers that are nobody else's.

Theory
    Every kiosk has a letter of its own. For each service day and life of the node the edge grants it a block of that letter,
    in a fact, before it is needed. When the edge does not answer, the kiosk writes {request, label, monotonic time} down,
    prints, and tells the edge when it is back: the ticket joins the queue at its true arrival. The request's id is the
    ticket's, so nothing can be told twice. Had the edge committed the request after all, without the kiosk hearing of it, the
    same ticket takes the printed label and the unseen one is void: one request, one ticket, one place.

    Two lives of a node grant different numbers: a new one begins behind whatever the old one may have granted.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sync.domain.due import due
from sync.domain.numbering import LAST_NUMBER
from sync.domain.office_day import OfficeDay
from sync.domain.outcomes import Accepted, Decision, refuse
from sync.messages import facts as f
from sync.messages.commands import TakeReserved
from sync.messages.feed import Service

BLOCK = 60
"""Tickets that a kiosk may give by itself: about two hours of a busy one."""


def grant(day: OfficeDay, device: str, series: str, floor: int = 0) -> f.ReserveGranted | None:
    """The block that a kiosk should have now; None when it has one with room, or the letter is used up.

    Args:
        series: the kiosk's own letter.
        floor: the highest number of it that an earlier life of the node may have granted today.
    """
    if not day.is_open or day.service_date is None:
        return None
    known, used = day.reserves.get(device), day.last_numbers.get(series, 0)
    if known is not None and known.series == series and used < known.last - BLOCK // 2:
        return None
    first = max(used, floor, known.last if known is not None and known.series == series else 0) + 1
    if first > LAST_NUMBER:
        return None
    last = min(LAST_NUMBER, first + BLOCK - 1)
    return f.ReserveGranted(device=device, service_date=day.service_date, series=series, first=first, last=last)


def next_reserved(block: f.ReserveGranted, given: int, today: date) -> int | None:
    """The number that a kiosk gives next by itself; None when its block is of another day or used up.

    Args:
        given: the highest number of the block that the kiosk has given, 0 for none.
    """
    number = max(block.first, given + 1)
    return number if block.service_date == today and number <= block.last else None


def take_reserved(
    day: OfficeDay, command: TakeReserved, device: str, now: datetime, service: Service | None
) -> Decision:
    """Take a ticket into the queue that a kiosk has given by itself."""
    label = f"{command.series}{command.number}"
    known = day.tickets.get(command.request_id)
    if known is not None:
        if known.label == label:
            return Accepted(())
        relabelled = f.TicketRelabelled(
            ticket_id=known.ticket_id, label=label, series=command.series, number=command.number, voided=known.label
        )
        return Accepted((relabelled,))
    if service is None:
        return refuse("service_unknown")
    if not _is_granted(day, command, device) or any(t.label == label for t in day.tickets.values()):
        return refuse("not_reserved")
    arrived_at = now - timedelta(milliseconds=command.elapsed_ms)
    rank = due(arrived_at, None, "general", day.policy)
    issued = f.TicketIssued(
        ticket_id=command.request_id,
        label=label,
        series=command.series,
        number=command.number,
        service=service.id,
        origin="walk_in",
        arrived_at=arrived_at,
        due_at=rank.due_at,
        callable_at=rank.callable_at,
        follow_hash=command.follow_hash,
    )
    return Accepted((issued,))


def _is_granted(day: OfficeDay, command: TakeReserved, device: str) -> bool:
    """Whether the number is of a block that this kiosk was granted today, the present one or one before it."""
    block = day.reserves.get(device)
    return block is not None and block.series == command.series and command.number <= block.last
