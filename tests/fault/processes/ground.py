"""What every kind of fault stands on: the city, its weather, chance, and the ways to hurt a process."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from provisioning.demo.city import City
from provisioning.launchers.process import Child
from tests.fault.processes.people import Weather

AFTER_S = 6.0
"""How long a touched office may still show it: sign-ins, streams and links come back."""

Fault = Callable[[str], Awaitable[None]]
"""One fault at an office, from its beginning to its end."""


class NotReached(Exception):
    """A fault that was prepared and did not happen."""


@dataclass(frozen=True)
class Ground:
    """Shared by the kinds of faults of one storm."""

    city: City
    weather: Weather
    rng: random.Random

    @contextmanager
    def touching(self, office: str) -> Iterator[None]:
        """The office's own processes are hurt inside, and some time after."""
        self.weather.hurt[office] = float("inf")
        try:
            yield
        finally:
            self.weather.hurt[office] = time.monotonic() + AFTER_S

    def child(self, name: str) -> Child:
        return self.city.children[name]

    async def restarted(self, name: str) -> None:
        """Killed, gone for a moment, and up again."""
        child = self.child(name)
        child.kill()
        await asyncio.sleep(self.rng.uniform(0, 1.5))
        await asyncio.to_thread(child.start)

    async def paused(self, name: str, for_s: float) -> None:
        """Stopped where it is, and let go on."""
        pid = self.child(name).pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(for_s)
        finally:
            os.kill(pid, signal.SIGCONT)
