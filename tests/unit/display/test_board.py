"""What is shown: newest version, ages on the office's clock, rows and large call, stale and fenced boards."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from display_agent.board import BoardKeeper, View, version
from sync.messages.topics import Board

from .boards import after, board, call, seconds


def keeper_with(*boards: Board, retained: bool = False) -> BoardKeeper:
    """A keeper that got each board live, at the moment it was made."""
    keeper = BoardKeeper(now_ns=0)
    for each in boards:
        keeper.receive(each, retained=retained, now_ns=seconds((each.at - after(0)).total_seconds()))
    return keeper


def labels(view: View) -> tuple[str | None, list[str]]:
    return (view.main.label if view.main else None), [row.label for row in view.rows]


def test_before_the_first_board_the_screen_starts_and_then_says_that_it_is_offline() -> None:
    keeper = BoardKeeper(now_ns=0)
    assert keeper.view(seconds(10)) == View(state="starting")
    assert keeper.view(seconds(10.1)) == View(state="offline")


def test_the_newest_call_is_large_and_the_others_are_rows_with_calls_to_answer_first() -> None:
    keeper = keeper_with(board(100, call(3, 100), call(1, 40), recent=(call(2, 95), call(4, 30))))
    view = keeper.view(seconds(100))
    assert labels(view) == ("K3", ["K1", "K2", "K4"])
    assert [row.current for row in view.rows] == [True, False, False]


def test_several_calls_within_seconds_are_all_visible_and_fresh() -> None:
    view = keeper_with(board(10, *(call(n, 10 - n / 10) for n in range(1, 7)))).view(seconds(10))
    assert labels(view) == ("K1", ["K2", "K3", "K4", "K5", "K6"])
    assert view.main
    assert all(shown.fresh and shown.current for shown in (view.main, *view.rows))


def test_an_answered_call_stays_large_while_it_is_fresh() -> None:
    keeper = keeper_with(board(8, recent=(call(1, 0),)))
    at_8 = keeper.view(seconds(8))
    assert labels(at_8) == ("K1", [])
    assert at_8.main
    assert not at_8.main.current
    keeper.receive(board(29, call(2, -60), recent=(call(1, 0),), beat=1), retained=False, now_ns=seconds(29))
    assert labels(keeper.view(seconds(29))) == ("K1", ["K2"])
    assert labels(keeper.view(seconds(31))) == ("K2", ["K1"])


def test_the_last_call_stays_large_when_nobody_is_called() -> None:
    view = keeper_with(board(300, recent=(call(2, 200), call(1, 100)))).view(seconds(300))
    assert labels(view) == ("K2", ["K1"])
    assert view.main
    assert not view.main.fresh


@pytest.mark.parametrize("age_s,fresh", [(0, True), (30, True), (30.1, False), (-0.2, True)])
def test_a_call_is_fresh_up_to_30_seconds_of_the_office_clock(age_s: float, fresh: bool) -> None:
    view = keeper_with(board(100, call(1, 100 - age_s))).view(seconds(100))
    assert view.main
    assert view.main.fresh is fresh


def test_a_call_grows_old_between_two_boards() -> None:
    keeper = keeper_with(board(25, call(1, 0)))
    for at_s, fresh in ((25.0, True), (30.0, True), (31.0, False)):
        view = keeper.view(seconds(at_s))
        assert view.main
        assert view.main.fresh is fresh


def test_recent_calls_stay_for_three_minutes_or_as_one_of_four() -> None:
    many = keeper_with(board(400, recent=tuple(call(n, 360 - n) for n in range(1, 8)))).view(seconds(400))
    assert labels(many) == ("K1", ["K2", "K3", "K4", "K5", "K6"])  # five rows are the most that can be read
    old = keeper_with(board(900, recent=tuple(call(n, 360 - n) for n in range(1, 8)))).view(seconds(900))
    assert labels(old) == ("K1", ["K2", "K3", "K4", "K5"])


def test_stale_after_ten_seconds_without_a_board_keeps_calls_and_hides_what_may_be_wrong() -> None:
    keeper = keeper_with(board(0, call(1, 0), recent=tuple(call(n, -n) for n in range(2, 8))))
    assert keeper.view(seconds(10)).state == "live"
    stale = keeper.view(seconds(10.1))
    assert stale.state == "offline"
    assert (stale.main, stale.waiting, stale.wait, stale.clock_at) == (None, None, None, None)
    assert labels(stale) == (None, ["K1", "K2", "K3", "K4"])
    assert not any(row.fresh for row in stale.rows)
    assert keeper.audible(seconds(10.1)) is None


def test_the_clock_is_the_office_clock_cut_to_the_minute() -> None:
    assert keeper_with(board(59)).view(seconds(62)).clock_at == after(60)


def test_a_board_from_before_the_start_is_shown_but_its_age_is_not_guessed() -> None:
    keeper = keeper_with(board(0, call(1, 0)), retained=True)
    view = keeper.view(seconds(1))
    assert view.state == "live"
    assert view.main
    assert not view.main.fresh
    assert (view.clock_at, view.waiting, keeper.audible(seconds(1))) == (None, None, None)
    assert keeper.view(seconds(11)).state == "offline"


def test_a_live_board_after_a_retained_one_makes_all_known() -> None:
    keeper = keeper_with(board(0, call(1, 0)), retained=True)
    keeper.receive(board(3, call(1, 0), beat=1), retained=False, now_ns=seconds(5))
    view = keeper.view(seconds(5))
    assert view.main
    assert view.main.fresh
    assert view.waiting == 9


def test_after_an_outage_the_retained_board_is_dated_by_the_known_office_clock() -> None:
    keeper = keeper_with(board(0))
    assert keeper.view(seconds(40)).state == "offline"
    keeper.receive(board(38, call(1, 35), call(2, 2), seq=3), retained=True, now_ns=seconds(40))
    view = keeper.view(seconds(40))
    assert view.state == "live"
    assert [(s.label, s.fresh) for s in (view.main, *view.rows) if s] == [("K1", True), ("K2", False)]
    assert keeper.view(seconds(48.1)).state == "offline"  # ten seconds after it was made, not after it came


def test_an_old_retained_board_does_not_end_an_outage() -> None:
    keeper = keeper_with(board(0))
    keeper.receive(board(5, call(1, 5), seq=2), retained=True, now_ns=seconds(60))
    assert keeper.view(seconds(60)).state == "offline"
    assert keeper.audible(seconds(60)) is None


def test_a_lower_epoch_is_fenced_and_a_newer_one_wins_with_a_lower_sequence() -> None:
    keeper = keeper_with(board(0, call(1, 0), epoch=2, seq=50))
    assert keeper.receive(board(1, epoch=1, seq=99), retained=False, now_ns=seconds(1)) == "fenced"
    assert keeper.receive(board(2, call(7, 2), epoch=3, seq=1), retained=False, now_ns=seconds(2)) == "taken"
    assert labels(keeper.view(seconds(2)))[0] == "K7"


def test_a_new_epoch_makes_the_former_board_history() -> None:
    keeper = keeper_with(board(0, call(1, 0)))
    keeper.raise_epoch(2, seconds(1))
    view = keeper.view(seconds(2))
    assert view.main
    assert not view.main.fresh
    assert keeper.audible(seconds(2)) is None
    assert keeper.view(seconds(12)).state == "offline"
    assert keeper.receive(board(2, seq=9), retained=False, now_ns=seconds(2)) == "fenced"


def test_a_known_epoch_again_changes_nothing() -> None:
    keeper = keeper_with(board(0, call(1, 0), epoch=2))
    before = keeper.view(seconds(1))
    keeper.raise_epoch(2, seconds(1))
    keeper.raise_epoch(1, seconds(1))
    assert keeper.view(seconds(1)) == before


versions = st.tuples(st.integers(1, 3), st.integers(0, 4), st.integers(0, 4))


@given(sent=st.lists(versions, min_size=1, max_size=30), seed=st.integers(0, 2**16))
def test_no_lower_version_is_ever_shown_whatever_order_and_repetition(
    sent: list[tuple[int, int, int]], seed: int
) -> None:
    chance = random.Random(seed)
    keeper, best = BoardKeeper(now_ns=0), (0, -1, -1)
    for n, (epoch, seq, beat) in enumerate(sent + chance.choices(sent, k=len(sent))):
        number = 1 + epoch * 25 + seq * 5 + beat
        one = board(0, call(number, 0), epoch=epoch, seq=seq, beat=beat)
        outcome = keeper.receive(one, retained=chance.random() < 0.5, now_ns=seconds(n / 100))
        assert (outcome == "taken") == (version(one) > best)
        best = max(best, version(one))
        main = keeper.view(seconds(n / 100)).main
        assert main is not None
        assert main.label == f"K{1 + best[0] * 25 + best[1] * 5 + best[2]}"
