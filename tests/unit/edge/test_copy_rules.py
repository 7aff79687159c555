"""When a copy or a check is due, and which copies go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from edge_node.copies import rules

ZONE = ZoneInfo("Africa/Ceuta")
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_name_says_when_to_the_second() -> None:
    assert rules.name_of(NOON.astimezone(ZONE)) == "edge-20261126T120000Z.db"
    assert rules.made_at("edge-20261126T120000Z.db") == NOON


@pytest.mark.parametrize("name", ["edge.db", "copy.part", "edge-20261126T120000Z.db.bak", "edge-20261126Z.db"])
def test_another_file_is_no_copy(name: str) -> None:
    assert rules.made_at(name) is None
    assert rules.too_many([name] * 9, 1, NOON) == []


@pytest.mark.parametrize("latest, due", [(None, True), (NOON - HOUR, True), (NOON - HOUR / 2, False)])
def test_a_copy_is_due_after_its_time(latest: datetime | None, *, due: bool) -> None:
    assert rules.copy_due(latest, HOUR, NOON) is due


def test_the_oldest_go_and_those_from_the_future() -> None:
    names = [rules.name_of(NOON + n * HOUR) for n in range(4)]
    assert rules.too_many(reversed(names), 3, NOON + 4 * HOUR) == names[:1]
    assert rules.too_many(names, 9, NOON + 4 * HOUR) == []
    assert rules.too_many(names, 9, NOON + HOUR) == names[2:], (
        "a clock that was years ahead leaves no copies that never go"
    )


@pytest.mark.parametrize(
    "last, now, due",
    [
        ("2026-11-26 10:00", "2026-11-27 04:29", False),
        ("2026-11-26 10:00", "2026-11-27 04:30", True),
        ("2026-11-27 04:31", "2026-11-27 23:00", False),
        ("2026-11-26 10:00", "2026-11-29 02:00", True),
    ],
)
def test_the_night_is_checked_once(last: str, now: str, *, due: bool) -> None:
    def local(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=ZONE)

    assert rules.check_due(local(last), local(now), ZONE) is due
