"""When an office is open on a service day. Pure: zone, holidays and now are arguments.

Hours are local times; everything that comes out is UTC. A service day runs from 04:00 to 04:00 local time, so "round the
clock" is exactly one service day: 23 or 25 hours long when the clock changes, and no slot is lost or made twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import msgspec

from sync.domain.service_day import TURN, ends_at, starts_at
from sync.messages.feed import DatedHours, Holiday, OpeningHours


class Interval(msgspec.Struct, frozen=True):
    """A stretch of opening, UTC; `closes_at` is not in it."""

    opens_at: datetime
    closes_at: datetime


class Week(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides an office's hours.

    Args:
        weekly: sorted by weekday and time.
        dated: service days with hours of their own, by date; they win over everything.
        holidays: by date; on a confirmed one the office is closed.
    """

    zone: tzinfo
    weekly: Sequence[OpeningHours]
    dated: Mapping[date, DatedHours]
    holidays: Mapping[date, Holiday]


def hours_of(service_date: date, week: Week) -> tuple[Interval, ...]:
    """The opening of a service day, sorted: its dated hours, else none on a confirmed holiday, else the weekday's."""
    if dated := week.dated.get(service_date):
        return _dated_hours(service_date, dated, week.zone)
    holiday = week.holidays.get(service_date)
    if holiday is not None and holiday.confirmed:
        return ()
    todays = [hours for hours in week.weekly if hours.weekday == service_date.weekday()]
    return tuple(_interval(service_date, hours.opens, hours.closes, week.zone) for hours in todays)


def is_open(at: datetime, intervals: Iterable[Interval]) -> bool:
    """Whether an instant lies within opening hours."""
    return any(interval.opens_at <= at < interval.closes_at for interval in intervals)


def _dated_hours(service_date: date, dated: DatedHours, zone: tzinfo) -> tuple[Interval, ...]:
    if not dated.open:
        return ()
    if dated.opens is None or dated.closes is None or dated.opens == dated.closes:
        return (Interval(starts_at(service_date, zone), ends_at(service_date, zone)),)
    return (_interval(service_date, dated.opens, dated.closes, zone),)


def _interval(service_date: date, opens: time, closes: time, zone: tzinfo) -> Interval:
    return Interval(_instant(service_date, opens, zone), _instant(service_date, closes, zone))


def _instant(service_date: date, at: time, zone: tzinfo) -> datetime:
    """A local time of a service day; before 04:00 it stands on the next calendar day."""
    day = service_date + timedelta(days=1) if at < TURN else service_date
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
