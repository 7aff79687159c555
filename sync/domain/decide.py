"""What a command does to the queue: ``decide(day, command, actor, now, catalogue) -> facts | refusal | unchanged``.

Pure: it reads the state left by the command before and writes nothing. The caller commits the facts, then folds them
into the day. The day itself is turned by ``turn_day``, asked before every command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from sync.domain.catalogue import Catalogue
from sync.domain.counters import close_counter, open_counter, own_session
from sync.domain.due import due
from sync.domain.handover import accept, release
from sync.domain.leases import NO_RIGHTS, Rights, sell
from sync.domain.numbering import next_label
from sync.domain.office_day import OfficeDay
from sync.domain.ordering import callable_before, next_for, why
from sync.domain.outcomes import Accepted, Decision, Unchanged, refuse
from sync.domain.reinstatement import due_again
from sync.domain.reserve import reserved_letters, take_reserved
from sync.domain.ticket import CounterSession, Ticket
from sync.messages import commands as c
from sync.messages import facts as f
from sync.messages.feed import Service
from sync.messages.policy import GENERAL
from sync.messages.refusals import Refusal


class Context(msgspec.Struct, frozen=True):
    """All that a decision may look at."""

    day: OfficeDay
    actor: c.Actor
    now: datetime
    catalogue: Catalogue
    rights: Rights
    expected: Mapping[str, f.Expected] = {}


def decide(
    day: OfficeDay,
    command: c.AnyCommand,
    actor: c.Actor,
    now: datetime,
    catalogue: Catalogue,
    *,
    rights: Rights = NO_RIGHTS,
    expected: Mapping[str, f.Expected] = {},
) -> Decision:
    """Decide one command on the present state.

    Args:
        expected: the wait that a walk-in is told now, by service.

    Returns:
        Accepted with the facts to commit (possibly none: it was already so), a Refusal, or Unchanged when the sender's
        view was old and the right answer is the present state.
    """
    if not day.is_open and not isinstance(command, (c.ReportPrinted, c.ReportPrintFailed, c.ReportShown)):
        return refuse("day_closed")
    return _RULES[type(command)](Context(day, actor, now, catalogue, rights, expected), command)


def turn_day(
    day: OfficeDay, today: date, catalogue: Catalogue, floors: Mapping[str, int] | None = None
) -> tuple[f.Fact, ...]:
    """The facts that close yesterday's day and open today's; none when today is already there.

    A day that a supervisor closed stays closed until the next service date, and a clock that went back opens no old
    day. ``floors``: numbers that an earlier life of the node may have given today, by series.
    """
    if day.service_date is not None and day.service_date >= today:
        return ()
    closing = close_day(day, "scheduled") if day.is_open else ()
    policy = catalogue.policy_on(today)
    opened = f.DayOpened(
        service_date=today, policy_version=policy.version, policy=policy, floors=dict(floors) if floors else {}
    )
    return (*closing, opened)


def close_day(day: OfficeDay, reason: Any) -> tuple[f.Fact, ...]:
    """End the open day: every open ticket is abandoned, every counter session closed."""
    assert day.service_date is not None
    tickets = [f.TicketAbandoned(ticket_id=t.ticket_id, reason="day_end") for t in day.tickets.values() if t.is_open]
    sessions = [f.CounterClosed(session=s.session, counter=s.counter, reason="day_end") for s in day.sessions.values()]
    return (*tickets, *sessions, f.DayClosed(service_date=day.service_date, reason=reason))


def _close_day(x: Context, _command: c.CloseDay) -> Decision:
    return Accepted(close_day(x.day, "supervisor")) if x.actor.supervisor else refuse("forbidden")


def _open_counter(x: Context, command: c.OpenCounter) -> Decision:
    return open_counter(x.day, command, x.actor, x.catalogue)


def _close_counter(x: Context, command: c.CloseCounter) -> Decision:
    return close_counter(x.day, command, x.actor)


def _take_ticket(x: Context, command: c.TakeTicket) -> Decision:
    service = x.catalogue.services.get(command.service)
    if service is not None and not service.walk_in:
        return refuse("walk_in_not_allowed")
    given = x.day.tickets.get(command.request_id)
    if given is not None and given.series in reserved_letters(x.day):  # by the kiosk itself; its question came late
        return Accepted(())
    return _issue(x, command, service, "walk_in", None)


def _check_in(x: Context, command: c.CheckIn) -> Decision:
    if (first := x.day.ticket_of(command.appointment_id)) is not None:
        return refuse("already_checked_in", ticket_id=first)
    issued = _issue(x, command, x.catalogue.services.get(command.service), "appointment", command.slot_start_at)
    if isinstance(issued, Refusal):
        return issued
    (ticket,) = issued.facts
    booked = msgspec.structs.replace(
        ticket,
        duration_min=command.duration_min,
        appointment_id=command.appointment_id,
        to_verify=command.to_verify,
    )
    return Accepted((booked,))


def _issue(
    x: Context,
    command: c.TakeTicket | c.CheckIn,
    service: Service | None,
    origin: f.Origin,
    slot_start_at: datetime | None,
) -> Accepted | Refusal:
    """The fact that gives a person who arrives now a label and a place."""
    if service is None or not _known_class(x, command.priority_class):
        return refuse("service_unknown")
    label = next_label(service.series, x.catalogue.office.spare_series, x.day.last_numbers, reserved_letters(x.day))
    if label is None:
        return refuse("series_exhausted")
    rank = due(x.now, slot_start_at, command.priority_class, x.day.policy)
    issued = f.TicketIssued(
        ticket_id=command.request_id,
        label=label.label,
        series=label.series,
        number=label.number,
        service=service.id,
        origin=origin,
        priority_class=command.priority_class,
        arrived_at=x.now,
        due_at=rank.due_at,
        callable_at=rank.callable_at,
        slot_start_at=slot_start_at,
        follow_hash=command.follow_hash,
        band=rank.band,
        expected=x.expected.get(service.id) if origin == "walk_in" else None,
    )
    return Accepted((issued,))


def _known_class(x: Context, priority_class: str) -> bool:
    return priority_class == GENERAL or priority_class in x.day.policy.class_head_start_min


def _call_next(x: Context, command: c.CallNext) -> Decision:
    session = _ready_session(x, command)
    if not isinstance(session, CounterSession):
        return session
    choice = next_for(x.day, session, x.now)
    if choice is None:
        return refuse("nobody_waiting")
    return _called(session, choice.ticket, "next", None, why(choice.ticket, choice.rule))


def _call_ticket(x: Context, command: c.CallTicket) -> Decision:
    session = _ready_session(x, command)
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
    return _called(session, ticket, "chosen", command.reason, why(ticket, "chosen", passed))


def _called(session: CounterSession, ticket: Ticket, how: f.CalledHow, reason: str | None, because: f.Why) -> Accepted:
    called = f.TicketCalled(
        ticket_id=ticket.ticket_id,
        session=session.session,
        counter=session.counter,
        how=how,
        reason=reason,
        why=because,
    )
    return Accepted((called,))


def _ready_session(x: Context, command: c.CallNext | c.CallTicket) -> CounterSession | Refusal | Unchanged:
    """The caller's counter session, ready to call: the clerk's view is the present one and no visit is open."""
    session = own_session(x.day, command.session, x.actor)
    if isinstance(session, Refusal):
        return session
    if command.after != session.last_ticket_id:
        return Unchanged()
    if visit := x.day.visit_at(session.session):
        return refuse("visit_open", ticket_id=visit.ticket_id)
    return session


def _visit(x: Context, command: c.TicketCommand, *states: str) -> Ticket | Refusal:
    """The ticket of a verb: it must be the counter session's own and in one of ``states``."""
    session = own_session(x.day, command.session, x.actor)
    if isinstance(session, Refusal):
        return session
    ticket = x.day.tickets.get(command.ticket_id)
    if ticket is None:
        return refuse("ticket_unknown")
    if ticket.state not in states:
        return refuse("wrong_state", ticket_id=ticket.ticket_id)
    if ticket.state in ("called", "serving") and ticket.session != session.session:
        return refuse("not_this_counter", ticket_id=ticket.ticket_id)
    return ticket


