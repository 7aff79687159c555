"""Where staff changed the order by hand: of an office and day, with reasons, counters and who was passed over. Read-only.

It says who did it by their id, for whoever manages the office; there is no sum and no ranking by person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from central.insight.choice import chosen
from central.insight.day_reports import DAYS, MOST_OVERRIDES
from central.insight.words import CLASSES, REASONS, named, service_names
from central.offices.catalogue import OfficeRecord
from central.portal.service import Portal
from central.portal.visit import Incoming, Page
from central.staff.gate import OVERRIDES, StaffVisit, enter, refused
from central.staff.rules import managed
from sync.domain.overrides import Override
from ui import formats
from ui.catalog import Words

KINDS: Final[Mapping[str, str]] = {
    "call": "insight.override.call",
    "skip": "insight.override.skip",
    "priority": "insight.override.priority",
    "front": "insight.override.front",
    "end": "insight.override.end",
}
COLUMNS: Final[Mapping[str, str]] = {
    "call": "insight.override.column.call",
    "skip": "insight.override.column.skip",
    "priority": "insight.override.column.priority",
    "front": "insight.override.column.front",
    "end": "insight.override.column.end",
}
LABELS_SHOWN = 5


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the order in words; `passed` is empty where nobody was passed over."""

    of: Override
    what: str
    reason: str
    service: str
    passed: str


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """How often something was done for one reason: on the day, and in all days of the report."""

    what: str
    reason: str
    on_day: int
    in_all: int


@get(OVERRIDES)
async def order_changes(
    request: Incoming, portal: NamedDependency[Portal], oficina: FromQuery[str] = "", dia: FromQuery[str] = ""
) -> Page:
    """The page of one office and day."""
    visit = await enter(request, portal)
    city = await portal.booking.catalogue.current()
    own = [city.offices[office] for office in managed(visit.member, city.offices)]
    if oficina and (no := refused(visit, oficina)) is not None:
        return no
    record = chosen(own, oficina)
    if record is None:
        return visit.page("insight/order_changes.html", {"record": None, "tab": OVERRIDES})
    today = portal.reports.today(record)
    day, days = _asked(dia, today), [today - timedelta(days=back) for back in range(DAYS)]
    await visit.looked_at("order_changes.looked_at", record.id, office=record.id)
    changes = await portal.reports.overrides_of(record, day)
    counts = await portal.reports.counts(record)
    values = {
        "tab": OVERRIDES,
        "record": record,
        "offices": [(one.id, one.name) for one in own],
        "day": day,
        "days": days,
        "day_options": [(one.isoformat(), formats.sentence(formats.day(one, visit.locale))) for one in days],
        "by_day": _by_day(counts),
        "changes": [_change(visit, one, service_names(city, visit.locale)) for one in changes],
        "is_cut": len(changes) >= MOST_OVERRIDES,
        "totals": _totals(visit.words, counts, day),
        "columns": [(kind, visit.words.text(text)) for kind, text in COLUMNS.items()],
        "here": _here(record, day),
    }
    return visit.page("insight/order_changes.html", values)


def _asked(dia: str, today: date) -> date:
    """The day that was asked for, within those that the report has; today otherwise."""
    try:
        day = date.fromisoformat(dia)
    except ValueError:
        return today
    return day if today - timedelta(days=DAYS) < day <= today else today


def _here(record: OfficeRecord, day: date) -> str:
    return f"{OVERRIDES}?oficina={record.id}&dia={day.isoformat()}"


def _change(visit: StaffVisit, one: Override, services: Mapping[str, str]) -> Change:
    words = visit.words
    what = words.text(KINDS[one.kind])
    if one.kind == "priority":
        what = words.text("insight.override.priority_of", given=named(words, one.priority_class, CLASSES))
    return Change(
        of=one,
        what=what,
        reason=named(words, one.reason, REASONS),
        service=services.get(one.service, one.service),
        passed=_passed(words, one),
    )


def _passed(words: Words, one: Override) -> str:
    if one.kind == "skip" or not one.passed:
        return ""
    labels = ", ".join(one.passed_labels[:LABELS_SHOWN])
    if one.passed > LABELS_SHOWN:
        return words.text("insight.passed.more", n=one.passed, labels=labels)
    return words.text("insight.passed", n=one.passed, labels=labels)


Counts = Mapping[tuple[date, str, str], int]


def _by_day(counts: Counts) -> dict[date, dict[str, int]]:
    found: dict[date, dict[str, int]] = {}
    for (day, kind, _), count in counts.items():
        kinds = found.setdefault(day, {})
        kinds[kind] = kinds.get(kind, 0) + count
    return found


def _totals(words: Words, counts: Counts, day: date) -> Sequence[Total]:
    """By kind in their order, within it the most frequent reason first."""
    in_all: dict[tuple[str, str], int] = {}
    for (_, kind, reason), count in counts.items():
        in_all[kind, reason] = in_all.get((kind, reason), 0) + count
    order = {kind: place for place, kind in enumerate(KINDS)}
    ranked = sorted(in_all.items(), key=lambda item: (order.get(item[0][0], len(order)), -item[1], item[0][1]))
    return [
        Total(
            what=named(words, kind, KINDS),
            reason=named(words, reason, REASONS),
            on_day=counts.get((day, kind, reason), 0),
            in_all=count,
        )
        for (kind, reason), count in ranked
    ]


ROUTES = (order_changes,)
