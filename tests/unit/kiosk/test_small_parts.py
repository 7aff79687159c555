"""Scanner lines, buttons, boards and print jobs: the small pure rules around the machine."""

from datetime import UTC, datetime, timedelta

import pytest

from kiosk_agent.machine import events as e
from kiosk_agent.printing.slips import treatment
from kiosk_agent.scanner import MAX_LINE, LineCutter
from kiosk_agent.spool import SpooledJob
from kiosk_agent.touches import touch
from kiosk_agent.waiting import Queue, is_heard, wait_for, with_board, with_epoch, with_sign_of_life
from sync.messages.topics import Board, PrintJob, ServiceWait
from tests.unit.kiosk.slips import SLIP

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
ID = "01900000-0000-7000-8000-0000000000a1"


@pytest.mark.parametrize(
    "data, lines, dropped",
    [
        (b"V1.abc\r\n", ["V1.abc"], 0),
        (b"V1.abc\rV1.def\n", ["V1.abc", "V1.def"], 0),
        (b"\r\n\r\n", [], 0),
        (b"  K7M4QX \r", ["K7M4QX"], 0),
        (b"\xff\xfe\x00garbage\r\nV1.ok\r\n", ["V1.ok"], 1),
        (b"x" * MAX_LINE + b"\r", ["x" * MAX_LINE], 0),
        (b"x" * (MAX_LINE + 1) + b"\rV1.ok\r", ["V1.ok"], 1),
        (b"\x1b[Aescape\r", [], 1),
        (b"unended", [], 0),
    ],
)
def test_lines_from_the_wire(data: bytes, lines: list[str], dropped: int) -> None:
    for size in (1, 7, len(data)):
        cutter = LineCutter()
        got = [line for at in range(0, len(data), size) for line in cutter.feed(data[at : at + size])]
        assert (got, cutter.dropped) == (lines, dropped)


def test_noise_that_never_ends_does_not_spoil_the_next_code() -> None:
    cutter = LineCutter()
    cutter.feed(b"noise")
    cutter.abandon()
    assert (cutter.feed(b"V1.ok\r"), cutter.dropped) == (["V1.ok"], 1)


@pytest.mark.parametrize(
    "said, event",
    [
        ("stay", e.Stay()),
        ("choose:padron", e.ChooseService("padron")),
        ("letter:K", e.TypeLetter("K")),
        ("language:ar", e.ChooseLanguage("ar")),
        ("comfort:contrast", e.SwitchComfort("contrast")),
        ("take", e.TakeTicket(ID)),
        ("comfort:wings", None),
        ("choose:", None),
        ("back:now", None),
        ("drop tables", None),
        ("", None),
    ],
)
def test_what_buttons_say(said: str, event: e.Touch | None) -> None:
    assert touch(said, ID) == event


def board(seq: int, *, epoch: int = 1, beat: int = 0, waiting: int = 0) -> Board:
    return Board(
        office="real",
        zone="b",
        epoch=epoch,
        seq=seq,
        beat=beat,
        at=NOW,
        calls=(),
        recent=(),
        waiting=waiting,
        services=(ServiceWait(service="padron", waiting=waiting),),
    )


def waiting(queue: Queue, now_s: float = 0.0) -> int | None:
    known = wait_for(queue, "padron", now_s)
    return known.waiting if known else None


def test_a_lower_board_is_dropped_but_shows_that_the_edge_lives() -> None:
    queue = with_board(Queue(), board(5, waiting=5), retained=False, now_s=0)
    for older in (board(4, waiting=4), board(5, waiting=9)):
        queue = with_board(queue, older, retained=False, now_s=8)
        assert (waiting(queue, 8), is_heard(queue, 17.9)) == (5, True)
    assert waiting(with_board(queue, board(5, beat=1, waiting=7), retained=False, now_s=8), 8) == 7


def test_a_board_of_a_former_node_says_nothing() -> None:
    queue = with_epoch(with_board(Queue(), board(5, waiting=5), retained=False, now_s=0), 2)
    after = with_board(queue, board(99, waiting=9), retained=False, now_s=9)
    assert (after, waiting(after, 9)) == (queue, None)
    assert waiting(with_board(after, board(1, epoch=2, waiting=1), retained=False, now_s=9), 9) == 1


def test_silence_of_ten_seconds_is_stale_and_a_kept_board_does_not_end_it() -> None:
    queue = with_board(Queue(), board(5), retained=True, now_s=0)
    assert is_heard(queue, 9.9)
    assert not is_heard(queue, 10.0)
    assert not is_heard(with_board(queue, board(6), retained=True, now_s=11), 11)
    assert not is_heard(Queue(), 0)


def test_any_word_of_the_present_node_is_a_sign_of_life() -> None:
    queue = Queue(epoch=2, heard_at_s=0.0)
    assert is_heard(with_sign_of_life(queue, 2, now_s=20), 25)
    assert not is_heard(with_sign_of_life(queue, 1, now_s=20), 25)


@pytest.mark.parametrize(
    "state, reprint, age_s, expected",
    [
        ("waiting", False, 0, "print"),
        ("waiting", True, 0, "print_marked"),
        ("started", False, 0, "print_marked"),
        ("waiting", False, 601, "too_old"),
        ("started", False, 601, "too_old"),
    ],
)
def test_what_happens_to_a_slip_that_is_not_settled(state: str, reprint: bool, age_s: int, expected: str) -> None:
    job = PrintJob(job_id=ID, slip=SLIP, reprint=reprint)
    spooled = SpooledJob(job, NOW, state)  # type: ignore[arg-type]
    assert treatment(spooled, NOW + timedelta(seconds=age_s)) == expected
