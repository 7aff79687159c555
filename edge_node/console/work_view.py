"""What the work screen of a counter shows, in values: who is next and why, who waits, the visit, the day's agenda.

Read from the office's state in one go, so that all of it is true at one position of the journal. Names of people are only
here: of the visit while it lasts, and as initials in the agenda.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from edge_node.console.queue_view import AppointmentView, view_agenda, view_sold_here
from edge_node.metrics import NOT_SHOWN_AFTER
from edge_node.queue.journal import Person
from edge_node.queue.state import OfficeState
from sync.domain.ordering import in_order, next_for, reachable
from sync.domain.ticket import CounterSession, Ticket
from sync.messages.facts import NextRule
from sync.messages.feed import Appointment
from sync.messages.policy import GENERAL

NOT_SHOWN_AFTER_S = NOT_SHOWN_AFTER.seconds
REFRESH_S = 30
"""Waits are written in minutes; a page that nothing happens to is made anew this often."""

AgendaState = Literal["in_course", "arrived", "missed", "late", "not_arrived", "done", "sent", "cancelled", "moved"]
_BY_TICKET: dict[str, AgendaState] = {
    "waiting": "arrived",
    "parked": "arrived",
    "called": "in_course",
    "serving": "in_course",
    "missed": "missed",
    "finished": "done",
    "abandoned": "done",
    "in_transit": "sent",
}
OVER: frozenset[AgendaState] = frozenset({"done", "sent", "cancelled", "moved"})


class Because(msgspec.Struct, frozen=True, kw_only=True):
    """Why a ticket stands where it does, for ``sentences.because``."""

    rule: NextRule
    origin: str
    arrived_at: datetime
    due_at: datetime
    slot_start_at: datetime | None
    priority: bool
    late: bool
    reinstated: bool
    transferred: bool
    kept_for: bool
    is_first: bool
    behind_at: datetime | None
    threshold_min: int


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket in a list. ``from_at`` is set while it may not be called yet."""

    ticket_id: str
    label: str
    service: str
    wait_min: int
    mine: bool
    slot_start_at: datetime | None = None
    from_at: datetime | None = None
    missed_at: datetime | None = None
    needs: tuple[str, ...] = ()
    language: str = "es"
    to_verify: bool = False
    not_printed: bool = False


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """The ticket that the counter has called or is serving. ``name`` is empty for somebody without appointment."""

    ticket_id: str
    label: str
    state: Literal["called", "serving"]
    service: str
    arrived_at: datetime
    called_at: datetime
    due_at: datetime
    waited_min: int
    elapsed_s: int
    recalls: int
    documents: tuple[str, ...] = ()
    slot_start_at: datetime | None = None
    name: str = ""
    needs: tuple[str, ...] = ()
    language: str = "es"
    to_verify: bool = False
    not_printed: bool = False
    unseen_s: int = 0
    """Seconds since the last announcement, while no screen has shown it."""

    @property
    def not_shown(self) -> bool:
        return self.state == "called" and self.unseen_s >= NOT_SHOWN_AFTER_S


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
        after: the last ticket called here, open or not: what the next call must name.
        refresh_s: after so many seconds something shown changes by itself.
    """

    position: str
    office_name: str
    counter: str
    zone: str
    session: str
    services: tuple[str, ...]
    after: str | None
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
    refresh_s: int

    @property
    def longest_min(self) -> int:
        return max((place.wait_min for place in (*self.waiting, *((self.next,) if self.next else ()))), default=0)


def session_of(state: OfficeState, staff_id: str) -> CounterSession | None:
    """The counter that somebody has open, wherever they opened it."""
    return next((s for s in state.day.sessions.values() if s.staff_id == staff_id), None)


def view_work(state: OfficeState, session: CounterSession, locale: str) -> WorkView:
    """The screen of an open counter session; services carry their names in ``locale``."""
    look = _Look(state, session, locale)
    day, now = state.day, state.now()
    choice = next_for(day, session, now)
    waiting = in_order(day.waiting.values())
    rows = [look.place(t) for t in waiting if choice is None or t is not choice.ticket]
    visit = look.visit(day.visit_at(session.session))
    agenda = [look.line(row) for row in view_agenda(state)]
    counter = state.configuration.catalogue.counters.get(session.counter)
    return WorkView(
        position=f"{state.tail.epoch}-{state.tail.seq}",
        office_name=state.configuration.catalogue.office.name,
        counter=session.counter,
        zone=counter.zone.upper() if counter else "",
        session=session.session,
        services=tuple(look.service(each) for each in session.primary),
        after=session.last_ticket_id,
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
        refresh_s=_refresh_s(visit),
    )


class _Look:
    """One look at the state: the same instant and language for all that is shown."""

    def __init__(self, state: OfficeState, session: CounterSession, locale: str) -> None:
        self._state = state
        self._session = session
        self._locale = locale
        self._now = state.now()

    def service(self, service_id: str) -> str:
        """A service's name; its id when central has told nothing (any more)."""
        return service_name(self._state, service_id, self._locale)

    def place(self, ticket: Ticket) -> Place:
        row = self._booking(ticket)
        return Place(
            ticket_id=ticket.ticket_id,
            label=ticket.label,
            service=self.service(ticket.service),
            wait_min=_minutes(self._now - ticket.arrived_at),
            mine=reachable(self._session, ticket),
            slot_start_at=ticket.slot_start_at,
            from_at=ticket.callable_at if ticket.callable_at > self._now else None,
            missed_at=ticket.missed_at,
            needs=_needs(ticket, row),
            language=row.language if row else "es",
            to_verify=ticket.to_verify,
            not_printed=ticket.print_state == "failed",
        )

    def places(self, state: str) -> tuple[Place, ...]:
        """The tickets in a state, the latest first."""
        found = [t for t in self._state.day.tickets.values() if t.state == state]
        return tuple(self.place(t) for t in sorted(found, key=lambda t: t.missed_at or t.arrived_at, reverse=True))

    def because(self, ticket: Ticket, rule: NextRule) -> Because:
        called_before = ticket.called_at is not None
        return Because(
            rule=rule,
            origin=ticket.origin,
            arrived_at=ticket.arrived_at,
            due_at=ticket.due_at,
            slot_start_at=ticket.slot_start_at,
            priority=ticket.priority_class != GENERAL,
            late=ticket.band in ("late", "too_late"),
            reinstated=ticket.reinstated > 0,
            transferred=called_before and ticket.reinstated == 0,
            kept_for=ticket.counter == self._session.counter or ticket.staff_id == self._session.staff_id,
            is_first=ticket.is_first,
            behind_at=ticket.behind_at,
            threshold_min=self._state.day.policy.secondary_threshold_min,
        )

    def visit(self, ticket: Ticket | None) -> Visit | None:
        if ticket is None or ticket.called_at is None or ticket.state not in ("called", "serving"):
            return None
        row = self._booking(ticket)
        return Visit(
            ticket_id=ticket.ticket_id,
            label=ticket.label,
            state="called" if ticket.state == "called" else "serving",
            service=self.service(ticket.service),
            arrived_at=ticket.arrived_at,
            called_at=ticket.called_at,
            due_at=ticket.due_at,
            waited_min=_minutes(ticket.called_at - ticket.arrived_at),
            elapsed_s=max(0, int((self._now - (ticket.started_at or ticket.called_at)).total_seconds())),
            recalls=ticket.recalls,
            documents=documents(self._state, ticket.service, self._locale),
            slot_start_at=ticket.slot_start_at,
            name=row.display_name if row else "",
            needs=_needs(ticket, row),
            language=row.language if row else "es",
            to_verify=ticket.to_verify,
            not_printed=ticket.print_state == "failed",
            unseen_s=self._unseen_s(ticket),
        )

    def line(self, row: AppointmentView) -> AgendaLine:
        ticket = self._state.day.tickets.get(row.ticket_id or "")
        return AgendaLine(
            appointment_id=row.id,
            slot_start_at=row.slot_start_at,
            service=self.service(row.service_id),
            state=self._standing(row, ticket),
            label=ticket.label if ticket else "",
            initials=initials(row.person.display_name),
            pending=row.pending,
        )

    def _standing(self, row: AppointmentView, ticket: Ticket | None) -> AgendaState:
        if ticket is not None:
            return _BY_TICKET[ticket.state]
        if row.status == "booked":
            grace = timedelta(minutes=self._state.day.policy.grace_min)
            return "late" if self._now > row.slot_start_at + grace else "not_arrived"
        return "moved" if row.status == "moved" else "cancelled"

    def _unseen_s(self, ticket: Ticket) -> int:
        """Seconds since the last announcement, while no screen has shown it."""
        if ticket.shown_at is not None or ticket.announced_at is None:
            return 0
        return int((self._now - ticket.announced_at).total_seconds())

    def _booking(self, ticket: Ticket) -> Appointment | Person | None:
        """Who a ticket is for: its row of the agenda, or what came with it from another office."""
        appointment_id = ticket.appointment_id or ""
        return self._state.agenda.by_id.get(appointment_id) or self._state.people.get(appointment_id)


