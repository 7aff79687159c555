"""Calls, visits and the ways back to waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sync.domain.ticket import Durations
from sync.messages import facts as f
from sync.messages.envelope import FactHeader

if TYPE_CHECKING:
    from sync.domain.office_day import OfficeDay


def called(day: OfficeDay, header: FactHeader, fact: f.TicketCalled) -> None:
    ticket = day.tickets.get(fact.ticket_id)
    if ticket is None:
        return
    day.move(ticket, "called")
    ticket.session, ticket.called_counter, ticket.counter = fact.session, fact.counter, None
    ticket.called_at, ticket.called_how, ticket.why = header.occurred_at, fact.how, fact.why
    ticket.recalls, ticket.started_at, ticket.shown_at = 0, None, None
    if session := day.sessions.get(fact.session):
        session.last_ticket_id = ticket.ticket_id
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
    if ticket.started_at:
        spent = day.durations.setdefault(ticket.service, Durations())
        spent.count += 1
        spent.total_s += max(0.0, (header.occurred_at - ticket.started_at).total_seconds())


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


def transferred(day: OfficeDay, _header: FactHeader, fact: f.TicketTransferred) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        day.move(ticket, "waiting")
        ticket.service, ticket.counter, ticket.started_at = fact.service, fact.counter, None


def reassigned(day: OfficeDay, _header: FactHeader, fact: f.TicketReassigned) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        ticket.counter = fact.counter


def parked(day: OfficeDay, _header: FactHeader, fact: f.TicketParked) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        day.move(ticket, "parked")


def resumed(day: OfficeDay, _header: FactHeader, fact: f.TicketResumed) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        day.move(ticket, "waiting")


def abandoned(day: OfficeDay, header: FactHeader, fact: f.TicketAbandoned) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        day.move(ticket, "abandoned")
        ticket.ended_at = header.occurred_at


def released(day: OfficeDay, _header: FactHeader, fact: f.TicketReleased) -> None:
    if ticket := day.tickets.get(fact.ticket_id):
        day.move(ticket, "in_transit")
        ticket.released_to, ticket.counter = fact.to_office, None


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
    f.TicketParked: parked,
    f.TicketResumed: resumed,
    f.TicketAbandoned: abandoned,
    f.TicketReleased: released,
}
