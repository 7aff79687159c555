"""The load generator, a process of its own: ``python -m tests.bench.console.load PLAN RECORDED``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import uvloop

from tests.bench.console.browser import Ledger, Page
from tests.bench.console.clerk import Clerk, People
from tests.bench.console.plan import RECEPTION, Office, Plan, Recorded, read_plan, write
from tests.bench.console.wire import Wire

SIGN_INS = 16
IDLE_EVERY = 5
TICK_S = 0.02


class Load:
    """All consoles of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._ledger = Ledger()
        self._random = Random(plan.seed)
        self._pages: list[Page] = []
        self._work: list[Coroutine[Any, Any, None]] = []
        self._lags: list[float] = []
        self._gate = asyncio.Semaphore(SIGN_INS)

    async def run(self) -> Recorded:
        """Sign everybody in, let them work, tell what came of it."""
        await asyncio.gather(*(self._open(office) for office in self._plan.offices))
        _tell(f"{len(self._pages)} consoles are open")
        tasks = [asyncio.ensure_future(each) for each in (*self._work, self._watch_lag())]
        try:
            await self._wait(self._plan.warm_up_s, tasks)
            ledger, began_at = self._ledger, perf_counter()
            looks, page_bytes = ledger.looks, ledger.page_bytes
            self._lags.clear()
            await self._wait(self._plan.seconds, tasks)
            ended_at = perf_counter()
            looks, page_bytes = ledger.looks - looks, ledger.page_bytes - page_bytes
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(1)  # what is under way arrives
        for page in self._pages:
            page.close()
        lags = sorted(self._lags) or [0.0]
        return Recorded(
            acts=ledger.acts,
            consoles=[page.record for page in self._pages],
            began_at=began_at,
            ended_at=ended_at,
            looks=looks,
            page_bytes=page_bytes,
            lag_ms=(round(lags[-1] * 1000, 1), round(lags[int(len(lags) * 0.99)] * 1000, 1)),
            troubles=dict(ledger.troubles),
        )

    async def _open(self, office: Office) -> None:
        """An office in the middle of its day: people wait, four of five counters are serving somebody."""
        async with self._gate:
            door, rate = Wire(office.office, office.port), self._plan.rate
            await door.sign_in(RECEPTION)
            people = People(door, office, rate, Random(self._random.random()), self._ledger)
            await people.queue_up(round((1 + self._plan.queue) * office.counters))
            pages = [
                Page(Wire(office.office, office.port), office.office, str(number), self._ledger)
                for number in range(1, office.counters + 1)
            ]
            for number, page in enumerate(pages, 1):
                await page.sit_down(f"clerk-{number}", busy=number % IDLE_EVERY != 0)
            for page in pages:
                await page.open()
                self._work.append(Clerk(page, rate, Random(self._random.random())).work())
            self._pages += pages
            self._work.append(people.come())

    async def _wait(self, seconds: float, tasks: Sequence[asyncio.Future[None]]) -> None:
        """Whoever stops working stops the run: figures without them would be another run's."""
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()

    async def _watch_lag(self) -> None:
        while True:
            before = perf_counter()
            await asyncio.sleep(TICK_S)
            self._lags.append(max(0.0, perf_counter() - before - TICK_S))


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    write(Path(sys.argv[2]), uvloop.run(Load(read_plan(Path(sys.argv[1]))).run()))
