"""What the agenda shows, in values: a day's appointments, one of them, what a search found. Initials only; a person's name is
where somebody asked to see it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import msgspec

from edge_node.console.agenda_days import DayHours, hours_of
from edge_node.console.agenda_states import standing
from edge_node.console.queue_view import view_appointment
from edge_node.console.tickets_view import service_name
from edge_node.leases.rules import is_pending
from edge_node.queue.state import OfficeState
from sync.domain.check_in import normalise_locator
from sync.domain.names import folded, initials
from sync.domain.service_day import service_date
from sync.messages import agenda as m
from sync.messages.feed import Appointment, Service

STATES = (
    "in_course",
    "arrived",
    "missed",
    "late",
    "not_arrived",
    "booked",
    "done",
    "unknown",
    "sent",
    "cancelled",
    "moved",
)
"""How an appointment can stand, for the words: those of today, and what central says of others."""
_AT_CENTRAL = {
    "booked": "booked",
    "cancelled": "cancelled",
    "attended": "done",
    "no_show": "missed",
    "unknown": "unknown",
}
FEWEST_LETTERS = 3


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment in a list.

    Args:
        state: one of ``STATES``.
        label: its ticket's.
        office: the name of another office; empty for this one.
        code: its locator, where it is at another office and was found by that.
        name: who it is for, once somebody asked to see it.
    """

    id: str
    slot_start_at: datetime
    duration_min: int
    service_id: str
    service: str
    state: str
    initials: str = ""
    label: str = ""
    pending: bool = False
    needs: tuple[str, ...] = ()
    language: str = "es"
    office_id: str = ""
    office: str = ""
    code: str = ""
    person: m.AppointmentPerson | None = None

    @property
    def is_booked(self) -> bool:
        """Whether it can still be moved or cancelled."""
        return self.state in ("booked", "not_arrived", "late") and not self.pending

    @property
    def may_check_in(self) -> bool:
        return self.state in ("not_arrived", "late")


class DayView(msgspec.Struct, frozen=True, kw_only=True):
    """A service day: its hours and its appointments by time."""

    day: date
    is_today: bool
    hours: DayHours
    lines: tuple[Line, ...]

    def count(self, *states: str) -> int:
        return sum(line.state in states for line in self.lines)


def today_of(state: OfficeState) -> date:
    """The service day that the office stands in."""
    return state.day.service_date or service_date(state.now(), state.zone)


def view_day(state: OfficeState, day: date, locale: str) -> DayView:
    """A day of the agenda, cancelled and moved appointments too."""
    office, holidays = state.configuration.catalogue.office, state.configuration.holidays
    rows = (row for row in state.agenda.by_id.values() if service_date(row.slot_start_at, state.zone) == day)
    return DayView(
        day=day,
        is_today=day == today_of(state),
        hours=hours_of(office, holidays, day, locale),
        lines=tuple(line_of(state, row, locale) for row in sorted(rows, key=lambda r: (r.slot_start_at, r.id))),
    )


def find_line(state: OfficeState, appointment_id: str, locale: str) -> Line | None:
    """An appointment that the office knows by itself."""
    row = state.agenda.by_id.get(appointment_id)
    return line_of(state, row, locale) if row is not None else None


def line_of(state: OfficeState, row: Appointment, locale: str) -> Line:
    view = view_appointment(state, row)
    now, ticket = state.now(), state.day.tickets.get(view.ticket_id or "")
    how: str = standing(state, view, now)
    if how in ("not_arrived", "late") and service_date(row.slot_start_at, state.zone) != today_of(state):
        how = "booked"
    return Line(
        id=row.id,
        slot_start_at=row.slot_start_at,
        duration_min=row.duration_min,
        service_id=row.service_id,
        service=service_name(state, row.service_id, locale),
        state=how,
        initials=initials(row.display_name),
        label=ticket.label if ticket else "",
        pending=is_pending(row),
        needs=row.needs,
        language=row.language,
        office_id=state.office,
    )


def line_from(state: OfficeState, found: m.AgendaAppointment, locale: str) -> Line:
    """An appointment as central told of it; how it stands today is known better here."""
    here = found.office == state.office
    own = find_line(state, found.id, locale) if here else None
    if own is not None:
        return msgspec.structs.replace(own, initials=found.initials or own.initials, person=found.person)
    return Line(
        id=found.id,
        slot_start_at=found.slot_start_at,
        duration_min=found.duration_min,
        service_id=found.service,
        service=service_text(state, found.service, locale),
        state=_AT_CENTRAL[found.status],
        initials=found.initials,
        needs=found.needs,
        language=found.language,
        office_id=found.office,
        office="" if here else found.office_name,
        code="" if here else found.locator,
        person=found.person,
    )


def find_here(state: OfficeState, typed: str, locale: str, *, pending_only: bool = False) -> tuple[Line, ...]:
    """What the office finds by itself: by locator, or by the beginnings of the words of a name.

    Args:
        pending_only: only what was sold here and central has not told of: central finds the others.
    """
    locator, words = normalise_locator(typed), folded(typed).split()
    is_name = sum(ch.isalpha() for ch in typed) >= FEWEST_LETTERS
    rows = (row for row in state.agenda.by_id.values() if row.status == "booked")
    found = [
        row
        for row in rows
        if (row.locator == locator or (is_name and _begins(row.display_name, words)))
        and (is_pending(row) or not pending_only)
    ]
    found.sort(key=lambda row: (row.slot_start_at, row.id))
    return tuple(line_of(state, row, locale) for row in found[: m.MAX_FOUND])


def service_of(state: OfficeState, service_id: str) -> Service | None:
    """A service of the city, also one that only other offices offer."""
    offered = state.configuration.catalogue.services.get(service_id)
    known = state.configuration.decoded.values()
    return offered or next((one for one in known if isinstance(one, Service) and one.id == service_id), None)


def service_text(state: OfficeState, service_id: str, locale: str) -> str:
    """The name of a service of the city; its id when central has told nothing of it."""
    service = service_of(state, service_id)
    return (service.names.get(locale) or service.names.get("es", service_id)) if service else service_id


def merged(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Each appointment once, by time."""
    return tuple(sorted({line.id: line for line in lines}.values(), key=lambda line: (line.slot_start_at, line.id)))


def _begins(name: str, words: list[str]) -> bool:
    """Whether every typed word begins a word of the name; of a family name the office knows the first letter only."""
    parts = [part.rstrip(".") for part in folded(name).split()]
    return bool(parts) and all(
        any(part.startswith(w) or (len(part) == 1 and w[0] == part) for part in parts) for w in words
    )
