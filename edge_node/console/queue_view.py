"""The whole state of the queue as the console shows it, in one body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from edge_node.leases.rules import is_pending
from edge_node.queue.replies import SessionView, SupportView, TicketView, view_session, view_support, view_ticket
from edge_node.queue.state import OfficeState
from edge_node.uplink.link import LinkState
from sync.domain.ordering import in_order, next_for
from sync.domain.service_day import ends_at, service_date, starts_at
from sync.domain.ticket import CounterSession, Ticket
from sync.messages.facts import NextRule
from sync.messages.feed import Appointment
from sync.messages.policy import Policy
from sync.messages.topics import DeviceStatus, WaitRange

RECENT_ENDED = 20


class PersonView(msgspec.Struct, frozen=True, kw_only=True):
    """Who an appointment is for; only on staff's screens."""

    display_name: str
    needs: tuple[str, ...] = ()
    language: str = "es"


class RemarkView(msgspec.Struct, frozen=True, kw_only=True):
    """What staff wrote for each other about a ticket's person; only on staff's screens."""

    note: str = ""
    noted_by: str = ""
    needs: tuple[str, ...] = ()


class NextView(msgspec.Struct, frozen=True, kw_only=True):
    """The ticket that the rule would call at a counter now, and by which step of it."""

    ticket_id: str
    label: str
    rule: NextRule


class CounterView(msgspec.Struct, frozen=True, kw_only=True):
    """A counter; with its session, visit and next ticket while it is open."""

    id: str
    zone: str
    primary: tuple[str, ...]
    secondary: tuple[str, ...]
    session: SessionView | None = None
    staff_name: str = ""
    visit: TicketView | None = None
    next: NextView | None = None


class AppointmentView(msgspec.Struct, frozen=True, kw_only=True):
    """A line of today's agenda; ``ticket_id`` once it has been checked in; ``pending``: it was sold here, and central has not
    told of it yet.
    """

    id: str
    version: int
    locator: str
    service_id: str
    slot_start_at: datetime
    duration_min: int
    status: str
    person: PersonView
    ticket_id: str | None = None
    pending: bool = False


class QueueView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at one position of the journal.

    ``waiting`` is in the order of the rule's key; each ticket carries the instants that explain it. ``sold``: appointments of
    any day that were sold here and that central has not told of yet.
    """

    office: str
    office_name: str
    epoch: int
    seq: int
    at: datetime
    service_date: date | None
    open: bool
    policy: Policy
    counters: tuple[CounterView, ...]
    waiting: tuple[TicketView, ...]
    called: tuple[TicketView, ...]
    serving: tuple[TicketView, ...]
    missed: tuple[TicketView, ...]
    parked: tuple[TicketView, ...]
    in_transit: tuple[TicketView, ...]
    ended: tuple[TicketView, ...]
    people: Mapping[str, PersonView]
    remarks: Mapping[str, RemarkView]
    support: tuple[SupportView, ...]
    agenda: tuple[AppointmentView, ...]
    sold: tuple[AppointmentView, ...]
    waits: Mapping[str, WaitRange | None]
    devices: tuple[DeviceStatus, ...]
    link: LinkState | None


def view_queue(state: OfficeState, devices: Iterable[DeviceStatus], link: LinkState | None) -> QueueView:
    """The queue as it is now.

    ``people`` is by ticket id, for tickets of appointments whose rows were here when they arrived;
    ``link`` is none when the node works alone.
    """
    day, now = state.day, state.now()
    by_state: dict[str, list[Ticket]] = {}
    for ticket in day.tickets.values():
        by_state.setdefault(ticket.state, []).append(ticket)
    ended = sorted(
        (*by_state.get("finished", ()), *by_state.get("abandoned", ())), key=lambda t: t.ended_at or now, reverse=True
    )
    return QueueView(
        office=state.office,
        office_name=state.configuration.catalogue.office.name,
        epoch=state.tail.epoch,
        seq=state.tail.seq,
        at=now,
        service_date=day.service_date,
        open=day.is_open,
        policy=day.policy,
        counters=tuple(_counter(state, counter, now) for counter in _in_order(state.configuration.catalogue.counters)),
        waiting=_views(in_order(by_state.get("waiting", ()))),
        called=_views(by_state.get("called", ())),
        serving=_views(by_state.get("serving", ())),
        missed=_views(by_state.get("missed", ())),
        parked=_views(by_state.get("parked", ())),
        in_transit=_views(by_state.get("in_transit", ())),
        ended=_views(ended[:RECENT_ENDED]),
        people=_people(state),
        remarks=_remarks(state),
        support=view_support(day),
        agenda=view_agenda(state),
        sold=view_sold_here(state),
        waits=state.waits,
        devices=tuple(devices),
        link=link,
    )


def view_agenda(state: OfficeState) -> tuple[AppointmentView, ...]:
    """Today's appointments by slot, cancelled and moved ones too."""
    today = state.day.service_date or service_date(state.now(), state.zone)
    begins, ends = starts_at(today, state.zone), ends_at(today, state.zone)
    todays = (row for row in state.agenda.by_id.values() if begins <= row.slot_start_at < ends)
    return tuple(view_appointment(state, row) for row in sorted(todays, key=lambda r: (r.slot_start_at, r.id)))


