"""What the loops share: the link, the client, the writer, and how a failed exchange is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

import structlog

from edge_node.uplink.client import CentralClient, Failure
from edge_node.uplink.link import Link
from edge_node.uplink.metrics import UplinkMetrics
from edge_node.writer import Writer
from sync.domain.central_clock import CentralClock
from sync.io.clock import Clock
from sync.protocol.downlink import StreamRow
from sync.protocol.hello import Node, NodeReport
from sync.protocol.uplink import Moment

log = structlog.get_logger(__name__)

T = TypeVar("T")


class OnNews(Protocol):
    """Told after rows were committed: which ones, or None when a snapshot has replaced everything.

    It is awaited before the next rows are asked for.
    """

    async def __call__(self, rows: Sequence[StreamRow] | None, /) -> None: ...


class Surroundings:
    """What the loops share."""

    def __init__(
        self,
        *,
        node: Node,
        client: CentralClient,
        writer: Writer,
        link: Link,
        clock: Clock,
        chance: Callable[[], float],
        report: Callable[[], NodeReport],
        on_news: OnNews,
        metrics: UplinkMetrics,
    ) -> None:
        self.node = node
        self.client = client
        self.writer = writer
        self.link = link
        self.clock = clock
        self.chance = chance
        self.report = report
        self.on_news = on_news
        self.metrics = metrics
        self.polls = 0
        self.untold = False
        """Rows may be stored that nobody was told of: a loop ended in between, and the next one must tell."""
        self.central_clock: CentralClock | None = None
        """Central's clock as far as hellos of this run have told."""
        self.facts = asyncio.Event()
        self.diverged = asyncio.Event()
        self._told: dict[str, str] = {}

    def moment(self) -> Moment:
        """Now, as an upload tells it."""
        mono_ns, known = self.clock.monotonic_ns(), self.central_clock
        return Moment(
            boot_id=self.clock.boot_id, mono_ns=mono_ns, central_at=known.now(mono_ns) if known is not None else None
        )

    def central_now(self) -> datetime:
        """Central's time: by its own word over the monotonic clock, else by the wall clock and the last known offset."""
        if self.central_clock is not None:
            return self.central_clock.now(self.clock.monotonic_ns())
        return self.clock.now() + self.client.offset

    def heard(self) -> None:
        """Central answered something just now."""
        self.link.heard(self.clock.now(), self.clock.monotonic_ns())

    def note(self, failure: Failure, loop: str) -> None:
        """Tell of an exchange that failed. Silence, or a hello that was not answered as it should, loses the link."""
        if self._told.get(loop) != failure.code:  # knocking for hours is no news
            log.warning("exchange.failed", loop=loop, code=failure.code)
        self._told[loop] = failure.code
        self.metrics.failures.labels(loop, failure.code).inc()
        if failure.unreachable or loop == "hello":
            self.link.lose(self.clock.now())

    def told_well(self) -> None:
        """Hello went well: the next failure is news again."""
        self._told.clear()

    async def unless_lost(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The work's result; None, and the work is cancelled, as soon as the link is lost."""
        doing = asyncio.ensure_future(work)
        losing = asyncio.ensure_future(self.link.lost.wait())
        try:
            await asyncio.wait({doing, losing}, return_when=asyncio.FIRST_COMPLETED)
            return doing.result() if doing.done() else None
        finally:
            for task in (doing, losing):
                task.cancel()
            await asyncio.gather(doing, losing, return_exceptions=True)
