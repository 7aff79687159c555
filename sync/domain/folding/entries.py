"""How tickets come into the day, and what becomes of their paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sync.domain.ticket import Ticket
from sync.messages import facts as f
from sync.messages.commands import SYSTEM
from sync.messages.envelope import FactHeader

if TYPE_CHECKING:
    from sync.domain.office_day import OfficeDay


def issued(day: OfficeDay, header: FactHeader, fact: f.TicketIssued) -> None:
    ticket = _entering(header, fact)
    ticket.band, ticket.to_verify, ticket.expected_wait = fact.band, fact.to_verify, fact.expected
    day.enter(ticket)


def accepted(day: OfficeDay, header: FactHeader, fact: f.TicketAccepted) -> None:
    """A ticket that was here before and left enters anew; one that is still here only has a new number."""
    known = day.tickets.get(fact.ticket_id)
    if known is not None and (known.is_open or known.tenure >= fact.tenure):
        known.tenure = max(known.tenure, fact.tenure)
        return
    ticket = _entering(header, fact)
    ticket.tenure, ticket.from_office = fact.tenure, fact.from_office
    ticket.to_do, ticket.steps_done = fact.to_do, fact.steps_done
    ticket.expected = fact.via != "restored"
    day.enter(ticket)


def _entering(header: FactHeader, fact: f.TicketIssued | f.TicketAccepted) -> Ticket:
    return Ticket(
        ticket_id=fact.ticket_id,
        label=fact.label,
        series=fact.series,
        number=fact.number,
        service=fact.service,
        origin=fact.origin,
        priority_class=fact.priority_class,
        arrived_at=fact.arrived_at,
        due_at=fact.due_at,
        callable_at=fact.callable_at,
        issue_seq=(header.epoch, header.seq),
        issued_at=header.occurred_at,
        follow_hash=fact.follow_hash,
        given_by="" if header.actor_id == SYSTEM else header.device_id,
        slot_start_at=fact.slot_start_at,
        duration_min=fact.duration_min,
        appointment_id=fact.appointment_id,
    )


def arrived(day: OfficeDay, header: FactHeader, fact: f.TicketArrived) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        ticket.expected = False
        ticket.callable_at = min(ticket.callable_at, header.occurred_at)


def relabelled(day: OfficeDay, _header: FactHeader, fact: f.TicketRelabelled) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        ticket.label, ticket.series, ticket.number = fact.label, fact.series, fact.number
        day.raise_numbers({fact.series: fact.number})
        if fact.follow_hash is not None:
            day.by_follow_hash.pop(ticket.follow_hash, None)
            ticket.follow_hash = fact.follow_hash
            day.by_follow_hash[fact.follow_hash] = ticket.ticket_id


def printed(day: OfficeDay, _header: FactHeader, fact: f.TicketPrinted) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        ticket.print_state = "printed"


def print_failed(day: OfficeDay, _header: FactHeader, fact: f.TicketPrintFailed) -> None:
    ticket = day.tickets.get(fact.ticket_id)
    if ticket and ticket.print_state != "printed":
        ticket.print_state = "failed"


FOLDS: dict[type[f.Fact], Callable[..., None]] = {
    f.TicketIssued: issued,
    f.TicketAccepted: accepted,
    f.TicketArrived: arrived,
    f.TicketRelabelled: relabelled,
    f.TicketPrinted: printed,
    f.TicketPrintFailed: print_failed,
}