def view_sold_here(state: OfficeState) -> tuple[AppointmentView, ...]:
    """What was sold from leases and is pending at central, by slot."""
    rows = [row for row in state.agenda.by_id.values() if is_pending(row)]
    return tuple(view_appointment(state, row) for row in sorted(rows, key=lambda r: (r.slot_start_at, r.id)))


def view_appointment(state: OfficeState, row: Appointment) -> AppointmentView:
    return AppointmentView(
        id=row.id,
        version=row.version,
        locator=row.locator,
        service_id=row.service_id,
        slot_start_at=row.slot_start_at,
        duration_min=row.duration_min,
        status=row.status,
        person=_person(row),
        ticket_id=state.day.by_appointment.get(row.id),
        pending=is_pending(row),
    )


def _in_order(counters: Iterable[str]) -> list[str]:
    """Counter 2 before counter 10."""
    return sorted(counters, key=lambda counter: (len(counter), counter))


def _counter(state: OfficeState, counter_id: str, now: datetime) -> CounterView:
    counter = state.configuration.catalogue.counters[counter_id]
    session = state.day.sessions.get(state.day.session_at.get(counter_id, ""))
    place: dict[str, Any] = {"id": counter.id, "zone": counter.zone}
    if session is None:
        return CounterView(primary=counter.primary, secondary=counter.secondary, **place)
    staff = state.configuration.staff.get(session.staff_id)
    visit = state.day.visit_at(session.session)
    return CounterView(
        primary=session.primary,
        secondary=session.secondary,
        session=view_session(state.day, session, now),
        staff_name=staff.display_name if staff else session.staff_id,
        visit=view_ticket(visit) if visit else None,
        next=_next(state, session, now),
        **place,
    )


def _next(state: OfficeState, session: CounterSession, now: datetime) -> NextView | None:
    choice = next_for(state.day, session, now)
    if choice is None:
        return None
    return NextView(ticket_id=choice.ticket.ticket_id, label=choice.ticket.label, rule=choice.rule)


def _people(state: OfficeState) -> dict[str, PersonView]:
    return {
        ticket_id: PersonView(display_name=person.display_name, needs=person.needs, language=person.language)
        for appointment_id, ticket_id in state.day.by_appointment.items()
        if (person := state.people.get(appointment_id)) is not None
    }


def _remarks(state: OfficeState) -> dict[str, RemarkView]:
    return {
        ticket_id: RemarkView(note=remark.note, noted_by=remark.noted_by, needs=remark.needs)
        for ticket_id, remark in state.remarks.items()
        if (ticket := state.day.tickets.get(ticket_id)) is not None and ticket.is_open
    }


def _person(row: Appointment) -> PersonView:
    return PersonView(display_name=row.display_name, needs=row.needs, language=row.language)


def _views(tickets: Iterable[Ticket]) -> tuple[TicketView, ...]:
    return tuple(view_ticket(ticket) for ticket in tickets)
