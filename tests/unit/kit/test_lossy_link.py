from collections import Counter
from random import Random

import pytest

from tests.kit.lossy_link import Direction, LinkFaults, LossyLink


def link(faults: LinkFaults, seed: int = 1) -> tuple[LossyLink, Counter[str]]:
    counted: Counter[str] = Counter()
    return LossyLink(Random(seed), faults, counted), counted


def test_a_healthy_link_carries_each_message_once_and_soon() -> None:
    sound, counted = link(LinkFaults())
    arrivals = [sound.carry("up") for _ in range(100)]
    assert all(len(one) == 1 and 10 <= one[0] <= 80 for one in arrivals)
    assert counted == {"messages": 100}


@pytest.mark.parametrize(
    "faults,direction,copies,longest_ms",
    [
        (LinkFaults(drop=1), "up", 0, 0),
        (LinkFaults(lost_reply=1), "down", 0, 0),
        (LinkFaults(lost_reply=1), "up", 1, 80),
        (LinkFaults(duplicate=1), "up", 2, 80),
        (LinkFaults(reorder=1), "up", 1, 2_080),
        (LinkFaults(delay=1), "down", 1, 180_080),
    ],
    ids=["drop", "lost reply", "request kept", "duplicate", "reorder", "delay"],
)
def test_a_fault_does_what_it_says(faults: LinkFaults, direction: Direction, copies: int, longest_ms: int) -> None:
    faulty, _ = link(faults)
    for _ in range(50):
        arrivals = faulty.carry(direction)
        assert len(arrivals) == copies
        assert max(arrivals, default=0) <= longest_ms


def test_a_partition_blocks_its_directions_until_the_heal() -> None:
    cut, counted = link(LinkFaults(drop=1))
    cut.blocked = frozenset({"up"})
    assert cut.carry("up") == []
    assert counted["blocked"] == 1
    cut.heal()
    assert len(cut.carry("up")) == len(cut.carry("down")) == 1
