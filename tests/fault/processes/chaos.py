"""What is done to the city, by chance from a seed: one thing at a time to each office and to central, all of them at once."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator

from provisioning.demo.city import City
from tests.fault.processes.ground import Fault, Ground, NotReached
from tests.fault.processes.killing import Killing
from tests.fault.processes.machines import Machines
from tests.fault.processes.network import Network
from tests.fault.processes.people import Weather
from tests.smoke.__main__ import tell

CENTRAL = "central"
PAUSES_S = (0.3, 1.5)
CENTRAL_PAUSES_S = (2.0, 5.0)
"""Central is left alone longer: an office that never reaches it passes few of its own points."""


class Chaos:
    """Injects faults until it is stopped; ``heal`` ends them all.

    Args:
        has_small_disks: the offices' data folders may be filled.
    """

    def __init__(self, city: City, weather: Weather, rng: random.Random, *, has_small_disks: bool) -> None:
        self._rng = rng
        self._offices = [office.id for office in city.config.offices]
        self.injected: Counter[str] = Counter()
        self.not_reached: Counter[str] = Counter()
        self.skipped = [] if has_small_disks else ["disk_full"]
        ground = Ground(city, weather, rng)
        self._network, killing = Network(ground), Killing(ground)
        self._machines = Machines(ground, has_small_disks=has_small_disks)
        self._at_offices = killing.of_offices() | self._network.of_offices() | self._machines.of_offices()
        self._at_central = killing.of_central()

    @property
    def kinds(self) -> list[str]:
        """Every kind that this storm knows and can do here."""
        return sorted(self._at_offices | self._at_central)

    @property
    def is_complete(self) -> bool:
        """Whether each kind has happened."""
        return all(self.injected[kind] for kind in self.kinds)

    async def run(self, stop: asyncio.Event) -> None:
        offices = self._dealt(self._at_offices)
        async with asyncio.TaskGroup() as places:
            for office in self._offices:
                places.create_task(self._hurt(office, offices, self._at_offices, stop))
            places.create_task(self._hurt(CENTRAL, self._dealt(self._at_central), self._at_central, stop))

    async def heal(self) -> None:
        """End every cut and set every clock right; processes are up again by the end of their fault."""
        for office in self._offices:
            await self._network.heal(office)
            await self._machines.heal(office)

    def _dealt(self, faults: dict[str, Fault]) -> Iterator[str]:
        """Each kind comes round, in an order of the seed's; then only those that have not happened, until all have."""
        while True:
            names = [name for name in faults if not self.injected[name]] or list(faults)
            self._rng.shuffle(names)
            yield from names

    async def _hurt(self, place: str, kinds: Iterator[str], faults: dict[str, Fault], stop: asyncio.Event) -> None:
        while not stop.is_set():
            kind, began_s = next(kinds), time.monotonic()
            try:
                await faults[kind](place)
                self.injected[kind] += 1
                how = ""
            except NotReached:
                self.not_reached[kind] += 1
                how = ", which it never came to"
            tell(f"  · {place}: {kind}{how} ({time.monotonic() - began_s:.1f} s)")
            await asyncio.sleep(self._rng.uniform(*(CENTRAL_PAUSES_S if place == CENTRAL else PAUSES_S)))
