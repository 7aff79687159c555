"""The queue order against the golden cases, and the proof that the cases notice a wrong rule."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sync.domain import arrivals, moves, ordering
from sync.domain.due import Due, due
from sync.messages.policy import Policy
from tests.kit.office import at
from tests.unit.sync.domain.golden_day import GoldenDay

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "golden" / "queue_order.json").read_text(encoding="utf-8")
)["cases"]


def mistakes(case: dict[str, Any]) -> list[str]:
    """What a played case gave other than expected: due instants and calls."""
    day = GoldenDay(case)
    day.play()
    wrong = [t["name"] for t in case["tickets"] if day.dues[t["name"]] != at(t["due"])]
    expected = [(at(call["at"]), call["counter"], call["ticket"]) for call in case["calls"]]
    return wrong + [f"{got} instead of {want}" for got, want in _pairs(day.calls, expected) if got != want]


def _pairs(got: list[Any], want: list[Any]) -> list[tuple[Any, Any]]:
    length = max(len(got), len(want))
    return list(zip(got + [None] * (length - len(got)), want + [None] * (length - len(want)), strict=True))


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_golden_case(case: dict[str, Any]) -> None:
    assert mistakes(case) == []


def late_row_without_min(a: datetime, slot: datetime | None, cls: str, policy: Policy) -> Due:
    ranked = due(a, slot, cls, policy)
    return Due(due_at=slot, callable_at=a, band="late") if slot and ranked.band == "late" else ranked


def head_starts_added(a: datetime, slot: datetime | None, cls: str, policy: Policy) -> Due:
    ranked = due(a, slot, cls, policy)
    extra = timedelta(minutes=policy.class_head_start_min.get(cls, 0))
    if slot and ranked.band in ("early", "punctual"):
        return Due(due_at=ranked.due_at - extra, callable_at=ranked.callable_at, band=ranked.band)
    return ranked


def threshold_from_arrival(day: Any, session: Any, now: datetime) -> Any:
    primary, ripe, unripe = _reach(day, session, now)
    threshold = timedelta(minutes=day.policy.secondary_threshold_min)
    by_arrival = [t for t in ripe + unripe if now >= t.arrived_at + threshold + timedelta(minutes=1)]
    return primary, by_arrival, [t for t in ripe + unripe if t not in by_arrival]


_reach = ordering._reach

FAULTS: dict[str, tuple[object, str, Callable[..., Any]]] = {
    "late row without min": (arrivals, "due", late_row_without_min),
    "head starts added": (arrivals, "due", head_starts_added),
    "threshold not from due_at": (ordering, "_reach", threshold_from_arrival),
    "reinstatement to the front": (moves, "due_again", lambda _day, t, _now: t.due_at),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_golden_cases_notice_a_wrong_rule(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, name, wrong = FAULTS[fault]
    monkeypatch.setattr(place, name, wrong)
    noticed = [case["id"] for case in CASES if mistakes(case)]
    assert noticed, f"no golden case notices: {fault}"
