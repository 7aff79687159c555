"""Each mistake that the queue study says one could make is planted in the rule; a judge of ours must notice it.

The judges: the golden cases, the theorems on random days, and what theorem 3 and the lemma say of dues alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from sync.domain import arrivals, calls, moves, ordering
from sync.domain.due import Due, due
from sync.domain.office_day import OfficeDay
from sync.domain.ordering import Choice
from sync.domain.ticket import CounterSession, Ticket
from sync.messages import facts as f
from sync.messages.policy import Policy
from tests.kit.office import at
from tests.kit.random_days import RandomDay, bound_of
from tests.unit.sync.domain.test_golden_order import CASES, mistakes

SEEDS = range(200)
_reach, _next_for = ordering._reach, ordering.next_for
Plant = Callable[[pytest.MonkeyPatch], None]


def late_row_without_min(patch: pytest.MonkeyPatch) -> None:
    def wrong(a: datetime, slot: datetime | None, cls: str, policy: Policy) -> Due:
        ranked = due(a, slot, cls, policy)
        return Due(due_at=slot, callable_at=a, band="late") if slot and ranked.band == "late" else ranked

    patch.setattr(arrivals, "due", wrong)


def head_starts_added(patch: pytest.MonkeyPatch) -> None:
    def wrong(a: datetime, slot: datetime | None, cls: str, policy: Policy) -> Due:
        ranked = due(a, slot, cls, policy)
        extra = timedelta(minutes=policy.class_head_start_min.get(cls, 0))
        on_time = slot is not None and ranked.band in ("early", "punctual")
        return (
            Due(due_at=ranked.due_at - extra, callable_at=ranked.callable_at, band=ranked.band) if on_time else ranked
        )

    patch.setattr(arrivals, "due", wrong)


def tie_by_printed_code(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ordering, "_smallest", lambda tickets: min(tickets, key=lambda t: (t.due_at, t.label), default=None))


def threshold_from_arrival(patch: pytest.MonkeyPatch) -> None:
    def wrong(day: OfficeDay, session: CounterSession, now: datetime) -> Any:
        primary, ripe, unripe = _reach(day, session, now)
        threshold = timedelta(minutes=day.policy.secondary_threshold_min)
        by_arrival = [t for t in ripe + unripe if now >= t.arrived_at + threshold]
        return primary, by_arrival, [t for t in ripe + unripe if t not in by_arrival]

    patch.setattr(ordering, "_reach", wrong)


def early_before_secondary(patch: pytest.MonkeyPatch) -> None:
    def wrong(day: OfficeDay, session: CounterSession, now: datetime) -> Choice | None:
        choice = _next_for(day, session, now)
        primary, _, _ = _reach(day, session, now)
        if choice is not None and choice.rule == "idle_secondary" and primary:
            return Choice(min(primary, key=lambda t: t.rank), "early")
        return choice

    patch.setattr(calls, "next_for", wrong)


def reinstatement_lowers_a_due(patch: pytest.MonkeyPatch) -> None:
    """Planted twice: the rule gives an earlier due, and the fold believes it."""

    def folded(day: OfficeDay, _header: Any, fact: f.TicketReinstated) -> None:
        ticket = day.tickets[fact.ticket_id]
        day.move(ticket, "waiting")
        ticket.due_at = fact.due_at

    def wrong(_day: OfficeDay, ticket: Ticket, _now: datetime) -> datetime:
        return ticket.due_at - timedelta(minutes=1)

    patch.setattr(moves, "due_again", wrong)
    folds: dict[Any, Any] = OfficeDay._folds
    patch.setitem(folds, f.TicketReinstated, folded)


def reinstatement_to_the_front(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(moves, "due_again", lambda _day, ticket, _now: ticket.due_at)


def last_in_first_out(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ordering, "_smallest", lambda tickets: max(tickets, key=lambda t: t.rank, default=None))


def golden() -> Iterator[str]:
    return (case["id"] for case in CASES if mistakes(case))


def theorems() -> Iterator[str]:
    return (broken for seed in SEEDS for broken in RandomDay(seed).broken)


def dues() -> Iterator[str]:
    """Theorem 3 and the lemma, on a grid of arrivals around a slot."""
    policy, slot = Policy(), at("12:00")
    rank = vars(arrivals)["due"]  # the rule as commands use it, planted or not
    for cls in ("general", "reduced_mobility"):
        ranks = [(a, rank(a, slot, cls, policy)) for a in (slot + timedelta(minutes=m) for m in range(-120, 91))]
        yield from ("no regret" for a, d in ranks if d.due_at > rank(a, None, cls, policy).due_at)
        yield from ("no gain" for (_, d), (_, e) in pairwise(ranks) if e.due_at < d.due_at)
        yield from ("lemma" for a, d in ranks if a - d.due_at > bound_of(policy))


FAULTS: dict[Plant, Callable[[], Iterator[str]]] = {
    late_row_without_min: dues,
    head_starts_added: dues,
    tie_by_printed_code: theorems,
    threshold_from_arrival: theorems,
    early_before_secondary: theorems,
    reinstatement_lowers_a_due: theorems,
    reinstatement_to_the_front: golden,
    last_in_first_out: theorems,
}


@pytest.mark.plants_faults
@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_noticed(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    assert next(FAULTS[plant](), None), f"nothing notices: {plant.__name__}"


@pytest.mark.parametrize("judge", [golden, theorems, dues])
def test_the_rule_itself_is_cleared(judge: Callable[[], Iterator[str]]) -> None:
    assert list(judge()) == []
