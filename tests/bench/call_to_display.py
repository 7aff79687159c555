"""From *call next* to the waiting room's screen, beside what one message over the office's broker costs at least.

    python -m tests.bench.call_to_display [--calls 60] [--rounds 3] [--no-browser] [--dir FOLDER]

Goal G8: from the POST of a call (sent) until the display has it, one call at a time, p50 at most 6 and p99 at most 10 times
the p50 of one QoS 1 trip through the same broker, made at the same pace: calls come with a pause, and find processors and
caches cold, so a trip that is compared with them must, too. An edge node, a display agent, a broker and Chromium run as processes; the
journal is durable (synchronous FULL). Each round takes the limit, calls up to the display's live stream, and calls up to the
label in the page's DOM, one after the other. Two limits: aiomqtt, which the product uses, and paho's own threads; the goal counts
as met only beside the lower one. Beside them are told what one durable commit costs on the same disk, since every call waits for
one, and the ratio to trips that follow one another without a pause, warm. The last line is JSON.
"""

from __future__ import annotations

import asyncio
import math
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import click
import msgspec
import uvloop
from playwright.async_api import Browser as Chromium
from playwright.async_api import Page

from provisioning.launchers.broker import Broker
from sync.io.ids import new_id
from tests.bench.display_process import Announced, DisplayProcess, announced, display_process
from tests.bench.limits import sqlite_group
from tests.bench.limits.figures import Figures, figures, median
from tests.bench.limits.http_load import post_request, read_response
from tests.bench.limits.mqtt_trip import aiomqtt_trip, paho_trip
from tests.kit.browser import chromium
from tests.kit.edge_process import Browser, EdgeProcess, edge_process

P50_GOAL, P99_GOAL = 6, 10
SHOWN_WITHIN_S = 5.0
PAUSE_S = 0.05
"""Between two calls: a clerk's hand is slower, and the display has sent its proof."""
OK = 200

_WATCH_PLATE = """
() => {
  const seen = new Map();
  const plate = document.querySelector(".plate");
  let waiting = null;
  new MutationObserver(() => {
    const label = plate.textContent;
    if (!seen.has(label)) seen.set(label, performance.timeOrigin + performance.now());
    if (waiting && seen.has(waiting.label)) { waiting.resolve(seen.get(waiting.label)); waiting = null; }
  }).observe(plate, { childList: true, characterData: true, subtree: true });
  window.firstShown = (label) => new Promise((resolve) => {
    if (seen.has(label)) resolve(seen.get(label));
    else waiting = { label, resolve };
  });
}
"""


class Clerk:
    """A clerk at counter 1 over one kept connection: gives tickets, calls, finishes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: str) -> None:
        self._reader = reader
        self._writer = writer
        self._headers = headers
        self._session = ""
        self._last: str | None = None

    async def do(self, verb: str, **fields: Any) -> dict[str, Any]:
        """A command and its reply."""
        body = msgspec.json.encode({"request_id": new_id(), **fields})
        self._writer.write(post_request(f"/api/v1/commands/{verb}", body, self._headers))
        status, reply = await read_response(self._reader)
        if status != OK:
            raise click.ClickException(f"{verb} was refused: {reply.decode()}")
        return dict(msgspec.json.decode(reply))

    async def sit_down(self) -> None:
        self._session = (await self.do("open_counter", counter="1"))["session"]["session"]

    async def queue_one(self) -> str:
        """Let somebody take a ticket; its label."""
        return str((await self.do("take_ticket", service="padron"))["ticket"]["label"])

    async def call(self) -> dict[str, Any]:
        reply = await self.do("call_next", session=self._session, after=self._last)
        self._last = reply["session"]["last_call"]
        return dict(reply["ticket"])

    async def serve(self, ticket_id: str) -> None:
        for verb in ("start", "finish"):
            await self.do(verb, session=self._session, ticket_id=ticket_id)


class Call(msgspec.Struct, frozen=True):
    """One call, in seconds from the POST: until the reply, and until it was shown."""

    accepted_s: float
    shown_s: float

    @property
    def after_reply_s(self) -> float:
        """How long the screen took beyond the clerk's own answer."""
        return max(0.0, self.shown_s - self.accepted_s)


class Round(msgspec.Struct, frozen=True, kw_only=True):
    aiomqtt: Figures
    paho: Figures
    paced_aiomqtt: Figures
    paced_paho: Figures
    commit: Figures
    accepted: Figures
    after_reply: Figures
    display: Figures
    dom: Figures | None


