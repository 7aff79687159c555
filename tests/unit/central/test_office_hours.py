"""Hours and slots of a service day, on the days when the clock changes too."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.offices.calendar import official_holidays
from central.offices.rules import Band, Capacity, slots_of
from sync.domain.opening import Week, hours_of, is_open
from sync.domain.service_day import service_date
from sync.messages.feed import DatedHours, Holiday, OpeningHours

CEUTA = ZoneInfo("Africa/Ceuta")
MONDAY = date(2026, 11, 23)
WEEKDAYS = tuple(OpeningHours(weekday=day, opens=time(9), closes=time(14)) for day in range(5))
SPRING, AUTUMN = date(2026, 3, 28), date(2026, 10, 24)
"""Service days (Saturdays) in whose night the clock goes forward, and back."""


def week(*dated: DatedHours, holidays: tuple[Holiday, ...] = ()) -> Week:
    return Week(
        zone=CEUTA,
        weekly=WEEKDAYS,
        dated={one.service_date: one for one in dated},
        holidays={one.day: one for one in holidays},
    )


def round_the_clock(day: date) -> DatedHours:
    return DatedHours(service_date=day, open=True)


def holiday(day: date, confirmed: bool) -> Holiday:
    return Holiday(day=day, names={"es": "Fiesta"}, confirmed=confirmed)


def test_a_weekday_is_open_from_nine_to_two() -> None:
    (hours,) = hours_of(MONDAY, week())
    assert (hours.opens_at, hours.closes_at) == (
        datetime(2026, 11, 23, 8, tzinfo=UTC),
        datetime(2026, 11, 23, 13, tzinfo=UTC),
    )
    assert is_open(hours.opens_at, [hours])
    assert not is_open(hours.closes_at, [hours])
    assert hours_of(date(2026, 11, 22), week()) == ()


def test_summer_hours_are_an_hour_earlier_in_utc() -> None:
    (hours,) = hours_of(date(2026, 7, 6), week())
    assert hours.opens_at == datetime(2026, 7, 6, 7, tzinfo=UTC)


@pytest.mark.parametrize("confirmed,open_hours,slots", [(True, 0, 0), (False, 1, 0)])
def test_an_estimated_holiday_is_open_but_not_bookable(confirmed: bool, open_hours: int, slots: int) -> None:
    there = week(holidays=(holiday(MONDAY, confirmed),))
    assert len(hours_of(MONDAY, there)) == open_hours
    assert len(slots_of(MONDAY, there, Capacity(10, 1))) == slots


def test_dated_hours_win_over_week_and_holiday() -> None:
    dated = DatedHours(service_date=MONDAY, open=True, opens=time(10), closes=time(11))
    there = week(dated, holidays=(holiday(MONDAY, True),))
    assert len(slots_of(MONDAY, there, Capacity(10, 1))) == 6
    assert hours_of(MONDAY, week(DatedHours(service_date=MONDAY, open=False))) == ()


@pytest.mark.parametrize("day,hours", [(MONDAY, 24), (SPRING, 23), (AUTUMN, 25)])
def test_round_the_clock_is_one_service_day(day: date, hours: int) -> None:
    there = week(round_the_clock(day))
    (opening,) = hours_of(day, there)
    slots = slots_of(day, there, Capacity(10, 1))

    assert opening.closes_at - opening.opens_at == timedelta(hours=hours)
    assert opening.opens_at.astimezone(CEUTA).time() == time(4)
    assert len(slots) == hours * 6
    assert len({slot.start_at for slot in slots}) == len(slots)
    assert {service_date(slot.start_at, CEUTA) for slot in slots} == {day}


def test_bands_change_the_seats_of_a_part_of_the_week() -> None:
    capacity = Capacity(60, 2, (Band(0, time(10), time(12), 5), Band(1, time(9), time(14), 0)))
    assert [slot.seats for slot in slots_of(MONDAY, week(), capacity)] == [2, 5, 5, 2, 2]
    assert {slot.seats for slot in slots_of(MONDAY + timedelta(days=1), week(), capacity)} == {0}


DAYS = st.dates(date(2025, 1, 1), date(2028, 12, 31))


@given(DAYS, st.integers(5, 120), st.booleans())
def test_slots_fill_the_hours_and_stay_inside(day: date, slot_min: int, all_day: bool) -> None:
    there = week(round_the_clock(day)) if all_day else week()
    hours, slots = hours_of(day, there), slots_of(day, there, Capacity(slot_min, 1))
    length = timedelta(minutes=slot_min)

    assert all(any(h.opens_at <= s.start_at and s.start_at + length <= h.closes_at for h in hours) for s in slots)
    assert all(later.start_at - earlier.start_at == length for earlier, later in pairwise(slots))
    assert len(slots) == sum((h.closes_at - h.opens_at) // length for h in hours)
    assert all(slot.start_at.tzinfo is UTC for slot in slots)


def test_melilla_keeps_its_own_feasts_and_knows_which_are_guesses() -> None:
    days = official_holidays("ES", "ML", (2026, 2027))
    assert days[date(2026, 3, 20)].confirmed  # Eid al-Fitr 2026 is official
    estimated = [day for day, one in days.items() if not one.confirmed]
    assert date(2027, 3, 9) in estimated
    assert all("estimad" not in one.names["es"] for one in days.values())
    assert date(2026, 9, 8) in days
    assert days[date(2026, 1, 6)].names["en"] == "Epiphany"


def test_a_city_confirms_and_strikes_estimated_days() -> None:
    eid, other = date(2027, 3, 9), date(2027, 5, 16)
    days = official_holidays("ES", "ML", (2027,), confirmed=[eid], struck=[other])
    assert days[eid].confirmed
    assert other not in days
