"""Planted bugs of displays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from unittest.mock import patch

from display_agent.announce import Announcer
from display_agent.board import BoardKeeper, CallMark, Reception
from sync.messages.topics import Board
from tests.simulation.mutants import mutant
from tests.simulation.world import World

receive = BoardKeeper.receive


def take_all(self: BoardKeeper, told: Board, *, retained: bool, now_ns: int) -> Reception:
    """As received, whatever was shown before."""
    self._board = None
    self.epoch = min(self.epoch, told.epoch)
    return receive(self, told, retained=retained, now_ns=now_ns)


@mutant
def overtaken_boards_shown() -> Iterator[type[World]]:
    """The last board that comes is shown, not the newest."""
    with patch.object(BoardKeeper, "receive", take_all):
        yield World


def as_live(self: BoardKeeper, told: Board, *, retained: bool, now_ns: int) -> Reception:
    """A board that the broker kept counts as made just now."""
    assert retained in (True, False)
    return receive(self, told, retained=False, now_ns=now_ns)


@mutant
def kept_boards_taken_for_live() -> Iterator[type[World]]:
    with patch.object(BoardKeeper, "receive", as_live):
        yield World


def remember_nothing(self: Announcer, sounded: Iterable[CallMark] = ()) -> None:
    """An announcer that begins anew at each start."""
    assert sounded is not None
    self._sounded = {}
    self._busy_until_ns = None


@mutant
def sounded_forgotten_at_a_restart() -> Iterator[type[World]]:
    with patch.object(Announcer, "__init__", remember_nothing):
        yield World
