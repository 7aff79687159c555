"""A wall clock that jumps: written down once, the queue keeps its order, and nobody at the kiosk sees a thing."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from edge_node.node import EdgeNode
from edge_node.queue.outcomes import Done
from sync.io.ids import new_id
from sync.messages import commands as c
from tests.integration.bad_input.office import refused_total
from tests.kit.clock import ManualClock
from tests.kit.edge import edge

CLERK = c.Actor(actor_id="clerk-1", device_id="console-1")
FOLLOW = bytes(32)


class Jump(NamedTuple):
    """How far the wall jumps, and the facts that follow at the next check."""

    by: timedelta
    facts: tuple[str, ...]


STEPPED = ("clock.stepped",)
JUMPS = {
    "a second": Jump(timedelta(seconds=1), ()),
    "ten minutes ahead": Jump(timedelta(minutes=10), STEPPED),
    "an hour back": Jump(timedelta(hours=-1), STEPPED),
    "three days back": Jump(timedelta(days=-3), STEPPED),
    "past the end of the day": Jump(
        timedelta(days=1),
        (*STEPPED, "ticket.abandoned", "ticket.abandoned", "counter.closed", "day.closed", "day.opened"),
    ),
    "to before there were computers": Jump(timedelta(days=-365 * 56), STEPPED),
}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def node(tmp_path: Path, clock: ManualClock) -> AsyncIterator[EdgeNode]:
    async with edge(tmp_path / "edge", clock) as running:
        yield running


@pytest.mark.parametrize("jump", [pytest.param(jump, id=name) for name, jump in JUMPS.items()])
async def test_a_jump(node: EdgeNode, clock: ManualClock, jump: Jump) -> None:
    first, second = await take(node), await take(node)
    session = await open_counter(node)
    seq = node.dispatcher.state.tail.seq
    clock.step(seconds=jump.by.total_seconds())
    for _ in range(3):  # checked again and again, written down once
        await node.timekeeper.check_clock()
    assert facts_after(node, seq) == jump.facts
    assert stepped_ms(node) == [jump.by / timedelta(milliseconds=1)] * jump.facts.count("clock.stepped")
    assert refused_total(node.metrics.text().decode()) == {}
    if "day.closed" not in jump.facts:
        called = await node.dispatcher.submit(c.CallNext(request_id=new_id(), session=session), CLERK)
        assert isinstance(called, Done)
        assert called.reply.ticket is not None
        assert (called.reply.ticket.ticket_id, second in node.dispatcher.state.day.waiting) == (first, True)


@pytest.mark.parametrize("jump", [pytest.param(jump, id=name) for name, jump in JUMPS.items()])
async def test_whoever_comes_after_a_jump_gets_a_ticket(node: EdgeNode, clock: ManualClock, jump: Jump) -> None:
    before = await take(node)
    clock.step(seconds=jump.by.total_seconds())
    await node.timekeeper.check_clock()
    after = await take(node)
    tickets = node.dispatcher.state.day.tickets
    if "day.closed" not in jump.facts:
        assert tickets[before].arrived_at <= tickets[after].arrived_at
    assert tickets[after].arrived_at == node.dispatcher.state.now()


async def take(node: EdgeNode) -> str:
    command = c.TakeTicket(request_id=new_id(), service="padron", follow_hash=FOLLOW)
    assert isinstance(await node.dispatcher.submit(command, CLERK), Done)
    return command.request_id


async def open_counter(node: EdgeNode) -> str:
    command = c.OpenCounter(request_id=new_id(), counter="1")
    assert isinstance(await node.dispatcher.submit(command, CLERK), Done)
    return command.request_id


def facts_after(node: EdgeNode, seq: int) -> tuple[str, ...]:
    with closing(journal(node)) as file:
        return tuple(row[0] for row in file.execute("SELECT type FROM fact WHERE seq > ? ORDER BY seq", (seq,)))


def stepped_ms(node: EdgeNode) -> list[int]:
    with closing(journal(node)) as file:
        bodies = file.execute("SELECT body FROM fact WHERE type = 'clock.stepped' ORDER BY seq").fetchall()
    return [msgspec.json.decode(body)["delta_ms"] for (body,) in bodies]


def journal(node: EdgeNode) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{node.settings.database_file}?mode=ro", uri=True)
