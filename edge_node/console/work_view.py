"""What the work screen of a counter shows, in values: who is next and why, who waits, the visit, the day's agenda.

Read from the office's state in one go, so that all of it is true at one position of the journal. Names of people are only
here: of the visit while it lasts, and as initials in the agenda.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from edge_node.console.agenda_states import OVER, AgendaState, standing
from edge_node.console.queue_view import AppointmentView, view_agenda, view_sold_here
from edge_node.console.tickets_view import NOT_SHOWN_AFTER_S, Because, Look, Place, Visit
from edge_node.queue.state import OfficeState
from sync.domain.names import initials
from sync.domain.ordering import in_order, next_for
from sync.domain.parked import next_alert_at
from sync.domain.ticket import CounterSession
from sync.domain.undo import UNDO_S, undoable

REFRESH_S = 30
"""Waits are written in minutes; a page that nothing happens to is made anew this often."""


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """What the session may take back.

    Args:
        act: the request that ``undo`` must name.
        steps: tag of the fact and label of the ticket, in the order in which they happened.
    """

    act: str
    steps: tuple[tuple[str, str], ...]
    left_s: int


class AgendaLine(msgspec.Struct, frozen=True, kw_only=True):
    appointment_id: str
    slot_start_at: datetime
    service: str
    state: AgendaState
    label: str = ""
    initials: str = ""
    pending: bool = False


class WorkView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of one counter session at one position of the journal.

    Args:
        after: the last call here: what the next one must name.
        last: id and label of the ticket whose visit was here last; none when it did not come.
        refresh_s: after so many seconds something shown changes by itself.
    """

    position: str
    office_name: str
    counter: str
    zone: str
    session: str
    services: tuple[str, ...]
    after: str | None
    last: tuple[str, str] | None
    reinstate_min: int
    next: Place | None
    because: Because | None
    waiting: tuple[Place, ...]
    others: tuple[Place, ...]
    visit: Visit | None
    agenda: tuple[AgendaLine, ...]
    over: tuple[AgendaLine, ...]
    missed: tuple[Place, ...]
    parked: tuple[Place, ...]
    not_printed: tuple[str, ...]
    to_verify: tuple[str, ...]
    sold: int
    undo: Undo | None
    refresh_s: int

    @property
    def longest_min(self) -> int:
        return max((place.wait_min for place in (*self.waiting, *((self.next,) if self.next else ()))), default=0)


def session_of(state: OfficeState, staff_id: str) -> CounterSession | None:
    """The counter that somebody has open, wherever they opened it."""
    return next((s for s in state.day.sessions.values() if s.staff_id == staff_id), None)


def view_work(state: OfficeState, session: CounterSession, locale: str) -> WorkView:
    """The screen of an open counter session; services carry their names in ``locale``."""
    look = _Agenda(state, session, locale)
    day, now = state.day, state.now()
    choice = next_for(day, session, now)
    waiting = in_order(day.waiting.values())
    rows = [look.place(t) for t in waiting if choice is None or t is not choice.ticket]
    visit = look.visit(day.visit_at(session.session))
    undo = _undo(state, session, now)
    agenda = [look.line(row) for row in view_agenda(state)]
    counter = state.configuration.catalogue.counters.get(session.counter)
    return WorkView(
        position=f"{state.tail.epoch}-{state.tail.seq}",
        office_name=state.configuration.catalogue.office.name,
        counter=session.counter,
        zone=counter.zone.upper() if counter else "",
        session=session.session,
        services=tuple(look.service(each) for each in session.primary),
        after=session.last_call,
        last=_last_visit(state, session),
        reinstate_min=day.policy.reinstate_within_min,
        next=look.place(choice.ticket) if choice else None,
        because=look.because(choice.ticket, choice.rule) if choice else None,
        waiting=tuple(row for row in rows if row.mine),
        others=tuple(row for row in rows if not row.mine),
        visit=visit,
        agenda=tuple(line for line in agenda if line.state not in OVER),
        over=tuple(line for line in agenda if line.state in OVER),
        missed=look.places("missed"),
        parked=look.places("parked"),
        not_printed=tuple(t.label for t in waiting if t.print_state == "failed"),
        to_verify=tuple(t.label for t in waiting if t.to_verify),
        sold=len(view_sold_here(state)),
        undo=undo,
        refresh_s=_refresh_s(visit, undo, next_alert_at(day, now), now),
    )


class _Agenda(Look):
    """The day's appointments, beside the tickets."""

    def line(self, row: AppointmentView) -> AgendaLine:
        ticket = self.state.day.tickets.get(row.ticket_id or "")
        return AgendaLine(
            appointment_id=row.id,
            slot_start_at=row.slot_start_at,
            service=self.service(row.service_id),
            state=standing(self.state, row, self.now),
            label=ticket.label if ticket else "",
            initials=initials(row.person.display_name),
            pending=row.pending,
        )


def _last_visit(state: OfficeState, session: CounterSession) -> tuple[str, str] | None:
    ticket = state.day.tickets.get(session.last_ticket_id or "")
    came = ticket is not None and ticket.state not in {"missed", "abandoned"}
    return (ticket.ticket_id, ticket.label) if ticket is not None and came else None


def _undo(state: OfficeState, session: CounterSession, now: datetime) -> Undo | None:
    act = undoable(state.day, session, now)
    if act is None:
        return None
    steps = tuple((tag, state.day.tickets[ticket_id].label) for ticket_id, tag in act.done.items())
    left = act.at + timedelta(seconds=UNDO_S) - now
    return Undo(act=act.request_id, steps=steps, left_s=int(left.total_seconds()))


def _refresh_s(visit: Visit | None, undo: Undo | None, alert_at: datetime | None, now: datetime) -> int:
    """When to look again though nothing happens: a fresh call that a screen should have shown by then, the end of what may be
    taken back, a parked ticket that becomes due.
    """
    soon = [REFRESH_S]
    if visit is not None and visit.state == "called" and not visit.not_shown:
        soon.append(NOT_SHOWN_AFTER_S + 1 - visit.unseen_s)
    if undo is not None:
        soon.append(undo.left_s + 1)
    if alert_at is not None:
        soon.append(int((alert_at - now).total_seconds()) + 1)
    return max(1, min(soon))
