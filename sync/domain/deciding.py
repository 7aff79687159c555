"""What every decision reads, and the checks that many of them share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from sync.domain.catalogue import Catalogue
from sync.domain.counters import own_session
from sync.domain.leases import Rights
from sync.domain.office_day import OfficeDay
from sync.domain.outcomes import Unchanged, refuse
from sync.domain.ticket import CounterSession, Ticket
from sync.messages import commands as c
from sync.messages import facts as f
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


def seen_session(
    x: Context, command: c.CallNext | c.CallTicket | c.ServeWalkIn
) -> CounterSession | Refusal | Unchanged:
    """The caller's counter session, if it may call at all and the clerk's view of it is the present one."""
    session = own_session(x.day, command.session, x.actor)
    if isinstance(session, Refusal):
        return session
    if command.after != session.last_call:
        return Unchanged()
    return refuse("counter_paused") if session.is_paused else session


def ready_session(x: Context, command: c.CallTicket | c.ServeWalkIn) -> CounterSession | Refusal | Unchanged:
    """The same, and no visit is open there."""
    session = seen_session(x, command)
    if isinstance(session, CounterSession) and (visit := x.day.visit_at(session.session)):
        return refuse("visit_open", ticket_id=visit.ticket_id)
    return session


def own_visit(x: Context, command: c.TicketCommand, *states: str) -> Ticket | Refusal:
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


def in_state(x: Context, ticket_id: str, *states: str) -> Ticket | Refusal:
    ticket = x.day.tickets.get(ticket_id)
    if ticket is None:
        return refuse("ticket_unknown")
    return ticket if ticket.state in states else refuse("wrong_state", ticket_id=ticket_id)


def is_known_class(x: Context, priority_class: str) -> bool:
    return priority_class == GENERAL or priority_class in x.day.policy.class_head_start_min
