"""A ticket that is not served now: sent on, set aside, back again, gone."""

from __future__ import annotations

from sync.domain.counters import own_session
from sync.domain.deciding import Context, in_state, own_visit
from sync.domain.handover import release
from sync.domain.outcomes import Accepted, Decision, refuse
from sync.domain.reinstatement import due_again
from sync.messages import commands as c
from sync.messages import facts as f
from sync.messages.refusals import Refusal


def transfer(x: Context, command: c.Transfer) -> Decision:
    if (command.service is None) == (command.counter is None):
        return refuse("malformed")
    ticket = own_visit(x, command, "called", "serving")
    if isinstance(ticket, Refusal):
        return ticket
    if command.counter is not None and command.counter not in x.day.session_at:
        return refuse("counter_closed", ticket_id=ticket.ticket_id)
    service = command.service or ticket.service
    if service not in x.catalogue.services:
        return refuse("service_unknown", ticket_id=ticket.ticket_id)
    moved = f.TicketTransferred(
        ticket_id=ticket.ticket_id, service=service, counter=command.counter, session=command.session
    )
    return Accepted((moved,))


def reinstate(x: Context, command: c.Reinstate) -> Decision:
    ticket = in_state(x, command.ticket_id, "missed")
    if isinstance(ticket, Refusal):
        return ticket
    return Accepted((f.TicketReinstated(ticket_id=ticket.ticket_id, due_at=due_again(x.day, ticket, x.now)),))


def park(x: Context, command: c.Park) -> Decision:
    ticket = own_visit(x, command, "waiting", "called", "serving")
    if isinstance(ticket, Refusal):
        return ticket
    return Accepted((f.TicketParked(ticket_id=ticket.ticket_id, reason=command.reason),))


def resume(x: Context, command: c.Resume) -> Decision:
    ticket = in_state(x, command.ticket_id, "parked")
    return ticket if isinstance(ticket, Refusal) else Accepted((f.TicketResumed(ticket_id=ticket.ticket_id),))


def leave(x: Context, command: c.Leave) -> Decision:
    ticket = in_state(x, command.ticket_id, "waiting", "parked", "missed")
    if isinstance(ticket, Refusal):
        return ticket
    return Accepted((f.TicketAbandoned(ticket_id=ticket.ticket_id, reason="left"),))


def hand_over(x: Context, command: c.HandOver) -> Decision:
    session = own_session(x.day, command.session, x.actor)
    if isinstance(session, Refusal):
        return session
    ticket = x.day.tickets.get(command.ticket_id)
    if ticket is None:
        return refuse("ticket_unknown")
    if ticket.state == "in_transit":
        return refuse("already_moved", ticket_id=ticket.ticket_id, office=ticket.released_to)
    if ticket.state not in ("waiting", "called", "serving"):
        return refuse("wrong_state", ticket_id=ticket.ticket_id)
    if ticket.session not in (None, session.session):
        return refuse("not_this_counter", ticket_id=ticket.ticket_id)
    if command.to_office == x.day.office or command.to_office not in x.catalogue.nodes:
        return refuse("office_unknown")
    return Accepted((release(x.day, ticket, command, x.now),))


def mark_arrived(x: Context, command: c.MarkArrived) -> Decision:
    ticket = in_state(x, command.ticket_id, "waiting")
    if isinstance(ticket, Refusal):
        return ticket
    return Accepted((f.TicketArrived(ticket_id=ticket.ticket_id),) if ticket.expected else ())
