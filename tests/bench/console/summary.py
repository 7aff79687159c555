"""The bench's last line from its parts."""

from __future__ import annotations

from collections.abc import Mapping

from tests.bench.console.plan import Json

PLAIN = (
    "staff", "actions_per_s",
    "own_screen_ms_p50", "own_screen_ms_p95", "own_screen_ms_p99",
    "other_screens_ms_p50", "other_screens_ms_p95", "other_screens_ms_p99",
    "memory_mb_per_console",
)  # fmt: skip
WRONG = ("double_calls", "skipped", "order_violations")


def summary(parts: Mapping[str, Json]) -> Json:
    """The city's figures under plain names (the office's when there was no city), what was wrong anywhere, each part whole."""
    judged = [parts[name] for name in ("office", "city", "race") if name in parts]
    face = parts.get("city") or parts.get("office") or {}
    line: Json = {"bench": "console", **{name: face[name] for name in PLAIN if name in face}}
    line |= {name: sum(part[name] for part in judged) for name in WRONG}
    if "race" in parts:
        line["simultaneous_next"] = parts["race"]
    line |= parts.get("limits", {})
    line |= {name: parts[name] for name in ("office", "city") if name in parts}
    return line
