"""The queue order against the golden cases. Planted faults stand in ``test_planted_faults``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

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
