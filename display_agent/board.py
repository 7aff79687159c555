"""What the screen shows, decided from the boards that come in. Pure.

Every board is the whole state, so the newest one is enough. Versions are (epoch, seq, beat); what is not higher than the held
one is dropped, and so is every epoch below the highest ever heard of.

Time. Ages count on the office's clock, which a display knows only from boards that come straight from the edge: such a board
was made just now, so its `at` and our monotonic clock at its arrival belong together (the anchor). A board that the broker had
kept may be of any age. Under an anchor of the same epoch its age can be computed; without one (first start) nothing is known of
it, so its calls are shown with their hour, and neither clock nor waiting people are shown. A call counts as fresh only when its
age is known and at most CALL_SOUND_MAX_AGE_S.

States: `starting` until the first board or the grace of BOARD_STALE_S; `live`; `offline` when the newest board is older than
BOARD_STALE_S, until a younger one comes. Offline keeps the last calls, each with its hour.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Literal

import msgspec

from sync.messages.topics import BOARD_STALE_S, CALL_SOUND_MAX_AGE_S, Board, BoardCall, WaitRange

ROWS_MAX = 5
ROWS_OFFLINE = 4
RECENT_AT_LEAST = 4
RECENT_FOR_S = 180
SECOND_NS = 1_000_000_000

Reception = Literal["taken", "superseded", "fenced"]
State = Literal["starting", "live", "offline"]


@dataclass(frozen=True, slots=True)
class CallMark:
    """One announcement of a ticket: a recall is another one.

    Its time is no part of what it is: when the office's clock is set, `called_at` moves with it and nothing was called anew.
    An older node names no announcements; then the recalls tell them apart.
    """

    ticket_id: str
    announcement: str
    recalls: int
    called_at: datetime = field(compare=False)


class ShownCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call as it stands on the screen.

    Args:
        current: called and not yet started at the counter.
        fresh: known to be at most 30 s old; otherwise it is shown with its hour.
    """

    mark: CallMark
    called_at: datetime
    label: str
    counter: str
    current: bool
    fresh: bool


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the screen shows. Two equal views look the same.

    Args:
        main: the call in large; none when nobody was called yet.
        rows: the other calls: those still to be answered, then recent ones, each newest first.
        waiting: people waiting; none when not known.
        clock_at: office time cut to the minute; none when not known, and then no age is known either.
    """

    state: State
    open: bool = True
    main: ShownCall | None = None
    rows: tuple[ShownCall, ...] = ()
    waiting: int | None = None
    wait: WaitRange | None = None
    clock_at: datetime | None = None


class Audible(msgspec.Struct, frozen=True):
    """Calls that may still be sounded, oldest first, and the office's time now."""

    calls: tuple[BoardCall, ...]
    now: datetime

    @property
    def marks(self) -> frozenset[CallMark]:
        return frozenset(map(mark_of, self.calls))


Arranged = tuple[ShownCall | None, tuple[ShownCall, ...]]
"""The call in large, and the rows."""


