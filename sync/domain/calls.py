"""A visit from its call to its end."""

from __future__ import annotations

from datetime import timedelta

from sync.domain.arrivals import take_ticket
from sync.domain.deciding import Context, own_visit, ready_session, seen_session
from sync.domain.ordering import callable_before, is_for_others, next_for, why
from sync.domain.outcomes import Accepted, Decision, refuse
from sync.domain.routes import end_of
from sync.domain.ticket import CounterSession, Ticket
from sync.messages import commands as c
from sync.messages import facts as f
from sync.messages.desk_facts import TicketServiceAdded
from sync.messages.refusals import Refusal

AT_THE_COUNTER = "walk_in"
"""The reason of a call out of order for somebody who is served without having waited."""


def call_next(x: Context, command: c.CallNext) -> Decision:
    """Call the next ticket; a visit that is being served is finished with it, or goes on to its next step.

    One that is only called is not: a second click, with the view that the first one brought, would end the visit of a person
    who is still on the way.
    """
    session = seen_session(x, command)
    if not isinstance(session, CounterSession):
        return session
    visit = x.day.visit_at(session.session)
    if visit is not None and visit.state == "called":
        return refuse("visit_open", ticket_id=visit.ticket_id)
    ended = () if visit is None else (end_of(x, visit, session.session),)
    choice = next_for(x.day, session, x.now)
    if choice is None:
        return Accepted(ended) if ended else refuse("nobody_waiting")
    return Accepted((*ended, called(session, choice.ticket, "next", None, why(choice.ticket, choice.rule))))


def call_ticket(x: Context, command: c.CallTicket) -> Decision:
    session = ready_session(x, command)
    if not isinstance(session, CounterSession):
        return session
    ticket = x.day.tickets.get(command.ticket_id)
    if ticket is None:
        return refuse("ticket_unknown")
    if ticket.state != "waiting":
        return refuse("wrong_state", ticket_id=ticket.ticket_id)
    if is_for_others(session, ticket):
        return refuse("not_this_counter", ticket_id=ticket.ticket_id)
    if not command.reason:
        return refuse("reason_required", ticket_id=ticket.ticket_id)
    passed = callable_before(x.day, session, ticket.rank, x.now)
    return Accepted((called(session, ticket, "chosen", command.reason, why(ticket, "chosen", passed)),))


def serve_walk_in(x: Context, command: c.ServeWalkIn) -> Decision:
    """Issue, call and start in one act. It goes before whoever waits, as any call out of order, and says before how many."""
    session = ready_session(x, command)
    if not isinstance(session, CounterSession):
        return session
    came = take_ticket(x, command)
    if isinstance(came, Refusal):
        return came
    (issued,) = came.facts
    because = f.Why(
        rule="chosen",
        origin="walk_in",
        arrived_at=issued.arrived_at,
        due_at=issued.due_at,
        priority_class=issued.priority_class,
        ahead_now=callable_before(x.day, session, (issued.due_at, (x.day.epoch, x.day.seq + 1)), x.now),
    )
    call = called(session, issued, "chosen", AT_THE_COUNTER, because)
    return Accepted((issued, call, f.TicketStarted(ticket_id=issued.ticket_id, session=session.session)))


def called(
    session: CounterSession, ticket: Ticket | f.TicketIssued, how: f.CalledHow, reason: str | None, because: f.Why
) -> f.TicketCalled:
    return f.TicketCalled(
        ticket_id=ticket.ticket_id,
        session=session.session,
        counter=session.counter,
        how=how,
        reason=reason,
        why=because,
    )


def recall(x: Context, command: c.Recall) -> Decision:
    ticket = own_visit(x, command, "called")
    if isinstance(ticket, Refusal):
        return ticket
    if ticket.recalls >= x.day.policy.recall_limit:
        return refuse("recall_limit", ticket_id=ticket.ticket_id)
    assert ticket.announced_at is not None
    assert ticket.called_counter is not None
    left = timedelta(seconds=x.day.policy.recall_gap_s) - (x.now - ticket.announced_at)
    if left > timedelta(0):
        return refuse("recall_too_soon", ticket_id=ticket.ticket_id, wait_s=-(-left // timedelta(seconds=1)))
    recalled = f.TicketRecalled(
        ticket_id=ticket.ticket_id,
        session=command.session,
        counter=ticket.called_counter,
        recalls=ticket.recalls + 1,
    )
    return Accepted((recalled,))


def start(x: Context, command: c.Start) -> Decision:
    ticket = own_visit(x, command, "called")
    if isinstance(ticket, Refusal):
        return ticket
    return Accepted((f.TicketStarted(ticket_id=ticket.ticket_id, session=command.session),))


def finish(x: Context, command: c.Finish) -> Decision:
    ticket = own_visit(x, command, "serving")
    if isinstance(ticket, Refusal):
        return ticket
    if not set(command.services) <= set(x.catalogue.services):
        return refuse("service_unknown", ticket_id=ticket.ticket_id)
    return Accepted((end_of(x, ticket, command.session, command.outcome, command.services),))


def add_service(x: Context, command: c.AddService) -> Decision:
    """One more service at the same counter. What it does not serve is a transfer."""
    ticket = own_visit(x, command, "serving")
    if isinstance(ticket, Refusal):
        return ticket
    if command.service not in x.catalogue.services:
        return refuse("service_unknown", ticket_id=ticket.ticket_id)
    if not x.day.sessions[command.session].serves(command.service):
        return refuse("not_served_here", ticket_id=ticket.ticket_id)
    if command.service in (ticket.service, *ticket.added):
        return Accepted(())
    if len(ticket.added) + 1 >= c.MAX_SERVICES:
        return refuse("malformed")
    added = TicketServiceAdded(ticket_id=ticket.ticket_id, session=command.session, service=command.service)
    return Accepted((added,))


def no_show(x: Context, command: c.NoShow) -> Decision:
    ticket = own_visit(x, command, "called")
    if isinstance(ticket, Refusal):
        return ticket
    return Accepted((f.TicketNoShow(ticket_id=ticket.ticket_id, session=command.session),))
