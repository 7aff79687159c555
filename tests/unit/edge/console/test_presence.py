"""What may be shown of a person, by when somebody last touched the browser."""

from datetime import UTC, datetime, timedelta

from edge_node.console.presence import HIDE_AFTER_S, Presence

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
TICKET, OTHER = "t-1", "t-2"


def at(seconds: float) -> datetime:
    return NINE + timedelta(seconds=seconds)


def test_what_was_called_in_this_stay_is_shown_until_a_minute_without_input() -> None:
    here = Presence(0, NINE).seen(30, at(30))
    assert here.shows(TICKET, at(30), 30)
    assert here.shows(TICKET, at(30), 30 + HIDE_AFTER_S - 1)
    assert not here.shows(TICKET, at(30), 30 + HIDE_AFTER_S)


def test_input_after_a_gap_does_not_show_it_again_until_it_is_asked_for() -> None:
    back = Presence(0, NINE).seen(10, at(10)).seen(100, at(100))
    assert not back.shows(TICKET, at(5), 100)
    assert back.showing(TICKET).shows(TICKET, at(5), 100)
    assert not back.showing(TICKET).shows(OTHER, at(5), 100)
    assert not back.showing(TICKET).seen(200, at(200)).shows(TICKET, at(5), 200), "and the next gap hides it again"


def test_who_is_called_after_the_gap_is_shown() -> None:
    back = Presence(0, NINE).seen(100, at(100))
    assert back.shows(TICKET, at(100), 100)


def test_a_browser_that_says_that_nobody_is_there_is_believed_and_makes_no_screen_lock_later() -> None:
    left = Presence(50, NINE).left(70)
    assert not left.shows(TICKET, at(40), 70)
    assert left.idle_s(70) == HIDE_AFTER_S
    assert Presence(0, NINE).left(200).idle_s(200) == 200
