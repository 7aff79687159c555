"""Running a step without an event loop."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def finish(step: Coroutine[Any, Any, T]) -> T:
    """Run a step whose store never suspends to its end, on the calling thread, and return its outcome.

    The simulator drives both ends this way; a store behind one writer thread can run a whole step there.

    Raises:
        RuntimeError: the step suspended, so the store does wait for something.
    """
    try:
        step.send(None)
    except StopIteration as done:
        outcome: T = done.value
        return outcome
    step.close()
    raise RuntimeError("the step suspended: its store is not one that finishes at once")
