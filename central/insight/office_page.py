"""One office as it is now, for who manages it: its counters, its queue by service, its tickets. Live, and without script as well.

Who works at a counter is written only for who manages that office; everybody else sees numbers and states.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from central.insight.office_now import tickets_of
from central.insight.streams import Fragment, Frame, poll_of, stream_of
from central.insight.watching import OfficeWatch
from central.insight.words import PAUSES, named, service_names
from central.offices.catalogue import OfficeRecord
from central.portal.service import Portal
from central.portal.visit import Incoming, Page
from central.problems import Problem
from central.staff.gate import OFFICE, OVERVIEW, StaffVisit, enter, has_changed, refused
from central.staff.rules import may_manage, may_see_names
from ui import formats

TICKETS_SHOWN = 60
WARNED_SHOWN = 20
PARTS = ("state", "totals", "warned", "queues", "counters", "tickets", "link")
TEMPLATE = "insight/office.html"


@get(f"{OFFICE}/{{office:str}}")
async def office_page(request: Incoming, portal: NamedDependency[Portal], office: FromPath[str]) -> Page:
    """The page."""
    visit = await enter(request, portal)
    if (no := refused(visit, office)) is not None:
        return no
    record = await _known(portal, office)
    await visit.looked_at("office.looked_at", record.id, office=record.id)
    return visit.page(TEMPLATE, await _values(visit, record))


@get(f"{OFFICE}/{{office:str}}/stream")
async def stream(request: Incoming, portal: NamedDependency[Portal], office: FromPath[str]) -> Stream:
    """The page, live, as long as its person is signed in and what they were."""
    visit, record = await _let_in(request, portal, office)

    async def make() -> Frame:
        return await _frame(visit, record)

    gone = partial(has_changed, visit)
    return stream_of(request, make, portal.exchange.changes, (record.id,), portal.central.stopping, has_left=gone)


@get(f"{OFFICE}/{{office:str}}/ahora")
async def now(request: Incoming, portal: NamedDependency[Portal], office: FromPath[str]) -> Response[bytes]:
    """The page, polled."""
    return poll_of(await _frame(*await _let_in(request, portal, office)))


async def _let_in(request: Incoming, portal: Portal, office: str) -> tuple[StaffVisit, OfficeRecord]:
    """What a page asks by itself.

    Raises:
        Problem: 403, it is not theirs.
    """
    visit = await enter(request, portal, is_input=False)
    if not may_manage(visit.member, office):
        raise Problem(403, "forbidden")
    return visit, await _known(portal, office)


async def _known(portal: Portal, office: str) -> OfficeRecord:
    record = (await portal.booking.catalogue.current()).offices.get(office)
    if record is None:
        raise Problem(404, "not_found")
    return record


async def _frame(visit: StaffVisit, record: OfficeRecord) -> Frame:
    values = await _values(visit, record)
    items = tuple(Fragment(part, visit.fragment(TEMPLATE, part, values)) for part in PARTS)
    return Frame(items=items, at=formats.clock(values["at"]))


async def _values(visit: StaffVisit, record: OfficeRecord) -> dict[str, Any]:
    city = await visit.portal.booking.catalogue.current()
    seen = await visit.portal.live.city((record.id,))
    (watched,) = seen.watches
    return {
        "at": seen.at,
        "tab": OVERVIEW,
        "watch": watched,
        "warned": watched.warned[:WARNED_SHOWN],
        "services": service_names(city, visit.locale),
        "tickets": tickets_of(visit.portal.exchange.days[record.id])[:TICKETS_SHOWN],
        "people": _people(visit, record, watched),
        "pause_of": lambda code: named(visit.words, code, PAUSES),
    }


def _people(visit: StaffVisit, record: OfficeRecord, watched: OfficeWatch) -> Mapping[str, str] | None:
    """Names by counter; none at all for who may not see them."""
    if not may_see_names(visit.member, record.id):
        return None
    names = {person.id: person.display_name for person in record.staff}
    return {one.counter: names.get(one.staff_id, one.staff_id) for one in watched.counters if one.staff_id}


ROUTES = (office_page, stream, now)
