"""Which slots an office's hours give on a service day. Pure: zone, holidays and now are arguments."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, tzinfo

import msgspec

from sync.domain.opening import Interval, Week, hours_of


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
