"""Durations as tables of equally likely values: a draw is an index, the rest of a visit in progress is the table's end."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import exp, log, sqrt
from statistics import NormalDist

Draw = Callable[[], float]
"""Gives numbers in [0, 1); the caller seeds it."""

POINTS = 256
Table = tuple[float, ...]


@lru_cache(maxsize=512)
def lognormal(mean_s: float, cv: float) -> Table:
    """``POINTS`` quantiles of a lognormal duration, sorted, seconds.

    Args:
        cv: standard deviation / mean.
    """
    sigma = sqrt(log(1 + cv * cv))
    mu = log(mean_s) - sigma * sigma / 2
    normal = NormalDist()
    return tuple(exp(mu + sigma * normal.inv_cdf((n + 0.5) / POINTS)) for n in range(POINTS))


def rest(table: Table, elapsed_s: float, draw: Draw) -> float:
    """What is left of a duration that has lasted ``elapsed_s``. Beyond the table: as long again as it is over it."""
    first = bisect_right(table, elapsed_s)
    if first >= len(table):
        return max(30.0, elapsed_s - table[-1]) * 2 * draw()
    return table[first + int(draw() * (len(table) - first))] - elapsed_s


def quantile(ordered: Sequence[float], level: float) -> float:
    """A quantile of sorted values, linear between its neighbours."""
    place = level * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
