"""How long to wait for an answer, and before asking again: exponential with full jitter, so that a herd spreads out.

The figures keep the promise that 60 s after the network is back both ends agree: a request that was lost just before is
given up after ``wait_s + ANSWER_WITHIN_S``, and the pause after it is at most ``LONGEST_S``.
"""

from __future__ import annotations

ANSWER_WITHIN_S = 10.0
"""A request is given up when its answer has not begun this long after the time it asked central to hold it."""

LONGEST_S = 30.0


def retry_delay_s(failures: int, chance: float, retry_after_s: float = 0.0) -> float:
    """Seconds until the next request of a loop.

    Args:
        failures: failed exchanges in a row; 0 asks at once, 1 within a second, then within twice as long each time.
        chance: a random number in [0, 1).
        retry_after_s: what the other end asked for; never undercut.
    """
    ceiling_s = min(LONGEST_S, 2.0 ** min(failures - 1, 16)) if failures else 0.0
    return max(ceiling_s * chance, retry_after_s)
