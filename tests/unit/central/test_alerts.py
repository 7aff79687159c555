"""The alert rules ask for metrics that exist."""

from __future__ import annotations

import re
from pathlib import Path

import central

ROOT = Path(central.__file__).parents[1]
RULES = (ROOT / "central" / "alerts" / "ventanilla.rules.yml").read_text(encoding="utf-8")
NEEDED = {"UplinkLag", "FactsParked", "JournalForked", "FencedNodeSpeaks", "DisplayStale", "DiskLow", "RetentionFails"}


def test_every_metric_of_a_rule_is_made_somewhere() -> None:
    sources = "".join(
        file.read_text(encoding="utf-8") for part in ("central", "edge_node") for file in (ROOT / part).rglob("*.py")
    )
    asked = {name for line in RULES.splitlines() if "expr:" in line for name in re.findall(r"ventanilla_[a-z_]+", line)}
    assert len(asked) >= 10
    for name in asked:
        assert f'"{name}"' in sources or f'"{name.removesuffix("_total")}"' in sources, name


def test_what_must_alarm_does() -> None:
    assert set(re.findall(r"alert: (\w+)", RULES)) >= NEEDED
    assert RULES.count("expr:") == RULES.count("summary:") == RULES.count("severity:") == RULES.count("alert:")
