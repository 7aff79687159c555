"""A cancellation is never lost, in whichever moment it comes: a loop that was told to stop must stop."""

import asyncio

import pytest

from sync.io.mqtt import _Session
from sync.io.waiting import set_within

TICKS = range(8)
"""Turns of the event loop between the answer and the cancellation; from some turn on the work is done before."""


@pytest.mark.parametrize("ticks", TICKS)
async def test_a_cancellation_that_meets_the_brokers_answer_still_cancels(ticks: int) -> None:
    answered, gone = asyncio.Event(), asyncio.create_task(asyncio.sleep(60))
    session = _Session(None, gone)  # type: ignore[arg-type]
    publishing = asyncio.create_task(session.outlives(_as_aiomqtt_waits(answered)))
    await _turns(5)
    answered.set()
    await _turns(ticks)
    was_cancelled = publishing.cancel()
    await asyncio.wait({publishing})
    assert publishing.cancelled() == was_cancelled
    gone.cancel()


@pytest.mark.parametrize("ticks", TICKS)
async def test_a_cancellation_that_meets_the_event_still_cancels(ticks: int) -> None:
    event = asyncio.Event()
    waiting = asyncio.create_task(set_within(event, 5))
    await _turns(5)
    event.set()
    await _turns(ticks)
    was_cancelled = waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled() == was_cancelled


@pytest.mark.parametrize("ticks", TICKS)
async def test_the_end_of_a_session_is_no_cancellation(ticks: int) -> None:
    answered, gone = asyncio.Event(), asyncio.create_task(asyncio.sleep(60))
    session = _Session(None, gone)  # type: ignore[arg-type]
    publishing = asyncio.create_task(session.outlives(_as_aiomqtt_waits(answered)))
    await _turns(5)
    answered.set()
    await _turns(ticks)
    gone.cancel()
    await asyncio.wait({publishing})
    assert isinstance(publishing.result(), bool)


async def test_an_event_that_does_not_come_is_given_up() -> None:
    assert not await set_within(asyncio.Event(), 0.01)


async def _as_aiomqtt_waits(answered: asyncio.Event) -> None:
    await asyncio.wait_for(answered.wait(), 5)


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)
