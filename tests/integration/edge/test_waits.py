"""Expected waits at an edge node: made beside its loop, shown, and told to whoever takes a ticket."""

import asyncio
from datetime import date
from pathlib import Path

from edge_node.node import EdgeNode
from edge_node.queue.waits import scene
from sync.messages.feed import ServiceTimes, WaitModel
from sync.messages.topics import WaitRange
from tests.integration.edge.queue_acts import open_counter, take
from tests.kit.edge import edge, feed

MODEL = WaitModel(made_on=date(2026, 1, 2), services={"padron": ServiceTimes(visits=500, mean_s=3600, cv_permille=300)})


async def test_a_walk_in_is_told_what_the_screens_show(tmp_path: Path) -> None:
    async with edge(tmp_path) as node:
        await open_counter(node)
        for _ in range(4):
            await take(node)
        await _published(node, waiting=4)
        state = node.dispatcher.state
        reply = await take(node)
        assert reply.ticket is not None
        told = state.day.tickets[reply.ticket.ticket_id].expected_wait
        assert told is not None
        assert told.seq <= state.tail.seq
        assert told.wait_s == state.expected["padron"].wait_s
        assert isinstance(state.waits["padron"], WaitRange)


async def test_a_model_from_central_changes_the_waits(tmp_path: Path) -> None:
    async with edge(tmp_path) as node:
        await feed(node, MODEL)
        await open_counter(node)
        await take(node)
        await take(node)
        await _published(node, waiting=2)
        wait = node.dispatcher.state.waits["padron"]
        assert wait is not None
        assert wait.low_min >= 60, "two visits of an hour are ahead"
        assert wait.basis == "today"


async def _published(node: EdgeNode, waiting: int) -> None:
    """Wait until the waits are of a state with so many waiting."""
    state = node.dispatcher.state
    async with asyncio.timeout(15):
        while True:
            seq = scene(state).seq
            if len(state.day.waiting) == waiting and any(e.seq >= seq for e in state.expected.values()):
                return
            await asyncio.sleep(0.05)
