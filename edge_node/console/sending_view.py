"""Sending a person to another office: which there are and whether they are open, who was sent, and the paper they carry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from edge_node.console.tickets_view import service_name
from edge_node.queue.state import OfficeState
from sync.domain.opening import Interval, Week, hours_of
from sync.domain.service_day import service_date
from sync.domain.ticket import CounterSession, Ticket
from sync.messages.feed import Holiday, Neighbour

DAYS_AHEAD = 14
"""How far the next opening of an office that is closed is looked for."""


class OfficeChoice(msgspec.Struct, frozen=True, kw_only=True):
    """An office that people can be sent to.

    Args:
        services: what it offers, as (id, name).
        is_open: now; also when nothing is known of its hours.
        closes_at: when it is open.
        opens_at: the next time, when it is not; none within two weeks.
    """

    id: str
    name: str
    address: str = ""
    services: tuple[tuple[str, str], ...] = ()
    is_open: bool = True
    closes_at: datetime | None = None
    opens_at: datetime | None = None


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to be sent: the visit of the counter, or somebody who waits."""

    ticket_id: str
    label: str
    service: str
    service_name: str


class SentView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was sent today and did not come back.

    Args:
        is_taken: the other office has them in its queue, as central tells.
    """

    ticket_id: str
    label: str
    to_office: str
    service: str
    since: datetime | None
    wanted_back: bool = False
    is_taken: bool = False


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """All that the panels of sending show."""

    subject: Subject | None
    offices: tuple[OfficeChoice, ...]
    chosen: OfficeChoice | None
    sent: tuple[SentView, ...]


def view_sending(state: OfficeState, session: CounterSession, locale: str) -> Sending:
    """Who was sent: what the work screen needs while nobody is being sent."""
    return Sending(subject=_subject(state, session, "", locale), offices=(), chosen=None, sent=view_sent(state, locale))


def view_office_panel(
    state: OfficeState, session: CounterSession, ticket_id: str, office_id: str, locale: str
) -> Sending:
    """The panel of sending a ticket, else the visit of the counter, to an office."""
    others = sorted(each for each in state.configuration.catalogue.nodes if each != state.office)
    offices = tuple(office_choice(state, each, locale) for each in others)
    return Sending(
        subject=_subject(state, session, ticket_id, locale),
        offices=offices,
        chosen=next((each for each in offices if each.id == office_id), None),
        sent=view_sent(state, locale),
    )


def office_choice(state: OfficeState, office_id: str, locale: str) -> OfficeChoice:
    """An office as the city's directory has it, with its hours as of now."""
    known = state.configuration.catalogue.neighbours.get(office_id)
    if known is None:
        return OfficeChoice(id=office_id, name=office_id)
    hours = _hours_ahead(known, state.configuration.catalogue.holidays, state.now())
    now = state.now()
    present = next((each for each in hours if each.opens_at <= now < each.closes_at), None)
    coming = next((each for each in hours if each.opens_at > now), None)
    return OfficeChoice(
        id=office_id,
        name=known.name,
        address=known.address,
        services=tuple((service, city_service(state, service, locale)) for service in known.services),
        is_open=present is not None,
        closes_at=present.closes_at if present else None,
        opens_at=coming.opens_at if present is None and coming else None,
    )


def view_sent(state: OfficeState, locale: str) -> tuple[SentView, ...]:
    """Who is on the way, the latest first."""
    sent = [t for t in state.day.tickets.values() if t.state == "in_transit"]
    return tuple(
        SentView(
            ticket_id=ticket.ticket_id,
            label=ticket.label,
            to_office=office_choice(state, ticket.released_to or "", locale).name,
            service=city_service(state, ticket.released.card.service if ticket.released else ticket.service, locale),
            since=ticket.released_at,
            wanted_back=ticket.wanted_back,
            is_taken=_is_taken(state, ticket),
        )
        for ticket in sorted(sent, key=lambda t: t.released_at or t.issued_at, reverse=True)
    )


def city_service(state: OfficeState, service_id: str, locale: str) -> str:
    """The name of a service of the city, also of one that this office does not offer."""
    service = state.configuration.catalogue.city_services.get(service_id)
    if service is None:
        return service_name(state, service_id, locale)
    return service.names.get(locale) or service.names.get("es", service_id)


def _is_taken(state: OfficeState, ticket: Ticket) -> bool:
    taken = state.configuration.taken.get(ticket.ticket_id)
    return taken is not None and taken.tenure > ticket.tenure


def _subject(state: OfficeState, session: CounterSession, ticket_id: str, locale: str) -> Subject | None:
    chosen = state.day.tickets.get(ticket_id)
    ticket: Ticket | None = chosen if chosen is not None and chosen.state == "waiting" else None
    ticket = ticket or state.day.visit_at(session.session)
    if ticket is None:
        return None
    name = service_name(state, ticket.service, locale)
    return Subject(ticket_id=ticket.ticket_id, label=ticket.label, service=ticket.service, service_name=name)


def _hours_ahead(office: Neighbour, holidays: Mapping[date, Holiday], now: datetime) -> list[Interval]:
    zone = ZoneInfo(office.time_zone)
    dated = {each.service_date: each for each in office.exceptions}
    week = Week(zone=zone, weekly=office.hours, dated=dated, holidays=holidays)
    today = service_date(now, zone)
    return [each for n in range(DAYS_AHEAD) for each in hours_of(today + timedelta(days=n), week)]
