"""Guessing locators at a kiosk."""

from datetime import UTC, datetime, timedelta

from edge_node.lan.rules import ALARM_AT, FORGET_AFTER, HELP_AFTER, Misses

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def missed(times: int, every: timedelta = timedelta(seconds=10)) -> list[Misses]:
    misses = Misses()
    return [misses := misses.one_more(NOW + n * every) for n in range(times)]


def test_help_is_offered_after_five_misses_and_stays_offered() -> None:
    assert [m.wants_help for m in missed(8)] == [False] * HELP_AFTER + [True] * 3


def test_the_alarm_sounds_once_in_a_run() -> None:
    assert [m.count for m in missed(60) if m.is_alarm] == [ALARM_AT]


def test_a_quiet_quarter_of_an_hour_ends_the_run() -> None:
    tired = missed(7)[-1]
    assert tired.last_at is not None
    assert tired.one_more(tired.last_at + FORGET_AFTER).count == 1
    assert tired.one_more(tired.last_at + FORGET_AFTER - timedelta(seconds=1)).count == 8
