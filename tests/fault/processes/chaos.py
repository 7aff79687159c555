"""What is done to the city: one thing at a time, by chance from a seed, each with its end."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import httpx

from provisioning.demo.city import City
from tests.fault.processes.people import Weather

AFTER_S = 6.0
"""How long a touched office may still show it: sign-ins, streams and links come back."""


class Chaos:
    """Injects faults until it is stopped; ``heal`` ends them all."""

    def __init__(self, city: City, weather: Weather, rng: random.Random) -> None:
        self._city = city
        self._weather = weather
        self._rng = rng
        self._offices = [office.id for office in city.config.offices]
        self.injected: Counter[str] = Counter()
        self._faults: dict[str, Callable[[str], Awaitable[None]]] = {
            "edge_killed": self._kill_edge,
            "edge_stopped": self._stop_edge,
            "broker_killed": self._kill_broker,
            "central_killed": self._kill_central,
            "central_stopped": self._stop_central,
            "kiosk_killed": self._kill_kiosk,
            "wan_cut": self._cut,
            "wan_half_open": self._cut_silently,
            "postgres_killed": self._kill_postgres,
        }

    async def run(self, stop: asyncio.Event) -> None:
        names = list(self._faults)
        self._rng.shuffle(names)
        while not stop.is_set():
            for name in names:  # each kind comes round, in an order of the seed's
                if stop.is_set():
                    return
                await self._faults[name](self._rng.choice(self._offices))
                self.injected[name] += 1
                await asyncio.sleep(self._rng.uniform(0.3, 1.5))

    async def heal(self) -> None:
        """End every cut; processes are up again by the end of their fault."""
        for office in self._offices:
            await self._wan(office, "up")

    async def _kill_edge(self, office: str) -> None:
        self._touch(office)
        await self._restarted(f"{office}.edge")
        self._touch(office)

    async def _kill_kiosk(self, office: str) -> None:
        await self._restarted(f"{office}.kiosk")

    async def _kill_central(self, _office: str) -> None:
        await self._restarted("central")

    async def _stop_edge(self, office: str) -> None:
        self._touch(office)
        await self._paused(f"{office}.edge", self._rng.uniform(0.5, 4))
        self._touch(office)

    async def _stop_central(self, _office: str) -> None:
        await self._paused("central", self._rng.uniform(0.5, 6))

    async def _kill_broker(self, office: str) -> None:
        self._touch(office)
        broker = self._city.brokers[office]
        await asyncio.to_thread(broker.kill)
        await asyncio.sleep(self._rng.uniform(0, 2))
        await asyncio.to_thread(broker.start)
        self._touch(office)

    async def _kill_postgres(self, _office: str) -> None:
        postgres = self._city.postgres
        assert postgres is not None
        await asyncio.to_thread(postgres.kill)
        await asyncio.sleep(self._rng.uniform(0, 2))
        await asyncio.to_thread(postgres.start)

    async def _cut(self, office: str) -> None:
        await self._wan(office, "cut")
        await asyncio.sleep(self._rng.uniform(2, 8))
        await self._wan(office, "up")

    async def _cut_silently(self, office: str) -> None:
        await self._wan(office, "silent")
        await asyncio.sleep(self._rng.uniform(2, 8))
        await self._wan(office, "up")

    async def _wan(self, office: str, state: str) -> None:
        desk = self._city.config.url(self._city.config.start_page)
        async with httpx.AsyncClient() as http:
            (await http.post(f"{desk}/api/wan/{office}", json={"state": state})).raise_for_status()
        if state == "up":
            self._weather.cut.discard(office)
        else:
            self._weather.cut.add(office)

    async def _restarted(self, name: str) -> None:
        child = self._city.children[name]
        child.kill()
        await asyncio.sleep(self._rng.uniform(0, 1.5))
        await asyncio.to_thread(child.start)

    async def _paused(self, name: str, for_s: float) -> None:
        pid = self._city.children[name].pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(for_s)
        finally:
            os.kill(pid, signal.SIGCONT)

    def _touch(self, office: str) -> None:
        self._weather.hurt[office] = time.monotonic() + AFTER_S
