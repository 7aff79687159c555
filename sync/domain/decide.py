"""What a command does to the queue: ``decide(day, command, actor, now, catalogue) -> facts | refusal | unchanged``.

Pure: it reads the state left by the command before and writes nothing. The caller commits the facts, then folds them
into the day. The day itself is turned by ``turn_day``, asked before every command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from sync.domain import arrivals, calls, moves, persons, reports, routes, support, undo
from sync.domain.catalogue import Catalogue
from sync.domain.counters import change_services, close_counter, open_counter, pause_counter, resume_counter
from sync.domain.deciding import Context
from sync.domain.handover import accept
from sync.domain.leases import NO_RIGHTS, Rights, sell
from sync.domain.office_day import OfficeDay
from sync.domain.outcomes import Accepted, Decision, refuse
from sync.domain.reserve import take_reserved
from sync.domain.retold import take_printed
from sync.messages import commands as c
from sync.messages import facts as f

AT_ANY_HOUR = (c.ReportPrinted, c.ReportPrintFailed, c.ReportShown, c.AskSupport, c.AnswerSupport, c.Reveal)
"""What is not about the open day: devices tell of yesterday's paper, and staff who are alone after hours may need help
and may look up tomorrow's appointments."""


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
    if not day.is_open and not isinstance(command, AT_ANY_HOUR):
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


def _pause_counter(x: Context, command: c.PauseCounter) -> Decision:
    return pause_counter(x.day, command, x.actor)


def _resume_counter(x: Context, command: c.ResumeCounter) -> Decision:
    return resume_counter(x.day, command, x.actor)


def _change_services(x: Context, command: c.ChangeServices) -> Decision:
    return change_services(x.day, command, x.actor, x.catalogue)


def _accept(x: Context, command: c.Accept) -> Decision:
    return accept(x.day, command, x.now, x.catalogue)


def _sell_lease(x: Context, command: c.SellLease) -> Decision:
    return sell(x.rights, command, x.now)


def _take_reserved(x: Context, command: c.TakeReserved) -> Decision:
    service = x.catalogue.services.get(command.service)
    return take_reserved(x.day, command, x.actor.device_id, x.now, service)


_RULES: dict[type[c.Command], Callable[[Context, Any], Decision]] = {
    c.CloseDay: _close_day,
    c.OpenCounter: _open_counter,
    c.CloseCounter: _close_counter,
    c.TakeTicket: arrivals.take_ticket_unless_given,
    c.CheckIn: arrivals.check_in,
    c.CallNext: calls.call_next,
    c.CallTicket: calls.call_ticket,
    c.Recall: calls.recall,
    c.Start: calls.start,
    c.Finish: calls.finish,
    c.NoShow: calls.no_show,
    c.Transfer: moves.transfer,
    c.Reinstate: moves.reinstate,
    c.Park: moves.park,
    c.Resume: moves.resume,
    c.Skip: moves.skip,
    c.Reassign: moves.reassign,
    c.AssignTicket: moves.assign_ticket,
    c.ChangeServices: _change_services,
    c.AddService: calls.add_service,
    c.ServeWalkIn: calls.serve_walk_in,
    c.SetPriority: persons.set_priority,
    c.SetNeeds: persons.set_needs,
    c.PlanRoute: routes.plan_route,
    c.Undo: undo.undo,
    c.PauseCounter: _pause_counter,
    c.ResumeCounter: _resume_counter,
    c.AskSupport: support.ask_support,
    c.AnswerSupport: support.answer_support,
    c.Leave: moves.leave,
    c.HandOver: moves.hand_over,
    c.TakeBack: moves.take_back,
    c.Accept: _accept,
    c.MarkArrived: moves.mark_arrived,
    c.SellLease: _sell_lease,
    c.Reveal: persons.reveal,
    c.TakeReserved: _take_reserved,
    c.TakePrinted: take_printed,
    c.ReportPrinted: reports.report_printed,
    c.ReportPrintFailed: reports.report_print_failed,
    c.ReportShown: reports.report_shown,
}
