"""Who works: a clerk at a counter by drawn times, and the people who come in. All spans are seconds of the office's clock."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Mapping
from random import Random
from time import perf_counter

from sync.io.ids import new_id
from tests.bench.console.browser import LOST, Ledger, Page
from tests.bench.console.plan import SERVICES, Act, Office
from tests.bench.console.wire import Wire

VISIT_S, VISIT_SPREAD = 330.0, 0.6
COMES_S, REACTS_S = (8.0, 45.0), (3.0, 15.0)
CYCLE_S = 410.0
"""What one person takes a counter, in the mean, all verbs counted: people come about as fast as they are served."""
CROWD = 1.0
NO_SHOW, RECALLED, MOVED, PARKED, STRAIGHT_ON, COMES_BACK = 0.06, 0.15, 0.07, 0.04, 0.15, 0.5
COMMANDS = 0.2
"""Share of plain acts that go by the JSON interface."""
OUTCOMES = ("resolved", "resolved", "resolved", "missing_documents", "not_applicable")


class Clerk:
    """Calls, waits for the person, serves, ends; some people do not come, are sent on, or set aside."""

    def __init__(self, page: Page, rate: float, random: Random) -> None:
        self._page = page
        self._rate = rate
        self._random = random
        self._session = ""
        self._due: list[tuple[float, str, str]] = []
        self._left = random.random()

    async def work(self) -> None:
        """Until it is cancelled. Of what they do when it begins, some part has passed already."""
        while True:
            await self._next_step()
            self._left = 1.0

    async def _next_step(self) -> None:
        forms = self._page.screen.forms()
        self._session = forms.get("close_counter", {}).get("session", self._session)
        if "finish" in forms:
            await self._serve(forms["finish"])
        elif "start" in forms:
            await self._receive(forms["start"])
        else:
            await self._bring_back()
            await self._pause(*REACTS_S)
            await self._page.press("call_next")

    async def _receive(self, visit: Mapping[str, str]) -> None:
        await self._pause(*COMES_S)
        if self._random.random() < RECALLED:
            await self._page.press("recall")
            await self._pause(20, 40)
        if self._random.random() < NO_SHOW:
            await self._page.press("no_show")
            if self._random.random() < COMES_BACK:
                self._later(120, 400, "reinstate", visit["ticket_id"])
        else:
            await self._plain("start", visit)

    async def _serve(self, visit: Mapping[str, str]) -> None:
        draw = self._random.random()
        await self._pause_for(VISIT_S * math.exp(self._random.gauss(-(VISIT_SPREAD**2) / 2, VISIT_SPREAD)))
        if draw < MOVED:
            await self._page.open_panel("transfer")
            await self._page.press("transfer", **_of(visit), target=f"service:{self._random.choice(SERVICES)}")
        elif draw < MOVED + PARKED:
            await self._page.press("park", **_of(visit))
            self._later(120, 400, "resume", visit["ticket_id"])
        elif draw < MOVED + PARKED + STRAIGHT_ON:
            after = self._page.screen.forms()["call_next"]["after"]
            await self._heard_after(self._page.command("call_next", session=self._session, after=after))
        else:
            await self._plain("finish", visit, outcome=self._random.choice(OUTCOMES))

    async def _plain(self, verb: str, visit: Mapping[str, str], **more: str) -> None:
        if self._random.random() < COMMANDS:
            await self._heard_after(self._page.command(verb, **_of(visit), **more))
        else:
            await self._page.press(verb, **more)

    async def _heard_after(self, command: object) -> None:
        """A command's page comes by its stream: go on when it shows more than before."""
        before = self._page.screen.seq
        if not await command:  # type: ignore[misc]
            return
        for _ in range(200):
            if self._page.screen.seq > before:
                return
            await asyncio.sleep(0.02)

    async def _bring_back(self) -> None:
        while self._due and self._due[0][0] <= perf_counter():
            _, verb, ticket_id = heapq.heappop(self._due)
            await self._page.press(verb, ticket_id=ticket_id)

    def _later(self, least_s: float, most_s: float, verb: str, ticket_id: str) -> None:
        at = perf_counter() + self._random.uniform(least_s, most_s) / self._rate
        heapq.heappush(self._due, (at, verb, ticket_id))

    async def _pause(self, least_s: float, most_s: float) -> None:
        await self._pause_for(self._random.uniform(least_s, most_s))

    async def _pause_for(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self._left / self._rate)


class People:
    """Those who come in: walk-ins by a Poisson process, appointments about their time."""

    def __init__(self, wire: Wire, office: Office, rate: float, random: Random, ledger: Ledger) -> None:
        self._wire = wire
        self._office = office
        self._rate = rate
        self._random = random
        self._ledger = ledger

    async def queue_up(self, count: int) -> None:
        """Those who wait before the counters open."""
        for _ in range(count):
            await self._walk_in()

    async def come(self) -> None:
        """Until it is cancelled."""
        await asyncio.gather(self._walk_ins(), self._appointments())

    async def _walk_ins(self) -> None:
        per_s = CROWD * self._office.counters / CYCLE_S * self._rate
        while True:
            await asyncio.sleep(self._random.expovariate(per_s))
            await self._walk_in()

    async def _appointments(self) -> None:
        began = perf_counter()
        for booking in sorted(self._office.bookings, key=lambda each: each.comes_s):
            await asyncio.sleep(max(0.0, began + booking.comes_s - perf_counter()))
            await self._ask("check_in", appointment_id=booking.appointment_id)

    async def _walk_in(self) -> None:
        await self._ask("take_ticket", service=self._random.choice(SERVICES))

    async def _ask(self, verb: str, **fields: object) -> None:
        request_id, sent_at = new_id(), perf_counter()
        try:
            reply = await self._wire.command(f"/api/v1/commands/{verb}", {"request_id": request_id, **fields})
        except LOST:
            self._ledger.troubles[verb] += 1
            return
        if reply.status != 200:
            self._ledger.troubles[f"{verb} {reply.status} {reply.body[-80:].decode(errors='replace')}"] += 1
        self._ledger.acts.append(
            Act(
                request_id=request_id, kind="arrival", verb=verb, office=self._office.office, counter="",
                sent_at=sent_at, answered_at=perf_counter(), status=reply.status,
            )
        )  # fmt: skip


def _of(visit: Mapping[str, str]) -> dict[str, str]:
    return {"session": visit["session"], "ticket_id": visit["ticket_id"]}
