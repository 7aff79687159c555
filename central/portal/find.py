"""Finding an appointment without its link: the code and the end of the document. Unknown and wrong get the same answer."""

from litestar import get, post
from litestar.di import NamedDependency

from central.booking.appointments import Booking, TooManyTries
from central.booking.news import link_of
from central.portal.service import Portal
from central.portal.visit import Incoming, Page, Visit
from central.requests import REFUSED


@get("/cita")
async def ask(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """The two fields."""
    return _show(Visit(request, portal))


@post("/cita")
async def find(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """Go to the appointment, or say that there is none."""
    visit = Visit(request, portal)
    form = await visit.form()
    code, document = form.get("code"), form.get("doc")
    found = await portal.booking.changes.by_locator(code, document)
    match found:
        case Booking():
            return visit.to(f"/cita/{link_of(found, portal.central.keys)}")
        case TooManyTries():
            REFUSED.labels("too_many_tries").inc()
            minutes = -(-found.retry_after_s // 60)
            error = visit.words.text("portal.find.wait", n=minutes, phone=visit.phone)
            return _show(visit, code=code, document=document, error=error, status=429)
        case _:
            REFUSED.labels("not_found").inc()
            error = visit.words.text("portal.find.none", phone=visit.phone)
            return _show(visit, code=code, document=document, error=error, status=404)


def _show(visit: Visit, *, code: str = "", document: str = "", error: str = "", status: int = 200) -> Page:
    values = {"here": "/cita", "code": code, "document": document, "error": error, "failed": bool(error)}
    return visit.page("portal/find.html", values, status=status)


ROUTES = (ask, find)
