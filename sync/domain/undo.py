"""What a clerk may take back, and for how long.

The last reversible act of a counter session (``sync.domain.folding.acts``), by the same clerk, within a minute, while none of
its tickets has moved on: nobody else has called one, no later fact has changed it. An act is undone as a whole; nothing is
deleted, its tickets get facts that put them back as they were. So an act is undone once, and the one before it not at all.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sync.domain.counters import own_session
from sync.domain.deciding import Context
from sync.domain.office_day import OfficeDay
from sync.domain.outcomes import Accepted, Decision, Unchanged, refuse
from sync.domain.ticket import Act, CounterSession
from sync.messages import commands as c
from sync.messages.desk_facts import TicketUndone
from sync.messages.refusals import Refusal

UNDO_S = 60


def undoable(day: OfficeDay, session: CounterSession, now: datetime) -> Act | None:
    """The act that a session may take back now."""
    act = session.act
    return act if act is not None and _objection(day, act, now) is None else None


def undo(x: Context, command: c.Undo) -> Decision:
    """Take back the act that the clerk means; nothing happens when it is not the last one (any more)."""
    session = own_session(x.day, command.session, x.actor)
    if isinstance(session, Refusal):
        return session
    act = session.act
    if act is None or act.request_id != command.act:
        return Unchanged()
    if (objection := _objection(x.day, act, x.now)) is not None:
        return objection
    facts = [
        TicketUndone(ticket_id=ticket_id, session=session.session, act=act.request_id, undone=act.done[ticket_id])
        for ticket_id in reversed(act.before)  # the latest first: a call before the end of the visit that it followed
    ]
    return Accepted(tuple(facts))


def _objection(day: OfficeDay, act: Act, now: datetime) -> Refusal | None:
    if now - act.at > timedelta(seconds=UNDO_S):
        return refuse("undo_too_late")
    moved = next((ticket_id for ticket_id in act.before if day.tickets[ticket_id].changed > act.position), None)
    if moved is None:
        moved = next((ticket_id for ticket_id in act.before if _came_again(day, ticket_id)), None)
    return refuse("undo_moved_on", ticket_id=moved) if moved is not None else None


def _came_again(day: OfficeDay, ticket_id: str) -> bool:
    """Whether the person was said to have gone and has come with the same appointment since: that ticket stands."""
    ticket = day.tickets[ticket_id]
    if ticket.state != "abandoned" or ticket.appointment_id is None:
        return False
    return day.by_appointment.get(ticket.appointment_id) != ticket_id