class BoardKeeper:
    """Holds the newest board and answers what to show.

    Args:
        now_ns: monotonic clock, nanoseconds; the grace before `offline` counts from here.
        epoch: the highest epoch heard of before.
    """

    def __init__(self, now_ns: int, epoch: int = 0) -> None:
        self.epoch = epoch
        self._board: Board | None = None
        self._calls: tuple[ShownCall, ...] = ()
        self._made_ns: int | None = None  # when the held board was made, on our monotonic clock
        self._anchor: tuple[int, datetime, int] | None = None  # epoch, office time, our monotonic clock
        self._grace_from_ns = now_ns
        self._arranged: tuple[Board, datetime | None, Arranged] | None = None

    def receive(self, board: Board, *, retained: bool, now_ns: int) -> Reception:
        """Take a board or drop it."""
        if board.epoch < self.epoch:
            return "fenced"
        if self._board is not None and version(board) <= version(self._board):
            return "superseded"
        self.epoch = board.epoch
        self._board = board
        self._calls = _calls(board)
        if not retained:
            self._anchor = (board.epoch, board.at, now_ns)
        self._made_ns = self._monotonic_of(board)
        return "taken"

    def raise_epoch(self, epoch: int, now_ns: int) -> None:
        """Another node holds the office: what the former one said last is only history now."""
        if epoch <= self.epoch:
            return
        self.epoch = epoch
        self._anchor = None
        self._made_ns = None
        self._grace_from_ns = now_ns

    def view(self, now_ns: int) -> View:
        """What the screen shows at this moment."""
        state, board, now = self._state(now_ns), self._board, self._office_time(now_ns)
        if board is None:
            return View(state=state)
        if state == "offline":
            calls = by_age(self._calls)
            return View(state=state, open=board.open, rows=tuple(calls[:ROWS_OFFLINE]))
        main, rows = self._arrange(board, now)
        return View(
            state=state,
            open=board.open,
            main=main,
            rows=rows,
            waiting=None if now is None else board.waiting,
            wait=None if now is None else board.wait,
            clock_at=None if now is None else now.replace(second=0, microsecond=0),
        )

    def audible(self, now_ns: int) -> Audible | None:
        """Calls on the screen that are not too old to be heard; none while the office's time is not known."""
        board, now = self._board, self._office_time(now_ns)
        if board is None or now is None or self._state(now_ns) != "live":
            return None
        main, rows = self._arrange(board, now)
        seen = {call.mark for call in (main, *rows) if call is not None and call.fresh}
        calls = [call for call in board.calls if mark_of(call) in seen]
        return Audible(tuple(sorted(calls, key=lambda call: call.called_at)), now)

    def _arrange(self, board: Board, now: datetime | None) -> Arranged:
        """What is lit and what is heard at one moment are chosen once."""
        known = self._arranged
        if known is None or known[0] is not board or known[1] != now:
            known = self._arranged = (board, now, arrange(_shown(self._calls, now), now))
        return known[2]

    def _state(self, now_ns: int) -> State:
        since_ns = self._grace_from_ns if self._made_ns is None else self._made_ns
        if now_ns - since_ns > BOARD_STALE_S * SECOND_NS:
            return "offline"
        return "starting" if self._board is None else "live"

    def _office_time(self, now_ns: int) -> datetime | None:
        if self._board is None or self._made_ns is None:
            return None
        return self._board.at + timedelta(microseconds=(now_ns - self._made_ns) // 1000)

    def _monotonic_of(self, board: Board) -> int | None:
        if self._anchor is None or self._anchor[0] != board.epoch:
            return None
        _, at, seen_ns = self._anchor
        return seen_ns + (board.at - at) // timedelta(microseconds=1) * 1000


def version(board: Board) -> tuple[int, int, int]:
    return board.epoch, board.seq, board.beat


def mark_of(call: BoardCall) -> CallMark:
    return CallMark(call.ticket_id, call.announcement, call.recalls, call.called_at)


def age_s(called_at: datetime, now: datetime) -> float:
    """Seconds since the call on the office's clock; a little below zero when a message overtook the clock."""
    return (now - called_at).total_seconds()


def by_age(calls: Iterable[ShownCall]) -> list[ShownCall]:
    """Newest first."""
    return sorted(calls, key=attrgetter("called_at"), reverse=True)


def arrange(calls: list[ShownCall], now: datetime | None) -> Arranged:
    """Choose the large call and the rows.

    Large is the newest call that is still to be answered or fresh (a person who comes at once must not take the number away
    from those who are just looking up), else the last one of all. Rows begin with the calls still to be answered; a recent
    one stays for RECENT_FOR_S and as one of the RECENT_AT_LEAST newest, whichever is longer.
    """
    newest = by_age(calls)
    main = next((call for call in newest if call.current or call.fresh), newest[0] if newest else None)
    others = [call for call in newest if call is not main]
    current = [call for call in others if call.current]
    recent = [call for call in others if not call.current]
    kept = [call for n, call in enumerate(recent) if n < RECENT_AT_LEAST or _is_recent(call, now)]
    return main, tuple((current + kept)[:ROWS_MAX])


def _is_recent(call: ShownCall, now: datetime | None) -> bool:
    return now is None or age_s(call.called_at, now) < RECENT_FOR_S


def _calls(board: Board) -> tuple[ShownCall, ...]:
    """The calls of a board as they are shown once they are not fresh any more."""
    return tuple(_shown_call(c, current=True) for c in board.calls) + tuple(
        _shown_call(c, current=False) for c in board.recent
    )


def _shown(calls: Iterable[ShownCall], now: datetime | None) -> list[ShownCall]:
    if now is None:
        return list(calls)
    since = now - timedelta(seconds=CALL_SOUND_MAX_AGE_S)
    return [msgspec.structs.replace(call, fresh=True) if call.called_at >= since else call for call in calls]


def _shown_call(call: BoardCall, *, current: bool) -> ShownCall:
    return ShownCall(
        mark=mark_of(call),
        called_at=call.called_at,
        label=call.label,
        counter=call.counter,
        current=current,
        fresh=False,
    )
