"""When a call counts as shown, and what is told to the edge about it. Pure.

The page reports what it painted and what it played; one announcement gives one `ShownAck`, as soon as both are known, and
after SOUND_WAIT_S without its sound: a console must hear soon of a call that no screen showed. Only calls that wait for an
answer are reported.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from display_agent.board import SECOND_NS, CallMark
from display_agent.remembering import remember

SOUND_WAIT_S = 3

SoundState = Literal["playing", "ended", "failed"]


class Proof(msgspec.Struct, frozen=True):
    """A call that was on the glass at `shown_at`; `sounded` says whether it had been heard by the time of this proof."""

    mark: CallMark
    shown_at: datetime
    sounded: bool


class _Painted(msgspec.Struct, frozen=True):
    shown_at: datetime
    wait_until_ns: int


class ProofKeeper:
    """Collects reports of the page until they make a proof.

    Args:
        proven: marks proven before this start, oldest first.
    """

    def __init__(self, proven: Iterable[CallMark] = ()) -> None:
        self._proven = dict.fromkeys(proven, True)
        self._painted: dict[CallMark, _Painted] = {}
        self._heard: dict[CallMark, bool] = {}

    def paint(self, mark: CallMark, shown_at: datetime, now_ns: int, *, sound_expected: bool) -> None:
        """The page has painted the call; only the first report counts."""
        if mark not in self._proven and mark not in self._painted:
            wait_ns = SOUND_WAIT_S * SECOND_NS if sound_expected else 0
            self._painted[mark] = _Painted(shown_at, now_ns + wait_ns)

    def hear(self, mark: CallMark, state: SoundState) -> None:
        """The page plays the call's sound, has played it, or could not."""
        if mark not in self._proven:
            remember(self._heard, mark, state != "failed")

    def take(self, now_ns: int) -> list[Proof]:
        """Proofs that are complete now, each once."""
        done = [m for m, painted in self._painted.items() if m in self._heard or now_ns >= painted.wait_until_ns]
        return [self._prove(mark) for mark in done]

    def _prove(self, mark: CallMark) -> Proof:
        remember(self._proven, mark, True)
        return Proof(mark, self._painted.pop(mark).shown_at, self._heard.pop(mark, False))
