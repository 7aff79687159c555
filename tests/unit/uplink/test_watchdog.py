"""When a loop counts as stalled, and how it is kept going."""

from __future__ import annotations

import asyncio

import pytest

from edge_node.uplink.watchdog import Stall, keep_going


@pytest.mark.parametrize(
    "looks, stalled",
    [
        ([(True, 1, 0), (True, 1, 61)], True),
        ([(True, 1, 0), (True, 1, 60)], False),  # not longer than the limit
        ([(True, 1, 0), (True, 2, 59), (True, 2, 100)], False),  # it moved
        ([(False, 1, 0), (True, 1, 61), (True, 1, 100)], False),  # nothing was due
        ([(True, 1, 0), (False, 1, 30), (True, 1, 80)], False),  # central was away meanwhile
        ([(True, 2, 0), (True, 1, 30), (True, 1, 91)], True),  # moving back is moving too
    ],
)
def test_work_that_is_due_must_move(looks: list[tuple[bool, int, float]], stalled: bool) -> None:
    stall = Stall(60)
    found = [stall.is_stalled(due=due, progress=progress, now_s=now_s) for due, progress, now_s in looks]
    assert found[-1] is stalled


async def test_a_failing_loop_begins_anew_until_it_ends_by_itself() -> None:
    runs = []
    restarts = []

    async def loop() -> None:
        runs.append(1)
        if len(runs) < 3:
            raise OSError("disk")

    await keep_going("up", loop, lambda: False, on_restart=lambda: restarts.append(1), restart_s=0.001)
    assert (len(runs), len(restarts)) == (3, 2)


async def test_a_stalled_loop_is_cancelled_and_begins_anew() -> None:
    cancelled: list[int] = []

    async def loop() -> None:
        if cancelled:
            return
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    looks = iter([False, True])
    restarts: list[int] = []
    await keep_going(
        "up",
        loop,
        lambda: next(looks, False),
        on_restart=lambda: restarts.append(1),
        check_s=0.01,
        restart_s=0.001,
    )
    assert (cancelled, restarts) == ([1], [1])


async def test_cancelling_the_watchdog_cancels_the_loop() -> None:
    ended = asyncio.Event()

    async def loop() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    watching = asyncio.create_task(keep_going("up", loop, lambda: False, on_restart=lambda: None))
    await asyncio.sleep(0.01)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert ended.is_set()
