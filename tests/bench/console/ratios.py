"""Goals G6 to G10, each beside its limit from the same run. G6 to G8 are the benches that stand by themselves, taken in here."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import msgspec
import uvloop

from provisioning.launchers.broker import Broker
from provisioning.launchers.ports import free_port, is_listening
from sync.messages.topics import board_topic
from tests.bench import call_to_display, issue_ticket
from tests.bench.call_to_display import PAUSE_S, Clerk
from tests.bench.console.plan import Json
from tests.bench.console.runs import Tell
from tests.bench.display_process import display_process
from tests.bench.limits import mqtt_fanout, sse_fanout
from tests.bench.limits.figures import Figures, figures
from tests.kit.edge import OFFICE
from tests.kit.edge_process import EdgeProcess, edge_process

DISPLAYS, STREAMS = 100, 200
G9_GOAL, G10_GOAL = 2.0, 1.5
START_S = 30.0


class Effort(msgspec.Struct, frozen=True):
    """How much is measured. ``acts``: calls, messages or events per round."""

    rounds: int = 3
    seconds: float = 1.5
    acts: int = 60
    displays: int = DISPLAYS
    streams: int = STREAMS
    callers: tuple[int, ...] = issue_ticket.CALLERS


def measure(folder: Path, effort: Effort, tell: Tell) -> Json:
    """All five; each part has processes of its own, so that none is slowed by another's."""
    found: Json = {}
    for name, part in (("issue", _issue), ("display", _display), ("fanouts", _fanouts)):
        place = folder / name
        place.mkdir()
        tell(f"limits: {name}")
        found |= part(place, effort)
    return found


def _issue(folder: Path, effort: Effort) -> Json:
    measured: dict[int, list[issue_ticket.Round]] = {callers: [] for callers in effort.callers}
    with issue_ticket.bare_server() as bare_port:
        for number in range(effort.rounds):
            for callers in effort.callers:
                place = folder / f"{number}-{callers}"
                place.mkdir()
                measured[callers].append(issue_ticket.measure(place, bare_port, callers, effort.seconds))
    summary = issue_ticket.summary(measured)
    g6, g7 = (msgspec.to_builtins(summary[name]) for name in ("g6", "g7"))
    return {
        "g6": {"goal": g6["goal"], "ratio": min(g6["ratio"].values()), "met": g6["met"], "by_callers": g6["ratio"]},
        "g7": {"goal": g7["goal"], "ratio": g7["p99_of_allowed"], "met": g7["met"]},
    }


def _display(folder: Path, effort: Effort) -> Json:
    with (
        Broker(folder / "broker") as broker,
        edge_process(folder / "edge", broker_port=broker.port) as edge,
        display_process(folder / "display", broker.port) as display,
    ):
        bench = call_to_display.Bench(folder, broker.port, edge, display, calls=effort.acts, seconds=effort.seconds)
        summary = call_to_display.summary(uvloop.run(bench.run(effort.rounds, with_browser=False)))
    g8 = summary["g8"]
    return {"g8": {"goal": g8["goal"], "ratio": g8["ratio"], "met": all(g8["goal_met"].values())}}


def _fanouts(folder: Path, effort: Effort) -> Json:
    with (
        Broker(folder / "broker") as broker,
        edge_process(folder / "edge", broker_port=broker.port) as edge,
        _bare_streams() as bare_port,
    ):
        displays, streams = uvloop.run(_fan_out(edge, broker.port, bare_port, effort))
    return {"g9": _judged(G9_GOAL, displays), "g10": _judged(G10_GOAL, streams)}


Pair = tuple[Figures, Figures]


async def _fan_out(
    edge: EdgeProcess, broker_port: int, bare_port: int, effort: Effort
) -> tuple[list[Pair], list[Pair]]:
    """Rounds of the product beside the bare one, first to displays, then to streams."""
    displays: list[Pair] = []
    streams: list[Pair] = []
    async with call_to_display.clerk_at(edge) as (clerk, headers):
        for _ in range(effort.rounds):
            ours, body = await _to_displays(clerk, broker_port, effort)
            displays.append((ours, await mqtt_fanout.bare_fanout(broker_port, effort.displays, effort.acts, body)))
            told = await _to_streams(clerk, edge.port, headers, effort)
            streams.append((told, await sse_fanout.bare_fanout(bare_port, effort.streams, effort.acts)))
    return displays, streams


async def _to_displays(clerk: Clerk, broker_port: int, effort: Effort) -> tuple[Figures, bytes]:
    """From the POST of a call until the last display has the board with it; and a board, for the bare side to send."""
    durations: list[float] = []
    board = b""

    def shows(label: str) -> Callable[[bytes], bool]:
        quoted = f'"{label}"'.encode()

        def check(body: bytes) -> bool:
            nonlocal board
            board = body
            return quoted in body

        return check

    with mqtt_fanout.listeners(broker_port, board_topic(OFFICE, "a"), effort.displays) as them:
        await them.subscribed()
        for _ in range(effort.acts):
            label = await clerk.queue_one()
            await asyncio.sleep(PAUSE_S)
            them.look_for(shows(label))
            before = perf_counter()
            ticket = await clerk.call()
            durations.append(await them.all_have() - before)
            await clerk.serve(ticket["ticket_id"])
            await asyncio.sleep(PAUSE_S)
    return figures(durations, sum(durations)), board


async def _to_streams(clerk: Clerk, port: int, headers: str, effort: Effort) -> Figures:
    """From the POST of an act until the last of the open streams has told of it."""
    durations: list[float] = []
    async with sse_fanout.Streams(port, "/api/v1/live", effort.streams, headers) as streams:
        seq = (await clerk.do("take_ticket", service="padron"))["seq"]
        for _ in range(effort.acts):
            await asyncio.sleep(PAUSE_S)
            streams.look_for(seq + 1)
            before = perf_counter()
            seq = (await clerk.do("take_ticket", service="padron"))["seq"]
            durations.append(await streams.all_have() - before)
    for _ in range(effort.acts + 1):  # nobody is left waiting for the next round
        await clerk.serve((await clerk.call())["ticket_id"])
    return figures(durations, sum(durations))


def _judged(goal: float, rounds: list[Pair]) -> Json:
    """The median round's ratio of the 99th per cents: a noisy neighbour disturbs both sides of a round."""
    ratio = round(statistics.median(ours.p99_ms / bare.p99_ms for ours, bare in rounds), 2)
    return {
        "goal": goal,
        "ratio": ratio,
        "met": ratio <= goal,
        "p99_ms": statistics.median(ours.p99_ms for ours, _ in rounds),
        "bare_p99_ms": statistics.median(bare.p99_ms for _, bare in rounds),
    }


@contextmanager
def _bare_streams() -> Iterator[int]:
    """The bare server as a process of its own; its port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.limits.sse_fanout", str(port)])
    try:
        end = time.monotonic() + START_S
        while not is_listening("127.0.0.1", port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the bare event server did not start")
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)
