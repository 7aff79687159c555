"""P1 → P2: beginning a booking, and where."""

from datetime import datetime

import msgspec
from litestar import get, post
from litestar.di import NamedDependency

from central.offices.catalogue import OfficeRecord, ServiceRecord
from central.portal.draft import Draft, choose_office
from central.portal.home import live_waits
from central.portal.service import Portal
from central.portal.visit import Incoming, Page, Visit
from central.portal.wizard import Chosen, open_step, step_path, step_values
from central.problems import Problem
from sync.io.ids import new_id

ANY = "any"


class FirstFree(msgspec.Struct, frozen=True):
    """An office and its first free time; none if it has none."""

    office: OfficeRecord
    start_at: datetime | None


@post("/reserva")
async def begin(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """Begin a booking for a service: a new draft, beside those in other tabs."""
    visit = Visit(request, portal)
    form = await visit.form()
    service = (await portal.booking.catalogue.current()).services.get(form.get("service"))
    if service is None or not service.bookable:
        raise Problem(404, "not_found")
    draft = Draft(request_id=new_id(), service_id=service.id)
    await visit.begin(draft)
    return visit.to(step_path(draft, "office"))


@get("/reserva/oficina")
async def office(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """P2: any office first, then each with its first free day and the wait right now."""
    visit = Visit(request, portal)
    at = await open_step(visit, "office")
    return at if not isinstance(at, Chosen) else await _show(visit, at)


@post("/reserva/oficina")
async def choose(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """Take the office, or the one with the first free time."""
    visit = Visit(request, portal)
    form = await visit.form()
    at = await open_step(visit, "office")
    if not isinstance(at, Chosen):
        return at
    wanted = form.get("office")
    if wanted == ANY:
        first = earliest(await first_free(portal, at.city.offices_for(at.service.id), at.service))
        wanted = first.office.id if first else ""
    if wanted not in {record.id for record in at.city.offices_for(at.service.id)}:
        return await _show(visit, at, failed=True)
    await visit.change(at.draft, lambda draft: choose_office(draft, wanted))
    return visit.to(at.path("slot"))


async def first_free(
    portal: Portal, offices: tuple[OfficeRecord, ...], service: ServiceRecord
) -> tuple[FirstFree, ...]:
    """The first free time of each office."""
    found = []
    for record in offices:
        days = await portal.booking.availability.days(record, service)
        found.append(FirstFree(record, days[0].starts[0] if days else None))
    return tuple(found)


def earliest(offices: tuple[FirstFree, ...]) -> FirstFree | None:
    """The office that has the first free time of all; the first in the city's order when none has any."""
    free = [(one.start_at, n, one) for n, one in enumerate(offices) if one.start_at is not None]
    return min(free)[2] if free else next(iter(offices), None)


async def _show(visit: Visit, at: Chosen, *, failed: bool = False) -> Page:
    offices = await first_free(visit.portal, at.city.offices_for(at.service.id), at.service)
    values = {
        **await step_values(visit, "office", at),
        "offices": offices,
        "first": earliest(offices),
        "live": await live_waits(visit),
        "failed": failed,
        "picked": at.draft.office_id or ANY,
    }
    return visit.page("portal/office.html", values, status=422 if failed else 200)


ROUTES = (begin, office, choose)
