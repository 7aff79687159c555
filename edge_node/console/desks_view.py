"""The office's counters in values: to choose one, and for supervisors to look after all."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from edge_node.console.bar_view import person_name
from edge_node.console.tickets_view import service_name
from edge_node.queue.state import OfficeState
from sync.domain.ordering import reachable
from sync.domain.ticket import Ticket


class ServiceChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A service of the office, and whether the counter serves it by itself."""

    id: str
    name: str
    walk_in: bool
    primary: bool = False
    secondary: bool = False


class DeskView(msgspec.Struct, frozen=True, kw_only=True):
    """A counter. ``who`` has it open; nobody when empty.

    Args:
        services, secondary: what it serves now, or would when it is opened.
        since: when it was opened; left_at: when it was closed last, today.
        visit_s: seconds since its visit was called or begun.
        waiting: how many people it may serve of those who wait; counted only for who asks for it.
    """

    id: str
    zone: str
    services: tuple[str, ...]
    secondary: tuple[str, ...] = ()
    who: str = ""
    staff_id: str = ""
    session: str = ""
    since: datetime | None = None
    visit: str = ""
    visit_state: Literal["", "called", "serving"] = ""
    visit_s: int = 0
    paused_at: datetime | None = None
    paused_reason: str = ""
    left_at: datetime | None = None
    waiting: int = 0


def view_desks(state: OfficeState, locale: str, *, counting: bool = False) -> tuple[DeskView, ...]:
    """All counters, 2 before 10; ``counting``: with how many wait for each."""
    ids = sorted(state.configuration.catalogue.counters, key=lambda counter: (len(counter), counter))
    return tuple(_desk(state, counter, locale, counting=counting) for counter in ids)


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


def _desk(state: OfficeState, counter_id: str, locale: str, *, counting: bool) -> DeskView:
    counter, day = state.configuration.catalogue.counters[counter_id], state.day
    session = day.sessions.get(day.session_at.get(counter_id, ""))
    served = session or counter
    place = DeskView(
        id=counter_id,
        zone=counter.zone.upper(),
        services=tuple(service_name(state, each, locale) for each in served.primary),
        secondary=tuple(service_name(state, each, locale) for each in served.secondary),
    )
    if session is None:
        left = day.left.get(counter_id)
        return msgspec.structs.replace(place, left_at=left.at if left else None)
    visit = day.visit_at(session.session)
    return msgspec.structs.replace(
        place,
        who=person_name(state, session.staff_id),
        staff_id=session.staff_id,
        session=session.session,
        since=session.opened_at,
        paused_at=session.paused_at,
        paused_reason=session.paused_reason or "",
        waiting=sum(1 for ticket in day.waiting.values() if reachable(session, ticket)) if counting else 0,
        **_visit(visit, state.now()),
    )


def _visit(visit: Ticket | None, now: datetime) -> dict[str, object]:
    if visit is None:
        return {}
    since = visit.started_at or visit.called_at or now
    return {
        "visit": visit.label,
        "visit_state": "serving" if visit.state == "serving" else "called",
        "visit_s": max(0, int((now - since).total_seconds())),
    }
