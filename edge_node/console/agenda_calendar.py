"""The agenda's calendar: the week that is shown, and the weeks that can be booked.

Of today and the next seven days the office knows every appointment by itself. Later ones are central's; while it cannot be asked,
only what this office sold by itself is known of them, and the page says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import msgspec

from edge_node.console.agenda_central import CUT, SILENT, ask, trouble, who
from edge_node.console.agenda_days import DAYS_AHEAD, DayLink, days_of
from edge_node.console.agenda_view import DayView, line_from, merged
from edge_node.console.staff_sessions import Member
from edge_node.node import EdgeNode
from edge_node.queue.state import OfficeState
from edge_node.uplink.client import Failure
from sync.messages import agenda as m

WEEK: Final = timedelta(days=7)
MOST_WEEKS: Final = 60
"""However far a city lets people book."""
UNKNOWN: Final = {CUT: "console.calendar.cut", SILENT: "console.calendar.cut"}
"""What is said of later days when central has not told of them; anything else is told as it is."""


class Week(msgspec.Struct, frozen=True, kw_only=True):
    """Days that are shown together.

    Args:
        booked: how many appointments; none: not known here.
    """

    first: date
    last: date
    booked: int | None = None
    is_shown: bool = False


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """What stands beside a day.

    Args:
        days: of the week that is shown.
        before, after: where the weeks beside it begin; none at either end. ``day_before``: the last day before this week.
        until: the last day that can be booked, if central has told.
        trouble: why later days are not known, as a key of the words.
        more: the day has more appointments than are told at once.
    """

    days: tuple[DayLink, ...]
    weeks: tuple[Week, ...]
    before: date | None = None
    after: date | None = None
    day_before: date | None = None
    until: date | None = None
    trouble: str = ""
    more: bool = False


class Ahead(msgspec.Struct, frozen=True, kw_only=True):
    """What central has told of the days ahead.

    Args:
        booked: appointments by day; a day that is missing has none.
        is_known: it was told just now; else only ``until`` is remembered.
    """

    until: date | None = None
    booked: Mapping[date, int] = {}
    found: tuple[m.AgendaAppointment, ...] = ()
    more: bool = False
    is_known: bool = False
    trouble: str = ""


async def look_ahead(node: EdgeNode, member: Member, today: date, day: date) -> Ahead:
    """Ask central for the days ahead, and for the appointments of a day that the office does not know by itself."""
    is_later = day > today + timedelta(days=DAYS_AHEAD)
    asked = m.CalendarRequest(**who(node, member), first=today, day=day if is_later else None)
    reply = await ask(node, lambda central: central.calendar(asked))
    if isinstance(reply, Failure):
        why = trouble(reply)
        return Ahead(until=node.uplink.agenda.until if node.uplink else None, trouble=UNKNOWN.get(why, why))
    booked = {one.service_date: one.booked for one in reply.days}
    return Ahead(until=reply.until, booked=booked, found=reply.found, more=reply.more, is_known=True)


def calendar_of(state: OfficeState, today: date, day: date, ahead: Ahead, locale: str) -> Calendar:
    """The calendar around a day; an office's own numbers count for the days that it knows."""
    spans = weeks_of(today, day, ahead.until)
    at = next(n for n, (first, last) in enumerate(spans) if n == len(spans) - 1 or max(day, today) <= last)
    own = days_of(state, locale, today, today + timedelta(days=DAYS_AHEAD))
    weeks = []
    for n, (first, last) in enumerate(spans):
        counted = sum(number for each, number in ahead.booked.items() if first <= each <= last)
        later = counted if ahead.is_known else None
        booked = sum(one.booked or 0 for one in own) if n == 0 else later
        weeks.append(Week(first=first, last=last, booked=booked, is_shown=n == at))
    return Calendar(
        days=own if at == 0 else days_of(state, locale, *spans[at], ahead.booked if ahead.is_known else None),
        weeks=tuple(weeks),
        before=spans[at - 1][0] if at else None,
        day_before=spans[at][0] - timedelta(days=1) if at else None,
        after=spans[at + 1][0] if at + 1 < len(spans) else None,
        until=ahead.until,
        trouble=ahead.trouble,
        more=ahead.more,
    )


def with_central(state: OfficeState, view: DayView, ahead: Ahead, locale: str) -> DayView:
    """A day with what central has told of it; what the office knows by itself stays as it is known here."""
    told = (line_from(state, one, locale) for one in ahead.found)
    return msgspec.structs.replace(view, lines=merged((*view.lines, *told)))


def weeks_of(today: date, day: date, until: date | None) -> list[tuple[date, date]]:
    """First and last days: today and the seven days after it, then weeks up to the last day that can be booked. While that is not
    known, only the week that a day is in.
    """
    this_week = today, today + timedelta(days=DAYS_AHEAD)
    start, step = this_week[1] + timedelta(days=1), WEEK - timedelta(days=1)
    if until is None:
        first = start + (day - start) // WEEK * WEEK
        return [this_week, (first, first + step)] if day >= start else [this_week]
    firsts = (start + n * WEEK for n in range(MOST_WEEKS))
    return [this_week, *((first, min(first + step, until)) for first in firsts if first <= until)]
