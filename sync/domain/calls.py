"""A visit from its call to its end."""

from __future__ import annotations

from datetime import timedelta

from sync.domain.deciding import Context, own_visit, ready_session
from sync.domain.ordering import callable_before, next_for, why
from sync.domain.outcomes import Accepted, Decision, refuse
from sync.domain.ticket import CounterSession, Ticket
from sync.messages import commands as c
from sync.messages import facts as f
from sync.messages.refusals import Refusal


def call_next(x: Context, command: c.CallNext) -> Decision:
    session = ready_session(x, command)
    if not isinstance(session, CounterSession):
        return session
    choice = next_for(x.day, session, x.now)
    if choice is None:
        return refuse("nobody_waiting")
    return called(session, choice.ticket, "next", None, why(choice.ticket, choice.rule))


def call_ticket(x: Context, command: c.CallTicket) -> Decision:
    session = ready_session(x, command)
    if not isinstance(session, CounterSession):
        return session
    ticket = x.day.tickets.get(command.ticket_id)
    if ticket is None:
        return refuse("ticket_unknown")
    if ticket.state != "waiting":
        return refuse("wrong_state", ticket_id=ticket.ticket_id)
    if ticket.counter not in (None, session.counter):
        return refuse("not_this_counter", ticket_id=ticket.ticket_id)
    if not command.reason:
        return refuse("reason_required", ticket_id=ticket.ticket_id)
    passed = callable_before(x.day, session, ticket, x.now)
    return called(session, ticket, "chosen", command.reason, why(ticket, "chosen", passed))


def called(session: CounterSession, ticket: Ticket, how: f.CalledHow, reason: str | None, because: f.Why) -> Accepted:
    called = f.TicketCalled(
        ticket_id=ticket.ticket_id,
        session=session.session,
        counter=session.counter,
        how=how,
        reason=reason,
        why=because,
    )
    return Accepted((called,))


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
    return Accepted((f.TicketFinished(ticket_id=ticket.ticket_id, session=command.session, outcome=command.outcome),))


def no_show(x: Context, command: c.NoShow) -> Decision:
    ticket = own_visit(x, command, "called")
    if isinstance(ticket, Refusal):
        return ticket
    return Accepted((f.TicketNoShow(ticket_id=ticket.ticket_id, session=command.session),))
