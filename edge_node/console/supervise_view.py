"""What a supervisor sees of the office, in values: what waits for them, all counters, all services, the counter that they have
chosen to change.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

import msgspec

from edge_node.console.bar_view import Waiting, person_name
from edge_node.console.desks_view import DeskView, open_tickets, view_desks
from edge_node.console.tickets_view import service_name
from edge_node.console.work_view import session_of
from edge_node.queue.state import OfficeState
from sync.domain.alerts import Alert, alerts
from sync.domain.counters import left_unserved
from sync.domain.ordering import in_order
from sync.domain.service_day import service_date
from sync.domain.ticket import CounterSession, Ticket
from sync.domain.waits.what_if import Change

ROLES = ("primary", "secondary", "none")
MANY_SERVICES = 60


class Asked(NamedTuple):
    """What the page's address asks for: a counter to change or to close, its services as they would be, the day's end.

    Args:
        serve: ``service:role`` for each service; empty: as it is.
    """

    counter: str = ""
    ask: str = ""
    serve: tuple[str, ...] = ()


class AlertView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that waits for a supervisor; ``label``: the ticket or the service that it is about."""

    kind: str
    subject: str
    who: str
    counter: str
    label: str
    minutes: int
    waiting: int


class ServiceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A service: who waits for it, and at how many counters it is served now."""

    service: str
    waiting: int
    longest_min: int
    counters: int


class TicketLine(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who waits, to be given to a counter; ``counter``: the only one that may serve them now."""

    ticket_id: str
    label: str
    service: str
    wait_min: int
    counter: str = ""


class RoleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A service at the chosen counter, as it would be."""

    id: str
    name: str
    role: str
    waiting: int


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """The counter that is to be changed or closed.

    Args:
        change: what would be done; none while nothing was asked for that differs.
        bound: labels of the tickets that only this counter, or who works there, may serve.
        alone: services that people wait for and that nobody else serves.
        lacks_primary: what was asked for leaves it without a service of its own.
    """

    desk: DeskView
    rows: tuple[RoleRow, ...]
    change: Change | None
    bound: tuple[str, ...]
    alone: tuple[Waiting, ...]
    lacks_primary: bool = False


class Supervised(msgspec.Struct, frozen=True, kw_only=True):
    """The whole page at one position of the journal."""

    position: str
    office_name: str
    alerts: tuple[AlertView, ...]
    desks: tuple[DeskView, ...]
    services: tuple[ServiceLine, ...]
    tickets: tuple[TicketLine, ...]
    chosen: Chosen | None
    open_tickets: int
    waiting: int
    day_open: bool
    today: date
    at_counter: bool


def view_supervised(state: OfficeState, staff_id: str, asked: Asked, locale: str) -> Supervised:
    """The page of a supervisor."""
    day, now = state.day, state.now()
    desks = view_desks(state, locale, counting=True)
    return Supervised(
        position=f"{state.tail.epoch}-{state.tail.seq}",
        office_name=state.configuration.catalogue.office.name,
        alerts=tuple(_alert(state, each, now, locale) for each in alerts(day, now)),
        desks=desks,
        services=_services(state, now, locale),
        tickets=tuple(_ticket(state, each, now, locale) for each in in_order(day.waiting.values())),
        chosen=_chosen(state, desks, asked, locale),
        open_tickets=open_tickets(state),
        waiting=len(day.waiting),
        day_open=day.is_open,
        today=service_date(now, state.zone),
        at_counter=session_of(state, staff_id) is not None,
    )


def roles_of(serve: tuple[str, ...]) -> dict[str, str]:
    """Services by their wanted role; anything else is left out."""
    pairs = (each.partition(":") for each in serve[:MANY_SERVICES])
    return {service: role for service, _, role in pairs if service and role in ROLES}


def _alert(state: OfficeState, alert: Alert, now: datetime, locale: str) -> AlertView:
    ticket = state.day.tickets.get(alert.subject)
    label = ticket.label if ticket else service_name(state, alert.subject, locale) if alert.kind == "unserved" else ""
    return AlertView(
        kind=alert.kind,
        subject=alert.subject,
        who=person_name(state, alert.who) if alert.who else "",
        counter=alert.counter,
        label=label,
        minutes=_minutes(alert.since, now),
        waiting=alert.waiting,
    )


def _services(state: OfficeState, now: datetime, locale: str) -> tuple[ServiceLine, ...]:
    waiting: dict[str, list[Ticket]] = {}
    for ticket in state.day.waiting.values():
        waiting.setdefault(ticket.service, []).append(ticket)
    at_work = [s for s in state.day.sessions.values() if not s.is_paused]
    return tuple(
        ServiceLine(
            service=service_name(state, service, locale),
            waiting=len(line := waiting.get(service, [])),
            longest_min=max((_minutes(t.arrived_at, now) for t in line), default=0),
            counters=sum(1 for session in at_work if session.serves(service)),
        )
        for service in state.configuration.catalogue.services
    )


def _ticket(state: OfficeState, ticket: Ticket, now: datetime, locale: str) -> TicketLine:
    return TicketLine(
        ticket_id=ticket.ticket_id,
        label=ticket.label,
        service=service_name(state, ticket.service, locale),
        wait_min=_minutes(ticket.arrived_at, now),
        counter=ticket.counter or "",
    )


def _chosen(state: OfficeState, desks: tuple[DeskView, ...], asked: Asked, locale: str) -> Chosen | None:
    session = state.day.sessions.get(state.day.session_at.get(asked.counter, ""))
    desk = next((each for each in desks if each.id == asked.counter), None)
    if session is None or desk is None:
        return None
    wanted = roles_of(asked.serve)
    rows = tuple(
        RoleRow(
            id=service,
            name=service_name(state, service, locale),
            role=wanted.get(service) or _role(session, service),
            waiting=len(state.day.lines.by_service.get(service, ())),
        )
        for service in state.configuration.catalogue.services
    )
    bound = [t for t in in_order(state.day.tickets.values()) if _is_bound(t, session)]
    primary = tuple(row.id for row in rows if row.role == "primary")
    change = Change(
        session=session.session, primary=primary, secondary=tuple(row.id for row in rows if row.role == "secondary")
    )
    same = all(row.role == _role(session, row.id) for row in rows)
    if asked.ask == "close":
        change = Change(session=session.session)
    return Chosen(
        desk=desk,
        rows=rows,
        change=change if asked.ask == "close" or (primary and not same) else None,
        bound=tuple(t.label for t in bound),
        alone=tuple(
            Waiting(service=service_name(state, each.service, locale), n=each.waiting)
            for each in left_unserved(state.day, session)
        ),
        lacks_primary=bool(asked.serve) and not primary,
    )


def _is_bound(ticket: Ticket, session: CounterSession) -> bool:
    """As ``reassign`` takes them."""
    meant = ticket.counter == session.counter or ticket.staff_id == session.staff_id
    return ticket.state in ("waiting", "parked") and meant


def _role(session: CounterSession, service: str) -> str:
    return "primary" if service in session.primary else "secondary" if service in session.secondary else "none"


def _minutes(since: datetime | None, now: datetime) -> int:
    return max(0, int((now - since).total_seconds() // 60)) if since is not None else 0
