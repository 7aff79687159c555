"""Virtual time: a heap of actions, forked chance, and a trace whose hash tells whether two runs were the same."""

from __future__ import annotations

import hashlib
import heapq
from collections import deque
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

from tests.kit.facts import MORNING, uuid_of

TAIL = 400

T = TypeVar("T")


def pick(rng: Random, things: Sequence[T]) -> T:
    """One of a few things, in one draw."""
    return things[int(rng.random() * len(things))]


class Clockwork:
    """One run's time. Actions due at the same millisecond happen in the order in which they were asked for."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._asked = 0
        self._digest = hashlib.sha256()
        self._noted: list[str] = []
        self._ids = self.fork("ids")
        self.began_at = MORNING
        """What a right clock showed when the run began."""
        self.now_ms = 0
        self.happened = 0
        self.tail: deque[str] = deque(maxlen=TAIL)

    def fork(self, name: str) -> Random:
        """Chance of one subsystem: what another one draws does not change it."""
        return Random(f"{self._seed}/{name}")

    def new_id(self) -> str:
        return uuid_of(self._ids.getrandbits(128))

    def after(self, delay_ms: float, action: Callable[[], None]) -> None:
        self._asked += 1
        heapq.heappush(self._heap, (self.now_ms + int(delay_ms), self._asked, action))

    def run_until(self, at_ms: int) -> None:
        """Do everything that is due up to ``at_ms``, and be there."""
        while self._heap and self._heap[0][0] <= at_ms:
            self.step()
        self.now_ms = at_ms

    def is_idle(self) -> bool:
        """Whether nothing will ever happen again."""
        return not self._heap

    def step(self) -> None:
        """Do the next action."""
        self.now_ms, _, action = heapq.heappop(self._heap)
        self.happened += 1
        action()

    def trace(self, line: str) -> None:
        """Note what happened; the run's hash is over all notes."""
        noted = f"{self.now_ms / 1000:9.3f} {line}"
        self._noted.append(noted)
        self.tail.append(noted)
        if len(self._noted) >= TAIL:
            self._digest_notes()

    def trace_hash(self) -> str:
        self._digest_notes()
        return self._digest.hexdigest()

    def _digest_notes(self) -> None:
        self._digest.update("".join(self._noted).encode())
        self._noted.clear()
