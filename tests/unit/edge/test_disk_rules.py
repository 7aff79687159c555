"""How full a disk is, and which facts may be forgotten."""

from __future__ import annotations

import pytest

from edge_node.disk.rules import ENOUGH_BYTES, Level, level_of, prune_before
from sync.messages.facts import (
    Fact,
    LeaseReturned,
)
from sync.messages.node_facts import NodeBreakGlass
from tests.kit.facts import uuid_of

GIB = 1024**3


@pytest.mark.parametrize(
    "used, before, level",
    [
        (50, "fine", "fine"),
        (90, "fine", "high"),
        (89, "high", "high"),
        (87, "high", "fine"),
        (97, "high", "full"),
        (96, "high", "high"),
        (96, "full", "full"),
        (94, "full", "high"),
        (100, "fine", "full"),
    ],
)
def test_levels_are_left_lower_than_they_begin(used: int, before: Level, level: Level) -> None:
    total = 32 * GIB
    assert level_of(total, total * (100 - used) // 100, before) == level


def test_a_large_disk_with_room_is_never_full() -> None:
    assert level_of(1000 * GIB, ENOUGH_BYTES, "fine") == "high"
    assert level_of(1000 * GIB, ENOUGH_BYTES - 1, "fine") == "full"
    assert level_of(0, 0, "fine") == "full"


def test_facts_stay_that_somebody_may_still_need() -> None:
    known, gone = uuid_of(1), uuid_of(2)

    def before(beyond: list[tuple[int, Fact]], opened_seq: int | None = 900, acked_seq: int = 5000) -> int:
        return prune_before(opened_seq=opened_seq, acked_seq=acked_seq, beyond=beyond, leases={known})

    assert before([]) == 900
    assert before([], opened_seq=None) == 0, "nothing is old enough"
    assert before([], acked_seq=300) == 300, "central has not got the rest"
    assert before([(50, LeaseReturned(lease_id=gone, seats=()))]) == 900
    assert before([(50, LeaseReturned(lease_id=known, seats=()))]) == 50
    assert before([(70, NodeBreakGlass(seen_epoch=1, seen_seq=9))]) == 70
