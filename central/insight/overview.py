"""All offices that somebody manages on one page: who waits, how long, who works, which are heard. Read-only, no names.

It is the proof of a heal: after a cut the facts that central has reach what the office says it has, and the figures agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.response import Stream

from central.exchange.links import Behind
from central.insight.office_now import OfficeNow
from central.insight.streams import Fragment, Frame, poll_of, stream_of
from central.insight.watching import totals
from central.insight.words import service_names
from central.portal.service import Portal
from central.portal.visit import Incoming, Page
from central.staff.gate import OVERVIEW as PATH
from central.staff.gate import StaffVisit, enter, has_changed
from central.staff.rules import managed
from sync.domain.ticket import OPEN_STATES, State
from ui import formats

PARTS = ("notice", "totals", "offices")
GATHER_S = 1.0
"""At most so often the cards are drawn anew: a busy city's offices move many times a second, and nobody reads that fast."""


class OverviewOffice(msgspec.Struct, frozen=True, kw_only=True):
    """One office in the JSON: what the page shows, and what a check of convergence needs.

    Args:
        open_by_state: today's open tickets by state; every open state is there.
        is_rolled_back: its node gives no tickets and calls nobody, whatever its link says.
        acked_seq: facts committed at central; equal to the edge's last seq once nothing is on its way.
        configuration_behind: published and not applied there, by kind; none: the office has never said what it works with.
        heads: last row of each stream the office follows; equal to its cursors once it has everything.
    """

    office: str
    name: str
    link: str
    is_live: bool
    last_contact_at: datetime | None
    stale_since: datetime | None
    service_date: str | None
    is_day_open: bool
    epoch: int | None
    acked_seq: int
    reported_seq: int | None
    folded_seq: int
    parked_facts: int
    is_awaited: bool
    is_rolled_back: bool
    conflicts: int
    configuration_behind: tuple[Behind, ...] | None
    clock_offset_ms: int | None
    heads: Mapping[str, int]
    waiting: int
    called: int
    serving: int
    finished: int
    tickets: int
    open_by_state: Mapping[State, int]
    counters_open: int


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The whole city at an instant."""

    at: datetime
    durability: str
    offices: tuple[OverviewOffice, ...]


@get(PATH)
async def overview(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """The page."""
    visit = await enter(request, portal)
    await visit.looked_at("overview.looked_at", visit.of_office or "city", office=visit.of_office)
    return visit.page("insight/overview.html", await _values(visit))


@get(f"{PATH}/stream")
async def stream(request: Incoming, portal: NamedDependency[Portal]) -> Stream:
    """The page, live, as long as its person is signed in and what they were."""
    visit = await enter(request, portal, is_input=False)

    async def make() -> Frame:
        return await _frame(visit)

    offices = managed(visit.member, (await portal.booking.catalogue.current()).offices)
    gone = partial(has_changed, visit)
    return stream_of(
        request, make, portal.exchange.changes, offices, portal.central.stopping, has_left=gone, gather_s=GATHER_S
    )


@get(f"{PATH}/ahora")
async def now(request: Incoming, portal: NamedDependency[Portal]) -> Response[bytes]:
    """The page, polled."""
    return poll_of(await _frame(await enter(request, portal, is_input=False)))


@get("/api/v1/overview")
async def overview_json(portal: NamedDependency[Portal]) -> Overview:
    """The same figures for programs."""
    city = await portal.live.city()
    durability = portal.central.settings.database.durability
    return Overview(at=city.at, durability=durability, offices=tuple(_office(office) for office in city.offices))


def _office(office: OfficeNow) -> OverviewOffice:
    return OverviewOffice(
        office=office.office,
        name=office.name,
        link=office.link,
        is_live=office.is_live,
        last_contact_at=office.last_contact_at,
        stale_since=office.stale_since,
        service_date=office.service_date.isoformat() if office.service_date else None,
        is_day_open=office.is_day_open,
        epoch=office.epoch,
        acked_seq=office.acked_seq,
        reported_seq=office.reported_seq,
        folded_seq=office.folded_seq,
        parked_facts=office.parked_facts,
        is_awaited=office.is_awaited,
        is_rolled_back=office.is_rolled_back,
        conflicts=office.conflicts,
        configuration_behind=office.behind,
        clock_offset_ms=office.clock_offset_ms,
        heads=office.heads,
        waiting=office.waiting,
        called=office.called,
        serving=office.serving,
        finished=office.finished,
        tickets=office.tickets,
        open_by_state={state: office.by_state.get(state, 0) for state in sorted(OPEN_STATES)},
        counters_open=office.counters_open,
    )


async def _frame(visit: StaffVisit) -> Frame:
    values = await _values(visit)
    items = tuple(Fragment(part, visit.fragment("insight/overview.html", part, values)) for part in PARTS)
    return Frame(items=items, at=formats.clock(values["at"]))


async def _values(visit: StaffVisit) -> dict[str, Any]:
    city = await visit.portal.booking.catalogue.current()
    seen = await visit.portal.live.city(managed(visit.member, city.offices))
    return {
        "at": seen.at,
        "watches": seen.watches,
        "totals": totals(seen.watches),
        "tab": PATH,
        "services": service_names(city, visit.locale),
        "durability": visit.portal.central.settings.database.durability,
    }


ROUTES = (overview, stream, now, overview_json)
