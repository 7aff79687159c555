"""Staff's side of booking: the same acts as the portal's and the API's, asked for by an office's node for who stands at its desk.

Nothing here decides about seats or limits; it turns the outcomes of ``Bookings`` and ``Changes`` into answers, and finds
appointments. Names are in the answer to ``reveal`` only.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from central import audit
from central.audit import Attested
from central.booking.agenda_rules import may_see, sought
from central.booking.api import Email, PersonBody, Phone
from central.booking.appointments import (
    Booked,
    Booking,
    Cancelled,
    LimitReached,
    NotChangeable,
    NotFound,
    NotOffered,
    Person,
    Recovering,
    Reused,
    Taken,
    Wish,
)
from central.booking.documents import Document, KnownDocument, read_document
from central.booking.news import token_of
from central.booking.service import BookingService
from central.offices.catalogue import Catalogue
from sync.domain.names import initials
from sync.domain.service_day import service_date
from sync.io.sql import load
from sync.messages import agenda as m

queries = load("central.booking", "agenda.sql")

_OUTCOMES: Final[dict[type[Any], m.AgendaOutcome]] = {
    LimitReached: "limit_reached",
    Reused: "request_reused",
    NotChangeable: "not_changeable",
    NotFound: "not_found",
    Recovering: "recovering",
    Taken: "taken",
}


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody is reached."""

    email: Email | None
    phone: Phone | None


async def times(booking: BookingService, asked: m.TimesRequest) -> m.TimesReply:
    """The days and times that are free at an office; nothing where it does not offer the service."""
    catalogue = await booking.catalogue.current()
    offices = tuple(m.OfficeChoice(id=one.id, name=one.name) for one in catalogue.offices_for(asked.service))
    office, service = catalogue.offices.get(asked.at_office), catalogue.services.get(asked.service)
    recovering = await booking.bookings.is_recovering()
    if office is None or service is None or recovering:
        return m.TimesReply(
            request_id=asked.request_id, offices=offices, days=(), day=asked.day, starts=(), recovering=recovering
        )
    found = await booking.availability.days(office, service)
    wanted = asked.day or (found[0].service_date if found else None)
    return m.TimesReply(
        request_id=asked.request_id,
        offices=offices,
        days=tuple(m.FreeDay(service_date=day.service_date, free=len(day.starts)) for day in found),
        day=wanted,
        starts=next((day.starts for day in found if day.service_date == wanted), ()),
    )


async def book(booking: BookingService, asked: m.BookRequest) -> m.AgendaAnswer:
    """Book at once; the confirmation is mailed as for who books on the web."""
    person = _typed_person(asked) if asked.person_of is None else await _known_person(booking, asked, asked.person_of)
    if not isinstance(person, Person):
        return m.AgendaAnswer(request_id=asked.request_id, outcome=person)
    wish = Wish(office_id=asked.at_office, service_id=asked.service, slot_start_at=asked.slot_start_at)
    outcome = await booking.bookings.book(asked.request_id, wish, person, "staff")
    return await _told(booking, asked, "booked", outcome)


async def move(booking: BookingService, asked: m.MoveRequest) -> m.AgendaAnswer:
    """Move to another time or office; the old time is kept until the new one stands."""
    found = await _find(booking, asked)
    if isinstance(found, NotFound):
        return m.AgendaAnswer(request_id=asked.request_id, outcome="not_found")
    wish = Wish(office_id=asked.at_office, service_id=found.service_id, slot_start_at=asked.slot_start_at)
    outcome = await booking.changes.reschedule(asked.request_id, found, wish)
    return await _told(booking, asked, "moved", outcome)


async def cancel(booking: BookingService, asked: m.AppointmentRequest) -> m.AgendaAnswer:
    """Cancel; one that is cancelled already stays so."""
    found = await _find(booking, asked)
    outcome = NotFound() if isinstance(found, NotFound) else await booking.changes.cancel(found)
    return await _told(booking, asked, "cancelled", outcome)


async def show(booking: BookingService, asked: m.AppointmentRequest, *, reveal: bool = False) -> m.AgendaAnswer:
    """One appointment; with its person when the office has written down who wants to see it."""
    found = await _find(booking, asked)
    if isinstance(found, NotFound):
        return m.AgendaAnswer(request_id=asked.request_id, outcome="not_found")
    shown = _view(found, await booking.catalogue.current(), token=_token(booking, found))
    if reveal:
        row = await booking.central.pool.fetchrow(queries.person, found.appointment_id)
        person = m.AppointmentPerson(**{name: row[name] or "" for name in m.AppointmentPerson.__struct_fields__})
        shown = msgspec.structs.replace(shown, person=person)
    return m.AgendaAnswer(request_id=asked.request_id, outcome="shown", appointment=shown)


async def search(booking: BookingService, asked: m.SearchRequest) -> m.SearchReply:
    """Booked appointments by locator (anywhere), or by name or document's end (of the office that asks)."""
    wanted, pool = sought(asked.typed), booking.central.pool
    catalogue, most = await booking.catalogue.current(), m.MAX_FOUND + 1
    office = catalogue.offices.get(asked.office)
    if office is None:
        return m.SearchReply(request_id=asked.request_id, found=())
    today = service_date(booking.central.clock.now(), office.zone)
    rows: list[Any] = []
    if wanted.locator:
        rows += await pool.fetch(queries.by_locator, wanted.locator)
    if wanted.document_end:
        rows += await pool.fetch(queries.by_document_end, asked.office, today, wanted.document_end, most)
    if wanted.name_patterns:
        rows += await pool.fetch(queries.by_name, asked.office, today, list(wanted.name_patterns), most)
    found = {row["appointment_id"]: _view(_booking(row), catalogue) for row in rows}
    ordered = sorted(found.values(), key=lambda one: (one.slot_start_at, one.id))
    return m.SearchReply(
        request_id=asked.request_id, found=tuple(ordered[: m.MAX_FOUND]), more=len(ordered) > m.MAX_FOUND
    )


