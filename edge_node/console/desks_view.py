"""The office's counters in values: to choose one, and for supervisors to look after all."""

from __future__ import annotations

from datetime import datetime

import msgspec

from edge_node.console.work_view import service_name
from edge_node.queue.state import OfficeState
from sync.domain.ticket import CounterSession


class ServiceChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A service of the office, and whether the counter serves it by itself."""

    id: str
    name: str
    walk_in: bool
    primary: bool = False
    secondary: bool = False


class DeskView(msgspec.Struct, frozen=True, kw_only=True):
    """A counter. ``who`` has it open; nobody when empty."""

    id: str
    zone: str
    services: tuple[str, ...]
    who: str = ""
    staff_id: str = ""
    session: str = ""
    since: datetime | None = None
    visit: str = ""


def view_desks(state: OfficeState, locale: str) -> tuple[DeskView, ...]:
    """All counters, 2 before 10."""
    ids = sorted(state.configuration.catalogue.counters, key=lambda counter: (len(counter), counter))
    return tuple(_desk(state, counter, locale) for counter in ids)


def view_services(state: OfficeState, locale: str, counter_id: str = "") -> tuple[ServiceChoice, ...]:
    """What the office offers, in its own order; marked with what a counter serves."""
    catalogue = state.configuration.catalogue
    counter = catalogue.counters.get(counter_id)
    return tuple(
        ServiceChoice(
            id=service,
            name=service_name(state, service, locale),
            walk_in=catalogue.services[service].walk_in,
            primary=counter is not None and service in counter.primary,
            secondary=counter is not None and service in counter.secondary,
        )
        for service in catalogue.office.services
        if service in catalogue.services
    )


def open_tickets(state: OfficeState) -> int:
    """How many tickets a close of the day would abandon."""
    return sum(1 for ticket in state.day.tickets.values() if ticket.is_open)


def staff_name(state: OfficeState, session: CounterSession) -> str:
    staff = state.configuration.staff.get(session.staff_id)
    return staff.display_name if staff else session.staff_id


def _desk(state: OfficeState, counter_id: str, locale: str) -> DeskView:
    counter, day = state.configuration.catalogue.counters[counter_id], state.day
    session = day.sessions.get(day.session_at.get(counter_id, ""))
    served = session.primary if session else counter.primary
    services = tuple(service_name(state, service, locale) for service in served)
    if session is None:
        return DeskView(id=counter_id, zone=counter.zone.upper(), services=services)
    visit = day.visit_at(session.session)
    return DeskView(
        id=counter_id,
        zone=counter.zone.upper(),
        services=services,
        who=staff_name(state, session),
        staff_id=session.staff_id,
        session=session.session,
        since=session.opened_at,
        visit=visit.label if visit else "",
    )
