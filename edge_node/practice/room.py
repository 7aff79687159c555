"""One learner's practice: a whole edge node over a scratch database, with no LAN and no central.

It is the real node's code with other settings, so that what is learned is what works. It shares with the real node only who is
signed in, read and ended as there, and everybody's keys. The folder goes when the practice ends, and with the process.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from edge_node.console.staff_sessions import Member
from edge_node.node import EdgeNode, running
from edge_node.practice.office import OWN_COUNTER, furnish, open_scratch, rows
from edge_node.practice.people import SPREAD_S, WALK_INS, People
from edge_node.practice.rules import Progress
from edge_node.queue.journal import Entry, PendingPrint
from edge_node.settings import Broker, Central, Data, OtherClock, Settings
from sync.io.clock import Clock
from sync.io.ids import new_id
from sync.messages.commands import OpenCounter

SEED = 1492
"""Everybody learns at the same office."""
TICK_S = 1.0


class LateClock:
    """A clock that runs with another one, some seconds behind it: so an office can have a past."""

    def __init__(self, clock: Clock, behind_s: float) -> None:
        self._clock = clock
        self.boot_id = clock.boot_id
        self.behind_s = behind_s

    def now(self) -> datetime:
        return self._clock.now() - timedelta(seconds=self.behind_s)

    def monotonic_ns(self) -> int:
        return self._clock.monotonic_ns() - int(self.behind_s * 1e9)


class Watch:
    """Follows what the learner does in their practice."""

    def __init__(self, node: EdgeNode, staff_id: str) -> None:
        self._node = node
        self._staff_id = staff_id

    def committed(self, entries: Sequence[Entry], _prints: Sequence[PendingPrint]) -> None:
        for each in entries:
            if each.header.actor_id == self._staff_id and self._node.practice is not None:
                self._node.practice = self._node.practice.with_fact(each.header.type)

    def restored(self) -> None:
        """What was done is known already."""


@asynccontextmanager
async def practice(real: EdgeNode, learner: Member, language: str) -> AsyncIterator[EdgeNode]:
    """An invented office in full swing, with the learner at an open counter."""
    clock = LateClock(real.dispatcher.state.clock, SPREAD_S * WALK_INS)
    with TemporaryDirectory(prefix="ventanilla-practice-") as folder:
        settings = _settings(real.settings, Path(folder))
        office = settings.office
        there = rows(office.id, office.time_zone, learner, real.dispatcher.state.clock.now(), language)
        await asyncio.to_thread(furnish, settings.database_file, there, office.id)
        async with running(settings, clock, opener=open_scratch) as node:
            node.practice = Progress()
            node.sessions, node.own_keys = real.sessions, real.own_keys
            people = People(node, SEED)
            await _fill(node, people, clock)
            await node.dispatcher.submit(OpenCounter(request_id=new_id(), counter=OWN_COUNTER), learner.actor)
            node.dispatcher.listen(Watch(node, learner.staff_id))
            moving = asyncio.create_task(_move(people, clock), name="practice-people")
            try:
                yield node
            finally:
                moving.cancel()
                await asyncio.gather(moving, return_exceptions=True)


async def _fill(node: EdgeNode, people: People, clock: LateClock) -> None:
    """Everybody who came before, each at their time."""
    await people.come_to_work()
    agenda = sorted(node.dispatcher.state.agenda.by_id.values(), key=lambda row: row.slot_start_at)
    for n in range(WALK_INS):
        await people.arrive()
        if n in (WALK_INS // 3, WALK_INS // 2):
            await people.check_in(agenda[n > WALK_INS // 3].id)
        clock.behind_s -= SPREAD_S
    await people.begin()


async def _move(people: People, clock: Clock) -> None:
    while True:
        await people.move(clock.monotonic_ns() / 1e9)
        await asyncio.sleep(TICK_S)


def _settings(real: Settings, folder: Path) -> Settings:
    """The real node's settings without anything that reaches out of it."""
    return msgspec.structs.replace(
        real,
        data=Data(folder=folder, ballast_mib=0),
        central=Central(public_url="https://practica.invalid"),
        broker=Broker(port=0),
        clock=OtherClock(),
        devices=(),
    )
