"""The waits ahead of everybody: quantiles over the futures of a scene, and the ranges that people are shown.

P50 to the published upper level, rounded out to five minutes, is what to expect; P10 is for "be back by": of ten people one
is called before it. The number of futures falls with the queue, so that an outlook always takes some ten milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor, sqrt
from statistics import NormalDist
from zlib import crc32

import msgspec

from sync.domain.waits.paths import HORIZON_S, Path
from sync.domain.waits.scene import Scene
from sync.domain.waits.tables import Draw, quantile
from sync.messages.topics import WaitRange

LEVELS = (10, 20, 50, 75, 80, 86, 92)
"""Per cents that are kept of a wait: for "be back by", for the range, and for setting its upper end anew."""
STEP_MIN = 5
Seconds = tuple[int, ...]
"""A wait: seconds at each of ``LEVELS``."""


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """The waits ahead at an instant.

    Args:
        tickets: by waiting ticket that an open counter may serve.
        services: of somebody who comes now, by service with an open counter.
        level: the per cent of the range's upper end.
        seq: the place in the journal that it was made from.
    """

    tickets: dict[str, Seconds] = {}
    services: dict[str, Seconds] = {}
    level: int = 80
    seq: int = 0
    from_history: bool = False

    def of_ticket(self, ticket_id: str) -> WaitRange | None:
        return self._range(self.tickets.get(ticket_id))

    def of_service(self, service: str) -> WaitRange | None:
        return self._range(self.services.get(service))

    def _range(self, wait: Seconds | None) -> WaitRange | None:
        return None if wait is None else range_of(wait, self.level, from_history=self.from_history)


def outlook(scene: Scene, seeded: Callable[[int], Draw], paths: int | None = None) -> Outlook:
    """Replay a scene forward.

    Args:
        seeded: gives the draws of a seed; the seed is the state's, so the same state gives the same waits.
        paths: how many futures; else as many as there is time for.
    """
    if all(desk.state == "away" for desk in scene.desks):
        return Outlook(level=scene.model.level, seq=scene.seq)
    count = paths or paths_for(len(scene.tickets))
    draw = seeded(crc32(scene.key.encode()))
    columns = list(zip(*(Path(scene, draw).run() for _ in range(count)), strict=True))
    waits = [levels_of(sorted(column)) for column in columns]
    tickets = zip(scene.tickets, waits, strict=False)
    services = zip(scene.services, waits[len(scene.tickets) :], strict=True)
    return Outlook(
        tickets={ticket: wait for ticket, wait in tickets if wait is not None},
        services={service: wait for service, wait in services if wait is not None},
        level=scene.model.level,
        seq=scene.seq,
        from_history=scene.from_history,
    )


def paths_for(waiting: int) -> int:
    """As many futures as fit into some ten milliseconds of one core."""
    return 100 if waiting <= 60 else 50 if waiting <= 120 else 32


def levels_of(ordered: list[float]) -> Seconds | None:
    """Seconds at each level of sorted waits; none when the person is not called on most paths.

    Few paths are smoothed through a gamma of the same mean and variance (Wilson and Hilferty 1931).
    """
    if quantile(ordered, 0.5) >= HORIZON_S:
        return None
    if len(ordered) > 32:
        return tuple(round(quantile(ordered, level / 100)) for level in LEVELS)
    mean = sum(ordered) / len(ordered)
    variance = sum((x - mean) ** 2 for x in ordered) / (len(ordered) - 1)
    if mean <= 0 or variance <= 0:
        return (round(mean),) * len(LEVELS)
    return tuple(round(_gamma(mean, mean * mean / variance, level / 100)) for level in LEVELS)


def range_of(wait: Seconds, level: int, *, from_history: bool) -> WaitRange:
    """The range that people are shown."""
    p50_min, upper_min = at_level(wait, 50) / 60, at_level(wait, level) / 60
    return WaitRange(
        low_min=floor(p50_min / STEP_MIN) * STEP_MIN,
        high_min=max(STEP_MIN, ceil(upper_min / STEP_MIN) * STEP_MIN),
        basis="today" if from_history else "nominal",
        back_by_min=floor(at_level(wait, 10) / 60 / STEP_MIN) * STEP_MIN,
    )


def at_level(wait: Seconds, level: int) -> float:
    """Seconds at a per cent within ``LEVELS``, linear between its neighbours."""
    for (low, low_s), (high, high_s) in zip(
        zip(LEVELS, wait, strict=True), zip(LEVELS[1:], wait[1:], strict=True), strict=False
    ):
        if level <= high:
            return low_s + (max(level, low) - low) / (high - low) * (high_s - low_s)
    return float(wait[-1])


def _gamma(mean: float, shape: float, probability: float) -> float:
    z = NormalDist().inv_cdf(probability)
    cube_root = max(0.0, 1 - 1 / (9 * shape) + z / (3 * sqrt(shape)))
    return mean * cube_root * cube_root * cube_root