def _recall(x: Context, command: c.Recall) -> Decision:
    ticket = _visit(x, command, "called")
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


def _start(x: Context, command: c.Start) -> Decision:
    ticket = _visit(x, command, "called")
    if isinstance(ticket, Refusal):
        return ticket
    return Accepted((f.TicketStarted(ticket_id=ticket.ticket_id, session=command.session),))


def _finish(x: Context, command: c.Finish) -> Decision:
    ticket = _visit(x, command, "serving")
    if isinstance(ticket, Refusal):
        return ticket
    return Accepted((f.TicketFinished(ticket_id=ticket.ticket_id, session=command.session, outcome=command.outcome),))


def _no_show(x: Context, command: c.NoShow) -> Decision:
    ticket = _visit(x, command, "called")
    if isinstance(ticket, Refusal):
        return ticket
    return Accepted((f.TicketNoShow(ticket_id=ticket.ticket_id, session=command.session),))


def _transfer(x: Context, command: c.Transfer) -> Decision:
    if (command.service is None) == (command.counter is None):
        return refuse("malformed")
    ticket = _visit(x, command, "called", "serving")
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


def _reinstate(x: Context, command: c.Reinstate) -> Decision:
    ticket = _in_state(x, command.ticket_id, "missed")
    if isinstance(ticket, Refusal):
        return ticket
    return Accepted((f.TicketReinstated(ticket_id=ticket.ticket_id, due_at=due_again(x.day, ticket, x.now)),))


