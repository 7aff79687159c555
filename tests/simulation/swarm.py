"""Which faults a seed suffers. Every seed enables a random few at rates of its own: most bugs hide when all are on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from itertools import accumulate
from random import Random

import msgspec

from tests.kit.lossy_link import LinkFaults

FAULTS = (
    "drop",
    "duplicate",
    "reorder",
    "delay",
    "lost_reply",
    "partition_full",
    "partition_one_way",
    "edge_crash_before_commit",
    "edge_crash_after_commit",
    "central_crash_before_commit",
    "central_crash_after_commit",
    "failover",
    "prune",
    "cut_snapshot",
    "wrong_clocks",
    "clock_step",
    "replace_node",
    "edge_rollback",
    "back_up",
    "central_restore",
    "reissue",
    "flapping",
    "pause_edge",
    "pause_central",
    "edge_io_error",
    "edge_no_room",
    "central_abort",
    "cancelled_step",
    "cancelled_request",
    "clock_drift",
    "clock_step_years",
    "dst_day",
    "leap_day",
    "older_build",
    "outdated",
    "clone_disk",
    "kiosk_cut",
    "kiosk_restart",
)


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """What is run. ``without`` takes faults away from what the seed would draw, to find out which ones matter."""

    seed: int
    steps: int = 250
    without: frozenset[str] = frozenset()


class Swarm(msgspec.Struct, frozen=True, kw_only=True):
    """The faults of one run: per message for the link's, per step for the others."""

    rates: dict[str, float]

    def rate(self, fault: str) -> float:
        return self.rates.get(fault, 0.0)

    def of(self, faults: Collection[str]) -> dict[str, float]:
        """The rates of some faults, as far as this run suffers them."""
        return {fault: rate for fault, rate in self.rates.items() if fault in faults}

    def link(self) -> LinkFaults:
        return LinkFaults(
            drop=self.rate("drop"),
            duplicate=self.rate("duplicate"),
            reorder=self.rate("reorder"),
            delay=self.rate("delay"),
            lost_reply=self.rate("lost_reply"),
        )


class Chances:
    """What of several things happens in a step. Mostly none does, which one draw tells.

    Each happens as often as if it were drawn for itself; two may happen in one step, also the same.
    """

    def __init__(self, rng: Random, rates: Mapping[str, float]) -> None:
        self._rng = rng
        self._names = list(rates)
        again = 1 + sum(rates.values())  # after each that happens another one may
        self._up_to = list(accumulate(rate / again for rate in rates.values()))

    def happening(self) -> Iterator[str]:
        """The names of what happens now."""
        while self._up_to and (chance := self._rng.random()) < self._up_to[-1]:
            yield self._names[bisect_right(self._up_to, chance)]


_HIGHEST = {
    "drop": 0.5,
    "duplicate": 0.4,
    "reorder": 0.5,
    "delay": 0.3,
    "lost_reply": 0.4,
    "cut_snapshot": 0.5,
    "replace_node": 0.015,
    "edge_rollback": 0.01,
    "central_restore": 0.01,
    "back_up": 0.03,
    "flapping": 0.02,
    "pause_edge": 0.02,
    "pause_central": 0.02,
    "edge_no_room": 0.02,
    "clock_step_years": 0.01,
    "dst_day": 0.9,
    "leap_day": 0.5,
    "older_build": 0.5,
    "outdated": 0.02,
    "clone_disk": 0.01,
}
"""Highest rate: the first five per message, a cut per snapshot, days per run, older builds per node, all others per step."""


def draw(rng: Random, without: frozenset[str]) -> Swarm:
    """Half of the faults, more or less, each between a tenth of its highest rate and that."""
    rates: dict[str, float] = {}
    for fault in FAULTS:
        enabled = rng.random() < 0.5
        rate = _HIGHEST.get(fault, 0.06) * rng.uniform(0.1, 1.0)
        if enabled and fault not in without:
            rates[fault] = rate
    return Swarm(rates=rates)