async def calendar(booking: BookingService, asked: m.CalendarRequest) -> m.CalendarReply:
    """What the office that asks has booked ahead, up to the horizon; who its people are stays here."""
    catalogue, pool = await booking.catalogue.current(), booking.central.pool
    office = catalogue.offices.get(asked.office)
    if office is None:
        return m.CalendarReply(request_id=asked.request_id, until=asked.first, days=())
    today, *_, until = booking.availability.horizon(office)
    counted = await pool.fetch(queries.booked_days, asked.office, max(asked.first, today), until)
    rows: list[Any] = []
    if asked.day is not None and asked.day >= today:
        rows = await pool.fetch(queries.booked_of_day, asked.office, asked.day, m.MAX_OF_DAY + 1)
    return m.CalendarReply(
        request_id=asked.request_id,
        until=until,
        days=tuple(m.BookedDay(service_date=row["service_date"], booked=row["booked"]) for row in counted),
        found=tuple(_view(_booking(row), catalogue) for row in rows[: m.MAX_OF_DAY]),
        more=len(rows) > m.MAX_OF_DAY,
    )


async def _told(
    booking: BookingService, asked: m.AgendaRequest, done: m.AgendaOutcome, outcome: object
) -> m.AgendaAnswer:
    """The answer to an act; who had it done is kept in the record of acts."""
    if not isinstance(outcome, Booked | Cancelled):
        alternatives = outcome.alternatives if isinstance(outcome, Taken | NotOffered) else ()
        code = outcome.reason if isinstance(outcome, NotOffered) else _OUTCOMES[type(outcome)]
        return m.AgendaAnswer(request_id=asked.request_id, outcome=code, alternatives=alternatives)
    who = Attested(actor=f"{asked.office}/{asked.staff_id}", at=booking.central.clock.now())
    async with booking.central.pool.acquire() as connection:
        await audit.note_once(
            connection, asked.request_id, who, f"appointment.{done}", outcome.appointment_id, office=asked.office
        )
    stands = await booking.changes.by_id(outcome.appointment_id)
    shown = None
    if stands is not None:
        shown = _view(stands, await booking.catalogue.current(), token=_token(booking, stands))
    return m.AgendaAnswer(request_id=asked.request_id, outcome=done, appointment=shown)


async def _find(booking: BookingService, asked: m.AppointmentRequest) -> Booking | NotFound:
    found = await booking.changes.by_id(asked.appointment_id)
    if found is None or not may_see(asked.office, found.office_id, found.locator, asked.locator):
        return NotFound()
    return found


async def _known_person(booking: BookingService, asked: m.BookRequest, appointment_id: str) -> Person | m.AgendaOutcome:
    """Whom an appointment of the same office is for; contact and needs that are told now go first."""
    found = await booking.changes.by_id(appointment_id)
    if found is None or not may_see(asked.office, found.office_id, found.locator, None):
        return "not_found"
    row = await booking.central.pool.fetchrow(queries.person, appointment_id)
    if row is None or row["full_name"] is None or row["person_hash"] is None:
        return "document_missing"
    try:
        msgspec.convert({"email": asked.email, "phone": asked.phone}, Contact)
    except msgspec.ValidationError:
        return "malformed"
    return Person(
        full_name=row["full_name"],
        document=KnownDocument(row["person_hash"], row["document_end"] or ""),
        email=asked.email or row["email"],
        phone=asked.phone or row["phone"],
        language=asked.language,
        needs=asked.needs,
    )


def _typed_person(asked: m.BookRequest) -> Person | m.AgendaOutcome:
    try:
        body = msgspec.convert(
            {
                "full_name": asked.full_name,
                "document_kind": asked.document_kind,
                "document": asked.document,
                "email": asked.email,
                "phone": asked.phone,
                "language": asked.language,
                "needs": asked.needs,
            },
            PersonBody,
        )
    except msgspec.ValidationError:
        return "malformed"
    document = read_document(body.document_kind, body.document)
    if not isinstance(document, Document):
        return document
    return Person(
        full_name=" ".join(body.full_name.split()),
        document=document,
        email=body.email,
        phone=body.phone,
        language=body.language,
        needs=body.needs,
    )


def _token(booking: BookingService, found: Booking) -> str:
    return token_of(found, booking.central.keys) if found.status == "booked" else ""


def _view(found: Booking, catalogue: Catalogue, token: str = "") -> m.AgendaAppointment:
    office = catalogue.offices.get(found.office_id)
    return m.AgendaAppointment(
        id=found.appointment_id,
        version=found.version,
        status=found.status,
        locator=found.locator,
        office=found.office_id,
        office_name=office.name if office else found.office_id,
        office_address=office.address if office else "",
        service=found.service_id,
        slot_start_at=found.slot_start_at,
        duration_min=found.duration_min,
        language=found.language,
        initials=initials(found.full_name or ""),
        needs=found.needs,
        has_mail=found.email is not None,
        token=token,
    )


def _booking(row: Any) -> Booking:
    return msgspec.convert({**row, "needs": tuple(row["needs"])}, Booking)
