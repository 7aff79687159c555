"""When an office is open on a service day, and which slots that gives. Pure: zone, holidays and now are arguments.

Hours are local times; everything that comes out is UTC. A service day runs from 04:00 to 04:00 local time, so "round the
clock" is exactly one service day: 23 or 25 hours long when the clock changes, and no slot is lost or made twice.
"""

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


class Band(msgspec.Struct, frozen=True):
    """Another number of seats in a part of the week, local time; 0 = Monday."""

    weekday: int
    starts: time
    ends: time
    seats: int


class Capacity(msgspec.Struct, frozen=True):
    """How a pool cuts opening hours into slots: their length in minutes, and seats unless a band says otherwise."""

    slot_min: int
    seats: int
    bands: tuple[Band, ...] = ()


class PlannedSlot(msgspec.Struct, frozen=True):
    """A start time and how many people can start then."""

    start_at: datetime
    seats: int


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


def bookable_hours(service_date: date, week: Week) -> tuple[Interval, ...]:
    """The hours that appointments are given for. A holiday whose date is only estimated has none until somebody confirms
    or strikes it: moving people is worse than offering the day late.
    """
    holiday = week.holidays.get(service_date)
    if holiday is not None and not holiday.confirmed and service_date not in week.dated:
        return ()
    return hours_of(service_date, week)


def slots_of(service_date: date, week: Week, capacity: Capacity) -> tuple[PlannedSlot, ...]:
    """The slots of a service day, sorted by start; a slot ends before the office closes."""
    length = timedelta(minutes=capacity.slot_min)
    return tuple(
        PlannedSlot(start_at, _seats(start_at, capacity, week.zone))
        for interval in bookable_hours(service_date, week)
        for start_at in _starts(interval, length)
    )


def _starts(interval: Interval, length: timedelta) -> Iterable[datetime]:
    count = (interval.closes_at - interval.opens_at) // length
    return (interval.opens_at + n * length for n in range(count))


def _seats(start_at: datetime, capacity: Capacity, zone: tzinfo) -> int:
    local = start_at.astimezone(zone)
    for band in capacity.bands:
        if band.weekday == local.weekday() and band.starts <= local.time() < band.ends:
            return band.seats
    return capacity.seats


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
