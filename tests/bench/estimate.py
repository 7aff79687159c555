"""How good the expected waits are, on simulated weeks that were not used to build them, and what one costs.

    python -m tests.bench.estimate [--weeks 4] [--load 1.0] [--counters 4]

Five weeks are observed, four more tell waits and set the level of the range's upper end; the weeks that are judged come after
them and have other seeds. Judged are walk-ins who could not start at once, as in the queue study: how many waits ended within the
published upper end (`coverage_p80`) and before the median (`coverage_p50`), the median error of P50, and its ratio to that of the
best of three baselines (the queue-length formula, the last one called, the mean of all waits). Time is this thread's CPU time.
The last line is JSON.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from statistics import fmean, median

import click
import msgspec

from sync.domain.ordering import reachable
from sync.domain.waits.fit import coverage, fit
from sync.domain.waits.history import Observed, Told, observe
from sync.domain.waits.outlook import at_level, outlook
from sync.domain.waits.scene import scene_of
from sync.io.draws import seeded
from sync.messages.facts import Expected, TicketCalled
from sync.messages.feed import Appointment, WaitModel
from tests.kit.office import DAY, TestOffice, at, catalogue
from tests.kit.simulated_weeks import MEANS_MIN, SimulatedDay, World

DAYS_A_WEEK = 5
WAITING = 60


class Asked(msgspec.Struct):
    """A walk-in who had to wait: what was told, what others would have said, and how it was. Seconds."""

    told: Told
    by_length: float
    by_last: float | None


@click.command()
@click.option("--weeks", default=4, show_default=True, help="Weeks that are judged.")
@click.option("--load", default=1.0, show_default=True, help="Walk-ins, as a multiple of the busy office's.")
@click.option("--counters", default=4, show_default=True)
@click.option("--per-slot", default=1, show_default=True, help="Appointments per ten minutes.")
def main(weeks: int, load: float, counters: int, per_slot: int) -> None:
    """Judge the expected waits on weeks they never saw.

    Example: python -m tests.bench.estimate --weeks 2
    """
    world = World(load=load, counters=counters, bookings_per_slot=per_slot)
    model, typical_s = built(world)
    asked = [one for day in range(weeks * DAYS_A_WEEK) for one in judged(2000 + day, world, model)]
    print(msgspec.json.encode(figures(asked, typical_s, model)).decode())


def built(world: World) -> tuple[WaitModel, float]:
    """A model from weeks before, and the mean of all waits in them."""
    days = [observed(SimulatedDay(seed, world)) for seed in range(5 * DAYS_A_WEEK)]
    plain = fit(days, catalogue(tuple(MEANS_MIN)), DAY)
    told = [one.told for day in range(4 * DAYS_A_WEEK) for one in judged(1000 + day, world, plain)]
    model = fit(days, catalogue(tuple(MEANS_MIN)), DAY, told)
    print(f"built: {len(told)} waits told, {coverage(told)}, level {model.level}", file=sys.stderr)
    return model, fmean(one.wait_s for one in told)


def observed(day: SimulatedDay) -> Observed:
    seen = observe(day.office.journal)
    seen.booked = len(day.agenda)
    return seen


def judged(seed: int, world: World, model: WaitModel) -> Iterator[Asked]:
    """The walk-ins of one day who had to wait."""
    rivals: dict[tuple[datetime, str], tuple[float, float | None]] = {}

    def tell(office: TestOffice, agenda: list[Appointment], now: datetime) -> dict[str, Expected]:
        ahead = outlook(scene_of(office.day, office.catalogue, agenda, now, model), seeded)
        for service in office.catalogue.services:
            rivals[now, service] = by_length(office, service, model, now), by_last(office, service)
        return {
            service: Expected(wait_s=wait, level=ahead.level, seq=office.day.seq)
            for service, wait in ahead.services.items()
        }

    day = SimulatedDay(seed, world, tell)
    first_calls: dict[str, datetime] = {}
    for header, fact in day.office.journal:
        if isinstance(fact, TicketCalled):
            first_calls.setdefault(fact.ticket_id, header.occurred_at)
    for ticket in day.office.day.tickets.values():
        expected = ticket.expected_wait
        called_at = first_calls.get(ticket.ticket_id)
        if expected is None or called_at is None or ticket.ticket_id in day.idle_on_arrival:
            continue
        told = Told(expected, (called_at - ticket.arrived_at).total_seconds())
        yield Asked(told, *rivals[ticket.arrived_at, ticket.service])


def by_length(office: TestOffice, service: str, model: WaitModel, now: datetime) -> float:
    """The queue-length formula: (people ahead + 1) visits of the mean length, shared by the counters."""
    servers = [s for s in office.day.sessions.values() if s.serves(service)]
    if not servers:
        return 0.0
    ahead = [t for t in office.day.waiting.values() if t.callable_at <= now and any(reachable(s, t) for s in servers)]
    mean_s = fmean(model.services[t.service].mean_s for t in ahead) if ahead else model.services[service].mean_s
    return (len(ahead) + 1) * (mean_s + model.walk_up_s + model.between_s) / len(servers)


def by_last(office: TestOffice, service: str) -> float | None:
    """The wait of the walk-in of this service who was called last."""
    called = [
        (t.called_at, (t.called_at - t.arrived_at).total_seconds())
        for t in office.day.tickets.values()
        if t.service == service and t.called_at is not None and t.origin == "walk_in"
    ]
    return max(called)[1] if called else None


def figures(asked: list[Asked], typical_s: float, model: WaitModel) -> dict[str, object]:
    """The last line."""
    waits = [one.told.wait_s for one in asked]
    held = coverage([one.told for one in asked])
    assert held is not None
    errors = {
        "replay": [abs(one.told.wait_s - at_level(one.told.expected.wait_s, 50)) for one in asked],
        "queue_length": [abs(one.told.wait_s - one.by_length) for one in asked],
        "last_called": [abs(one.told.wait_s - (typical_s if one.by_last is None else one.by_last)) for one in asked],
        "mean": [abs(wait - typical_s) for wait in waits],
    }
    medians = {name: median(found) / 60 for name, found in errors.items()}
    best = min(medians[name] for name in medians if name != "replay")
    return {
        "estimates": held.count,
        "mean_wait_min": round(fmean(waits) / 60, 1),
        "level": model.level,
        "coverage_p80": held.within_upper / 1000,
        "coverage_p50": held.below_median / 1000,
        "over_by_10_min": held.over_by_10_min / 1000,
        "bias_min": round(held.mean_error_s / 60, 2),
        "mean_error_min": {name: round(fmean(found) / 60, 2) for name, found in errors.items()},
        "baseline_median_errors_min": {name: round(value, 2) for name, value in medians.items() if name != "replay"},
        "median_error_min": round(medians["replay"], 2),
        "median_error_ratio_to_best_baseline": round(medians["replay"] / best, 2),
        "ms_per_estimate_60_waiting": round(cost_ms(model), 1),
    }


def cost_ms(model: WaitModel) -> float:
    """CPU time of one outlook for sixty waiting people and a dozen appointments to come, scene included; median of 21."""
    random = Random(7)
    office = SimulatedDay(1, World(load=0.01)).office
    office = TestOffice(office.catalogue, "08:50")
    for counter in sorted(office.catalogue.counters):
        office.open(counter, at("09:00"), f"clerk-{counter}")
    for n in range(WAITING):
        office.take(random.choice(list(MEANS_MIN)), at("09:00") + timedelta(seconds=20 * n))
    now = at("09:25")
    for session in list(office.day.sessions.values())[:3]:
        office.call_next(session.session, now, session.staff_id)
        office.take("a", now)
    agenda = SimulatedDay(3, World(load=0.01)).agenda[:12]
    spent = []
    for _ in range(21):
        before_ns = time.thread_time_ns()
        outlook(scene_of(office.day, office.catalogue, agenda, now, model), seeded)
        spent.append((time.thread_time_ns() - before_ns) / 1e6)
    return median(spent)


if __name__ == "__main__":
    main()
