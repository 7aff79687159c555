"""The days of the agenda: how many appointments each has, when the office is open, and why it is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final, Literal

import msgspec

from edge_node.queue.state import OfficeState
from sync.domain.service_day import service_date
from sync.messages.feed import DatedHours, Holiday, Office

DAYS_AHEAD: Final = 7
"""So far ahead an office knows its appointments."""

Opening = Literal["open", "always", "closed", "holiday", "unsure", "not_weekly"]
"""``unsure``: a holiday whose date is only estimated; the office opens, and gives no appointments yet."""


class DayHours(msgspec.Struct, frozen=True, kw_only=True):
    """The opening of a service day.

    Args:
        times: local opening and closing times, as people read them.
        special: they are not the week's usual ones.
        reason: what the city wrote about it; for a holiday its name.
    """

    opening: Opening
    times: tuple[tuple[str, str], ...] = ()
    special: bool = False
    reason: str = ""

    @property
    def is_closed(self) -> bool:
        return self.opening in ("closed", "holiday", "not_weekly")


class DayLink(msgspec.Struct, frozen=True, kw_only=True):
    """A day of the list. ``booked``: how many appointments; none: not known here."""

    day: date
    is_today: bool
    booked: int | None
    hours: DayHours


def days_of(
    state: OfficeState, locale: str, first: date, last: date, told: Mapping[date, int] | None = None
) -> tuple[DayLink, ...]:
    """The days of a week.

    Args:
        told: how many appointments central has on days that the office does not know by itself; none: it has not told.
    """
    today = state.day.service_date or service_date(state.now(), state.zone)
    known_until = today + timedelta(days=DAYS_AHEAD)
    rows = state.agenda.by_id.values()
    own = Counter(service_date(row.slot_start_at, state.zone) for row in rows if row.status == "booked")
    office, holidays = state.configuration.catalogue.office, state.configuration.holidays
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return tuple(
        DayLink(
            day=day,
            is_today=day == today,
            booked=own[day] if day <= known_until else told.get(day, 0) if told is not None else None,
            hours=hours_of(office, holidays, day, locale),
        )
        for day in days
    )


def hours_of(office: Office, holidays: Mapping[date, Holiday], day: date, locale: str = "es") -> DayHours:
    """The hours of a service day, as central decides them: dated ones, else none on a confirmed holiday, else the week's."""
    dated = next((one for one in office.exceptions if one.service_date == day), None)
    if dated is not None:
        return _dated(dated)
    holiday = holidays.get(day)
    name = (holiday.names.get(locale) or holiday.names.get("es", "")) if holiday else ""
    if holiday is not None and holiday.confirmed:
        return DayHours(opening="holiday", reason=name)
    weekly = [one for one in office.hours if one.weekday == day.weekday()]
    times = tuple((_clock(one.opens), _clock(one.closes)) for one in weekly)
    if not times:
        return DayHours(opening="not_weekly")
    return DayHours(opening="unsure" if holiday is not None else "open", times=times, reason=name)


def _dated(dated: DatedHours) -> DayHours:
    if not dated.open:
        return DayHours(opening="closed", special=True, reason=dated.note)
    if dated.opens is None or dated.closes is None or dated.opens == dated.closes:
        return DayHours(opening="always", special=True, reason=dated.note)
    times = ((_clock(dated.opens), _clock(dated.closes)),)
    return DayHours(opening="open", times=times, special=True, reason=dated.note)


def _clock(at: object) -> str:
    text = f"{at:%H:%M}"
    return text.removeprefix("0")
