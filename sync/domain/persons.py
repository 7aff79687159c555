"""What staff know about the person of a ticket: the class that ranks them, the support they need."""

from __future__ import annotations

from datetime import datetime, timedelta

from sync.domain.deciding import Context, is_known_class
from sync.domain.due import due
from sync.domain.outcomes import Accepted, Decision, refuse
from sync.domain.ticket import Ticket
from sync.messages import commands as c
from sync.messages.agenda_facts import AppointmentRevealed
from sync.messages.desk_facts import TicketNeedsSet, TicketPriorityChanged
from sync.messages.policy import Policy
from sync.messages.refusals import Refusal


def set_priority(x: Context, command: c.SetPriority) -> Decision:
    """Rank a ticket anew for another class, from the same arrival."""
    ticket = _open_ticket(x, command.ticket_id)
    if isinstance(ticket, Refusal):
        return ticket
    if not is_known_class(x, command.priority_class):
        return refuse("class_unknown", ticket_id=ticket.ticket_id)
    if command.priority_class == ticket.priority_class:
        return Accepted(())
    changed = TicketPriorityChanged(
        ticket_id=ticket.ticket_id,
        priority_class=command.priority_class,
        basis=command.basis,
        due_at=_due_as(ticket, command.priority_class, x.day.policy),
    )
    return Accepted((changed,))


def set_needs(x: Context, command: c.SetNeeds) -> Decision:
    """That support was noted is a fact; which one is personal and stays beside it."""
    ticket = _open_ticket(x, command.ticket_id)
    if isinstance(ticket, Refusal):
        return ticket
    return Accepted((TicketNeedsSet(ticket_id=ticket.ticket_id, has_needs=bool(command.needs)),))


def reveal(_x: Context, command: c.Reveal) -> Decision:
    """Whoever may sign in may look at one appointment's person; that they did is written down before they see it."""
    return Accepted((AppointmentRevealed(appointment_id=command.appointment_id, found_by=command.found_by),))


def _open_ticket(x: Context, ticket_id: str) -> Ticket | Refusal:
    ticket = x.day.tickets.get(ticket_id)
    if ticket is None:
        return refuse("ticket_unknown")
    return ticket if ticket.is_open else refuse("wrong_state", ticket_id=ticket_id)


def _due_as(ticket: Ticket, priority_class: str, policy: Policy) -> datetime:
    """The due_at of a ticket in another class. Who gets a larger head start never loses by it, whatever the policy was when
    they came; what a reinstatement cost stays; a ticket from another office was ranked there and can only gain.
    """
    head_start_min = policy.class_head_start_min.get(priority_class, 0)
    if ticket.from_office is not None:
        return min(ticket.due_at, ticket.arrived_at - timedelta(minutes=head_start_min))
    ranked_at = due(ticket.arrived_at, ticket.slot_start_at, priority_class, policy).due_at
    if ticket.due_floor_at is not None:
        ranked_at = max(ranked_at, ticket.due_floor_at)
    gains = head_start_min >= policy.class_head_start_min.get(ticket.priority_class, 0)
    return min(ticket.due_at, ranked_at) if gains else ranked_at
