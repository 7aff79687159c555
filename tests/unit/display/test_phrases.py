"""The view in words, in every second language, and nothing of a ticket but its label."""

from zoneinfo import ZoneInfo

import pytest

from display_agent.board import BoardKeeper, CallMark, View
from display_agent.keys import KEYS_MAX, Keys
from display_agent.phrases import PageView, Phrases
from sync.messages.codec import encode
from sync.messages.topics import WaitRange
from ui.catalog import load_catalog

from .boards import after, board, call, seconds, ticket_id

CATALOG = load_catalog(strict=True)
CEUTA = ZoneInfo("Africa/Ceuta")


def phrased(view: View, second: str | None = "ar") -> PageView:
    words = None if second is None else CATALOG.words(second)
    return Phrases(CATALOG.words("es"), words, CEUTA, Keys("t").key_of, "p1").page_view(view)


def view_of(at_s: float, *calls: int, recalls: int = 0) -> View:
    keeper = BoardKeeper(0)
    keeper.receive(board(at_s, *(call(n, 0, recalls=recalls) for n in calls)), retained=False, now_ns=seconds(at_s))
    return keeper.view(seconds(at_s))


def test_a_fresh_call_is_said_without_its_hour() -> None:
    page = phrased(view_of(5, 12))
    assert page.main
    assert (page.main.label, page.main.counter, page.main.fresh, page.main.timed) == ("K12", "4", True, False)
    assert (page.clock, page.waiting, page.wait) == ("9:00", "9 personas esperando", "Entre 10 y 20 min")


def test_an_old_call_is_said_with_its_hour_in_the_zone_of_the_office() -> None:
    page = phrased(view_of(600, 12))
    assert page.main
    assert (page.main.fresh, page.main.timed, page.main.called) == (False, True, "llamado 9:00")


@pytest.mark.parametrize("recalls,again", [(0, ""), (1, "Segundo aviso"), (2, "Último aviso"), (3, "Último aviso")])
def test_a_recall_says_which_it_is(recalls: int, again: str) -> None:
    page = phrased(view_of(5, 12, recalls=recalls))
    assert page.main
    assert page.main.again == again


@pytest.mark.parametrize(
    "second,go",
    [
        ("ar", "توجّه إلى الشباك 4"),
        ("fr", "Présentez-vous au guichet 4"),
        ("en", "Go to desk 4"),
        (None, ""),
    ],
)
def test_the_way_is_said_in_the_second_language(second: str | None, go: str) -> None:
    page = phrased(view_of(5, 12), second)
    assert page.main
    assert page.main.go == go


@pytest.mark.parametrize(
    "low,high,words",
    [(0, 4, "Menos de 5 min"), (12, 18, "Entre 10 y 20 min"), (70, 90, "Más de 60 min"), (0, 0, "Menos de 5 min")],
)
def test_a_wait_is_a_range_in_steps_of_five(low: int, high: int, words: str) -> None:
    view = View(state="live", waiting=3, wait=WaitRange(low_min=low, high_min=high), clock_at=after(0))
    assert phrased(view).wait == words


def test_one_person_and_none() -> None:
    assert phrased(View(state="live", waiting=1, clock_at=after(0))).waiting == "1 persona esperando"
    nobody = phrased(View(state="live", waiting=0, wait=WaitRange(low_min=0, high_min=5), clock_at=after(0)))
    assert (nobody.waiting, nobody.wait) == ("0 personas esperando", "")


def test_a_closed_office_has_nobody_waiting() -> None:
    assert phrased(View(state="live", open=False, waiting=2, clock_at=after(0))).waiting == ""


def test_while_the_hour_is_not_known_every_call_tells_its_own() -> None:
    keeper = BoardKeeper(0)
    keeper.receive(board(0, call(1, 0), recent=(call(2, -5),)), retained=True, now_ns=0)
    page = phrased(keeper.view(0))
    assert page.main
    assert (page.main.timed, [row.timed for row in page.rows], page.clock) == (True, [True], "")


def test_a_full_view_is_small_and_holds_no_ticket_id() -> None:
    data = encode(phrased(view_of(5, *range(101, 107))))
    assert len(data) < 4096
    assert b"0000-7000" not in data


def test_keys_stand_for_marks_until_they_are_forgotten() -> None:
    keys, view = Keys("a1"), view_of(5, 12)
    assert view.main
    key = keys.key_of(view.main.mark)
    assert keys.key_of(view.main.mark) == key
    assert keys.mark_of(key) == view.main.mark
    assert Keys("b2").mark_of(key) is None
    for number in range(KEYS_MAX):
        keys.key_of(CallMark(ticket_id(number), "1.1", 0, after(1)))
    assert keys.mark_of(key) is None
