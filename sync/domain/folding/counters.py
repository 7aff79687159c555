"""Counters that open, close, pause and are taken over, the tickets that are marked for them, and calls for support."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from sync.domain.ticket import CounterSession, Left, SupportAnswer, SupportCall, Ticket
from sync.messages import desk_facts as d
from sync.messages import facts as f
from sync.messages.envelope import FactHeader

if TYPE_CHECKING:
    from sync.domain.office_day import OfficeDay


def counter_opened(day: OfficeDay, header: FactHeader, fact: f.CounterOpened) -> None:
    day.sessions[fact.session] = CounterSession(
        session=fact.session,
        counter=fact.counter,
        staff_id=header.actor_id,
        primary=fact.primary,
        secondary=fact.secondary,
        opened_at=header.occurred_at,
        zone=fact.zone,
        opened_on=header.device_id,
    )
    day.session_at[fact.counter] = fact.session


def counter_closed(day: OfficeDay, header: FactHeader, fact: f.CounterClosed) -> None:
    session = day.sessions.pop(fact.session, None)
    if session is not None and fact.reason == "closed":
        day.left[fact.counter] = Left(at=header.occurred_at, primary=session.primary, secondary=session.secondary)
    if day.session_at.get(fact.counter) == fact.session:
        del day.session_at[fact.counter]
    drop_fallen_marks(day, day.tickets.values())  # parked ones too: they must not come back to a counter that is closed


def drop_fallen_marks(day: OfficeDay, tickets: Iterable[Ticket]) -> None:
    """Let tickets whose counter, person or zone works no more wait for whoever serves their service, in their place."""
    for ticket in tickets:
        if ticket.is_marked and not _stands(day, ticket):
            ticket.unmark()
            day.lines.keep(ticket)


def _stands(day: OfficeDay, ticket: Ticket) -> bool:
    if ticket.counter is not None:
        return ticket.counter in day.session_at
    if ticket.staff_id is not None:
        return any(s.staff_id == ticket.staff_id for s in day.sessions.values())
    return any(s.zone == ticket.zone and s.serves(ticket.service) for s in day.sessions.values())


def counter_paused(day: OfficeDay, header: FactHeader, fact: d.CounterPaused) -> None:
    if session := day.sessions.get(fact.session):
        session.paused_reason, session.paused_at = fact.reason, header.occurred_at


def counter_resumed(day: OfficeDay, _header: FactHeader, fact: d.CounterResumed) -> None:
    if session := day.sessions.get(fact.session):
        session.paused_reason = session.paused_at = None


def services_changed(day: OfficeDay, _header: FactHeader, fact: d.CounterServicesChanged) -> None:
    if session := day.sessions.get(fact.session):
        session.primary, session.secondary = fact.primary, fact.secondary
        drop_fallen_marks(day, day.tickets.values())


def counter_taken_over(day: OfficeDay, header: FactHeader, fact: d.CounterTakenOver) -> None:
    """A clerk's own session goes on with its visit; what was another clerk's has ended by facts of its own."""
    new, old = day.sessions.get(fact.session), day.sessions.get(fact.from_session)
    if new is None or old is None or new.staff_id != old.staff_id:
        return
    new.console = header.device_id
    if new is old:
        return
    visit = day.visit_at(old.session)
    new.last_call, new.last_ticket_id, new.act = old.last_call, old.last_ticket_id, None
    if visit is not None:
        visit.session, visit.called_counter = new.session, new.counter


def support_asked(day: OfficeDay, header: FactHeader, fact: d.SupportAsked) -> None:
    day.support[fact.support_id] = SupportCall(
        support_id=fact.support_id,
        urgency=fact.urgency,
        staff_id=header.actor_id,
        counter=fact.counter,
        asked_at=header.occurred_at,
    )
    day.support_answers.pop(header.actor_id, None)


def support_answered(day: OfficeDay, header: FactHeader, fact: d.SupportAnswered) -> None:
    """Somebody comes, or who asked needs nobody any more."""
    call = day.support.pop(fact.support_id, None)
    if call is None or call.staff_id == header.actor_id:
        return
    session = next((s for s in day.sessions.values() if s.staff_id == header.actor_id), None)
    day.support_answers[call.staff_id] = SupportAnswer(
        urgency=call.urgency,
        staff_id=header.actor_id,
        counter=session.counter if session else None,
        answered_at=header.occurred_at,
    )


FOLDS: dict[type[f.Fact], Callable[..., None]] = {
    f.CounterOpened: counter_opened,
    f.CounterClosed: counter_closed,
    d.CounterPaused: counter_paused,
    d.CounterResumed: counter_resumed,
    d.CounterServicesChanged: services_changed,
    d.CounterTakenOver: counter_taken_over,
    d.SupportAsked: support_asked,
    d.SupportAnswered: support_answered,
}
