"""Calls, visits and the ways back to waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sync.domain.to_do import planned, planned_meanwhile, sent_on, without
from sync.messages import facts as f
from sync.messages.desk_facts import (
    TicketPriorityChanged,
    TicketRoutePlanned,
    TicketServiceAdded,
    TicketSkipped,
    TicketWantedBack,
)
from sync.messages.envelope import FactHeader

if TYPE_CHECKING:
    from sync.domain.office_day import OfficeDay
    from sync.domain.ticket import Ticket


def called(day: OfficeDay, header: FactHeader, fact: f.TicketCalled) -> None:
    ticket = day.tickets.get(fact.ticket_id)
    if ticket is None:
        return
    day.move(ticket, "called")
    ticket.unmark()
    ticket.session, ticket.called_counter = fact.session, fact.counter
    ticket.called_at, ticket.called_how, ticket.why = header.occurred_at, fact.how, fact.why
    ticket.recalls, ticket.started_at, ticket.shown_at, ticket.added = 0, None, None, ()
    ticket.returned_at = ticket.returned_for = None
    if session := day.sessions.get(fact.session):
        session.last_call, session.last_ticket_id, session.skipped = header.request_id, ticket.ticket_id, ()
    day.announce(ticket, fact.counter, header)


def recalled(day: OfficeDay, header: FactHeader, fact: f.TicketRecalled) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        ticket.recalls, ticket.shown_at = fact.recalls, None
        day.announce(ticket, fact.counter, header)


def shown(day: OfficeDay, _header: FactHeader, fact: f.TicketShown) -> None:
    ticket = day.tickets.get(fact.ticket_id)
    if ticket and ticket.recalls == fact.recalls:
        ticket.shown_at = fact.shown_at


def started(day: OfficeDay, header: FactHeader, fact: f.TicketStarted) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        day.move(ticket, "serving")
        ticket.started_at = header.occurred_at


def finished(day: OfficeDay, header: FactHeader, fact: f.TicketFinished) -> None:
    ticket = day.tickets.get(fact.ticket_id)
    if ticket is None:
        return
    day.move(ticket, "finished")
    ticket.ended_at, ticket.outcome = header.occurred_at, fact.outcome
    ticket.services = fact.services
    _done(ticket, fact.services)
    day.count(ticket)


def no_show(day: OfficeDay, header: FactHeader, fact: f.TicketNoShow) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        day.move(ticket, "missed")
        ticket.missed_at = header.occurred_at


def reinstated(day: OfficeDay, _header: FactHeader, fact: f.TicketReinstated) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        day.move(ticket, "waiting")
        ticket.reinstated += 1
        ticket.missed_at = None
        if fact.due_at > ticket.due_at:
            ticket.due_at = ticket.due_floor_at = fact.due_at


def transferred(day: OfficeDay, header: FactHeader, fact: f.TicketTransferred) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        session = day.sessions.get(fact.session or "")
        if session is not None and ticket.state in ("called", "serving"):
            # Who looks at the visit as it was and presses "next" would call the same person back.
            session.last_call = header.request_id
        day.move(ticket, "waiting")
        ticket.unmark()
        _sent(day, header, ticket, fact)
        if fact.ends_step:
            _done(ticket, fact.services)
        else:
            ticket.to_do = sent_on(ticket.to_do, ticket.service, fact.service)
        ticket.service, ticket.started_at, ticket.added = fact.service, None, ()
        ticket.counter, ticket.staff_id, ticket.zone = fact.counter, fact.staff_id, fact.zone
        ticket.is_first = fact.order == "next"
        ticket.behind_at = header.occurred_at if fact.order == "end" else None
        ticket.has_note = ticket.has_note or fact.has_note


def _done(ticket: Ticket, services: tuple[str, ...]) -> None:
    """What was done of a planned visit, the present step in any case."""
    left = without(ticket.to_do, (ticket.service, *services))
    ticket.steps_done += len(ticket.to_do) - len(left)
    ticket.to_do = left


def _sent(day: OfficeDay, header: FactHeader, ticket: Ticket, fact: f.TicketTransferred) -> None:
    """Who sent it on. A visit that only went back, because its counter was ended, was sent by nobody."""
    if fact.service == ticket.service and not (fact.counter or fact.staff_id or fact.zone):
        return
    session = day.sessions.get(fact.session or "")
    ticket.sent_from, ticket.sent_by = session.counter if session else None, header.actor_id


def skipped(day: OfficeDay, _header: FactHeader, fact: TicketSkipped) -> None:
    ticket, session = day.tickets.get(fact.ticket_id), day.sessions.get(fact.session)
    if ticket is not None and ticket.state == "called":
        day.move(ticket, "waiting")
    if session is not None:
        session.skipped = (*session.skipped, fact.ticket_id)


def service_added(day: OfficeDay, _header: FactHeader, fact: TicketServiceAdded) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        ticket.added = (*ticket.added, fact.service)


def route_planned(day: OfficeDay, _header: FactHeader, fact: TicketRoutePlanned) -> None:
    """A plan outlives the undoing of what was done before it. Steps that are done beside the present one are not in a plan, and
    stay to do until they are.
    """
    if ticket := day.tickets.get(fact.ticket_id):
        beside = without(ticket.added, (ticket.service, *fact.steps))
        steps = (*(each for each in beside if each in ticket.to_do), *fact.steps)
        for session in day.sessions.values():
            if session.act and (before := session.act.before.get(ticket.ticket_id)):
                before.to_do = planned_meanwhile(before.to_do, before.service, ticket.service, steps, before.steps_done)
        ticket.to_do = planned(ticket.service, steps, ticket.steps_done)


def priority_changed(day: OfficeDay, _header: FactHeader, fact: TicketPriorityChanged) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        ticket.priority_class, ticket.due_at = fact.priority_class, fact.due_at


def reassigned(day: OfficeDay, _header: FactHeader, fact: f.TicketReassigned) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        if fact.counter is None:
            ticket.unmark()
        else:
            ticket.counter, ticket.staff_id, ticket.zone = fact.counter, None, None


def parked(day: OfficeDay, header: FactHeader, fact: f.TicketParked) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        day.move(ticket, "parked")
        ticket.parked_reason, ticket.remind_at, ticket.returns_at = fact.reason, fact.remind_at, fact.returns_at
        ticket.parked_at, ticket.parked_by = header.occurred_at, header.actor_id
        if fact.kept_for is not None:
            ticket.unmark()
            ticket.staff_id, ticket.is_first = fact.kept_for, True


def resumed(day: OfficeDay, header: FactHeader, fact: f.TicketResumed) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        day.move(ticket, "waiting")
        if fact.automatic:
            ticket.returned_at, ticket.returned_for = header.occurred_at, ticket.parked_by
        ticket.parked_reason = ticket.remind_at = ticket.returns_at = ticket.parked_at = ticket.parked_by = None


def abandoned(day: OfficeDay, header: FactHeader, fact: f.TicketAbandoned) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        day.move(ticket, "abandoned")
        ticket.ended_at = header.occurred_at


def released(day: OfficeDay, header: FactHeader, fact: f.TicketReleased) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        day.move(ticket, "in_transit")
        ticket.unmark()
        ticket.released_to, ticket.released, ticket.released_at = fact.to_office, fact, header.occurred_at
        ticket.wanted_back = False


def wanted_back(day: OfficeDay, _header: FactHeader, fact: TicketWantedBack) -> None:
    ticket = day.tickets.get(fact.ticket_id)
    if ticket is not None and ticket.state == "in_transit" and ticket.tenure == fact.tenure:
        ticket.wanted_back = True


FOLDS: dict[type[f.Fact], Callable[..., None]] = {
    f.TicketCalled: called,
    f.TicketRecalled: recalled,
    f.TicketShown: shown,
    f.TicketStarted: started,
    f.TicketFinished: finished,
    f.TicketNoShow: no_show,
    f.TicketReinstated: reinstated,
    f.TicketTransferred: transferred,
    f.TicketReassigned: reassigned,
    TicketSkipped: skipped,
    TicketServiceAdded: service_added,
    TicketPriorityChanged: priority_changed,
    TicketRoutePlanned: route_planned,
    f.TicketParked: parked,
    f.TicketResumed: resumed,
    f.TicketAbandoned: abandoned,
    f.TicketReleased: released,
    TicketWantedBack: wanted_back,
}
