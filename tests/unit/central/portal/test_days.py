from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.portal.days import by_day, date_example, days_near, open_halves, read_date, times_shown
from sync.domain.opening import Interval

ZONE = ZoneInfo("Africa/Ceuta")
TODAY = date(2026, 11, 23)
NINE = datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_a_time_after_midnight_stands_on_its_own_calendar_day() -> None:
    late = datetime(2026, 11, 23, 23, 20, tzinfo=UTC)  # 0:20 on Tuesday, still Monday's service day
    days = by_day([late, NINE], ZONE)
    assert [free.day for free in days] == [date(2026, 11, 23), date(2026, 11, 24)]


def test_the_afternoon_begins_at_three() -> None:
    starts = [NINE + timedelta(hours=n) for n in range(8)]
    [free] = by_day(starts, ZONE)
    assert [at.astimezone(ZONE).hour for at in free.afternoon] == [15, 16]


def test_many_times_are_thinned_to_the_first_of_each_twenty_minutes() -> None:
    starts = [NINE + timedelta(minutes=10 * n) for n in range(30)]
    assert times_shown(starts[:18]) == tuple(starts[:18])
    taken = [at for at in starts if at != NINE]  # 9:00 is taken: 9:10 stands for it
    assert times_shown(taken)[0] == NINE + timedelta(minutes=10)
    assert len(times_shown(starts)) == 15


@given(st.lists(st.integers(0, 400), unique=True, max_size=60))
def test_no_day_with_free_times_looks_full(minutes: list[int]) -> None:
    starts = sorted(NINE + timedelta(minutes=5 * n) for n in minutes)
    shown = [at for free in by_day(starts, ZONE) for half in (free.morning, free.afternoon) for at in times_shown(half)]
    assert set(shown) <= set(starts)
    assert bool(shown) == bool(starts)


@pytest.mark.parametrize(
    "typed, day",
    [
        ("3 12 2026", date(2026, 12, 3)),
        ("03/12/26", date(2026, 12, 3)),
        ("2026-12-03", date(2026, 12, 3)),
        ("3-12", date(2026, 12, 3)),
        ("1.1.", date(2027, 1, 1)),
        ("٣ ١٢ ٢٠٢٦", date(2026, 12, 3)),
        ("31 2 2027", None),
        ("12", None),
        ("mañana", None),
        ("", None),
        ("1 2 3 4", None),
        ("1 1 99999999999999999999", None),
    ],
)
def test_dates_are_read_as_people_type_them(typed: str, day: date | None) -> None:
    assert read_date(typed, TODAY) == day


def test_the_example_is_a_date_that_can_be_read() -> None:
    assert read_date(date_example(TODAY), TODAY) == TODAY + timedelta(days=7)


def test_the_nearest_days_are_told_in_the_order_of_the_calendar() -> None:
    days = by_day([NINE + timedelta(days=n) for n in (0, 1, 7, 8, 30)], ZONE)
    near = days_near(days, date(2026, 11, 29), count=3)
    assert [free.day.day for free in near] == [24, 30, 1]


def test_what_never_opens_is_not_full() -> None:
    assert open_halves([Interval(NINE, NINE + timedelta(hours=5))], ZONE) == (True, False)
    assert open_halves([Interval(NINE, NINE + timedelta(hours=9))], ZONE) == (True, True)
    assert open_halves([], ZONE) == (False, False)
