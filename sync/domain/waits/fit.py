"""From what was observed to the model that the replay draws from, and to how well its waits held."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import chain, pairwise
from statistics import fmean, median, pstdev
from typing import TypeVar

import msgspec

from sync.domain.catalogue import Catalogue
from sync.domain.waits.history import Observed, Told
from sync.domain.waits.outlook import LEVELS, at_level, range_of
from sync.domain.waits.scene import nominal
from sync.domain.waits.tables import quantile
from sync.messages.feed import HeadStarted, ServiceTimes, WaitModel

T = TypeVar("T")
ENOUGH = 30
"""Observations that a figure of the model is taken from; with fewer the nominal one stays."""
PUNCTUALITY_POINTS = 20
WANTED = 0.80
LOWEST_LEVEL, HIGHEST_LEVEL = 75, 92
OPEN_FROM_MIN = 60
"""From here on people are told "more than an hour" (`ui.formats`)."""


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How published waits held. Shares in per mille of ``count``; errors in seconds, of P50."""

    count: int
    within_upper: int
    below_median: int
    over_by_10_min: int
    median_error_s: int
    mean_error_s: int


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """How many of some announced waits ended where they were said to: before, inside and after the announced range.

    Args:
        far_after: of those after it, by more than ten minutes.
    """

    count: int = 0
    before: int = 0
    inside: int = 0
    after: int = 0
    far_after: int = 0

    def __add__(self, other: Held) -> Held:
        return Held(
            count=self.count + other.count,
            before=self.before + other.before,
            inside=self.inside + other.inside,
            after=self.after + other.after,
            far_after=self.far_after + other.far_after,
        )


def fit(days: Sequence[Observed], catalogue: Catalogue, made_on: date, recent: Sequence[Told] = ()) -> WaitModel:
    """The model of an office after some past days.

    Args:
        recent: waits told in the last four weeks, whose coverage sets the level of the next ones.
    """
    plain = nominal(catalogue)
    visits = _merged(day.visits_s for day in days)
    calls, missed = sum(d.calls for d in days), sum(d.missed for d in days)
    booked, came = sum(d.booked for d in days), sum(d.came for d in days)
    open_s = sum(d.open_s for d in days)
    pauses, before_s = _all(days, lambda d: d.pauses_s), sum(d.before_pause_s for d in days)
    lateness = sorted(_all(days, lambda d: d.lateness_s))
    return msgspec.structs.replace(
        plain,
        made_on=made_on,
        services={**plain.services, **{s: _times(spans) for s, spans in visits.items() if s in plain.services}},
        walk_up_s=_mean(_all(days, lambda d: d.walk_ups_s), plain.walk_up_s),
        between_s=_mean(_all(days, lambda d: d.betweens_s), plain.between_s),
        show_permille=min(1000, round(1000 * came / booked)) if booked >= ENOUGH else plain.show_permille,
        punctuality_s=_points(lateness) if len(lateness) >= ENOUGH else plain.punctuality_s,
        miss_permille=round(1000 * missed / calls) if calls >= ENOUGH else plain.miss_permille,
        miss_s=_mean(_all(days, lambda d: d.missed_s), plain.miss_s),
        return_permille=_share(len(_all(days, lambda d: d.returns_s)), missed, plain.return_permille),
        return_s=_mean(_all(days, lambda d: d.returns_s), plain.return_s),
        pause_per_1000_h=round(len(pauses) * 3.6e6 / before_s) if before_s > 0 else 0,
        pause_s=_mean(pauses, plain.pause_s),
        pause_back_permille=_share(len(pauses), sum(d.closings for d in days), plain.pause_back_permille),
        head_started=_head_started(days, open_s),
        level=level_for(recent),
    )


def level_for(told: Sequence[Told]) -> int:
    """The per cent at which the upper end would have held for eight waits of ten, within what can be trusted."""
    if len(told) < 10 * ENOUGH:
        return round(100 * WANTED)
    places = sorted(_place(one) for one in told)
    return min(HIGHEST_LEVEL, max(LOWEST_LEVEL, round(quantile(places, WANTED))))