def service_name(state: OfficeState, service_id: str, locale: str) -> str:
    """The name of a service in a language of staff, else in Spanish."""
    service = state.configuration.catalogue.services.get(service_id)
    return service.names.get(locale) or service.names.get("es", service_id) if service else service_id


def documents(state: OfficeState, service_id: str, locale: str) -> tuple[str, ...]:
    """What a person must bring for a service, in a language of staff, else in Spanish."""
    service = state.configuration.catalogue.services.get(service_id)
    return tuple(text.get(locale) or text.get("es", "") for text in service.documents) if service else ()


def initials(name: str) -> str:
    """``F. M.`` of "Fátima M.": enough to find somebody in a list, and no name on a screen that others see."""
    return " ".join(f"{word[0].upper()}." for word in name.split() if word[0].isalpha())


def _needs(ticket: Ticket, row: Appointment | Person | None) -> tuple[str, ...]:
    """Needs that a person told when booking; without them the class that a clerk gave, as one."""
    if row is not None and row.needs:
        return row.needs
    return ("mobility",) if ticket.priority_class != GENERAL else ()


def _minutes(stretch: timedelta) -> int:
    return max(0, int(stretch.total_seconds() // 60))


def _refresh_s(visit: Visit | None) -> int:
    """A fresh call is looked at again when a screen should have shown it."""
    if visit is not None and visit.state == "called" and not visit.not_shown:
        return NOT_SHOWN_AFTER_S + 1 - visit.unseen_s
    return REFRESH_S
