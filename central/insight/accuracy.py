"""How announced waits ended: of the offices that somebody manages, and of one by service. Read-only.

What walk-ins were told stands in their tickets' facts; with the first call it says whether the wait ended before, inside or after
the announced range. Today is left out until it is over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from central.insight.choice import chosen
from central.insight.words import service_names
from central.offices.catalogue import Catalogue, OfficeRecord
from central.portal.service import Portal
from central.portal.visit import Incoming, Page
from central.staff.gate import ACCURACY, enter, refused
from central.staff.rules import managed
from sync.domain.waits.fit import Held
from ui.catalog import Words

DAYS: Final = 28
RECENT_DAYS: Final = 7
ENOUGH: Final = 20
"""With fewer waits a share says nothing."""


class Shares(msgspec.Struct, frozen=True, kw_only=True):
    """How some waits ended, in per cent of `count`; none: too few to say."""

    days: int
    count: int
    inside: int | None = None
    before: int | None = None
    after: int | None = None
    far_after: int | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An office or a service, over the recent days and over all."""

    id: str
    name: str
    spans: tuple[Shares, ...]


@get(ACCURACY)
async def accuracy(request: Incoming, portal: NamedDependency[Portal], oficina: FromQuery[str] = "") -> Page:
    """The page; services are those of one office."""
    visit = await enter(request, portal)
    if oficina and (no := refused(visit, oficina)) is not None:
        return no
    city = await portal.booking.catalogue.current()
    own = managed(visit.member, city.offices)
    record = chosen([city.offices[office] for office in own], oficina)
    of = record.id if record is not None else None
    await visit.looked_at("accuracy.looked_at", of or "city", office=of)
    names, reports = service_names(city, visit.locale), portal.reports
    offices = await reports.held_by_office(own, DAYS, RECENT_DAYS)
    services = await reports.held_by_service(record, DAYS, RECENT_DAYS) if record is not None else ({}, {})
    counted_at = await reports.last_counted(record.id) if record is not None else None
    values = {
        "tab": ACCURACY,
        "record": record,
        "choices": [(office, city.offices[office].name) for office in own],
        "offices": lines(*offices, _office_names(visit.words, city, own)),
        "services": lines(*services, {key: names.get(key, key) for key in _of_record(record, services)}),
        "counted_at": counted_at,
        "enough": ENOUGH,
        "here": f"{ACCURACY}?oficina={record.id}" if record is not None else ACCURACY,
    }
    return visit.page("insight/accuracy.html", values)


def _office_names(words: Words, city: Catalogue, own: Sequence[str]) -> dict[str, str]:
    """By name where there are several; who has one office sees it as the sum of its services."""
    if len(own) == 1:
        return {own[0]: words.text("insight.accuracy.all")}
    return {office: city.offices[office].name for office in own}


def _of_record(record: OfficeRecord | None, services: tuple[Mapping[str, Held], Mapping[str, Held]]) -> Sequence[str]:
    """The services that an office offers, and those it has told waits of."""
    return list(dict.fromkeys((*(record.services if record is not None else ()), *services[0])))


def lines(whole: Mapping[str, Held], recent: Mapping[str, Held], names: Mapping[str, str]) -> list[Line]:
    """A line for each that is named."""
    return [
        Line(
            id=key,
            name=name,
            spans=(
                shares(recent.get(key, Held()), RECENT_DAYS),
                shares(whole.get(key, Held()), DAYS),
            ),
        )
        for key, name in names.items()
    ]


def shares(held: Held, days: int) -> Shares:
    """Counts as per cents, or only their number when they are too few. Before, inside and after are 100 together."""
    if held.count < ENOUGH:
        return Shares(days=days, count=held.count)
    before, after = round(100 * held.before / held.count), round(100 * held.after / held.count)
    return Shares(
        days=days,
        count=held.count,
        before=before,
        inside=100 - before - after,
        after=after,
        far_after=round(100 * held.far_after / held.count),
    )


ROUTES = (accuracy,)
