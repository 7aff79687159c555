"""A ticket that is not served now: sent on, set aside, back again, gone."""

from __future__ import annotations

from datetime import timedelta

from sync.domain.counters import end_session, own_session
from sync.domain.deciding import Context, in_state, own_visit
from sync.domain.handover import release
from sync.domain.ordering import in_order, next_for, next_without
from sync.domain.outcomes import Accepted, Decision, Unchanged, refuse
from sync.domain.reinstatement import due_again
from sync.messages import commands as c
from sync.messages import facts as f
from sync.messages.desk_facts import TicketSkipped, TicketWantedBack
from sync.messages.refusals import Refusal


def transfer(x: Context, command: c.Transfer) -> Decision:
    """Send a visit back to wait, for exactly one of a service, a counter, a person, a zone."""
    if sum(each is not None for each in (command.service, command.counter, command.staff_id, command.zone)) != 1:
        return refuse("malformed")
    ticket = own_visit(x, command, "called", "serving")
    if isinstance(ticket, Refusal):
        return ticket
    if command.order != "keep" and command.reason is None:
        return refuse("reason_required", ticket_id=ticket.ticket_id)
    service = command.service or ticket.service
    if service not in x.catalogue.services:
        return refuse("service_unknown", ticket_id=ticket.ticket_id)
    if command.counter is not None and command.counter not in x.day.session_at:
        return refuse("counter_closed", ticket_id=ticket.ticket_id)
    if not _is_somebody_there(x, command, service):
        return refuse("nobody_there", ticket_id=ticket.ticket_id)
    moved = f.TicketTransferred(
        ticket_id=ticket.ticket_id,
        service=service,
        counter=command.counter,
        session=command.session,
        staff_id=command.staff_id,
        zone=command.zone,
        order=command.order,
        has_note=bool(command.note.strip()),
        reason=command.reason if command.order != "keep" else None,
    )
    return Accepted((moved,))


def _is_somebody_there(x: Context, command: c.Transfer, service: str) -> bool:
    """Whether the person or zone that a ticket is sent to can serve it now; a mark that nobody stands for would fall at once."""
    sessions = x.day.sessions.values()
    if command.staff_id is not None:
        return any(s.staff_id == command.staff_id for s in sessions)
    return command.zone is None or any(s.zone == command.zone and s.serves(service) for s in sessions)


def skip(x: Context, command: c.Skip) -> Decision:
    """Pass a person over for one call. There must be somebody else, for nobody waits beside an idle counter."""
    session = own_session(x.day, command.session, x.actor)
    if isinstance(session, Refusal):
        return session
    ticket = own_visit(x, command, "waiting", "called")
    if isinstance(ticket, Refusal):
        return ticket
    if ticket.state == "waiting":
        choice = next_for(x.day, session, x.now)
        if choice is None or choice.ticket is not ticket:
            return Unchanged()
    if next_without(x.day, session, ticket, x.now) is None:
        return refuse("nobody_waiting", ticket_id=ticket.ticket_id)
    skipped = TicketSkipped(
        ticket_id=ticket.ticket_id, session=session.session, counter=session.counter, reason=command.reason
    )
    return Accepted((skipped,))


def reassign(x: Context, command: c.Reassign) -> Decision:
    """Give all tickets that are meant for a counter, or for who works there, to another counter or to everybody."""
    if not x.actor.supervisor:
        return refuse("forbidden")
    if command.counter == command.to_counter:
        return refuse("malformed")
    session = x.day.sessions.get(x.day.session_at.get(command.counter, ""))
    if session is None or command.to_counter not in (None, *x.day.session_at):
        return refuse("counter_closed")
    bound = [
        t
        for t in in_order(x.day.tickets.values())
        if t.state in ("waiting", "parked") and (t.counter == session.counter or t.staff_id == session.staff_id)
    ]
    moved = [f.TicketReassigned(ticket_id=t.ticket_id, counter=command.to_counter) for t in bound]
    closing = end_session(x.day, session, "ended_by_supervisor") if command.close else ()
    return Accepted((*moved, *closing))


def assign_ticket(x: Context, command: c.AssignTicket) -> Decision:
    """Give one ticket to a counter that may or may not serve its service, or to whoever serves it; it keeps its place."""
    if not x.actor.supervisor:
        return refuse("forbidden")
    ticket = in_state(x, command.ticket_id, "waiting", "parked")
    if isinstance(ticket, Refusal):
        return ticket
    if command.to_counter not in (None, *x.day.session_at):
        return refuse("counter_closed", ticket_id=ticket.ticket_id)
    if ticket.counter == command.to_counter and (command.to_counter is not None or not ticket.is_marked):
        return Accepted(())
    return Accepted((f.TicketReassigned(ticket_id=ticket.ticket_id, counter=command.to_counter),))


def reinstate(x: Context, command: c.Reinstate) -> Decision:
    ticket = in_state(x, command.ticket_id, "missed")
    if isinstance(ticket, Refusal):
        return ticket
    return Accepted((f.TicketReinstated(ticket_id=ticket.ticket_id, due_at=due_again(x.day, ticket, x.now)),))


def park(x: Context, command: c.Park) -> Decision:
    ticket = own_visit(x, command, "waiting", "called", "serving")
    if isinstance(ticket, Refusal):
        return ticket
    parked = f.TicketParked(
        ticket_id=ticket.ticket_id,
        reason=command.reason,
        session=command.session,
        remind_at=x.now + timedelta(minutes=command.remind_min) if command.remind_min is not None else None,
        returns_at=x.now + timedelta(minutes=command.return_min) if command.return_min is not None else None,
        kept_for=x.actor.actor_id if command.back_to_me else None,
    )
    return Accepted((parked,))


def resume(x: Context, command: c.Resume) -> Decision:
    ticket = in_state(x, command.ticket_id, "parked")
    return ticket if isinstance(ticket, Refusal) else Accepted((f.TicketResumed(ticket_id=ticket.ticket_id),))


def leave(x: Context, command: c.Leave) -> Decision:
    """End the waiting of somebody who has gone. Who names their counter session may take it back (``sync.domain.undo``)."""
    if command.session is not None and isinstance(session := own_session(x.day, command.session, x.actor), Refusal):
        return session
    ticket = in_state(x, command.ticket_id, "waiting", "parked", "missed")
    if isinstance(ticket, Refusal):
        return ticket
    return Accepted((f.TicketAbandoned(ticket_id=ticket.ticket_id, reason="left", session=command.session),))


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


def take_back(x: Context, command: c.TakeBack) -> Decision:
    """Ask for a ticket again that this office gave up. It is not this office's to decide: whoever has accepted it keeps it."""
    ticket = in_state(x, command.ticket_id, "in_transit")
    if isinstance(ticket, Refusal):
        return ticket
    if ticket.wanted_back or x.day.service_date is None:
        return Accepted(())
    wanted = TicketWantedBack(ticket_id=ticket.ticket_id, service_date=x.day.service_date, tenure=ticket.tenure)
    return Accepted((wanted,))


def mark_arrived(x: Context, command: c.MarkArrived) -> Decision:
    ticket = in_state(x, command.ticket_id, "waiting")
    if isinstance(ticket, Refusal):
        return ticket
    return Accepted((f.TicketArrived(ticket_id=ticket.ticket_id),) if ticket.expected else ())
