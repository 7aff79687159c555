"""What is remembered of wrong sign-ins (``console.rules``), and who is being looked at. In memory, bounded, per process."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Hashable
from typing import TypeVar

from edge_node.console import rules
from edge_node.console.rules import Tries

MAX_REMEMBERED = 10_000
"""Counts of each kind; the ones longest unused fall out. Places wait, so filling this takes longer than forgetting."""
VERIFY_AT_ONCE = 2
"""Verifications that may run at the same time: each takes a core and 64 MB for a moment."""
MAX_AT_THE_DOOR = 32
"""Sign-ins that are verified or wait for it, a second or two of work: longer than that nobody waits without a word."""
MAX_FROM_A_PLACE = 8
"""Of them from one place, so that one machine does not fill the door for all; also how many guesses may be under way
before the first is counted."""

T = TypeVar("T")


class SignInTries:
    """Counts wrong tries."""

    def __init__(self) -> None:
        self._here: OrderedDict[Hashable, Tries] = OrderedDict()
        self._places: OrderedDict[Hashable, Tries] = OrderedDict()
        self._ids: OrderedDict[Hashable, Tries] = OrderedDict()
        self._known: OrderedDict[Hashable, None] = OrderedDict()

    def wait_s(self, staff_id: str, place: str, now_s: float) -> float:
        """Seconds until a try is looked at."""
        return rules.wait_s(
            here=self._here.get((staff_id, place), Tries()),
            place=self._places.get(place, Tries()),
            everywhere=self._ids.get(staff_id, Tries()),
            is_known=(staff_id, place) in self._known,
            now_s=now_s,
        )

    def wrong(self, staff_id: str, place: str, now_s: float) -> None:
        """A try was wrong; the same for an id that nobody has, or its answers would tell which are real."""
        for counts, key in ((self._here, (staff_id, place)), (self._places, place), (self._ids, staff_id)):
            tries = counts.pop(key, Tries())
            _remember(counts, key, tries.one_more(now_s))

    def right(self, staff_id: str, place: str) -> None:
        """Somebody signed in. Others' tries at the same place still count: their guesses are not made good by it."""
        self._here.pop((staff_id, place), None)
        self._known.pop((staff_id, place), None)
        _remember(self._known, (staff_id, place), None)


class Door:
    """Lets so many verify at once, so many wait, and says no to the rest."""

    def __init__(self) -> None:
        self._verifying = asyncio.Semaphore(VERIFY_AT_ONCE)
        self._from: Counter[str] = Counter()

    def is_full(self, place: str) -> bool:
        """Whether one more from a place has to come again later."""
        return self._from.total() >= MAX_AT_THE_DOOR or self._from[place] >= MAX_FROM_A_PLACE

    @contextlib.asynccontextmanager
    async def inside(self, place: str) -> AsyncIterator[None]:
        """Wait for one's turn to be verified."""
        self._from[place] += 1
        try:
            async with self._verifying:
                yield
        finally:
            self._from[place] -= 1
            if not self._from[place]:
                del self._from[place]


def _remember(counts: OrderedDict[Hashable, T], key: Hashable, value: T) -> None:
    counts[key] = value
    while len(counts) > MAX_REMEMBERED:
        counts.popitem(last=False)
