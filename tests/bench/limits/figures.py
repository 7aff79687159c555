"""Rates and percentiles of one measurement, and medians of several."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec


class Figures(msgspec.Struct, frozen=True):
    """One closed-loop measurement. Latencies in milliseconds."""

    operations: int
    rate: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


def figures(seconds: Sequence[float], elapsed_s: float) -> Figures:
    """From the duration of each operation."""
    ordered = sorted(seconds)

    def percentile(share: float) -> float:
        return round(ordered[round(share * (len(ordered) - 1))] * 1000, 3)

    return Figures(
        len(ordered), round(len(ordered) / elapsed_s, 1), percentile(0.5), percentile(0.95), percentile(0.99)
    )


def median(rounds: Sequence[Figures]) -> Figures:
    """Field-wise median over interleaved rounds."""
    fields = ([getattr(each, name) for each in rounds] for name in Figures.__struct_fields__)
    operations, *others = (round(statistics.median(values), 3) for values in fields)
    return Figures(int(operations), *others)
