"""Five hundred *call next* at once from ten counters, over and over, at a real process: each person is called once, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import cycle
from pathlib import Path
from time import perf_counter

import msgspec
import uvloop

from sync.io.ids import new_id
from tests.bench.console.figures import percentiles
from tests.bench.console.judge import judge, read_journal
from tests.bench.console.nodes import Node, counted, office_rows, one_node
from tests.bench.console.plan import RECEPTION, SERVICES, Json
from tests.bench.console.runs import Tell
from tests.bench.console.wire import Wire
from tests.kit.edge import OFFICE

COUNTERS = 10
DONE, UNCHANGED = "done", "unchanged"


class Racer:
    """A clerk whose button is pressed many times at once; every press names what the clerk last saw."""

    def __init__(self, port: int, number: int) -> None:
        self._wire = Wire(OFFICE, port)
        self._number = number
        self._session = ""
        self._after: str | None = None

    async def open(self) -> None:
        await self._wire.sign_in(f"clerk-{self._number}")
        self._session = (await self._do("open_counter", counter=str(self._number)))["session"]["session"]

    async def press(self, times: int) -> tuple[list[float], list[Json]]:
        """So many presses at once: seconds and answer of each."""

        async def once() -> tuple[float, Json]:
            before = perf_counter()
            answer = await self._do("call_next", session=self._session, after=self._after)
            return perf_counter() - before, answer

        found = await asyncio.gather(*(once() for _ in range(times)))
        self._after = found[0][1]["session"]["last_call"]
        return [seconds for seconds, _ in found], [answer for _, answer in found]

    async def receive(self, ticket_id: str) -> None:
        """The person has come: the next call ends the visit."""
        await self._do("start", session=self._session, ticket_id=ticket_id)

    def close(self) -> None:
        self._wire.close()

    async def _do(self, verb: str, **fields: object) -> Json:
        reply = await self._wire.command(f"/api/v1/commands/{verb}", {"request_id": new_id(), **fields})
        if reply.status != 200:
            raise RuntimeError(f"{verb}: {reply.status} {reply.body.decode(errors='replace')}")
        return dict(msgspec.json.decode(reply.body))


def simultaneous_next(folder: Path, *, rounds: int, presses: int, tell: Tell) -> Json:
    """``presses`` in all in each round, shared by the ten counters."""
    with one_node(folder, 1.0, office_rows(OFFICE, COUNTERS)) as node:
        seconds, wrong = uvloop.run(_race(node, rounds, presses // COUNTERS, tell))
        journal = node.folder / "edge.db"
        node.child.stop()
        verdict = judge(read_journal(journal))
    for fault in (*wrong, *verdict.faults)[:20]:
        tell(f"WRONG {fault}")
    figures = verdict.figures
    latency = percentiles("ms", seconds)
    return {
        "rounds": rounds,
        "presses": presses,
        **figures,
        "double_calls": figures["double_calls"] + len(wrong),
        "p50_ms": latency["ms_p50"],
        "p99_ms": latency["ms_p99"],
    }


async def _race(node: Node, rounds: int, each: int, tell: Tell) -> tuple[list[float], list[str]]:
    """All durations, and what answers said that they must not."""
    racers = [Racer(node.port, number) for number in counted(COUNTERS)]
    door, services = Wire(OFFICE, node.port), cycle(SERVICES)
    seconds: list[float] = []
    wrong: list[str] = []
    try:
        await door.sign_in(RECEPTION)
        await asyncio.gather(*(racer.open() for racer in racers))
        await _queue_up(door, services, 2 * COUNTERS)
        for number in range(1, rounds + 1):
            await _queue_up(door, services, COUNTERS)
            found = await asyncio.gather(*(racer.press(each) for racer in racers))
            seconds += [one for durations, _ in found for one in durations]
            called = [_called(answers) for _, answers in found]
            wrong += [f"round {number}: {len(tickets)} called at once" for tickets in called if len(tickets) != 1]
            await asyncio.gather(*(r.receive(min(tickets)) for r, tickets in zip(racers, called, strict=True)))
            if number % 50 == 0:
                tell(f"round {number} of {rounds}")
    finally:
        for racer in racers:
            racer.close()
        door.close()
    return seconds, wrong


async def _queue_up(door: Wire, services: Iterable[str], count: int) -> None:
    for _, service in zip(range(count), services, strict=False):
        reply = await door.command("/api/v1/commands/take_ticket", {"request_id": new_id(), "service": service})
        if reply.status != 200:
            raise RuntimeError(f"no ticket: {reply.body.decode(errors='replace')}")


def _called(answers: Iterable[Json]) -> set[str]:
    """Ids of the tickets that these answers say were called; an answer that changed nothing tells of the same one."""
    return {answer["ticket"]["ticket_id"] for answer in answers if answer["outcome"] in (DONE, UNCHANGED)}
