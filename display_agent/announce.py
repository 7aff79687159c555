"""What is sounded, and when. Pure.

There is no queue to keep: the calls on the board that were not sounded yet are the queue, oldest first, so a call that was
answered or recalled meanwhile leaves it by itself. One announcement sounds at a time, until the page reports its end or
LONGEST_S has passed. Each is handed out at most once: its mark is written down before the sound leaves (spool), hence neither
a reload, a restart nor a repeated message sounds it again. A call older than 30 s never gets here (board.audible).

An announcement is a chime and then speech: Spanish, then the second language; twice for a recall. One that had to wait for
more than FULL_LAG_S is shortened to the chime and the Spanish words, once, so that the sound catches up with the screen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from display_agent.board import SECOND_NS, Audible, CallMark, age_s, mark_of
from display_agent.remembering import remember
from sync.messages.topics import BoardCall

FULL_LAG_S = 20
LONGEST_S = 12
FIRST_LANGUAGE = "es"


class Chime(msgspec.Struct, frozen=True, tag="chime"):
    """The two tones that make people look up."""


class Speech(msgspec.Struct, frozen=True, tag="speech"):
    """The words for one call in one language: "Turno K12, puesto 4"."""

    language: str
    label: str
    counter: str


Part = Chime | Speech


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """The sound of one call, in the order of its parts."""

    mark: CallMark
    form: Literal["full", "short"]
    parts: tuple[Part, ...]


class Announcer:
    """Hands out announcements one by one.

    Args:
        sounded: marks of calls that were sounded before this start, oldest first.
    """

    def __init__(self, sounded: Iterable[CallMark] = ()) -> None:
        self._sounded = dict.fromkeys(sounded, True)
        self._busy_until_ns: int | None = None

    def take(self, audible: Audible | None, second_language: str, now_ns: int) -> Announcement | None:
        """The next announcement to sound, if it is time for one; it is then counted as sounded.

        Args:
            audible: what may be heard now (BoardKeeper.audible).
            second_language: spoken after Spanish; Spanish again means none.
            now_ns: monotonic clock, nanoseconds.
        """
        if audible is None or (self._busy_until_ns is not None and now_ns < self._busy_until_ns):
            return None
        call = next((call for call in audible.calls if mark_of(call) not in self._sounded), None)
        if call is None:
            return None
        remember(self._sounded, mark_of(call), True)
        self._busy_until_ns = now_ns + LONGEST_S * SECOND_NS
        lag_s = age_s(call.called_at, audible.now)
        return announcement(call, second_language, short=lag_s > FULL_LAG_S)

    def was_sounded(self, mark: CallMark) -> bool:
        return mark in self._sounded

    def finish(self) -> None:
        """The page has played the last one to its end, or could not."""
        self._busy_until_ns = None


def announcement(call: BoardCall, second_language: str, *, short: bool) -> Announcement:
    """The parts of one call's sound."""
    first = Speech(FIRST_LANGUAGE, call.label, call.counter)
    if short:
        return Announcement(mark=mark_of(call), form="short", parts=(Chime(), first))
    said: tuple[Part, ...] = (Chime(), first)
    if second_language != FIRST_LANGUAGE:
        said += (Speech(second_language, call.label, call.counter),)
    return Announcement(mark=mark_of(call), form="full", parts=said * (2 if call.recalls > 0 else 1))
