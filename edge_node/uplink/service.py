"""The uplink of an edge node: made once by the application, run beside it, told of commits, asked for the link's state."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import CollectorRegistry

from edge_node.uplink.agenda import AgendaAtCentral
from edge_node.uplink.client import CentralClient
from edge_node.uplink.link import Link, LinkState
from edge_node.uplink.loops import DownLoop, HelloLoop, People, PeopleLoop, ReportLoop, UpLoop
from edge_node.uplink.metrics import UplinkMetrics
from edge_node.uplink.surroundings import OnNews, Surroundings
from edge_node.uplink.watchdog import Stall, keep_going
from edge_node.writer import Writer
from sync.domain.central_clock import CentralClock
from sync.domain.leases import LeaseBook
from sync.io.clock import Clock
from sync.messages.wire import LONG_POLL_S
from sync.protocol.hello import Node, NodeReport

STALL_S: Final = 60.0
"""Facts waiting, central answering hello, and nothing acknowledged: restart the loop, alarm."""


class _Loop(Protocol):
    async def run(self) -> None: ...


class Uplink:
    """The edge end of sync as one object.

    Args:
        url: central's address.
        key: the node's private key.
        schema: name of the database's last migration, for hello.
        folder: where the database stands; its free space is reported.
        on_news: awaited after rows or a snapshot were committed.
        on_link: called with each new state of the link, on the event loop; must not block.
        book: what was done with leased seats.
        people: who appointments are for that were sold here; none: nothing is sold.
        registry: gets the link's instruments.
        offset: central's clock minus ours, as an earlier run has known it.
        wait_s: how long central may hold a long-poll.
    """

    def __init__(
        self,
        *,
        node: Node,
        url: str,
        key: Ed25519PrivateKey,
        writer: Writer,
        clock: Clock,
        schema: str,
        folder: Path,
        on_news: OnNews,
        on_link: Callable[[LinkState], None],
        book: Callable[[], LeaseBook],
        people: People | None = None,
        is_rolled_back: Callable[[], bool] = lambda: False,
        registry: CollectorRegistry,
        trusted: ssl.SSLContext | None = None,
        offset: timedelta = timedelta(),
        wait_s: int = LONG_POLL_S,
    ) -> None:
        self._clock = clock
        self._schema = schema
        self._folder = folder
        self._on_link = on_link
        self._book = book
        self._people = people
        self._is_rolled_back = is_rolled_back
        self._wait_s = wait_s
        self._metrics = UplinkMetrics(registry)
        self._link = Link(self._changed, clock.now())
        self._client = CentralClient(url, node=node, key=key, clock=clock, trusted=trusted, offset=offset)
        self._around = Surroundings(
            node=node,
            client=self._client,
            writer=writer,
            link=self._link,
            clock=clock,
            chance=random.SystemRandom().random,
            report=self._report,
            on_news=on_news,
            metrics=self._metrics,
        )

        self.agenda = AgendaAtCentral(self._around)
        """What staff ask central about appointments."""

    @property
    def state(self) -> LinkState:
        """The link as it is now."""
        return self._link.state

    @property
    def offset(self) -> timedelta:
        """Central's clock minus ours, as last known."""
        return self._client.offset

    @property
    def central_clock(self) -> CentralClock | None:
        """Central's clock as hellos of this run have told it; none before the first."""
        return self._around.central_clock

    def central_now(self) -> datetime:
        """Central's time, as well as this office knows it."""
        return self._around.central_now()

    def committed(self, seq: int) -> None:
        """Facts up to ``seq`` of this epoch are durable: send them. Cheap; call it after every commit."""
        self._link.committed(seq)
        self._around.facts.set()

    async def run(self) -> None:
        """Keep the link and move facts and rows until cancelled."""
        try:
            async with asyncio.TaskGroup() as loops:
                loops.create_task(self._keep("hello", lambda: HelloLoop(self._around), lambda: False))
                loops.create_task(self._keep("up", lambda: UpLoop(self._around), self._up_stall()))
                loops.create_task(self._keep("report", lambda: ReportLoop(self._around, self._book), lambda: False))
                if self._people is not None:
                    people = self._people
                    loops.create_task(self._keep("people", lambda: PeopleLoop(self._around, people), lambda: False))
                loops.create_task(self._keep("down", lambda: DownLoop(self._around, self._wait_s), self._down_stall()))
        finally:
            await self._client.close()

    async def _keep(self, name: str, make: Callable[[], _Loop], is_stalled: Callable[[], bool]) -> None:
        restarts = self._metrics.restarts.labels(name)
        await keep_going(name, lambda: make().run(), is_stalled, on_restart=restarts.inc)

    def _up_stall(self) -> Callable[[], bool]:
        stall = Stall(STALL_S)

        def is_stalled() -> bool:
            state = self.state
            due = state.connected and state.pending_facts > 0 and state.halted is None
            return stall.is_stalled(due=due, progress=state.acked_seq, now_s=self._now_s())

        return is_stalled

    def _down_stall(self) -> Callable[[], bool]:
        stall = Stall(STALL_S + self._wait_s)

        def is_stalled() -> bool:
            due = self.state.connected and not self.state.too_old
            return stall.is_stalled(due=due, progress=self._around.polls, now_s=self._now_s())

        return is_stalled

    def _now_s(self) -> float:
        return self._clock.monotonic_ns() / 1e9

    def _report(self) -> NodeReport:
        return NodeReport(
            schema=self._schema,
            sqlite_version=sqlite3.sqlite_version,
            clock_at=self._clock.now(),
            disk_free_bytes=shutil.disk_usage(self._folder).free,
            rolled_back=self._is_rolled_back(),
        )

    def _changed(self, state: LinkState) -> None:
        self._metrics.connected.set(state.connected)
        self._metrics.clock_offset_s.set(timedelta(milliseconds=state.clock_offset_ms).total_seconds())
        self._on_link(state)
