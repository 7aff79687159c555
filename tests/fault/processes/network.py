"""What happens to the network between an office and central: each state of the demo's relay, for some seconds."""

from __future__ import annotations

import asyncio
from functools import partial

import httpx

from provisioning.demo.relay import State
from tests.fault.processes.ground import Fault, Ground

KINDS: dict[str, State] = {
    "wan_cut": "cut",
    "wan_half_open": "silent",
    "wan_mute": "mute",
    "wan_deaf": "deaf",
    "wan_slow": "slow",
    "wan_torn": "torn",
}


class Network:
    """Faults of the network."""

    def __init__(self, ground: Ground) -> None:
        self._on = ground

    def of_offices(self) -> dict[str, Fault]:
        return {name: partial(self._disturb, state) for name, state in KINDS.items()}

    async def heal(self, office: str) -> None:
        await self._become(office, "up")

    async def _disturb(self, state: State, office: str) -> None:
        await self._become(office, state)
        await asyncio.sleep(self._on.rng.uniform(2, 8))
        await self._become(office, "up")

    async def _become(self, office: str, state: State) -> None:
        config = self._on.city.config
        async with httpx.AsyncClient() as http:
            reply = await http.post(f"{config.url(config.start_page)}/api/wan/{office}", json={"state": state})
        reply.raise_for_status()
        if state == "up":
            self._on.weather.cut.discard(office)
        else:
            self._on.weather.cut.add(office)
