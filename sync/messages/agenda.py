"""What an office's staff ask central about appointments: ``POST /sync/v1/agenda/…`` (``central.booking.agenda_routes``).

Signed by the node like all of sync. Central alone books, moves and cancels; asked again under the same request_id it answers the
same. Who an appointment is for leaves central in one answer only, ``reveal``: one appointment at a time, after the office has
written down who wanted to see it. Everything else carries initials.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec

from sync.messages.people import DocumentKind
from sync.messages.values import Instant, Language, Locator, Slug, Uuid, require_plausible

AgendaOutcome = Literal[
    "booked",
    "moved",
    "cancelled",
    "shown",
    "taken",
    "no_such_time",
    "limit_reached",
    "too_late",
    "too_far",
    "office_unknown",
    "service_unknown",
    "not_bookable_here",
    "document_missing",
    "document_form",
    "document_letter",
    "malformed",
    "request_reused",
    "not_changeable",
    "not_found",
    "recovering",
]
MAX_FOUND = 20
"""Rows of a search; who needs more has not told enough."""
MAX_OF_DAY = 400
"""Appointments of a day that are told at once: more than any office of the city gives."""


class AgendaRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The base of them. ``office`` asks; ``staff_id`` is who sits there."""

    request_id: Uuid
    office: Slug
    staff_id: Slug


class TimesRequest(AgendaRequest, frozen=True, kw_only=True):
    """When a service can be booked at an office of the city; ``day`` is the one whose times are wanted, else the first."""

    at_office: Slug
    service: Slug
    day: date | None = None


class FreeDay(msgspec.Struct, frozen=True, kw_only=True):
    """A service date and how many starts of it are free."""

    service_date: date
    free: int


class OfficeChoice(msgspec.Struct, frozen=True, kw_only=True):
    """An office that gives appointments for the service."""

    id: Slug
    name: str


class TimesReply(msgspec.Struct, frozen=True, kw_only=True):
    """Free days within the horizon, and the free starts of ``day``; none of either where the office does not offer it.

    Args:
        recovering: nor while a restored central waits for its offices.
    """

    request_id: Uuid
    offices: tuple[OfficeChoice, ...]
    days: tuple[FreeDay, ...]
    day: date | None
    starts: tuple[Instant, ...]
    recovering: bool = False


class CalendarRequest(AgendaRequest, frozen=True, kw_only=True):
    """How many appointments the office has on each day from ``first`` on; and which ones on ``day``, where that is wanted."""

    first: date
    day: date | None = None


class BookedDay(msgspec.Struct, frozen=True, kw_only=True):
    """A service date and how many appointments are booked on it."""

    service_date: date
    booked: int


class BookRequest(AgendaRequest, frozen=True, kw_only=True):
    """An appointment for somebody who stands at the desk or calls.

    Args:
        person_of: the appointment that they have come with: name, document and contact are taken from it at central, where
            none is told here.
    """

    at_office: Slug
    service: Slug
    slot_start_at: Instant
    full_name: Annotated[str, msgspec.Meta(max_length=120)] = ""
    document_kind: DocumentKind = "dni"
    document: Annotated[str, msgspec.Meta(max_length=40)] = ""
    person_of: Uuid | None = None
    email: Annotated[str, msgspec.Meta(max_length=254)] | None = None
    phone: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    language: Language = "es"
    needs: Annotated[tuple[Slug, ...], msgspec.Meta(max_length=8)] = ()

    def __post_init__(self) -> None:
        require_plausible(self.slot_start_at)


class AppointmentRequest(AgendaRequest, frozen=True, kw_only=True):
    """About one appointment. One of another office is only found by who knows its locator."""

    appointment_id: Uuid
    locator: Locator | None = None


class MoveRequest(AppointmentRequest, frozen=True, kw_only=True):
    """To another time, or to another office."""

    at_office: Slug
    slot_start_at: Instant

    def __post_init__(self) -> None:
        require_plausible(self.slot_start_at)


class SearchRequest(AgendaRequest, frozen=True, kw_only=True):
    """A locator, the last four characters of a document, or the beginnings of words of a name: whatever was typed."""

    typed: Annotated[str, msgspec.Meta(max_length=80)]


class AppointmentPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Who an appointment is for: in the answer to ``reveal`` only."""

    full_name: str
    document_end: str = ""
    email: str = ""
    phone: str = ""


class AgendaAppointment(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment as staff see it in a list.

    Args:
        token: what the QR code of its slip holds; only while it is booked, and not in the rows of a search.
    """

    id: Uuid
    version: int
    status: Literal["booked", "cancelled", "attended", "no_show", "unknown"]
    locator: Locator
    office: Slug
    office_name: str
    office_address: str
    service: Slug
    slot_start_at: Instant
    duration_min: int
    language: Language
    initials: str = ""
    needs: tuple[Slug, ...] = ()
    has_mail: bool = False
    token: str = ""
    person: AppointmentPerson | None = None


class AgendaAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. ``alternatives``: free starts near the wanted one, when that was somebody else's already."""

    request_id: Uuid
    outcome: AgendaOutcome
    appointment: AgendaAppointment | None = None
    alternatives: tuple[Instant, ...] = ()


class CalendarReply(msgspec.Struct, frozen=True, kw_only=True):
    """The office's appointments ahead.

    Args:
        until: the last service date that can be booked.
        days: those with appointments, up to ``until``.
        found: booked ones of the wanted day by time, masked like the rows of a search, at most ``MAX_OF_DAY``; ``more`` when
            there were others.
    """

    request_id: Uuid
    until: date
    days: tuple[BookedDay, ...]
    found: tuple[AgendaAppointment, ...] = ()
    more: bool = False


class SearchReply(msgspec.Struct, frozen=True, kw_only=True):
    """By time, at most ``MAX_FOUND``; ``more`` when there were others."""

    request_id: Uuid
    found: tuple[AgendaAppointment, ...]
    more: bool = False
