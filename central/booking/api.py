"""The bodies of `/api/v1`: what is asked and what is answered, as JSON."""

from datetime import date
from typing import Annotated

import msgspec

from central.booking.appointments import Booked, Booking
from central.booking.documents import DocumentKind
from sync.messages.feed import Text
from sync.messages.values import Instant, Language, Locator, Slug, Uuid, require_plausible

_UNSEEN = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069"
"""Control characters and those that turn the direction of what follows: no column, label or mail should carry them."""
ShortText = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
FullName = Annotated[str, msgspec.Meta(min_length=1, max_length=120, pattern=rf"^(?=.*[^\W\d_])[^{_UNSEEN}]+\Z")]
Email = Annotated[
    str,
    msgspec.Meta(
        max_length=254, pattern=rf"^[^@\s<>,;:\"()\[\]\\{_UNSEEN}]+@[^@\s<>,;{_UNSEEN}]+\.[^@\s<>,;{_UNSEEN}]+\Z"
    ),
]
Phone = Annotated[str, msgspec.Meta(max_length=20, pattern=r"^\+?[0-9 ]{6,19}$")]
MAX_NEEDS = 8


class PersonBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    full_name: FullName
    document_kind: DocumentKind
    document: ShortText
    email: Email | None = None
    phone: Phone | None = None
    language: Language = "es"
    needs: Annotated[tuple[Slug, ...], msgspec.Meta(max_length=MAX_NEEDS)] = ()


class BookBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /api/v1/appointments`. The same request_id is answered the same, however often it comes."""

    request_id: Uuid
    office_id: Slug
    service_id: Slug
    slot_start_at: Instant
    person: PersonBody

    def __post_init__(self) -> None:
        require_plausible(self.slot_start_at)


class MoveBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /api/v1/appointments/{link}/reschedule`."""

    request_id: Uuid
    office_id: Slug
    slot_start_at: Instant

    def __post_init__(self) -> None:
        require_plausible(self.slot_start_at)


class LookupBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /api/v1/appointments/lookup`: a lost link is found by locator and the end of the document."""

    locator: Annotated[str, msgspec.Meta(max_length=32)]
    document_end: Annotated[str, msgspec.Meta(max_length=32)]


class BookedBody(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment that stands. `link` is a secret: who has it can move and cancel."""

    appointment_id: Uuid
    version: int
    locator: Locator
    office_id: Slug
    service_id: Slug
    slot_start_at: Instant
    duration_min: int
    link: str
    token: str


class AppointmentBody(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment as its link shows it: no personal data."""

    appointment_id: Uuid
    version: int
    status: str
    locator: Locator
    office_id: Slug
    service_id: Slug
    slot_start_at: Instant
    duration_min: int
    token: str


class ServiceBody(msgspec.Struct, frozen=True, kw_only=True):
    id: Slug
    names: Text
    summaries: Text
    documents: tuple[Text, ...]
    duration_min: int
    walk_in: bool
    bookable: bool
    online_url: str
    offices: tuple[Slug, ...]


class OfficeBody(msgspec.Struct, frozen=True, kw_only=True):
    """`opens` are today's opening hours, `open_now` says whether it is open at this instant."""

    id: Slug
    name: str
    address: str
    phone: str
    directions: Text
    time_zone: str
    services: tuple[Slug, ...]
    open_now: bool
    opens: tuple[tuple[Instant, Instant], ...]


class DayBody(msgspec.Struct, frozen=True, kw_only=True):
    """A service date with the number of starts that can be booked."""

    service_date: date
    free: int


class TimesBody(msgspec.Struct, frozen=True, kw_only=True):
    service_date: date
    starts: tuple[Instant, ...]


def booked_body(booked: Booked, token: str) -> BookedBody:
    """The answer to a booking or a move."""
    return BookedBody(
        appointment_id=booked.appointment_id,
        version=booked.version,
        locator=booked.locator,
        office_id=booked.office_id,
        service_id=booked.service_id,
        slot_start_at=booked.slot_start_at,
        duration_min=booked.duration_min,
        link=booked.link,
        token=token,
    )


def appointment_body(booking: Booking, token: str) -> AppointmentBody:
    """What a secret link shows."""
    return AppointmentBody(
        appointment_id=booking.appointment_id,
        version=booking.version,
        status=booking.status,
        locator=booking.locator,
        office_id=booking.office_id,
        service_id=booking.service_id,
        slot_start_at=booking.slot_start_at,
        duration_min=booking.duration_min,
        token=token if booking.status == "booked" else "",
    )
