"""P5: check and confirm. The request_id in the form makes a second submit the same booking."""

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from central.booking.appointments import (
    Booked,
    BookOutcome,
    LimitReached,
    MoveOutcome,
    NotChangeable,
    NotFound,
    NotOffered,
    Person,
    Recovering,
    Reused,
    Taken,
)
from central.booking.news import link_of
from central.portal.details import NEEDS, check_details, shown_mobile
from central.portal.draft import finish
from central.portal.service import Portal
from central.portal.visit import Incoming, Page, Visit
from central.portal.wizard import Chosen, draft_gone, open_step, step_values
from central.portal.wizard_slot import not_now, show_gone
from central.requests import REFUSED


@get("/reserva/compruebe")
async def check(request: Incoming, portal: NamedDependency[Portal], aviso: FromQuery[str] = "") -> Page:
    """What will be booked, and that it is not booked yet."""
    visit = Visit(request, portal)
    at = await open_step(visit, "check")
    return at if not isinstance(at, Chosen) else await _show(visit, at, retaken=aviso == "otra-vez")


@post("/reserva/compruebe")
async def confirm(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """Book, or move; what stands in the way is said with a way on."""
    visit = Visit(request, portal)
    await visit.form()
    at = await open_step(visit, "check")
    if not isinstance(at, Chosen):
        return at
    outcome = await _carry_out(visit, at)
    match outcome:
        case Booked():
            appointment_id = outcome.appointment_id
            await visit.change(at.draft, lambda draft: finish(draft, appointment_id))
            return visit.to(f"/cita/{outcome.link}?hecho={'cambio' if at.moving else 'reserva'}")
        case Taken() | NotOffered():
            return await show_gone(visit, at, outcome, at.slot)
        case Recovering():
            raise not_now()
        case LimitReached():
            return await _refuse(visit, at, "portal.err.limit")
        case NotChangeable() | NotFound():
            return await _refuse(visit, at, "portal.move.refused")
        case Reused():
            return await _refuse(visit, at, "base.error.form_expired")
        case None:
            return visit.to(at.path("you"))


@get("/reserva/hecha")
async def done(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """Where a repeated step of a finished booking leads: to what came of it."""
    visit = Visit(request, portal)
    draft = await visit.draft()
    booking = await portal.booking.changes.by_id(draft.booked) if draft and draft.booked else None
    if booking is None:
        return draft_gone(visit)
    return visit.to(f"/cita/{link_of(booking, portal.central.keys)}")


async def _carry_out(visit: Visit, at: Chosen) -> BookOutcome | MoveOutcome | None:
    booking = visit.portal.booking
    if at.draft.moves is not None:
        if at.moving is None:
            return NotFound()
        return await booking.changes.reschedule(at.draft.request_id, at.moving, at.wish, hold_id=at.draft.hold_id)
    person = check_details(at.draft.details, visit.locale)
    if not isinstance(person, Person) or at.draft.hold_id is None:
        return None
    return await booking.bookings.confirm(at.draft.request_id, at.wish, person, at.draft.hold_id)


async def _refuse(visit: Visit, at: Chosen, key: str) -> Page:
    REFUSED.labels(key.rpartition(".")[2]).inc()
    return await _show(visit, at, error=key)


async def _show(visit: Visit, at: Chosen, *, error: str = "", retaken: bool = False) -> Page:
    person = check_details(at.draft.details, visit.locale)
    is_person = isinstance(person, Person)
    values = {
        **await step_values(visit, "check", at),
        "person": person if is_person else None,
        "mobile": shown_mobile(person.phone) if isinstance(person, Person) and person.phone else "",
        "needs": NEEDS,
        "is_held": at.draft.is_held(visit.portal.central.clock.now()),
        "error": error,
        "failed": bool(error),
        "retaken": retaken,
    }
    return visit.page("portal/check.html", values, status=409 if error else 200)


ROUTES = (check, confirm, done)
