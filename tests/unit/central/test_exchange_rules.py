"""Which seats are lent."""

from __future__ import annotations

import pytest

from central.exchange.rules import LendableSlot, seats_to_lend
from tests.kit.facts import MORNING, uuid_of


def slot(capacity: int, free: int, leased: int = 0) -> LendableSlot:
    return LendableSlot(
        slot_id=uuid_of(9),
        start_at=MORNING,
        duration_min=10,
        services=("padron",),
        capacity=capacity,
        leased=leased,
        free_numbers=tuple(range(capacity, capacity - free, -1)),
    )


@pytest.mark.parametrize(
    "capacity, free, leased, per_slot, numbers",
    [
        (1, 1, 0, 1, []),
        (2, 2, 0, 1, [2]),
        (2, 1, 0, 1, []),
        (4, 4, 0, 3, [4]),
        (4, 3, 1, 3, []),
        (30, 30, 0, 2, [30, 29]),
        (30, 30, 0, 9, [30, 29, 28]),
        (30, 2, 0, 3, [30]),
        (30, 30, 1, 1, []),
        (0, 0, 0, 1, []),
    ],
)
def test_never_the_last_free_seat_nor_more_than_the_share(
    capacity: int, free: int, leased: int, per_slot: int, numbers: list[int]
) -> None:
    lent = seats_to_lend([slot(capacity, free, leased)], per_slot)
    assert [seat.seat.seat_no for seat in lent] == numbers
