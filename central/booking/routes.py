"""`/api/v1`: services, offices, free days and times, book, look at, move, cancel.

Booking needs the API's bearer secret; an appointment is opened by its secret link, or by locator and document. Handlers ask
for one dependency only: the framework resolves several in a task group, which costs a tenth of a booking.
"""

import hmac
from datetime import date
from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from central.booking.api import (
    AppointmentBody,
    BookBody,
    DayBody,
    LookupBody,
    MoveBody,
    OfficeBody,
    PersonBody,
    ServiceBody,
    TimesBody,
    appointment_body,
    booked_body,
)
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
    TooManyTries,
    Wish,
)
from central.booking.documents import Document, read_document
from central.booking.news import link_of, token_of
from central.booking.service import BookingService
from central.context import Central
from central.offices.catalogue import OfficeRecord, ServiceRecord
from central.problems import Problem
from central.requests import REFUSED
from provisioning.failpoints import failpoint
from sync.domain.service_day import service_date
from sync.messages import codec

Incoming = Request[Any, Any, Any]
JSON = "application/json"
RECOVERING_RETRY_S = 60
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)
"""No office gives times before or after, as no message carries an instant from there (`sync.messages.values`)."""


@get("/services")
async def services(booking: NamedDependency[BookingService]) -> list[ServiceBody]:
    """All services, in the order in which people see them."""
    catalogue = await booking.catalogue.current()
    return [
        ServiceBody(
            id=service.id,
            names=service.names,
            summaries=service.summaries,
            documents=service.documents,
            duration_min=service.duration_min,
            walk_in=service.walk_in,
            bookable=service.bookable,
            online_url=service.online_url,
            offices=tuple(office.id for office in catalogue.offices_for(service.id)),
        )
        for service in catalogue.services.values()
    ]


@get("/offices")
async def offices(booking: NamedDependency[BookingService]) -> list[OfficeBody]:
    """All offices with today's hours."""
    catalogue, now = await booking.catalogue.current(), booking.central.clock.now()
    return [
        OfficeBody(
            id=office.id,
            name=office.name,
            address=office.address,
            phone=office.phone,
            directions=office.directions,
            time_zone=office.time_zone,
            services=office.services,
            open_now=catalogue.is_open(office, now),
            opens=tuple(
                (hours.opens_at, hours.closes_at) for hours in catalogue.hours(office, service_date(now, office.zone))
            ),
        )
        for office in catalogue.offices.values()
    ]


@get("/offices/{office_id:str}/services/{service_id:str}/days")
async def days(
    office_id: FromPath[str], service_id: FromPath[str], booking: NamedDependency[BookingService]
) -> list[DayBody]:
    """The days with free starts, up to the booking horizon."""
    office, service = await _offered(booking, office_id, service_id)
    found = await booking.availability.days(office, service)
    return [DayBody(service_date=day.service_date, free=len(day.starts)) for day in found]


@get("/offices/{office_id:str}/services/{service_id:str}/days/{day:date}")
async def times(
    office_id: FromPath[str], service_id: FromPath[str], day: FromPath[date], booking: NamedDependency[BookingService]
) -> TimesBody:
    """The free starts of a service date."""
    office, service = await _offered(booking, office_id, service_id)
    if not FIRST_DAY <= day <= LAST_DAY:
        raise Problem(404, "not_found")
    if day not in booking.availability.horizon(office):
        return TimesBody(service_date=day, starts=())
    return TimesBody(service_date=day, starts=await booking.availability.starts(office, service, day))


@post("/appointments", status_code=201)
async def book(request: Incoming, booking: NamedDependency[BookingService]) -> Response[bytes]:
    """Book at once. 201 with the appointment; 409 with a code and, if taken, the nearest free starts."""
    _authorise(request, booking.central)
    body = codec.decode(await request.body(), BookBody)
    wish = Wish(office_id=body.office_id, service_id=body.service_id, slot_start_at=body.slot_start_at)
    outcome = await booking.bookings.book(body.request_id, wish, _person(body.person), "api")
    return _booked(outcome, booking.central)


@post("/appointments/lookup", status_code=200)
async def lookup(request: Incoming, booking: NamedDependency[BookingService]) -> dict[str, str]:
    """The secret link of an appointment, for who knows its locator and the end of the document.

    Citizens look theirs up on a page that is slowed for everybody; a program needs the secret, or it could guess at will.
    """
    _authorise(request, booking.central)
    body = codec.decode(await request.body(), LookupBody)
    found = await booking.changes.by_locator(body.locator, body.document_end)
    if isinstance(found, Booking):
        return {"link": link_of(found, booking.central.keys)}
    raise _refusal(found)


