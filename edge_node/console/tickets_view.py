"""A ticket in values, as the work screen shows it: in a list, as the next one with its reason, as the open visit.

Names of people are only in the visit. Notes that staff wrote for each other are told to the counters that may serve the ticket.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from edge_node.metrics import NOT_SHOWN_AFTER
from edge_node.queue.journal import Person, Remark
from edge_node.queue.outcomes import SPEAKS
from edge_node.queue.state import OfficeState
from sync.domain.ordering import ahead_of, reachable
from sync.domain.routes import not_offered, steps_after
from sync.domain.ticket import CounterSession, State, Ticket
from sync.messages.facts import NextRule
from sync.messages.feed import Appointment
from sync.messages.policy import GENERAL

NOT_SHOWN_AFTER_S = NOT_SHOWN_AFTER.seconds


class Because(msgspec.Struct, frozen=True, kw_only=True):
    """Why a ticket stands where it does, for ``sentences.because``.

    Args:
        walks_on: it waits for a further step of its route.
    """

    rule: NextRule
    origin: str
    arrived_at: datetime
    due_at: datetime
    slot_start_at: datetime | None
    priority: bool
    late: bool
    reinstated: bool
    transferred: bool
    walks_on: bool
    kept_for: bool
    is_first: bool
    behind_at: datetime | None
    threshold_min: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a waiting ticket stands, for who asks why it is not theirs yet: people ahead, and why the place is that one."""

    ahead: int
    because: Because


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a planned visit, in names of services.

    Args:
        step, of: which step the present service is, from 1, and of how many; step 0: it is a detour from the plan.
        ahead: the present step and those to come; on a detour those to come.
        elsewhere: of those the ones that this office does not offer: they are passed over here.
    """

    step: int
    of: int
    ahead: tuple[str, ...]
    elsewhere: tuple[str, ...] = ()


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket in a list.

    Args:
        wait_min: since its person came, wherever they have been meanwhile.
        from_at: set while it may not be called yet.
        sent_from, sent_by: the counter and the name of the clerk that sent it on.
        note: what that clerk wrote; empty for counters that may not serve it.
        parked_reason, parked_min, remind_at, returns_at: while it is set aside.
        route: what is left of a planned visit; none: nothing was planned, or only the present service.
        steps_after: id and name of the services that are still to come.
    """

    ticket_id: str
    label: str
    service: str
    state: State
    wait_min: int
    mine: bool
    priority_class: str = GENERAL
    slot_start_at: datetime | None = None
    from_at: datetime | None = None
    missed_at: datetime | None = None
    sent_from: str = ""
    sent_by: str = ""
    note: str = ""
    parked_reason: str = ""
    parked_min: int = 0
    remind_at: datetime | None = None
    returns_at: datetime | None = None
    route: Route | None = None
    steps_after: tuple[tuple[str, str], ...] = ()
    needs: tuple[str, ...] = ()
    language: str = "es"
    to_verify: bool = False
    not_printed: bool = False


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """The ticket that the counter has called or is serving. ``name`` is empty for somebody without appointment.

    Args:
        services: id and name of what the person came for and of what was added.
        addable: what else this counter could go on with.
        note, noted_by: what a colleague wrote for who serves it next.
        route: as of ``Place``.
    """

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
    services: tuple[tuple[str, str], ...] = ()
    addable: tuple[tuple[str, str], ...] = ()
    documents: tuple[str, ...] = ()
    route: Route | None = None
    slot_start_at: datetime | None = None
    name: str = ""
    sent_from: str = ""
    sent_by: str = ""
    note: str = ""
    noted_by: str = ""
    needs: tuple[str, ...] = ()
    language: str = "es"
    to_verify: bool = False
    not_printed: bool = False
    unseen_s: int = 0
    """Seconds since the last announcement, while no screen has shown it."""

    @property
    def not_shown(self) -> bool:
        return self.state == "called" and self.unseen_s >= NOT_SHOWN_AFTER_S


