"""Opening, closing, pausing and taking over counters: one clerk at a counter, one counter for a clerk; what they serve."""

from __future__ import annotations

from typing import Literal

import msgspec

from sync.domain.catalogue import Catalogue
from sync.domain.office_day import OfficeDay
from sync.domain.ordering import reachable
from sync.domain.outcomes import Accepted, Decision, Unchanged, refuse
from sync.domain.ticket import CounterSession
from sync.messages import desk_facts as d
from sync.messages import facts as f
from sync.messages.commands import Actor, ChangeServices, CloseCounter, OpenCounter, PauseCounter, ResumeCounter
from sync.messages.refusals import Refusal


class Unserved(msgspec.Struct, frozen=True, kw_only=True):
    """A service that people wait for and that no counter serves at the moment."""

    service: str
    waiting: int


def own_session(day: OfficeDay, session_id: str, actor: Actor) -> CounterSession | Refusal:
    """The counter session, if it is open and the actor's own, and was not taken over in another browser."""
    session = day.sessions.get(session_id)
    if session is None:
        return refuse("counter_closed")
    if session.staff_id != actor.actor_id:
        return refuse("forbidden")
    return refuse("session_elsewhere") if session.console not in ("", actor.device_id) else session


def open_counter(day: OfficeDay, command: OpenCounter, actor: Actor, catalogue: Catalogue) -> Decision:
    """Open a counter with its own services or the ones asked for. A take-over ends another clerk's session there first, and
    brings along the clerk's own one from wherever it was, with its visit. ``only_own``: what was the clerk's own when
    they asked may be somebody else's by now, and then stays theirs.
    """
    counter = catalogue.counters.get(command.counter)
    if counter is None:
        return refuse("counter_unknown")
    primary, secondary = (
        (command.primary, command.secondary) if command.primary else (counter.primary, counter.secondary)
    )
    if not set(primary) | set(secondary) <= set(catalogue.services):
        return refuse("service_unknown")
    there = day.sessions.get(day.session_at.get(command.counter, ""))
    if there is not None and there.staff_id == actor.actor_id:
        return _go_on_here(there, actor) if command.take_over else Unchanged()
    if command.only_own:
        return refuse("counter_taken" if there is not None else "counter_closed")
    own = next((s for s in day.sessions.values() if s.staff_id == actor.actor_id), None)
    if own is not None and not command.take_over:
        return refuse("session_open")
    if there is not None and not command.take_over:
        return refuse("counter_taken")
    opened = f.CounterOpened(
        session=command.request_id,
        counter=command.counter,
        primary=primary,
        secondary=secondary,
        zone=counter.zone,
    )
    ended = end_session(day, there, "taken_over") if there else ()
    notices = [_taken_over(opened, session) for session in (there, own) if session is not None]
    moved = [f.CounterClosed(session=own.session, counter=own.counter, reason="taken_over")] if own else []
    return Accepted((*ended, opened, *notices, *moved))


def _go_on_here(session: CounterSession, actor: Actor) -> Decision:
    """The clerk's own session, in the browser that they sit at now; the other one is told and acts no more."""
    return Accepted(() if session.console == actor.device_id else (_taken_over(session, session),))


def _taken_over(new: CounterSession | f.CounterOpened, old: CounterSession) -> d.CounterTakenOver:
    return d.CounterTakenOver(
        session=new.session, counter=new.counter, from_session=old.session, from_counter=old.counter
    )


def close_counter(day: OfficeDay, command: CloseCounter, actor: Actor) -> Decision:
    """Close one's own counter, or as a supervisor end another clerk's session: its visit then waits again, in place."""
    session = day.sessions.get(command.session)
    if session is None:
        return refuse("counter_closed")
    if session.staff_id == actor.actor_id:
        return _close_own(day, command, actor)
    if not actor.supervisor:
        return refuse("forbidden")
    return Accepted(end_session(day, session, "ended_by_supervisor"))


