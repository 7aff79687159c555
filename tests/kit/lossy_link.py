"""A link between two ends that loses, repeats, delays and reorders what it carries, by chance and on order.

Pure: the link decides when copies of a message arrive; whoever owns the time delivers them.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Literal

import msgspec

Direction = Literal["up", "down"]


class LinkFaults(msgspec.Struct, frozen=True, kw_only=True):
    """Chances per message, each in [0, 1].

    Args:
        reorder: arrives up to two seconds late, so that others overtake it.
        delay: arrives up to three minutes late, long after its sender has given up.
        lost_reply: a reply is lost although its request was carried out.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    delay: float = 0.0
    lost_reply: float = 0.0


NO_FAULTS = LinkFaults()


class LossyLink:
    """One link, both directions. ``blocked`` holds the directions that a partition has cut."""

    def __init__(self, rng: Random, faults: LinkFaults, counted: Counter[str]) -> None:
        self._rng = rng
        self._counted = counted
        self.faults = faults
        self.blocked: frozenset[Direction] = frozenset()

    def carry(self, direction: Direction) -> list[int]:
        """After how many milliseconds each copy of one message arrives; nothing when it is lost."""
        self._counted["messages"] += 1
        if direction in self.blocked:
            return self._lose("blocked")
        if self._happens(self.faults.drop):
            return self._lose("drop")
        if direction == "down" and self._happens(self.faults.lost_reply):
            return self._lose("lost_reply")
        copies = 1
        if self._happens(self.faults.duplicate):
            self._counted["duplicate"] += 1
            copies = 2
        return [self._travel_ms() for _ in range(copies)]

    def heal(self) -> None:
        """End every fault; what is under way arrives as decided."""
        self.faults = NO_FAULTS
        self.blocked = frozenset()

    def _travel_ms(self) -> int:
        travel_ms = self._rng.randint(10, 80)
        if self._happens(self.faults.reorder):
            self._counted["reorder"] += 1
            travel_ms += self._rng.randint(50, 2_000)
        if self._happens(self.faults.delay):
            self._counted["delay"] += 1
            travel_ms += self._rng.randint(2_000, 180_000)
        return travel_ms

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self._rng.random() < chance

    def _lose(self, how: str) -> list[int]:
        self._counted[how] += 1
        return []