class Look:
    """One look at the state for one counter: the same instant and language for all that is shown."""

    def __init__(self, state: OfficeState, session: CounterSession, locale: str) -> None:
        self.state = state
        self.session = session
        self.locale = locale
        self.now = state.now()

    def service(self, service_id: str) -> str:
        """A service's name; its id when central has told nothing (any more)."""
        return service_name(self.state, service_id, self.locale)

    def route(self, ticket: Ticket) -> Route | None:
        """What is left of a planned visit."""
        of = ticket.steps_done + len(ticket.to_do)
        if not ticket.to_do or (ticket.is_on_route and of <= 1):
            return None
        present = (ticket.service,) if ticket.is_on_route else ()
        elsewhere = not_offered(ticket, self.state.configuration.catalogue)
        return Route(
            step=ticket.steps_done + 1 if ticket.is_on_route else 0,
            of=of,
            ahead=tuple(self.service(each) for each in (*present, *steps_after(ticket))),
            elsewhere=tuple(self.service(each) for each in elsewhere),
        )

    def place(self, ticket: Ticket) -> Place:
        row, remark = self._booking(ticket), self.state.remarks.get(ticket.ticket_id)
        mine = reachable(self.session, ticket)
        return Place(
            ticket_id=ticket.ticket_id,
            label=ticket.label,
            service=self.service(ticket.service),
            state=ticket.state,
            wait_min=minutes(self.now - ticket.arrived_at),
            mine=mine,
            priority_class=ticket.priority_class,
            slot_start_at=ticket.slot_start_at,
            from_at=ticket.callable_at if ticket.callable_at > self.now else None,
            missed_at=ticket.missed_at,
            sent_from=ticket.sent_from or "",
            sent_by=staff_name_of(self.state, ticket.sent_by),
            note=remark.note if remark and mine else "",
            parked_reason=ticket.parked_reason or "",
            parked_min=minutes(self.now - ticket.parked_at) if ticket.parked_at else 0,
            remind_at=ticket.remind_at,
            returns_at=ticket.returns_at,
            route=self.route(ticket),
            steps_after=tuple((each, self.service(each)) for each in steps_after(ticket)),
            needs=_needs(ticket, row, remark),
            language=_language(row, remark),
            to_verify=ticket.to_verify,
            not_printed=ticket.print_state == "failed",
        )

    def places(self, state: str) -> tuple[Place, ...]:
        """The tickets in a state, the latest first."""
        found = [t for t in self.state.day.tickets.values() if t.state == state]
        return tuple(
            self.place(t) for t in sorted(found, key=lambda t: t.missed_at or t.parked_at or t.arrived_at, reverse=True)
        )

    def because(self, ticket: Ticket, rule: NextRule) -> Because:
        return Because(
            rule=rule,
            origin=ticket.origin,
            arrived_at=ticket.arrived_at,
            due_at=ticket.due_at,
            slot_start_at=ticket.slot_start_at,
            priority=ticket.priority_class != GENERAL,
            late=ticket.band in ("late", "too_late"),
            reinstated=ticket.reinstated > 0,
            transferred=ticket.sent_by is not None and ticket.reinstated == 0,
            walks_on=ticket.is_on_route and ticket.steps_done > 0,
            kept_for=ticket.counter == self.session.counter or ticket.staff_id == self.session.staff_id,
            is_first=ticket.is_first,
            behind_at=ticket.behind_at,
            threshold_min=self.state.day.policy.secondary_threshold_min,
        )

    def standing(self, ticket: Ticket) -> Standing | None:
        """None for a ticket that does not wait."""
        if ticket.state != "waiting":
            return None
        return Standing(ahead=ahead_of(self.state.day, ticket), because=self.because(ticket, "primary"))

    def visit(self, ticket: Ticket | None) -> Visit | None:
        if ticket is None or ticket.called_at is None or ticket.state not in ("called", "serving"):
            return None
        row, remark = self._booking(ticket), self.state.remarks.get(ticket.ticket_id)
        done = (ticket.service, *ticket.added)
        served = dict.fromkeys((*self.session.primary, *self.session.secondary))
        return Visit(
            ticket_id=ticket.ticket_id,
            label=ticket.label,
            state="called" if ticket.state == "called" else "serving",
            service=self.service(ticket.service),
            arrived_at=ticket.arrived_at,
            called_at=ticket.called_at,
            due_at=ticket.due_at,
            waited_min=minutes(ticket.called_at - ticket.arrived_at),
            elapsed_s=max(0, int((self.now - (ticket.started_at or ticket.called_at)).total_seconds())),
            recalls=ticket.recalls,
            services=tuple((each, self.service(each)) for each in done),
            addable=tuple((each, self.service(each)) for each in served if each not in done),
            documents=documents(self.state, ticket.service, self.locale),
            route=self.route(ticket),
            slot_start_at=ticket.slot_start_at,
            name=row.display_name if row else "",
            sent_from=ticket.sent_from or "",
            sent_by=staff_name_of(self.state, ticket.sent_by),
            note=remark.note if remark else "",
            noted_by=staff_name_of(self.state, remark.noted_by) if remark else "",
            needs=_needs(ticket, row, remark),
            language=_language(row, remark),
            to_verify=ticket.to_verify,
            not_printed=ticket.print_state == "failed",
            unseen_s=self._unseen_s(ticket),
        )

    def _unseen_s(self, ticket: Ticket) -> int:
        """Seconds since the last announcement, while no screen has shown it."""
        if ticket.shown_at is not None or ticket.announced_at is None:
            return 0
        return int((self.now - ticket.announced_at).total_seconds())

    def _booking(self, ticket: Ticket) -> Appointment | Person | None:
        """Who a ticket is for: its row of the agenda, or what came with it from another office."""
        appointment_id = ticket.appointment_id or ""
        return self.state.agenda.by_id.get(appointment_id) or self.state.people.get(appointment_id)