@click.command()
@click.option("--calls", default=60, show_default=True, type=click.IntRange(3, 150), help="Calls per round and screen.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 3), help="Interleaved rounds.")
@click.option("--seconds", default=2.0, show_default=True, help="Length of each limit's measurement.")
@click.option("--browser/--no-browser", default=True, show_default=True, help="Also measure up to the page's DOM.")
@click.option("--dir", "folder", type=click.Path(path_type=Path), help="Where the journal stands (a disk to measure).")
def main(*, calls: int, rounds: int, seconds: float, browser: bool, folder: Path | None) -> None:
    """Measure how soon a call is on the screen.

    Example: python -m tests.bench.call_to_display --calls 100
    """
    with (
        tempfile.TemporaryDirectory(dir=folder) as base,
        Broker(Path(base) / "broker") as broker,
        edge_process(Path(base) / "edge", broker_port=broker.port) as edge,
        display_process(Path(base) / "display", broker.port) as display,
    ):
        bench = Bench(Path(base), broker.port, edge, display, calls=calls, seconds=seconds)
        measured = uvloop.run(bench.run(rounds, with_browser=browser))
    click.echo(msgspec.json.encode(summary(measured)).decode())


class Bench:
    """The rounds, on running processes."""

    def __init__(
        self, folder: Path, broker_port: int, edge: EdgeProcess, display: DisplayProcess, *, calls: int, seconds: float
    ) -> None:
        self._folder = folder
        self._broker_port = broker_port
        self._edge = edge
        self._display = display
        self._calls = calls
        self._seconds = seconds

    async def run(self, rounds: int, *, with_browser: bool) -> list[Round]:
        measured = []
        async with clerk_at(self._edge) as (clerk, _), _browser(with_browser) as browser:
            await self._to_display(clerk, 5)  # the first ones find everything cold
            for number in range(1, rounds + 1):
                measured.append(await self._round(clerk, browser))
                click.echo(f"round {number}: {_line(measured[-1])}", err=True)
        return measured

    async def _round(self, clerk: Clerk, browser: Chromium | None) -> Round:
        aiomqtt = await aiomqtt_trip(self._broker_port, self._seconds)
        paho = await asyncio.to_thread(paho_trip, self._broker_port, self._seconds)
        paced_aiomqtt = await aiomqtt_trip(self._broker_port, self._seconds, PAUSE_S)
        paced_paho = await asyncio.to_thread(paho_trip, self._broker_port, self._seconds, PAUSE_S)
        commit = await asyncio.to_thread(sqlite_group.solo, self._folder, self._seconds / 2)
        shown = await self._to_display(clerk, self._calls)
        painted = await self._to_dom(clerk, browser) if browser else None
        return Round(
            aiomqtt=aiomqtt,
            paho=paho,
            paced_aiomqtt=paced_aiomqtt,
            paced_paho=paced_paho,
            commit=commit,
            accepted=_figures([call.accepted_s for call in shown]),
            after_reply=_figures([call.after_reply_s for call in shown]),
            display=_figures([call.shown_s for call in shown]),
            dom=_figures([call.shown_s for call in painted]) if painted else None,
        )

    async def _to_display(self, clerk: Clerk, count: int) -> list[Call]:
        async with announced(self._display.port) as seen:
            return [await _call_to_stream(clerk, seen) for _ in range(count)]

    async def _to_dom(self, clerk: Clerk, browser: Chromium) -> list[Call]:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        try:
            await page.goto(self._display.url)
            await page.evaluate(_WATCH_PLATE)
            await _same_clock(page)
            return [await _call_to_dom(clerk, page) for _ in range(self._calls)]
        finally:
            await page.close()


async def _call_to_stream(clerk: Clerk, seen: Announced) -> Call:
    label = await clerk.queue_one()
    await asyncio.sleep(PAUSE_S)
    started = perf_counter()
    ticket = await clerk.call()
    accepted = perf_counter()
    _check(label, ticket)
    shown = await seen.first(label, SHOWN_WITHIN_S)
    await _serve(clerk, ticket)
    return Call(accepted - started, shown - started)


async def _call_to_dom(clerk: Clerk, page: Page) -> Call:
    label = await clerk.queue_one()
    shown = asyncio.ensure_future(page.evaluate("(label) => window.firstShown(label)", label))
    await asyncio.sleep(PAUSE_S)
    started_at, started = time.time(), perf_counter()
    ticket = await clerk.call()
    accepted = perf_counter()
    _check(label, ticket)
    shown_at_ms = float(await asyncio.wait_for(shown, SHOWN_WITHIN_S))
    await _serve(clerk, ticket)
    return Call(accepted - started, shown_at_ms / 1000 - started_at)


async def _serve(clerk: Clerk, ticket: dict[str, Any]) -> None:
    await asyncio.sleep(PAUSE_S)
    await clerk.serve(ticket["ticket_id"])
    await asyncio.sleep(PAUSE_S)


def _check(label: str, ticket: dict[str, Any]) -> None:
    """A fast answer about somebody else is no figure."""
    if ticket["label"] != label:
        raise click.ClickException(f"{ticket['label']} was called instead of {label}")


async def _same_clock(page: Page) -> None:
    """The page's clock and ours must agree to a millisecond, or its figure means nothing."""
    gaps = []
    for _ in range(20):
        before = time.time()
        theirs = await page.evaluate("() => (performance.timeOrigin + performance.now()) / 1000")
        after = time.time()
        gaps.append(max(before - theirs, theirs - after, 0.0))
    if min(gaps) > 0.001:
        raise click.ClickException(f"the browser's clock is {min(gaps) * 1000:.1f} ms away from ours")


@asynccontextmanager
async def clerk_at(edge: EdgeProcess) -> AsyncIterator[tuple[Clerk, str]]:
    """A clerk at counter 1, and the headers of their browser."""
    with _signed_in(edge) as headers:
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        try:
            clerk = Clerk(reader, writer, headers)
            await clerk.sit_down()
            yield clerk, headers
        finally:
            writer.close()


@contextmanager
def _signed_in(edge: EdgeProcess) -> Iterator[str]:
    """The headers of a signed-in clerk."""
    with Browser(edge.url) as browser:
        browser.sign_in("clerk-1").raise_for_status()
        cookies = "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())
        yield f"cookie: {cookies}\r\nx-csrf-token: {browser.headers['x-csrf-token']}\r\n"


@asynccontextmanager
async def _browser(wanted: bool) -> AsyncIterator[Chromium | None]:
    if not wanted:
        yield None
        return
    async with chromium() as browser:
        yield browser


def summary(measured: Sequence[Round]) -> dict[str, Any]:
    """Medians over the rounds, ratios within each round, and the goal."""
    sides = {
        side: median([getattr(each, side) for each in measured])
        for side in ("aiomqtt", "paho", "paced_aiomqtt", "paced_paho", "commit", "accepted", "after_reply", "display")
    }
    ratios = {limit: _ratios(measured, limit) for limit in ("paced_aiomqtt", "paced_paho")}
    strictest = {name: max(ratio[name] for ratio in ratios.values()) for name in ("p50", "p99")}
    doms = [each.dom for each in measured if each.dom is not None]
    return {
        "bench": "call_to_display",
        "calls": sum(each.display.operations for each in measured),
        "display_ms": _latencies(sides["display"]),
        "dom_ms": _latencies(median(doms)) if doms else None,
        "accepted_ms": _latencies(sides["accepted"]),
        "after_reply_ms": _latencies(sides["after_reply"]),
        "commit_ms": _latencies(sides["commit"]),
        "limit_p50_ms": {limit: sides[limit].p50_ms for limit in ratios},
        "ratio": ratios,
        "warm_trip_p50_ms": {limit: sides[limit].p50_ms for limit in ("aiomqtt", "paho")},
        "ratio_to_warm_trip": {limit: _ratios(measured, limit) for limit in ("aiomqtt", "paho")},
        "g8": {
            "goal": {"p50": P50_GOAL, "p99": P99_GOAL},
            "ratio": strictest,
            "goal_met": {"p50": strictest["p50"] <= P50_GOAL, "p99": strictest["p99"] <= P99_GOAL},
        },
    }


def _ratios(measured: Sequence[Round], limit: str) -> dict[str, float]:
    """The median round's ratio: a noisy neighbour disturbs both sides of a round, and seldom all rounds."""

    def middle(name: str) -> float:
        ratios = sorted(float(getattr(each.display, name) / getattr(each, limit).p50_ms) for each in measured)
        return round(ratios[len(ratios) // 2], 2)

    return {"p50": middle("p50_ms"), "p99": middle("p99_ms")}


def _figures(durations: Sequence[float]) -> Figures:
    return figures(durations, math.fsum(durations))


def _latencies(side: Figures) -> dict[str, float]:
    return {"p50": side.p50_ms, "p95": side.p95_ms, "p99": side.p99_ms}


def _line(measured: Round) -> str:
    dom = f", DOM {measured.dom.p50_ms} / {measured.dom.p99_ms}" if measured.dom else ""
    return (
        f"display p50 {measured.display.p50_ms} p99 {measured.display.p99_ms}{dom} ms; "
        f"trip p50 {measured.paced_aiomqtt.p50_ms} (aiomqtt), {measured.paced_paho.p50_ms} ms (paho); commit {measured.commit.p50_ms} ms"
    )


if __name__ == "__main__":
    main()
