"""Processes that are killed, stopped, or die at a named point of their own code."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from contextlib import closing
from functools import partial

from provisioning.failpoints import POINTS, VARIABLE
from tests.fault.processes.ground import Fault, Ground, NotReached

REACHED_S = 15.0
PASSAGES = {
    "edge.snapshot_swapped": 1,
    "edge.rows_put": 1,
    "edge.rows_committed": 1,
    "edge.ack_received": 4,
    "central.rows_read": 2,
    "central.booked": 2,
    "central.facts_taken": 4,
    "central.uncommitted": 10,
    "central.committed": 10,
}
"""The latest passage at which a process dies, where a point is not passed many times a second."""
MANY_PASSAGES = 40


class Killing:
    """Faults of processes."""

    def __init__(self, ground: Ground) -> None:
        self._on = ground

    def of_offices(self) -> dict[str, Fault]:
        points = {f"died_at:{point}": partial(self._edge_dies, point) for point in POINTS if point.startswith("edge.")}
        return {
            "edge_killed": self._kill_edge,
            "edge_stopped": self._stop_edge,
            "broker_killed": self._kill_broker,
            "kiosk_killed": self._kill_kiosk,
            **points,
        }

    def of_central(self) -> dict[str, Fault]:
        points = [point for point in POINTS if point.startswith("central.")]
        return {
            "central_killed": self._kill_central,
            "central_stopped": self._stop_central,
            "postgres_killed": self._kill_postgres,
            **{f"died_at:{point}": partial(self._central_dies, point) for point in points},
        }

    async def _kill_edge(self, office: str) -> None:
        with self._on.touching(office):
            await self._on.restarted(f"{office}.edge")

    async def _stop_edge(self, office: str) -> None:
        with self._on.touching(office):
            await self._on.paused(f"{office}.edge", self._on.rng.uniform(0.5, 4))

    async def _kill_kiosk(self, office: str) -> None:
        await self._on.restarted(f"{office}.kiosk")

    async def _kill_broker(self, office: str) -> None:
        broker = self._on.city.brokers[office]
        with self._on.touching(office):
            await asyncio.to_thread(broker.kill)
            await asyncio.sleep(self._on.rng.uniform(0, 2))
            await asyncio.to_thread(broker.start)

    async def _kill_central(self, _office: str) -> None:
        await self._on.restarted("central")

    async def _stop_central(self, _office: str) -> None:
        await self._on.paused("central", self._on.rng.uniform(0.5, 6))

    async def _kill_postgres(self, _office: str) -> None:
        postgres = self._on.city.postgres
        assert postgres is not None
        await asyncio.to_thread(postgres.kill)
        await asyncio.sleep(self._on.rng.uniform(0, 2))
        await asyncio.to_thread(postgres.start)

    async def _edge_dies(self, point: str, office: str) -> None:
        with self._on.touching(office):
            self._on.child(f"{office}.edge").kill()
            if point == "edge.snapshot_swapped":
                self._forget_cursors(office)  # a node takes a snapshot only when its cursors do not hold
            await self._dies(f"{office}.edge", point)

    async def _central_dies(self, point: str, _office: str) -> None:
        await self._dies("central", point)

    async def _dies(self, name: str, point: str) -> None:
        """Let a process run until it comes to a point and dies there; then it is started like any other.

        Raises:
            NotReached: it never came there.
        """
        child = self._on.child(name)
        child.kill()
        child.more_env[VARIABLE] = f"{point}:{self._on.rng.randint(1, PASSAGES.get(point, MANY_PASSAGES))}"
        child.launch()
        try:
            async with asyncio.timeout(REACHED_S):
                while child.is_running:  # noqa: ASYNC110 - a process sets no event
                    await asyncio.sleep(0.05)
        except TimeoutError:
            child.kill()
            raise NotReached(point) from None
        finally:
            died = child.exit_code
            del child.more_env[VARIABLE]
            await asyncio.sleep(self._on.rng.uniform(0, 1))
            await asyncio.to_thread(child.start)
        assert died == -signal.SIGKILL, f"{name} ended {died} instead of dying at {point}"

    def _forget_cursors(self, office: str) -> None:
        with closing(sqlite3.connect(self._on.city.places.office(office) / "edge" / "edge.db")) as file, file:
            file.execute("DELETE FROM cursor")
