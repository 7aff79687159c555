"""Which seats are lent; who waits with a backlog."""

from __future__ import annotations

import pytest

from central.exchange.backpressure import Backpressure
from central.exchange.rules import (
    LONGEST_WAIT_S,
    SLOW_BATCH,
    Bucket,
    LendableSlot,
    Pace,
    hold_back,
    pour,
    seats_to_lend,
)
from central.settings import Exchange
from sync.messages.values import GENESIS
from sync.messages.wire import MAX_FACTS, UpReply
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


PACE = Pace(burst=1000, per_s=100)


def test_a_bucket_fills_with_time_and_no_further_than_its_size() -> None:
    bucket = pour(None, PACE, 1500, 10.0)
    assert bucket == Bucket(-500, 10.0)
    assert pour(bucket, PACE, 0, 12.0) == Bucket(-300, 12.0)
    assert pour(bucket, PACE, 0, 1000.0) == Bucket(1000, 1000.0)


@pytest.mark.parametrize(
    "count, facts, wait",
    [
        (500, 500, None),
        (500, 0, None),
        (500, -1, (1, SLOW_BATCH)),
        (500, -250, (3, SLOW_BATCH)),
        (500, -1e6, (LONGEST_WAIT_S, SLOW_BATCH)),
        (49, -1e6, None),
    ],
)
def test_only_a_backlog_waits(count: int, facts: float, wait: tuple[int, int] | None) -> None:
    assert hold_back(count, [(Bucket(facts, 0.0), PACE), (Bucket(1.0, 0.0), PACE)]) == wait


def test_a_herd_drains_at_the_pace_of_all_and_what_happens_now_gets_through() -> None:
    pressure = Backpressure(Exchange(office_burst=1000, office_facts_per_s=200, facts_per_s=2000))
    reply = UpReply(request_id=uuid_of(1), acked_seq=1, acked_hash=GENESIS)
    left = {f"office-{n}": 2000 for n in range(30)}
    ready_s = dict.fromkeys(left, 0.0)
    size = dict.fromkeys(left, MAX_FACTS)
    now_s, taken_first_s = 0.0, 0
    while any(left.values()):
        now_s = min(ready_s[office] for office in left if left[office])
        office = next(office for office in left if left[office] and ready_s[office] == now_s)
        count = min(left[office], size[office])
        left[office] -= count
        taken_first_s += count if now_s > 1 else 0
        answer = pressure.paced(office, reply, count, now_s)
        ready_s[office], size[office] = now_s + answer.retry_after_s, answer.max_batch
        assert pressure.paced("quiet", reply, 1, now_s).retry_after_s == 0
    assert 10 < now_s < 120
    assert taken_first_s > 20_000, "most of it came spread over time"
