"""People who act until they are answered: every act has one request_id, and is asked again with it whatever breaks.

What they were told is written down; it is what must be found at central in the end.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from tests.smoke.faces import Central, Clerk, new_id

SECRET = "melilla"
RETRY_S = 0.2
SERVICES = ("viaje", "padron-certificado", "registro", "informacion")
TRANSPORT = (httpx.HTTPError, ValueError, KeyError)


@dataclass
class Told:
    """What was acknowledged to somebody."""

    acts: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Office and verb by request_id."""
    labels: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Office and label by ticket."""
    bookings: dict[str, str] = field(default_factory=dict)
    """The secret link by appointment."""
    commands: int = 0
    attempts: int = 0
    cut_ms: list[float] = field(default_factory=list)
    """How long a command took that was answered at the first try at an office without network."""
    cut_errors: int = 0
    """Commands that failed at an office without network whose own processes were left alone."""


class Worker:
    """One clerk at one counter, who also gives tickets to walk-ins; goes on through everything.

    Args:
        is_cut: whether the office has no network now, and nothing else is wrong with it.
    """

    def __init__(
        self, *, office: str, base: str, staff_id: str, told: Told, rng: random.Random, weather: Weather
    ) -> None:
        self.office = office
        self._base = base
        self._staff_id = staff_id
        self._told = told
        self._rng = rng
        self._weather = weather
        self._clerk = Clerk(base, staff_id)

    async def run(self, counter: str, stop: asyncio.Event) -> None:
        """Work until told to stop."""
        await self._sign_in()
        await self._do("open_counter", counter=counter)
        while not stop.is_set():
            try:
                await self._one_act()
            except Refused as refused:
                if refused.code in ("forbidden", "counter_closed"):
                    await self._do("open_counter", counter=counter, take_over=True)
            await asyncio.sleep(self._rng.uniform(0.03, 0.25))

    async def _one_act(self) -> None:
        if self._rng.random() < 0.45:
            reply = await self._do("take_ticket", service=self._rng.choice(SERVICES))
            ticket = reply["ticket"]
            self._told.labels[ticket["ticket_id"]] = (self.office, ticket["label"])
            return
        session = self._clerk.session
        reply = await self._do("call_next", session=session["session"], after=session.get("last_ticket_id"))
        if reply.get("outcome") != "done":
            return
        target = {"session": session["session"], "ticket_id": reply["ticket"]["ticket_id"]}
        if self._rng.random() < 0.1:
            await self._do("no_show", **target)
            return
        await self._do("start", **target)
        await self._do("finish", **target)

    async def _do(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Ask until it is answered.

        Raises:
            Refused: the answer is no.
        """
        body = {"request_id": new_id(), **fields}
        self._told.commands += 1
        while True:
            self._told.attempts += 1
            cut, began = self._weather.only_cut(self.office), time.perf_counter()
            try:
                reply = await self._clerk.http.post(f"/api/v1/commands/{verb}", json=body, timeout=5)
                answer: dict[str, Any] = reply.json()
            except TRANSPORT:
                self._told.cut_errors += cut and self._weather.only_cut(self.office)
                await asyncio.sleep(RETRY_S)
                continue
            if cut and self._weather.only_cut(self.office):
                self._told.cut_ms.append((time.perf_counter() - began) * 1000)
            if reply.status_code == 401:
                await self._sign_in()
                continue
            if answer.get("code") == "retry" or reply.status_code >= 500:
                await asyncio.sleep(RETRY_S)
                continue
            if reply.status_code != 200:
                raise Refused(str(answer.get("code")))
            self._told.acts[body["request_id"]] = (self.office, verb)
            if answer.get("session"):
                self._clerk.session = answer["session"]
            return answer

    async def _sign_in(self) -> None:
        session = self._clerk.session
        while True:
            try:
                self._clerk = Clerk(self._base, self._staff_id)
                await self._clerk.sign_in(SECRET)
            except (*TRANSPORT, StopIteration, RuntimeError):
                await asyncio.sleep(RETRY_S)
            else:
                self._clerk.session = session
                return


class Refused(Exception):
    """The office understood and said no."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Weather:
    """What is broken right now: each part of the city that something was done to."""

    def __init__(self) -> None:
        self.cut: set[str] = set()
        self.hurt: dict[str, float] = {}
        """Offices whose own processes were touched, and until when that may still show."""

    def only_cut(self, office: str) -> bool:
        return office in self.cut and self.hurt.get(office, 0.0) < time.monotonic()


class Citizen:
    """Somebody who books at central over the API, and keeps the confirmation."""

    def __init__(self, central: Central, offices: list[str], told: Told, rng: random.Random) -> None:
        self._central = central
        self._offices = offices
        self._told = told
        self._rng = rng
        self._number = rng.randint(1000, 900_000)

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self._book()
            except (*TRANSPORT, AssertionError, StopIteration):
                await asyncio.sleep(RETRY_S)
            await asyncio.sleep(self._rng.uniform(0.05, 0.3))

    async def _book(self) -> None:
        office, service = self._rng.choice(self._offices), self._rng.choice(SERVICES[:3])
        starts: list[datetime] = await self._central.starts(office, service)
        if not starts:
            return
        self._number += 1
        booked = await self._central.book(office, service, self._rng.choice(starts[:40]), self._number)
        if booked is not None:
            self._told.bookings[booked["appointment_id"]] = booked["link"]
