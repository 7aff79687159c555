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
        faults, chance = self.faults, self._rng.random
        if faults.drop and chance() < faults.drop:
            return self._lose("drop")
        if direction == "down" and faults.lost_reply and chance() < faults.lost_reply:
            return self._lose("lost_reply")
        if faults.duplicate and chance() < faults.duplicate:
            self._counted["duplicate"] += 1
            return [self._travel_ms(), self._travel_ms()]
        return [self._travel_ms()]

    def heal(self) -> None:
        """End every fault; what is under way arrives as decided."""
        self.faults = NO_FAULTS
        self.blocked = frozenset()

    def _travel_ms(self) -> int:
        faults, chance = self.faults, self._rng.random
        travel_ms = self._between(10, 80)
        if faults.reorder and chance() < faults.reorder:
            self._counted["reorder"] += 1
            travel_ms += self._between(50, 2_000)
        if faults.delay and chance() < faults.delay:
            self._counted["delay"] += 1
            travel_ms += self._between(2_000, 180_000)
        return travel_ms

    def _between(self, least_ms: int, most_ms: int) -> int:
        return least_ms + int(self._rng.random() * (most_ms - least_ms + 1))

    def _lose(self, how: str) -> list[int]:
        self._counted[how] += 1
        return []
