"""Opening and closing counters: one clerk at a counter, one counter for a clerk."""

from __future__ import annotations

from sync.domain.catalogue import Catalogue
from sync.domain.office_day import OfficeDay
from sync.domain.outcomes import Accepted, Decision, Unchanged, refuse
from sync.domain.ticket import CounterSession
from sync.messages import facts as f
from sync.messages.commands import Actor, CloseCounter, OpenCounter
from sync.messages.refusals import Refusal


def own_session(day: OfficeDay, session_id: str, actor: Actor) -> CounterSession | Refusal:
    """The counter session, if it is open and the actor's own."""
    session = day.sessions.get(session_id)
    if session is None:
        return refuse("counter_closed")
    return session if session.staff_id == actor.actor_id else refuse("forbidden")


def open_counter(day: OfficeDay, command: OpenCounter, actor: Actor, catalogue: Catalogue) -> Decision:
    """Open a counter with its own services or the ones asked for; a take-over ends the other clerk's session first."""
    counter = catalogue.counters.get(command.counter)
    if counter is None:
        return refuse("counter_unknown")
    primary, secondary = (
        (command.primary, command.secondary) if command.primary else (counter.primary, counter.secondary)
    )
    if not set(primary) | set(secondary) <= set(catalogue.services):
        return refuse("service_unknown")
    theirs = day.sessions.get(day.session_at.get(command.counter, ""))
    if theirs is not None and theirs.staff_id == actor.actor_id:
        return Unchanged()
    if any(s.staff_id == actor.actor_id for s in day.sessions.values()):
        return refuse("session_open")
    if theirs is not None and not command.take_over:
        return refuse("counter_taken")
    opened = f.CounterOpened(session=command.request_id, counter=command.counter, primary=primary, secondary=secondary)
    return Accepted((*(_end(day, theirs, "taken_over") if theirs else ()), opened))


def close_counter(day: OfficeDay, command: CloseCounter, actor: Actor) -> Decision:
    """Close one's own counter, or as a supervisor end another clerk's session: its visit then waits again, in place."""
    session = day.sessions.get(command.session)
    if session is None:
        return refuse("counter_closed")
    if session.staff_id == actor.actor_id:
        if visit := day.visit_at(session.session):
            return refuse("visit_open", ticket_id=visit.ticket_id)
        return Accepted((f.CounterClosed(session=session.session, counter=session.counter, reason="closed"),))
    if not actor.supervisor:
        return refuse("forbidden")
    return Accepted(_end(day, session, "ended_by_supervisor"))


def _end(day: OfficeDay, session: CounterSession, reason: str) -> tuple[f.Fact, ...]:
    closed = f.CounterClosed(session=session.session, counter=session.counter, reason=reason)  # type: ignore[arg-type]
    visit = day.visit_at(session.session)
    if visit is None:
        return (closed,)
    back = f.TicketTransferred(ticket_id=visit.ticket_id, service=visit.service, session=session.session)
    return (back, closed)