def _park(x: Context, command: c.Park) -> Decision:
    ticket = _visit(x, command, "waiting", "called", "serving")
    if isinstance(ticket, Refusal):
        return ticket
    return Accepted((f.TicketParked(ticket_id=ticket.ticket_id, reason=command.reason),))


def _resume(x: Context, command: c.Resume) -> Decision:
    ticket = _in_state(x, command.ticket_id, "parked")
    return ticket if isinstance(ticket, Refusal) else Accepted((f.TicketResumed(ticket_id=ticket.ticket_id),))


def _leave(x: Context, command: c.Leave) -> Decision:
    ticket = _in_state(x, command.ticket_id, "waiting", "parked", "missed")
    if isinstance(ticket, Refusal):
        return ticket
    return Accepted((f.TicketAbandoned(ticket_id=ticket.ticket_id, reason="left"),))


def _hand_over(x: Context, command: c.HandOver) -> Decision:
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


def _accept(x: Context, command: c.Accept) -> Decision:
    return accept(x.day, command, x.now, x.catalogue)


def _mark_arrived(x: Context, command: c.MarkArrived) -> Decision:
    ticket = _in_state(x, command.ticket_id, "waiting")
    if isinstance(ticket, Refusal):
        return ticket
    return Accepted((f.TicketArrived(ticket_id=ticket.ticket_id),) if ticket.expected else ())


def _sell_lease(x: Context, command: c.SellLease) -> Decision:
    return sell(x.rights, command, x.now)


def _take_reserved(x: Context, command: c.TakeReserved) -> Decision:
    service = x.catalogue.services.get(command.service)
    return take_reserved(x.day, command, x.actor.device_id, x.now, service)


def _in_state(x: Context, ticket_id: str, *states: str) -> Ticket | Refusal:
    ticket = x.day.tickets.get(ticket_id)
    if ticket is None:
        return refuse("ticket_unknown")
    return ticket if ticket.state in states else refuse("wrong_state", ticket_id=ticket_id)


def _report_printed(x: Context, command: c.ReportPrinted) -> Decision:
    ticket = x.day.tickets.get(command.ticket_id)
    if ticket is None:
        return refuse("ticket_unknown")
    if ticket.print_state == "printed" and not command.reprint:
        return Accepted(())
    return Accepted((f.TicketPrinted(ticket_id=ticket.ticket_id, device=x.actor.device_id, reprint=command.reprint),))


def _report_print_failed(x: Context, command: c.ReportPrintFailed) -> Decision:
    if command.ticket_id not in x.day.tickets:
        return refuse("ticket_unknown")
    failed = f.TicketPrintFailed(ticket_id=command.ticket_id, device=x.actor.device_id, reason=command.reason)
    return Accepted((failed,))


def _report_shown(x: Context, command: c.ReportShown) -> Decision:
    ticket = x.day.tickets.get(command.ticket_id)
    if ticket is None:
        return refuse("ticket_unknown")
    if command.announcement and command.announcement != ticket.announcement:
        return Accepted(())  # late, of a call that another has taken the place of
    shown = f.TicketShown(
        ticket_id=ticket.ticket_id,
        display=x.actor.device_id,
        recalls=command.recalls,
        shown_at=command.shown_at,
        sounded=command.sounded,
    )
    return Accepted((shown,))


_RULES: dict[type[c.Command], Callable[[Context, Any], Decision]] = {
    c.CloseDay: _close_day,
    c.OpenCounter: _open_counter,
    c.CloseCounter: _close_counter,
    c.TakeTicket: _take_ticket,
    c.CheckIn: _check_in,
    c.CallNext: _call_next,
    c.CallTicket: _call_ticket,
    c.Recall: _recall,
    c.Start: _start,
    c.Finish: _finish,
    c.NoShow: _no_show,
    c.Transfer: _transfer,
    c.Reinstate: _reinstate,
    c.Park: _park,
    c.Resume: _resume,
    c.Leave: _leave,
    c.HandOver: _hand_over,
    c.Accept: _accept,
    c.MarkArrived: _mark_arrived,
    c.SellLease: _sell_lease,
    c.TakeReserved: _take_reserved,
    c.ReportPrinted: _report_printed,
    c.ReportPrintFailed: _report_print_failed,
    c.ReportShown: _report_shown,
}
