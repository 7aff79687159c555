"""The view in words: what the page is sent, so that the browser only puts texts into places.

A page's data are under 4 KB and hold labels, counters and sentences; keys stand for announcements, so that no id of a ticket
reaches the browser.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from display_agent.board import CallMark, ShownCall, View
from sync.messages.topics import WaitRange
from ui import formats
from ui.catalog import Words

KeyOf = Callable[[CallMark], str]


class PageCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call in words.

    Args:
        fresh: being called now: yellow.
        timed: its hour is to be seen; it is always told, for the page to use when it loses us.
        called: "llamado 10:27".
        again: "Segundo aviso", or empty.
        go: the way to the counter in the second language, or empty.
        report: painting it is to be reported.
    """

    key: str
    label: str
    counter: str
    fresh: bool
    timed: bool
    called: str
    again: str
    go: str
    report: bool


class PageView(msgspec.Struct, frozen=True, kw_only=True):
    """All that changes on the page. Empty texts are not shown. ``page`` names the page's fixed part: when it changes, reload."""

    page: str
    state: str
    open: bool
    main: PageCall | None
    rows: tuple[PageCall, ...]
    clock: str
    waiting: str
    wait: str


class Phrases:
    """Puts views into words.

    Args:
        words: Spanish, the first language of every display.
        second: the second language, or none.
        key_of: names an announcement for the page.
    """

    def __init__(self, words: Words, second: Words | None, zone: ZoneInfo, key_of: KeyOf, page: str) -> None:
        self._words = words
        self._second = second
        self._zone = zone
        self._key_of = key_of
        self._page = page

    def page_view(self, view: View) -> PageView:
        dated = view.clock_at is not None
        show_waiting = view.open and view.waiting is not None
        return PageView(
            page=self._page,
            state=view.state,
            open=view.open,
            main=None if view.main is None else self._call(view.main, timed=not view.main.fresh),
            rows=tuple(self._call(row, timed=not row.fresh and (row.current or not dated)) for row in view.rows),
            clock="" if view.clock_at is None else self._clock(view.clock_at),
            waiting=self._words.text("display.waiting", n=view.waiting) if show_waiting else "",
            wait=self._wait(view.wait) if show_waiting and view.wait is not None and view.waiting else "",
        )

    def _call(self, call: ShownCall, *, timed: bool) -> PageCall:
        again = {0: "", 1: self._words.text("display.recall")}
        return PageCall(
            key=self._key_of(call.mark),
            label=call.label,
            counter=call.counter,
            fresh=call.fresh,
            timed=timed,
            called=self._words.text("display.called_at", time=self._clock(call.called_at)),
            again=again.get(call.mark.recalls, self._words.text("display.recall.third")) if call.fresh else "",
            go="" if self._second is None else self._second.text("display.go", counter=call.counter),
            report=call.current,
        )

    def _wait(self, wait: WaitRange) -> str:
        rounded = formats.rounded(wait.low_min, wait.high_min)
        if rounded.high_min <= formats.STEP_MIN:
            return self._words.text("display.wait.under", n=rounded.high_min)
        if rounded.low_min >= formats.LONGEST_MIN:
            return self._words.text("display.wait.over", n=formats.LONGEST_MIN)
        return self._words.text("display.wait.band", a=rounded.low_min, b=rounded.high_min)

    def _clock(self, at: datetime) -> str:
        return formats.clock(at, self._zone)
