"""Many runs: sharing them out over the cores, adding them up, and making a failing one small."""

from __future__ import annotations

import gc
import hashlib
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

import msgspec

from tests.simulation.ledger import KINDS
from tests.simulation.swarm import FAULTS, Scenario
from tests.simulation.world import Outcome, World

_COUNTED = (
    *("commands", "commands_refused", "facts", "rows", "messages", "bytes", "snapshots", "resyncs", "late_replies"),
    *(
        "calls",
        "answered_cut_off",
        "calls_shown",
        "handovers",
        "credits_checked",
        "waits_checked",
        "routes_planned",
        "routes_moved",
        "steps_walked",
        "tickets_restored",
        "leases",
        "lease_sales",
        "seats_reclaimed",
        "reports",
        "kiosk_papers",
        "reserve_given",
        "kiosk_told",
    ),
    *("rollbacks_found", "rollbacks_seen_by_witness", "bookings_lost_by_restore", "unacked_lost_with_disks"),
)

OBJECTS_LEFT = 50_000
"""Two or three runs leave so many behind."""

T = TypeVar("T")
R = TypeVar("R")
Runner = Callable[[Scenario], Outcome]


def run(scenario: Scenario) -> Outcome:
    """One seed with the production code."""
    return World(scenario).run()


def share_out(work: Callable[[T], R], pieces: Iterable[T], jobs: int) -> Iterator[R]:
    """The work on every piece, in order, over ``jobs`` processes."""
    tidy_seldom()
    if jobs == 1:
        yield from map(work, pieces)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=tidy_seldom) as pool:
        yield from pool.map(work, pieces)


def tidy_seldom() -> None:
    """Let the collector look for rubbish once in a run and not a hundred times: a world is one knot that lives as long as its run,
    and what was imported stays for ever.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_LEFT, 2, 2)


def minimal(failed: Outcome, runner: Runner = run) -> Outcome:
    """The same failure with as few steps and kinds of fault as a short search finds."""
    smallest = failed
    for steps in (5, 10, 20, 40, 80, 160):
        if steps >= smallest.scenario.steps:
            break
        outcome = runner(msgspec.structs.replace(failed.scenario, steps=steps))
        if outcome.violated is not None:
            smallest = outcome
            break
    for fault in smallest.suffered:
        fewer = smallest.scenario.without | {fault}
        outcome = runner(msgspec.structs.replace(smallest.scenario, without=fewer))
        if outcome.violated is not None:
            smallest = outcome
    return smallest


class Summary:
    """The figures of many runs."""

    def __init__(self) -> None:
        self._began_s = time.perf_counter()
        self._counted: Counter[str] = Counter()
        self._violations: Counter[str] = Counter()
        self._converged_s: list[float] = []
        self._virtual_ms = 0
        self._happened = 0
        self._traces = hashlib.sha256()
        self.seeds = 0
        self.failed: list[Outcome] = []

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        self._counted.update(outcome.counted)
        self._virtual_ms += outcome.virtual_ms
        self._happened += outcome.happened
        self._traces.update(outcome.trace_hash.encode())
        if outcome.converged_ms is not None:
            self._converged_s.append(outcome.converged_ms / 1000)
        if outcome.kind is not None:
            self._violations[outcome.kind] += 1
            self.failed.append(outcome)

    def rate(self) -> float:
        """Seeds per second since the start, over all processes."""
        return self.seeds / max(time.perf_counter() - self._began_s, 1e-9)

    def figures(self, jobs: int) -> dict[str, object]:
        """What the last line of a run says."""
        counted = self._counted
        return {
            "seeds": self.seeds,
            "events": self._happened,
            "seeds_per_s": round(self.rate(), 1),
            "events_per_s": round(self.rate() * self._happened / max(1, self.seeds)),
            "jobs": jobs,
            "virtual_hours": round(self._virtual_ms / 3_600_000, 2),
            **{name: counted[name] for name in _COUNTED},
            "bytes_per_event": round(counted["bytes"] / max(1, counted["facts"] + counted["rows"])),
            "faults": {fault: counted[fault] for fault in (*FAULTS, "blocked")},
            **{kind: self._violations[kind] for kind in KINDS},
            "convergence_s": {
                "p50": percentile(self._converged_s, 0.50),
                "p99": percentile(self._converged_s, 0.99),
                "max": percentile(self._converged_s, 1.0),
            },
            "trace": self._traces.hexdigest()[:16],
            "failed_seeds": [outcome.scenario.seed for outcome in self.failed],
        }


def percentile(values: list[float], share: float) -> float | None:
    """The nearest-rank percentile; None of nothing."""
    if not values:
        return None
    ranked = sorted(values)
    return round(ranked[max(0, math.ceil(share * len(ranked)) - 1)], 3)