@get("/appointments/{link:str}")
async def show(link: FromPath[str], booking: NamedDependency[BookingService]) -> AppointmentBody:
    """An appointment by its secret link."""
    found = await _by_link(booking, link)
    return appointment_body(found, token_of(found, booking.central.keys))


@post("/appointments/{link:str}/cancel", status_code=200)
async def cancel(link: FromPath[str], booking: NamedDependency[BookingService]) -> dict[str, Any]:
    """Cancel; cancelling again is no error."""
    outcome = await booking.changes.cancel(await _by_link(booking, link))
    if isinstance(outcome, Cancelled):
        return {"appointment_id": outcome.appointment_id, "version": outcome.version, "status": "cancelled"}
    raise _refusal(outcome)


@post("/appointments/{link:str}/reschedule", status_code=200)
async def reschedule(
    link: FromPath[str], request: Incoming, booking: NamedDependency[BookingService]
) -> Response[bytes]:
    """Move to another time or office; the old one is kept until the new one is booked."""
    body = codec.decode(await request.body(), MoveBody)
    found = await _by_link(booking, link)
    wish = Wish(office_id=body.office_id, service_id=found.service_id, slot_start_at=body.slot_start_at)
    return _booked(await booking.changes.reschedule(body.request_id, found, wish), booking.central, status=200)


def _booked(outcome: object, central: Central, status: int = 201) -> Response[bytes]:
    if not isinstance(outcome, Booked):
        raise _refusal(outcome)
    failpoint("central.booked")
    body = booked_body(outcome, token_of(outcome, central.keys))
    return Response(codec.encode(body), status_code=status, media_type=JSON)


def _refusal(outcome: object) -> Problem:
    problem = _problem(outcome)
    REFUSED.labels(problem.code).inc()
    return problem


def _problem(outcome: object) -> Problem:
    match outcome:
        case Taken(alternatives=alternatives):
            return Problem(409, "taken", alternatives=alternatives)
        case LimitReached(family=family):
            return Problem(409, "limit_reached", family=family)
        case NotOffered(reason="no_such_time", alternatives=alternatives):
            return Problem(409, "no_such_time", alternatives=alternatives)
        case NotOffered(reason=reason):
            return Problem(409, reason)
        case Reused():
            return Problem(422, "request_reused", "this request_id was used for another question")
        case NotChangeable(status=status):
            return Problem(409, "not_changeable", appointment_status=status)
        case NotFound():
            return Problem(404, "not_found")
        case Recovering():
            return Problem(
                503, "recovering", "central was restored and waits for its offices", retry_after_s=RECOVERING_RETRY_S
            )
        case TooManyTries(retry_after_s=retry_after_s):
            return Problem(429, "too_many_tries", retry_after_s=retry_after_s)
        case _:
            raise TypeError(f"no problem for {type(outcome).__name__}")


def _authorise(request: Incoming, central: Central) -> None:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(secret.encode(), central.keys.api.encode()):
        raise Problem(401, "unauthenticated", "booking over the API needs its bearer secret")


def _person(body: PersonBody) -> Person:
    document = read_document(body.document_kind, body.document)
    if not isinstance(document, Document):
        raise Problem(422, document, "the document cannot be right")
    return Person(
        full_name=" ".join(body.full_name.split()),
        document=document,
        email=body.email,
        phone=body.phone,
        language=body.language,
        needs=body.needs,
    )


async def _by_link(booking: BookingService, link: str) -> Booking:
    found = await booking.changes.by_link(link)
    if isinstance(found, NotFound):
        raise _refusal(found)
    return found


async def _offered(booking: BookingService, office_id: str, service_id: str) -> tuple[OfficeRecord, ServiceRecord]:
    catalogue = await booking.catalogue.current()
    office, service = catalogue.offices.get(office_id), catalogue.services.get(service_id)
    if office is None or service is None or office.pool_for(service_id) is None:
        raise Problem(404, "not_found")
    return office, service


ROUTES = (
    Router(
        "/api/v1",
        route_handlers=[services, offices, days, times, book, lookup, show, cancel, reschedule],
    ),
)
