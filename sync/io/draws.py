"""Random draws for pure code, which takes them as an argument."""

from __future__ import annotations

from collections.abc import Callable
from random import Random


def seeded(seed: int) -> Callable[[], float]:
    """Draws in [0, 1), always the same for the same seed. Not for secrets."""
    return Random(seed).random  # noqa: S311
