"""What is sounded: oldest first, one at a time, each at most once, never late."""

import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from display_agent.announce import Announcement, Announcer, Chime, Speech
from display_agent.board import Audible, BoardKeeper, CallMark, mark_of
from sync.messages.topics import BoardCall

from .boards import after, board, call, seconds


def audible(at_s: float, *calls: BoardCall) -> Audible:
    return Audible(tuple(sorted(calls, key=lambda each: each.called_at)), after(at_s))


def taken(announcer: Announcer, heard: Audible | None, at_s: float) -> Announcement:
    announcement = announcer.take(heard, "ar", seconds(at_s))
    assert announcement is not None
    return announcement


def test_a_call_is_a_chime_and_the_words_in_two_languages() -> None:
    announcement = taken(Announcer(), audible(1, call(12, 0)), 1)
    assert announcement.parts == (Chime(), Speech("es", "K12", "4"), Speech("ar", "K12", "4"))
    assert announcement.form == "full"


def test_a_second_language_that_is_spanish_is_not_said_again() -> None:
    announcement = Announcer().take(audible(1, call(12, 0)), "es", seconds(1))
    assert announcement
    assert announcement.parts == (Chime(), Speech("es", "K12", "4"))


def test_a_recall_is_said_twice() -> None:
    announcement = taken(Announcer(), audible(1, call(12, 0, recalls=1)), 1)
    assert announcement.parts.count(Chime()) == 2
    assert len(announcement.parts) == 6


def test_calls_sound_one_after_the_other_oldest_first() -> None:
    announcer, heard = Announcer(), audible(2, call(2, 1), call(1, 0))
    assert taken(announcer, heard, 2).mark == mark_of(call(1, 0))
    assert announcer.take(heard, "ar", seconds(3)) is None
    announcer.finish()
    assert taken(announcer, heard, 4).mark == mark_of(call(2, 1))


def test_a_page_that_never_reports_the_end_does_not_block_the_next_for_ever() -> None:
    announcer, heard = Announcer(), audible(2, call(1, 0), call(2, 1))
    taken(announcer, heard, 2)
    assert announcer.take(heard, "ar", seconds(13.9)) is None
    assert taken(announcer, heard, 14).mark == mark_of(call(2, 1))


def test_a_clock_that_goes_years_ahead_and_back_sounds_nothing_again() -> None:
    announcer, years_s = Announcer(), 10 * 365 * 86400
    taken(announcer, audible(1, call(1, 0)), 1)
    announcer.finish()
    taken(announcer, audible(years_s + 2, call(2, years_s + 1)), 2)
    announcer.finish()
    assert announcer.take(audible(3, call(1, 0)), "ar", seconds(3)) is None


def test_what_waited_more_than_20_seconds_is_shortened() -> None:
    assert taken(Announcer(), audible(20, call(1, 0)), 20).form == "full"
    short = taken(Announcer(), audible(20.1, call(1, 0, recalls=2)), 20.1)
    assert (short.form, short.parts) == ("short", (Chime(), Speech("es", "K1", "4")))


def test_what_was_sounded_before_a_restart_is_silent() -> None:
    announcer = Announcer(sounded=[mark_of(call(1, 0))])
    assert announcer.take(audible(1, call(1, 0)), "ar", seconds(1)) is None
    assert taken(announcer, audible(2, call(1, 1.5, recalls=1)), 2).mark.recalls == 1


def test_a_call_moved_by_a_clock_step_is_the_same_call() -> None:
    announcer = Announcer()
    assert taken(announcer, audible(1, call(1, 0, announcement="1.7")), 1).mark.announcement == "1.7"
    announcer.finish()
    assert announcer.take(audible(-59, call(1, -60, announcement="1.7")), "ar", seconds(2)) is None
    assert taken(announcer, audible(-50, call(1, -50, announcement="1.9")), 11).mark.announcement == "1.9"


steps = st.lists(
    st.tuples(
        st.sampled_from(["board", "again", "old", "cut", "restart", "finish", "reload", "step"]),
        st.floats(0.1, 15, allow_nan=False),
        st.booleans(),
    ),
    max_size=60,
)


def change(calls: list[BoardCall], announcement: str, at_s: float, *, new: bool, recall: bool) -> None:
    """Somebody is called, or called again, or answers."""
    number = int(announcement.split(".")[1])
    if new or not calls:
        calls.insert(0, call(1 + number, at_s, counter=str(1 + number % 9), announcement=announcement))
        return
    again = calls.pop(0 if recall else -1)
    if recall:
        recalls, counter = again.recalls + 1, again.counter
        calls.insert(0, call(int(again.label[1:]), at_s, recalls=recalls, counter=counter, announcement=announcement))


@given(steps=steps, seed=st.integers(0, 2**16))
def test_no_history_sounds_a_call_twice_or_late(steps: list[tuple[str, float, bool]], seed: int) -> None:
    """Boards repeated, reordered, kept by the broker and sent again, restarts, clocks set: at most once, at most 30 s old."""
    chance = random.Random(seed)
    now_s, seq, epoch, set_by_s = 0.0, 0, 1, 0.0
    sent, calls = [board(0)], list[BoardCall]()
    sounded: dict[CallMark, float] = {}
    keeper, announcer = BoardKeeper(0), Announcer()
    for what, pause_s, flag in steps:
        now_s += pause_s
        match what:
            case "board":
                seq += 1
                change(calls, f"{epoch}.{seq}", now_s + set_by_s, new=flag, recall=chance.random() < 0.5)
                sent.append(board(now_s + set_by_s, *calls[:4], recent=tuple(calls[4:8]), seq=seq, epoch=epoch))
                keeper.receive(sent[-1], retained=False, now_ns=seconds(now_s))
            case "step":
                seq += 1
                delta_s = pause_s if flag else -pause_s
                set_by_s += delta_s
                calls = [replace(each, called_at=each.called_at + timedelta(seconds=delta_s)) for each in calls]
                sent.append(board(now_s + set_by_s, *calls[:4], recent=tuple(calls[4:8]), seq=seq, epoch=epoch))
                keeper.receive(sent[-1], retained=False, now_ns=seconds(now_s))
            case "again":
                keeper.receive(sent[-1], retained=True, now_ns=seconds(now_s))
            case "old":
                keeper.receive(chance.choice(sent), retained=flag, now_ns=seconds(now_s))
            case "cut":
                epoch += flag
                keeper.raise_epoch(epoch, seconds(now_s))
            case "restart":
                keeper, announcer = BoardKeeper(seconds(now_s), epoch), Announcer(sounded)
                keeper.receive(sent[-1], retained=True, now_ns=seconds(now_s))
            case "finish":
                announcer.finish()
            case _:
                pass  # a reload of the page asks for nothing but the view
        announcement = announcer.take(keeper.audible(seconds(now_s)), "ar", seconds(now_s))
        if announcement is not None:
            assert announcement.mark not in sounded
            sounded[announcement.mark] = now_s
            age = now_s + set_by_s - (announcement.mark.called_at - after(0)).total_seconds()
            assert age <= 30.01, f"{age} s old"
