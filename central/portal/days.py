"""Free times as the page shows them: days with a morning and an afternoon, hours, and a typed date. Pure.

Here a day is a calendar day: somebody who reads "jueves, 0:20" comes on Thursday, whatever the service day is called.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby
from typing import Final

import msgspec

from sync.domain.opening import Interval

NOON_HOUR: Final = 15
"""In Spain the morning ends with lunch."""
DAYS_SHOWN: Final = 5
MANY_TIMES: Final = 18
TIMES_STEP_MIN: Final = 20
_NUMBERS = re.compile(r"\d+")


class FreeDay(msgspec.Struct, frozen=True):
    """A day with free times, each sorted."""

    day: date
    morning: tuple[datetime, ...]
    afternoon: tuple[datetime, ...]

    @property
    def starts(self) -> tuple[datetime, ...]:
        return self.morning + self.afternoon


def by_day(starts: Iterable[datetime], zone: tzinfo) -> tuple[FreeDay, ...]:
    """Free starts grouped by the local day on which they are, sorted."""
    ordered = sorted(starts)
    return tuple(
        _day(day, tuple(times), zone) for day, times in groupby(ordered, lambda at: at.astimezone(zone).date())
    )


def times_shown(starts: Sequence[datetime]) -> tuple[datetime, ...]:
    """The times of half a day that are offered: all of them, or when they are many the first free one of every 20 minutes."""
    if len(starts) <= MANY_TIMES:
        return tuple(starts)
    step_s = TIMES_STEP_MIN * 60
    return tuple(next(times) for _, times in groupby(starts, lambda at: at.timestamp() // step_s))


def open_halves(hours: Iterable[Interval], zone: tzinfo) -> tuple[bool, bool]:
    """Whether an office is open in the morning, and in the afternoon: what never opens cannot be full."""
    spans = [(span.opens_at.astimezone(zone), span.closes_at.astimezone(zone)) for span in hours]
    morning = any(opens.hour < NOON_HOUR for opens, _ in spans)
    return morning, any(closes > opens.replace(hour=NOON_HOUR, minute=0) for opens, closes in spans)


def days_near(days: Sequence[FreeDay], wanted: date, count: int = DAYS_SHOWN) -> tuple[FreeDay, ...]:
    """The free days closest to one that has no free time, in the order of the calendar."""
    near = sorted(days, key=lambda free: (abs(free.day - wanted), free.day))[:count]
    return tuple(sorted(near, key=lambda free: free.day))


def read_date(typed: str, today: date) -> date | None:
    """A date as people type it: "3 12 2026", "3/12/26", "2026-12-03", "3-12" (the next one); none if it is none.

    Args:
        today: for a date without a year.
    """
    numbers = [int(number) for number in _NUMBERS.findall(typed[:40])]
    match numbers:
        case [year, month, day] if year > 31:
            return _date(year, month, day)
        case [day, month, year]:
            return _date(year + 2000 if year < 100 else year, month, day)
        case [day, month]:
            this_year = _date(today.year, month, day)
            return this_year if this_year is None or this_year >= today else _date(today.year + 1, month, day)
        case _:
            return None


def date_example(today: date) -> str:
    """How a date may be typed, shown with one that makes sense: a week from now."""
    example = today + timedelta(days=7)
    return f"{example.day} {example.month} {example.year}"


def _day(day: date, starts: tuple[datetime, ...], zone: tzinfo) -> FreeDay:
    morning = tuple(at for at in starts if at.astimezone(zone).hour < NOON_HOUR)
    return FreeDay(day, morning, starts[len(morning) :])


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except (ValueError, OverflowError):
        return None
