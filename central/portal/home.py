"""The front page, the list of services, one service, the offices: what can be read before booking."""

import unicodedata
from datetime import datetime

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from central.insight.office_now import OfficeNow
from central.insight.streams import Fragment, Frame, poll_of, stream_of
from central.offices.catalogue import Catalogue, OfficeRecord, ServiceRecord
from central.portal.offices_view import closures_of, opening_text, special_hours_of, week_of
from central.portal.service import Portal
from central.portal.visit import Incoming, Page, Visit
from central.problems import Problem
from sync.messages.topics import WaitRange
from ui import formats

TOP_SERVICES = 8


class OfficeWait(msgspec.Struct, frozen=True, kw_only=True):
    """An office on the front page. `opening` is one line; the live figures are in `now`."""

    record: OfficeRecord
    now: OfficeNow
    opening: str

    def shown_wait(self) -> WaitRange | None:
        """The wait that can be promised now: only of an open office that is heard."""
        return self.now.wait if self.now.opening.is_open and self.now.is_live else None

    def has_nobody_to_serve(self) -> bool:
        """Whether no counter is open, as far as is known: that says more than how many wait."""
        return self.now.is_live and self.now.counters_open == 0


class Waits(msgspec.Struct, frozen=True):
    """All offices at a moment, in the city's order."""

    at: datetime
    offices: tuple[OfficeWait, ...]

    def of(self, office: str) -> OfficeWait | None:
        return next((one for one in self.offices if one.record.id == office), None)


@get("/")
async def home(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """P0: what do you need, and how long is the wait right now."""
    visit = Visit(request, portal)
    city = await portal.booking.catalogue.current()
    services = tuple(city.services.values())[:TOP_SERVICES]
    return visit.page("portal/home.html", {"services": services, "live": await live_waits(visit)})


@get("/esperas/stream")
async def waits_stream(request: Incoming, portal: NamedDependency[Portal]) -> Stream:
    """The live waits of the front page."""
    visit = Visit(request, portal)
    city = await portal.booking.catalogue.current()
    return stream_of(
        request, lambda: _frame(visit), portal.exchange.changes, city.offices, portal.central.stopping
    )  # fmt: skip


@get("/esperas/ahora")
async def waits_now(request: Incoming, portal: NamedDependency[Portal]) -> Response[bytes]:
    """The same for polling."""
    return poll_of(await _frame(Visit(request, portal)))


@get("/tramites")
async def services(request: Incoming, portal: NamedDependency[Portal], q: FromQuery[str] = "") -> Page:
    """All services, or those that a search finds."""
    city = await portal.booking.catalogue.current()
    query = " ".join(q.split())[:80]
    found = find_services(city, query)
    values = {"query": query, "found": found, "services": found or tuple(city.services.values())}
    return Visit(request, portal).page("portal/services.html", values)


@get("/tramites/{service_id:str}")
async def service(request: Incoming, portal: NamedDependency[Portal], service_id: FromPath[str]) -> Page:
    """P1: who it is for, what to bring, how long, and whether one need come at all."""
    city = await portal.booking.catalogue.current()
    record = city.services.get(service_id)
    if record is None:
        raise Problem(404, "not_found")
    visit = Visit(request, portal)
    values = {"service": record, "offices": city.offices_for(service_id), "live": await live_waits(visit)}
    return visit.page("portal/service.html", values)


@get("/oficinas")
async def offices(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """Where the offices are and when they are open."""
    visit, now = Visit(request, portal), portal.central.clock.now()
    city = await portal.booking.catalogue.current()
    shown = [
        {
            "record": record,
            "week": week_of(record, visit.locale),
            "closures": closures_of(record, city, now, visit.locale),
            "special": special_hours_of(record, city, now),
        }
        for record in city.offices.values()
    ]
    return visit.page("portal/offices.html", {"offices": shown, "live": await live_waits(visit)})


def find_services(city: Catalogue, query: str) -> tuple[ServiceRecord, ...]:
    """The services whose name or summary, in any language, holds every word of the query; accents do not matter."""
    wanted = plain_letters(query).split()
    return tuple(service for service in city.services.values() if all(word in _searchable(service) for word in wanted))


def plain_letters(text: str) -> str:
    """A text for comparing: lower case, without accents and vowel marks."""
    split = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in split if not unicodedata.combining(letter))


def _searchable(service: ServiceRecord) -> str:
    return plain_letters(" ".join((service.id, *service.names.values(), *service.summaries.values())))


async def live_waits(visit: Visit) -> Waits:
    """The waits of this moment, with words in the visitor's language."""
    portal = visit.portal
    records = (await portal.booking.catalogue.current()).offices
    city = await portal.live.city()
    shown = [
        OfficeWait(
            record=records[one.office], now=one, opening=opening_text(one, city.at, visit.words, records[one.office])
        )
        for one in city.offices
        if one.office in records
    ]
    return Waits(at=city.at, offices=tuple(shown))


async def _frame(visit: Visit) -> Frame:
    live = await live_waits(visit)
    html = visit.fragment("portal/home.html", "waits", {"live": live})
    return Frame(items=(Fragment("waits", html),), at=formats.clock(live.at))


ROUTES = (home, waits_stream, waits_now, services, service, offices)
