"""What a counter session did last and may take back: remembered as each fact is folded, so that a replay remembers the same.

An act is the facts of one request. Only the last one of a session is kept, with its tickets as they were before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from sync.domain.folding.counters import drop_fallen_marks
from sync.domain.ticket import Act, CounterSession, Ticket
from sync.messages import facts as f
from sync.messages.desk_facts import TicketNeedsSet, TicketRoutePlanned, TicketSkipped, TicketUndone
from sync.messages.envelope import FactHeader

if TYPE_CHECKING:
    from sync.domain.office_day import OfficeDay

REVERSIBLE: frozenset[type[f.Fact]] = frozenset(
    {
        f.TicketCalled,
        f.TicketStarted,
        f.TicketFinished,
        f.TicketNoShow,
        f.TicketTransferred,
        f.TicketParked,
        f.TicketAbandoned,
        TicketSkipped,
    }
)
"""What may be taken back. A recall was heard, a ticket that was given up for another office is not ours any more."""
BESIDE_THE_STATE: frozenset[type[f.Fact]] = frozenset(
    {f.TicketPrinted, f.TicketPrintFailed, f.TicketShown, f.TicketRecalled, TicketNeedsSet, TicketRoutePlanned}
)
"""What is told of a ticket without a change of its state or place; it stands in no undoing's way."""
_NOT_TAKEN_BACK = ("print_state", "to_verify", "changed")


def remember(day: OfficeDay, header: FactHeader, fact: f.Fact) -> None:
    """Keep a ticket as it is before a reversible fact of a counter session is folded."""
    ticket = day.tickets.get(getattr(fact, "ticket_id", ""))
    session = day.sessions.get(getattr(fact, "session", None) or "")
    if ticket is None or session is None or header.request_id is None:
        return
    act = session.act
    if act is None or act.request_id != header.request_id:
        act = session.act = Act(
            request_id=header.request_id,
            at=header.occurred_at,
            began=(header.epoch, header.seq),
            position=(header.epoch, header.seq),
            last_call=session.last_call,
            last_ticket_id=session.last_ticket_id,
            skipped=session.skipped,
        )
    act.position = (header.epoch, header.seq)
    act.before.setdefault(ticket.ticket_id, msgspec.structs.replace(ticket))
    act.done[ticket.ticket_id] = f.told_as(fact)


def undone(day: OfficeDay, _header: FactHeader, fact: TicketUndone) -> None:
    ticket, session = day.tickets.get(fact.ticket_id), day.sessions.get(fact.session)
    act = session.act if session is not None else None
    if ticket is None or session is None or act is None or act.request_id != fact.act:
        return
    before = act.before.pop(fact.ticket_id, None)
    if before is not None:
        _restore(day, ticket, before, act)
    session.last_call, session.last_ticket_id, session.skipped = act.last_call, act.last_ticket_id, act.skipped
    if not act.before:
        session.act = None


def _restore(day: OfficeDay, ticket: Ticket, before: Ticket, act: Act) -> None:
    if ticket.state == "finished":
        day.uncount(ticket)
    day.announcements = [
        each for each in day.announcements if each.ticket_id != ticket.ticket_id or each.position < act.began
    ]
    day.move(ticket, before.state)
    for name in Ticket.__struct_fields__:
        if name not in _NOT_TAKEN_BACK:
            setattr(ticket, name, getattr(before, name))
    drop_fallen_marks(day, (ticket,))


def forget(sessions: dict[str, CounterSession]) -> None:
    """Nothing can be taken back any more: what was remembered tells the time of another clock."""
    for session in sessions.values():
        session.act = None


FOLDS: dict[type[f.Fact], Callable[..., None]] = {TicketUndone: undone}
