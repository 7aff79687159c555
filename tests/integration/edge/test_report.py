"""After a restore of central: what its snapshot lacks goes on counting here, and is reported once, after the facts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from edge_node.migrations import migrate
from edge_node.uplink import loops
from edge_node.uplink.client import Failure
from edge_node.uplink.link import Link
from edge_node.uplink.loops import ReportLoop
from edge_node.uplink.metrics import UplinkMetrics
from edge_node.uplink.steps import WriterStore
from edge_node.uplink.surroundings import Surroundings
from edge_node.writer import Writer
from sync.domain.leases import LeaseBook
from sync.io.ids import new_id
from sync.messages import codec
from sync.messages import feed as f
from sync.messages.values import SeatRef
from sync.messages.wire import ReportReply, ReportRequest, SnapshotRow
from sync.protocol.downlink import StreamRow
from sync.protocol.hello import Greeted, Node
from sync.protocol.store import START
from tests.kit.clock import ManualClock
from tests.kit.edge import appointment, edge, entities, soon
from tests.kit.edge_end import until, write_facts
from tests.kit.facts import printed_run

GEN = "00000000-0000-4000-8000-00000000000a"


def row(entity: f.Entity, version: int = 1) -> SnapshotRow:
    return SnapshotRow(
        stream="office:centro",
        kind=entity.KIND,
        entity_id=entity.id,  # type: ignore[attr-defined]
        version=version,
        body=msgspec.Raw(codec.encode(entity)),
    )


def lease(clock: ManualClock) -> f.Lease:
    start_at = soon(clock.now(), 600)
    seat = f.LeasedSeat(seat=SeatRef(new_id(), 1), start_at=start_at, duration_min=10, services=("padron",))
    return f.Lease(id=new_id(), fence=1, seats=(seat,), sell_until=start_at)


class Central:
    """A restored central, as far as it hears reports."""

    def __init__(self) -> None:
        self.heard: list[ReportRequest] = []
        self.answers: list[bool | Failure] = []

    async def report(self, request: ReportRequest) -> ReportReply | Failure:
        self.heard.append(request)
        answer = self.answers.pop(0) if self.answers else True
        return (
            answer if isinstance(answer, Failure) else ReportReply(request_id=request.request_id, taken=answer, gen=GEN)
        )


class Office:
    """A database whose streams stand in the new gen, its link, and what was told of news."""

    def __init__(self, writer: Writer, central: Central, clock: ManualClock) -> None:
        self.writer = writer
        self.news: list[Sequence[StreamRow] | None] = []
        self.link = Link(lambda _state: None, clock.now())
        around: Any = Surroundings(
            node=Node(office="centro", node="centro-1", epoch=1, incarnation=new_id()),
            client=central,  # type: ignore[arg-type]
            writer=writer,
            link=self.link,
            clock=clock,
            chance=lambda: 0.0,
            report=lambda: None,  # type: ignore[arg-type, return-value]
            on_news=self._told,
            metrics=UplinkMetrics(CollectorRegistry()),
        )
        around.central_now = clock.now
        self.loop = ReportLoop(around, LeaseBook)

    async def _told(self, rows: Sequence[StreamRow] | None, /) -> None:
        self.news.append(rows)

    def greet(self, clock: ManualClock, *, due: bool = True, fenced_by: int = 0) -> None:
        self.link.greeted(
            Greeted(
                proto=1, gen=GEN, server_at=clock.now(), durability="no_replica", acked=START, features=(),
                report_due=due, fenced_by=fenced_by,
            ),
            0,
            clock.now(),
            clock.monotonic_ns(),
        )  # fmt: skip

    async def aside(self) -> int:
        return await self.writer.run(lambda db: int(db.execute("SELECT count(*) FROM entity_aside").fetchone()[0]))


@asynccontextmanager
async def office(folder: Path, central: Central, clock: ManualClock) -> AsyncIterator[Office]:
    migrate(folder / "edge.db")
    writer = Writer(folder / "edge.db")
    writer.start()
    there = Office(writer, central, clock)
    store = WriterStore(writer)
    kept, booked = row(lease(clock)), row(appointment(soon(clock.now(), 600)))

    async def fill() -> None:
        async with store.transaction() as tx:
            await tx.put_entity(kept)
            await tx.put_entity(booked)
            await tx.put_aside(("lease", "appointment"))
            await tx.swap_staged(
                [f.Cursor(stream=s, gen=GEN, seq=0, hash=bytes(32)) for s in ("global", "office:centro")]
            )

    await store.run(fill())
    running = asyncio.create_task(there.loop.run())
    try:
        yield there
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await writer.close()


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "REPORT_EVERY_S", 0.02)


async def test_what_central_forgot_is_reported_once_and_then_forgotten(tmp_path: Path) -> None:
    central, clock = Central(), ManualClock()
    central.answers = [Failure(code="http_500"), False, True]
    async with office(tmp_path, central, clock) as there:
        there.greet(clock)
        await until(lambda: there.news == [None])
        assert len(central.heard) == 3, "until it was taken"
        assert len({request.request_id for request in central.heard}) == 3
        last = central.heard[-1]
        assert (last.gen, last.epoch, len(last.leases), len(last.bookings)) == (GEN, 1, 1, 1)
        assert await there.aside() == 0
        assert not there.link.state.report_due
        await asyncio.sleep(0.1)
        assert len(central.heard) == 3


async def test_facts_go_first(tmp_path: Path) -> None:
    central, clock = Central(), ManualClock()
    async with office(tmp_path, central, clock) as there:
        await there.writer.run(lambda db: write_facts(db, printed_run(1, 2)))
        there.greet(clock)
        await asyncio.sleep(0.1)
        assert central.heard == []
        store = WriterStore(there.writer)

        async def ack() -> None:
            async with store.transaction() as tx:
                await tx.set_acked(1, await tx.journal_end(1))

        await store.run(ack())
        await until(lambda: central.heard)
        assert central.heard[0].facts_seq == 2


@pytest.mark.parametrize("due, fenced_by", [(False, 0), (True, 2)])
async def test_nobody_asked_or_nobody_would_believe_it(tmp_path: Path, due: bool, fenced_by: int) -> None:
    central, clock = Central(), ManualClock()
    async with office(tmp_path, central, clock) as there:
        there.greet(clock, due=due, fenced_by=fenced_by)
        await asyncio.sleep(0.1)
        assert central.heard == []
        assert await there.aside() == 2


async def test_rows_put_aside_count_for_agenda_and_leases(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock, rows=entities()) as node:
        booked, lent = appointment(soon(clock.now())), lease(clock)
        insert = "INSERT INTO entity_aside (stream, kind, entity_id, version, body) VALUES (?, ?, ?, ?, ?)"
        columns = [(r.stream, r.kind, r.entity_id, r.version, bytes(r.body)) for r in (row(booked), row(lent))]
        await node.writer.run(lambda db: db.executemany(insert, columns).rowcount)
        await node.feed_applied()
        assert [line.id for line in (await node.view_queue()).agenda] == [booked.id]
        assert (await node.sales.lent("padron")).starts == (lent.seats[0].start_at,)
