"""The page behind a slip's QR code. It knows a code and nothing of the person; its address is the only key."""

from typing import Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from central.insight.streams import Fragment, Frame, poll_of, stream_of
from central.portal.progress_view import Progress, follow_hash, holder_of, progress_of
from central.portal.service import Portal
from central.portal.visit import SECRET, Incoming, Page, Visit
from central.problems import Problem
from central.requests import REFUSED
from sync.domain.office_day import OfficeDay
from sync.domain.ticket import Ticket
from ui import formats

PARTS = ("chip", "code", "words", "rail", "note", "zone")


class Followed(msgspec.Struct, frozen=True):
    """A ticket and the day it is in."""

    day: OfficeDay
    ticket: Ticket


@get("/t")
async def how(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """What the paper says beside its QR code, typed without the code: how to follow a ticket, and the ways on."""
    return Visit(request, portal).page("portal/progress_how.html")


@get("/t/{code:str}")
async def progress(request: Incoming, portal: NamedDependency[Portal], code: FromPath[str]) -> Page:
    """Place, expected time, and where to go."""
    visit = Visit(request, portal)
    values = await _values(visit, code)
    if values is None:
        REFUSED.labels("follow_unknown").inc()
        may_come = follow_hash(code) is not None
        return visit.page("portal/progress_unknown.html", {"may_come": may_come}, status=404, headers=SECRET)
    return visit.page("portal/progress.html", values, headers=SECRET)


@get("/t/{code:str}/stream")
async def stream(request: Incoming, portal: NamedDependency[Portal], code: FromPath[str]) -> Stream:
    """The same, live."""
    visit = Visit(request, portal)
    found = await _find(portal, code)
    if found is None:
        raise Problem(404, "not_found")

    async def make() -> Frame:
        return await _frame(visit, code)

    async def has_left() -> bool:
        """Another office has it now: the page comes back at once and follows that one."""
        there = await _find(portal, code)
        return there is not None and there.day.office != found.day.office

    offices = [found.day.office, *([found.ticket.released_to] if found.ticket.released_to else [])]
    return stream_of(request, make, portal.exchange.changes, offices, portal.central.stopping, has_left=has_left)


@get("/t/{code:str}/ahora")
async def now(request: Incoming, portal: NamedDependency[Portal], code: FromPath[str]) -> Response[bytes]:
    """The same for polling."""
    return poll_of(await _frame(Visit(request, portal), code))


async def _frame(visit: Visit, code: str) -> Frame:
    values = await _values(visit, code)
    if values is None:  # the day has ended while somebody watched
        html = visit.words.markup("progress.unknown.text")
        return Frame(
            items=(Fragment("turn-words", f"<p>{html}</p>"),), at=formats.clock(visit.portal.central.clock.now())
        )
    items = tuple(Fragment(f"turn-{part}", visit.fragment("portal/progress.html", part, values)) for part in PARTS)
    title = visit.fragment("portal/progress.html", "title", values)
    return Frame(items=items, at=values["at_text"], title=title, state={"turn": values["progress"].turn})


async def _find(portal: Portal, code: str) -> Followed | None:
    hashed = follow_hash(code)
    if hashed is None:
        return None
    days = [portal.exchange.days[office] for office in (await portal.booking.catalogue.current()).offices]
    found = holder_of(days, hashed, portal.central.clock.now())
    return None if found is None else Followed(*found)


async def _values(visit: Visit, code: str) -> dict[str, Any] | None:
    portal = visit.portal
    found = await _find(portal, code)
    catalogue = await portal.live.configuration(found.day.office) if found else None
    if found is None or catalogue is None:
        return None
    at = portal.central.clock.now()
    offices = (await portal.booking.catalogue.current()).offices
    link = await portal.live.link(found.day.office)
    stale_since = link.stale_since(at)
    is_live = stale_since is None and not link.rolled_back  # a node that calls nobody promises no wait
    wait = await portal.live.wait_of(found.day.office, found.ticket.ticket_id) if is_live else None
    shown: Progress = progress_of(found.day, found.ticket, catalogue, at, wait=wait)
    to_office = offices.get(shown.to_office or "")
    return {
        "to_office_name": to_office.name if to_office else shown.to_office,
        "here": f"/t/{code}",
        "progress": shown,
        "office": catalogue.office,
        "at": at,
        "at_text": formats.clock(stale_since or at),
        "is_live": is_live,
        "stale_since": stale_since,
    }


ROUTES = (how, progress, stream, now)
