"""The pages behind a secret link: "Su cita", cancel, change, the calendar file. A GET never changes anything: mail scanners
open links too.
"""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from central.booking.appointments import Booking, Cancelled, NotFound
from central.booking.news import link_of, token_of
from central.notices.calendar import Entry, calendar_of
from central.portal.draft import Draft
from central.portal.service import Portal
from central.portal.visit import SECRET, Incoming, Page, Visit
from central.portal.wizard import step_path
from central.requests import REFUSED
from sync.io.ids import new_id


@get("/cita/{link:str}")
async def mine(
    request: Incoming, portal: NamedDependency[Portal], link: FromPath[str], hecho: FromQuery[str] = ""
) -> Page:
    """P6 and G1: the appointment with its code, also from a bookmark."""
    visit = Visit(request, portal)
    booking = await _find(visit, link)
    if not isinstance(booking, Booking):
        return booking
    return await _show(visit, booking, done=hecho if booking.status == "booked" else "")


@get("/cita/{link:str}/anular")
async def ask_cancel(request: Incoming, portal: NamedDependency[Portal], link: FromPath[str]) -> Page:
    """G2: one question, one button."""
    visit = Visit(request, portal)
    booking = await _find(visit, link)
    if not isinstance(booking, Booking):
        return booking
    if booking.status != "booked":
        return visit.to(f"/cita/{link}")
    return visit.page("portal/cancel.html", await _values(visit, booking), headers=SECRET)


@post("/cita/{link:str}/anular")
async def cancel(request: Incoming, portal: NamedDependency[Portal], link: FromPath[str]) -> Page:
    """G3: cancelled, now or since before."""
    visit = Visit(request, portal)
    await visit.form()
    booking = await _find(visit, link)
    if not isinstance(booking, Booking):
        return booking
    was = booking.status
    outcome = await portal.booking.changes.cancel(booking)
    if not isinstance(outcome, Cancelled):
        REFUSED.labels("not_changeable").inc()
        return visit.to(f"/cita/{link}?hecho=no")
    return visit.to(f"/cita/{link}?hecho={'anulada' if was == 'booked' else 'ya-anulada'}")


@post("/cita/{link:str}/cambiar")
async def change(request: Incoming, portal: NamedDependency[Portal], link: FromPath[str]) -> Page:
    """Begin to choose another time; the present one is kept until the new one is confirmed."""
    visit = Visit(request, portal)
    await visit.form()
    booking = await _find(visit, link)
    if not isinstance(booking, Booking):
        return booking
    if booking.status != "booked":
        return visit.to(f"/cita/{link}?hecho=no")
    draft = Draft(
        request_id=new_id(),
        service_id=booking.service_id,
        office_id=booking.office_id,
        moves=booking.appointment_id,
    )
    await visit.begin(draft)
    return visit.to(step_path(draft, "slot"))


@get("/cita/{link:str}/cita.ics")
async def calendar(request: Incoming, portal: NamedDependency[Portal], link: FromPath[str]) -> Response[bytes] | Page:
    """The appointment for a calendar."""
    visit = Visit(request, portal)
    booking = await _find(visit, link)
    if not isinstance(booking, Booking):
        return booking
    city, settings = await portal.booking.catalogue.current(), portal.central.settings
    address = f"{settings.http.public_url}/cita/{link_of(booking, portal.central.keys)}"
    entry = Entry.of(booking, address, settings.mail.sender)
    file = calendar_of(entry, city, visit.words, portal.central.clock.now())
    disposition = f'attachment; filename="cita-{booking.locator}.ics"'
    return Response(file, media_type="text/calendar", headers={"content-disposition": disposition, **SECRET})


async def _find(visit: Visit, link: str) -> Booking | Page:
    found = await visit.portal.booking.changes.by_link(link)
    if isinstance(found, NotFound):
        REFUSED.labels("link_unknown").inc()
        return visit.page("portal/link_gone.html", {"here": "/cita"}, status=404, headers=SECRET)
    return found


async def _show(visit: Visit, booking: Booking, *, done: str) -> Page:
    values = await _values(visit, booking)
    is_past = booking.slot_start_at < visit.portal.central.clock.now()
    return visit.page("portal/mine.html", {**values, "done": done, "is_past": is_past}, headers=SECRET)


async def _values(visit: Visit, booking: Booking) -> dict[str, Any]:
    city, keys = await visit.portal.booking.catalogue.current(), visit.portal.central.keys
    return {
        "booking": booking,
        "office": city.offices.get(booking.office_id),
        "service": city.services.get(booking.service_id),
        "token": token_of(booking, keys) if booking.status == "booked" else "",
        "link": link_of(booking, keys),
    }


ROUTES = (mine, ask_cancel, cancel, change, calendar)
