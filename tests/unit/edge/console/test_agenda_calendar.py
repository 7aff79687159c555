"""The weeks of the agenda: every bookable day in one of them, none twice."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from edge_node.console.agenda_calendar import weeks_of

MONDAY = date(2026, 11, 23)


def day(n: int) -> date:
    return MONDAY + timedelta(days=n)


@pytest.mark.parametrize("horizon", [0, 7, 8, 13, 14, 15, 30, 365])
def test_every_bookable_day_is_in_one_week(horizon: int) -> None:
    weeks = weeks_of(MONDAY, MONDAY, day(horizon))
    days = [first + timedelta(days=n) for first, last in weeks for n in range((last - first).days + 1)]
    assert days == [day(n) for n in range(max(horizon, 7) + 1)]
    assert all((last - first).days in (7, 6) for first, last in weeks[:-1])


def test_without_central_there_is_this_week_and_the_one_that_was_asked_for() -> None:
    assert weeks_of(MONDAY, MONDAY, None) == [(day(0), day(7))]
    assert weeks_of(MONDAY, day(-3), None) == [(day(0), day(7))], "a day that is past"
    assert weeks_of(MONDAY, day(16), None)[-1] == (day(15), day(21))


def test_a_day_beyond_what_can_be_booked_adds_no_weeks() -> None:
    assert weeks_of(MONDAY, date(2199, 1, 1), day(30)) == weeks_of(MONDAY, MONDAY, day(30))
    assert len(weeks_of(MONDAY, MONDAY, date(2199, 1, 1))) == 61, "and a city that lets people book for ever is bounded"
