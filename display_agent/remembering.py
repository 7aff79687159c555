"""How much a display remembers of what it did. Pure.

Counted, not timed: the office's clock may be set years ahead and back within a minute, and what was forgotten meanwhile would be
sounded again.
"""

from __future__ import annotations

from typing import TypeVar

REMEMBERED = 4096
"""Announcements: more than the busiest screen makes in three days."""

K = TypeVar("K")
V = TypeVar("V")


def remember(kept: dict[K, V], key: K, value: V, most: int = REMEMBERED) -> None:
    """Note a value; the oldest key gives way when there are more than ``most``."""
    kept[key] = value
    if len(kept) > most:
        del kept[next(iter(kept))]
