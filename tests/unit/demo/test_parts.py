"""How long a part that ended is left down, and for how long people are told of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from provisioning.demo.parts import CALM, Fall, fallen, how_ended

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def fall(before: Fall | None, now: datetime) -> Fall:
    return fallen(before, "centro.edge", "signal 9", "centro.edge.log", now)


def test_it_is_started_a_second_later() -> None:
    first = fall(None, NOW)
    assert not first.is_due(NOW + timedelta(milliseconds=999))
    assert first.is_due(NOW + timedelta(seconds=1))
    assert not first.back(NOW + timedelta(seconds=1)).is_due(NOW + timedelta(hours=1))


def test_one_that_ends_over_and_over_is_started_a_few_times_a_minute() -> None:
    known, now, pauses = None, NOW, []
    for _ in range(7):
        known = fall(known, now)
        pauses.append(known.pause_s)
        now = known.start_at
        known = known.back(now)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]


def test_people_are_told_of_it_until_it_stayed_up() -> None:
    first = fall(None, NOW)
    assert not first.is_over(NOW + timedelta(hours=1)), "it is down"
    back = first.back(NOW + timedelta(seconds=1))
    assert not back.is_over(NOW + CALM)
    assert back.is_over(NOW + CALM + timedelta(seconds=1))
    assert fall(back, NOW + CALM + timedelta(seconds=1)).times == 1, "an accident of its own"
    assert fall(back, NOW + CALM).times == 2


def test_a_third_time_in_a_row_is_no_accident() -> None:
    assert [fall(None, NOW).is_often, fall(fall(fall(None, NOW), NOW), NOW).is_often] == [False, True]


@pytest.mark.parametrize("code, words", [(-9, "signal 9"), (1, "exit 1"), (0, "exit 0"), (None, "ended")])
def test_how_it_ended(code: int | None, words: str) -> None:
    assert how_ended(code) == words