def service_name(state: OfficeState, service_id: str, locale: str) -> str:
    """The name of a service of any office of the city in a language of staff, else in Spanish."""
    catalogue = state.configuration.catalogue
    service = catalogue.services.get(service_id) or catalogue.city_services.get(service_id)
    return service.names.get(locale) or service.names.get("es", service_id) if service else service_id


def staff_name_of(state: OfficeState, staff_id: str | None) -> str:
    """The name of a clerk as colleagues know it; nothing for nobody."""
    staff = state.configuration.staff.get(staff_id or "")
    return staff.display_name if staff else staff_id or ""


def documents(state: OfficeState, service_id: str, locale: str) -> tuple[str, ...]:
    """What a person must bring for a service, in a language of staff, else in Spanish."""
    service = state.configuration.catalogue.services.get(service_id)
    return tuple(text.get(locale) or text.get("es", "") for text in service.documents) if service else ()


def minutes(stretch: timedelta) -> int:
    """Whole minutes that have passed."""
    return max(0, int(stretch.total_seconds() // 60))


def _needs(ticket: Ticket, row: Appointment | Person | None, remark: Remark | None) -> tuple[str, ...]:
    """What staff noted; else what the person told when booking; else the class that a clerk gave, as one. No language is here."""
    noted = [need for need in remark.needs if not need.startswith(SPEAKS)] if remark else []
    if noted:
        return tuple(noted)
    if row is not None and row.needs:
        return row.needs
    return ("mobility",) if ticket.priority_class != GENERAL else ()


def _language(row: Appointment | Person | None, remark: Remark | None) -> str:
    """The person's language: noted by staff or chosen for the ticket, else that of the booking."""
    spoken = (need.removeprefix(SPEAKS) for need in remark.needs if need.startswith(SPEAKS)) if remark else ()
    return next(iter(spoken), row.language if row else "es")