def _close_own(day: OfficeDay, command: CloseCounter, actor: Actor) -> Decision:
    session = own_session(
        day, command.session, actor
    )  # who signs out of the browser that was left does not close the other one's
    if isinstance(session, Refusal):
        return session
    if visit := day.visit_at(session.session):
        return refuse("visit_open", ticket_id=visit.ticket_id)
    if command.unless_last and left_unserved(day, session):
        return refuse("last_counter")
    closed = f.CounterClosed(session=session.session, counter=session.counter, reason="closed", why=command.reason)
    return Accepted((closed,))


def pause_counter(day: OfficeDay, command: PauseCounter, actor: Actor) -> Decision:
    """No calls from here for a while. An open visit must be ended first: nobody is left sitting at a counter that rests."""
    session = own_session(day, command.session, actor)
    if isinstance(session, Refusal):
        return session
    if visit := day.visit_at(session.session):
        return refuse("visit_open", ticket_id=visit.ticket_id)
    if session.is_paused:
        return Accepted(())
    if command.unless_last and left_unserved(day, session):
        return refuse("last_counter")
    return Accepted((d.CounterPaused(session=session.session, counter=session.counter, reason=command.reason),))


def resume_counter(day: OfficeDay, command: ResumeCounter, actor: Actor) -> Decision:
    session = own_session(day, command.session, actor)
    if isinstance(session, Refusal):
        return session
    if not session.is_paused:
        return Accepted(())
    return Accepted((d.CounterResumed(session=session.session, counter=session.counter),))


def change_services(day: OfficeDay, command: ChangeServices, actor: Actor, catalogue: Catalogue) -> Decision:
    """Let an open counter serve other services from its next call on; primary goes before secondary where both are named."""
    if not actor.supervisor:
        return refuse("forbidden")
    session = day.sessions.get(command.session)
    if session is None:
        return refuse("counter_closed")
    secondary = tuple(each for each in command.secondary if each not in command.primary)
    if not {*command.primary, *secondary} <= set(catalogue.services):
        return refuse("service_unknown")
    if (command.primary, secondary) == (session.primary, session.secondary):
        return Accepted(())
    changed = d.CounterServicesChanged(
        session=session.session, counter=session.counter, primary=command.primary, secondary=secondary
    )
    return Accepted((changed,))


def left_unserved(day: OfficeDay, session: CounterSession) -> tuple[Unserved, ...]:
    """Services that people wait for whom, of the counters at work, only this one may serve: what its pause or close leaves."""
    others = [s for s in day.sessions.values() if s is not session and not s.is_paused]
    waiting: dict[str, int] = {}
    for ticket in day.waiting.values():
        if reachable(session, ticket) and not any(other.serves(ticket.service) for other in others):
            waiting[ticket.service] = waiting.get(ticket.service, 0) + 1
    return tuple(Unserved(service=service, waiting=n) for service, n in sorted(waiting.items()))


def unserved(day: OfficeDay) -> tuple[Unserved, ...]:
    """Services that people wait for while no counter serves them, or those that do are on pause."""
    served = {each for s in day.sessions.values() if not s.is_paused for each in (*s.primary, *s.secondary)}
    waiting = {service: len(line) for service, line in day.lines.by_service.items() if line and service not in served}
    return tuple(Unserved(service=service, waiting=n) for service, n in sorted(waiting.items()))


def end_session(
    day: OfficeDay, session: CounterSession, reason: Literal["taken_over", "ended_by_supervisor"]
) -> tuple[f.Fact, ...]:
    """The facts that end a session; its visit waits again, in its place."""
    closed = f.CounterClosed(session=session.session, counter=session.counter, reason=reason)
    visit = day.visit_at(session.session)
    if visit is None:
        return (closed,)
    back = f.TicketTransferred(ticket_id=visit.ticket_id, service=visit.service, session=session.session)
    return (back, closed)