def coverage(told: Sequence[Told]) -> Coverage | None:
    """How published waits held; none when none were."""
    if not told:
        return None
    errors = [one.wait_s - at_level(one.expected.wait_s, 50) for one in told]
    upper = [one.wait_s - at_level(one.expected.wait_s, one.expected.level) for one in told]
    return Coverage(
        count=len(told),
        within_upper=_permille(over <= 0 for over in upper),
        below_median=_permille(error < 0 for error in errors),
        over_by_10_min=_permille(over > 600 for over in upper),
        median_error_s=round(median(abs(error) for error in errors)),
        mean_error_s=round(fmean(errors)),
    )


def held(told: Iterable[Told]) -> dict[str, Held]:
    """How announced waits ended against their ranges, by service."""
    found: dict[str, Held] = {}
    for one in told:
        found[one.service] = found.get(one.service, Held()) + _held(one)
    return found


def _held(told: Told) -> Held:
    said = range_of(told.expected.wait_s, told.expected.level, from_history=True)
    low_s, high_s = 60 * min(said.low_min, OPEN_FROM_MIN), 60 * said.high_min
    is_open = said.low_min >= OPEN_FROM_MIN  # people read "more than an hour", which has no end
    before, after = told.wait_s < low_s, not is_open and told.wait_s > high_s
    return Held(
        count=1,
        before=int(before),
        inside=int(not before and not after),
        after=int(after),
        far_after=int(after and told.wait_s > high_s + 600),
    )


def _place(told: Told) -> float:
    """At which per cent of what was told a wait ended; 0 and 100 outside of what was kept."""
    levels = list(zip(LEVELS, told.expected.wait_s, strict=True))
    if told.wait_s <= levels[0][1]:
        return 0.0
    for (low, low_s), (high, high_s) in pairwise(levels):
        if told.wait_s <= high_s:
            return low + (told.wait_s - low_s) / max(1, high_s - low_s) * (high - low)
    return 100.0


def _times(spans: list[float]) -> ServiceTimes:
    mean = fmean(spans)
    cv = pstdev(spans) / mean if len(spans) >= ENOUGH else 0.8
    return ServiceTimes(visits=len(spans), mean_s=round(mean), cv_permille=min(3000, max(50, round(1000 * cv))))


def _head_started(days: Sequence[Observed], open_s: float) -> tuple[HeadStarted, ...]:
    counts: dict[tuple[str, str], int] = {}
    for day in days:
        for key, count in day.head_started.items():
            counts[key] = counts.get(key, 0) + count
    if open_s <= 0:
        return ()
    return tuple(
        HeadStarted(priority_class=cls, service=service, per_1000_h=round(count * 3.6e6 / open_s))
        for (cls, service), count in sorted(counts.items())
    )


def _points(ordered: list[float]) -> tuple[int, ...]:
    return tuple(round(quantile(ordered, (n + 0.5) / PUNCTUALITY_POINTS)) for n in range(PUNCTUALITY_POINTS))


def _all(days: Sequence[Observed], part: Callable[[Observed], list[float]]) -> list[float]:
    return list(chain.from_iterable(part(day) for day in days))


def _merged(parts: Iterable[dict[str, list[float]]]) -> dict[str, list[float]]:
    merged: dict[str, list[float]] = {}
    for part in parts:
        for service, spans in part.items():
            merged.setdefault(service, []).extend(spans)
    return merged


def _mean(spans: list[float], otherwise: int) -> int:
    return round(fmean(spans)) if len(spans) >= ENOUGH else otherwise


def _share(part: int, whole: int, otherwise: int) -> int:
    return min(1000, round(1000 * part / whole)) if whole >= ENOUGH else otherwise


def _permille(hits: Iterable[bool]) -> int:
    found = list(hits)
    return round(1000 * sum(found) / len(found))
