"""Hints that something changed, by key: never the news itself, so many become one and none has to be kept.

Keys are names of streams (the offices' long-polls wait for them) or ids of offices (progress pages and the live overview).
A waiter watches first, then reads, then waits; so a change between reading and waiting is not missed.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class Wakes:
    """Events of whoever waits, by key. ``wake`` is cheap when nobody does."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    @property
    def watched(self) -> list[str]:
        """Keys that somebody watches now."""
        return list(self._waiting)

    @contextmanager
    def watch(self, keys: Iterable[str]) -> Iterator[asyncio.Event]:
        """An event that is set by every hint for one of the keys; the waiter clears it before it reads again."""
        event = asyncio.Event()
        watched = list(keys)
        for key in watched:
            self._waiting[key].add(event)
        try:
            yield event
        finally:
            for key in watched:
                self._waiting[key].discard(event)
                if not self._waiting[key]:
                    del self._waiting[key]

    def wake(self, key: str) -> None:
        """Something about ``key`` may have changed."""
        for event in self._waiting.get(key, ()):
            event.set()


async def wait_any(*events: asyncio.Event, timeout_s: float) -> None:
    """Return when one of the events is set, or after ``timeout_s`` seconds."""
    if any(event.is_set() for event in events):
        return
    tasks = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, timeout=max(0.0, timeout_s), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
