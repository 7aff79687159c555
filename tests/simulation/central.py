"""Central in the simulator: the production cores over a memory store, with long-poll, crashes and failovers."""

from __future__ import annotations

from asyncio import CancelledError
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

import msgspec

from sync.messages import codec
from sync.messages.facts import TicketIssued
from sync.messages.feed import office_stream
from sync.messages.wire import (
    Activation,
    DownReply,
    DownRequest,
    HelloRequest,
    ReportReply,
    ReportRequest,
    SnapshotRequest,
    UpRefusal,
    UpReply,
    UpRequest,
)
from sync.protocol import downlink, handover, hello, recovery, replacement, snapshot, uplink
from sync.protocol.steps import finish
from sync.protocol.store import OpenedFact
from sync.protocol.streams import streams_of
from tests.kit.memory import Crashed, UndoLog
from tests.kit.memory_central import MemoryCentralStore, MemoryCentralTx, emit_row
from tests.simulation.bookings import Bookings
from tests.simulation.clockwork import Clockwork
from tests.simulation.ledger import Ledger, Violated
from tests.simulation.process import Process
from tests.simulation.seats import SeatWatch
from tests.simulation.stories import RowWritten

T = TypeVar("T")
Reply = Callable[[str, bytes], None]
"""Sends (kind, body) back to whoever asked."""

MAX_BATCH = 20
"""Batches are kept small here, so that a backlog takes several of them."""


def project(tx: MemoryCentralTx, opened: OpenedFact) -> None:
    """One mark per fact, whose value is how often it took effect, and a feed row that follows from a check-in."""
    header = opened.record.header
    key = (header.office, header.epoch, header.seq)
    tx.undo.put(tx.store.projection, key, 1)
    if isinstance(opened.fact, TicketIssued) and opened.fact.appointment_id is not None:
        body = codec.encode({"appointment_id": opened.fact.appointment_id, "label": opened.fact.label})
        stream = office_stream(header.office)
        emit_row(tx, stream, kind="visit", entity_id=opened.fact.ticket_id, version=1, op="put", body=body)


class WatchedCentralStore(MemoryCentralStore):
    """Checks the invariants of central at each commit."""

    def __init__(self, gen: str, ledger: Ledger) -> None:
        super().__init__(gen, project)
        self._ledger = ledger
        self.watch = SeatWatch(ledger)
        self.news: set[str] = set()
        """Streams that have new rows and whose offices were not woken yet."""

    def on_commit(self, undo: UndoLog) -> None:
        super().on_commit(undo)
        if not len(undo):
            return
        for stream in undo.keys_of(self.states):
            self._ledger.note_stream(self, stream)
            self.news.add(stream)
        for lease_id in undo.keys_of(self.leases):
            self._ledger.note_lease(self.leases[lease_id].lease)
        self._ledger.check_raw_logs(self)
        self.watch.look(self, undo)

    def fail_over(self) -> int:
        lost = super().fail_over()
        self.watch.again(self)
        return lost

    def restore(self, gen: str) -> int:
        lost = super().restore(gen)
        self._ledger.is_restored = True
        self.watch.again(self)
        return lost


SIGNATURE = b"central"


def activate(office: str, epoch: int) -> Activation:
    """Central's word for a node; who shows another signature is not believed."""
    return Activation(
        office=office, node=f"edge-{office}-{epoch}", epoch=epoch, public_key=bytes(32), signature=SIGNATURE
    )


def trusts(activation: Activation) -> bool:
    return activation.signature == SIGNATURE


class CentralNode(Process):
    """Answers messages while it is up. A crash forgets who waits; a failover also what no standby had."""

    def __init__(self, clockwork: Clockwork, ledger: Ledger, offices: tuple[str, ...], counted: Counter[str]) -> None:
        super().__init__(clockwork, "central")
        self._rng: Random = clockwork.fork("central")
        self._ledger = ledger
        self._counted = counted
        self.store = WatchedCentralStore(clockwork.new_id(), ledger)
        for office in offices:
            self.store.add_office(office)
        self.bookings = Bookings(clockwork.fork("bookings"), offices)
        self.bookings.prepare(self.store, self.now())
        self.store.watch.opened(self.store)
        self.store.replicate()
        self.store.back_up()
        self._waiting: list[tuple[int, DownRequest, Reply]] = []
        self._stalled = False
        self._begin()

    def now(self) -> datetime:
        """Central's clock."""
        return self._clockwork.began_at + timedelta(milliseconds=self._clockwork.now_ms)

    # what it is asked

    def handle(self, kind: str, body: bytes, reply: Reply) -> None:
        """Answer one message, now, later or never; while the process is stopped it waits in the socket."""
        if self._is_held(lambda: self.handle(kind, body, reply)) or not self.up:
            return
        match kind:
            case "hello":
                self._hello(codec.decode(body, HelloRequest), reply)
            case "up":
                self._up(codec.decode(body, UpRequest), reply)
            case "report":
                self._report(codec.decode(body, ReportRequest), reply)
            case "down":
                request = codec.decode(body, DownRequest)
                self._down(self._clockwork.now_ms + request.wait_s * 1000, request, reply)
            case _:
                self.snapshot(codec.decode(body, SnapshotRequest), reply)

    def _hello(self, request: HelloRequest, reply: Reply) -> None:
        answer = self.guard(
            hello.answer_hello(self.store, request, server_at=self.now(), durability="replicated", trusts=trusts)
        )
        if answer is not None and self._is_safe():
            reply("hello", codec.encode(answer))
        if answer is not None:
            self._wake()

    def _up(self, request: UpRequest, reply: Reply) -> None:
        answer = self.ingest(request)
        if answer is None:
            return
        if isinstance(answer, UpReply):
            if self._is_safe():
                reply("acked", codec.encode(msgspec.structs.replace(answer, max_batch=MAX_BATCH)))
        else:
            self._counted[f"refused_{answer.code}"] += 1
            reply("refused", codec.encode(answer))
        self._wake()

    def ingest(self, request: UpRequest) -> UpReply | UpRefusal | None:
        """The step of the uplink; None when central died in it."""
        return self.guard(uplink.ingest(self.store, request, self.now()))

    def _report(self, request: ReportRequest, reply: Reply) -> None:
        answer = self.guard(self._take_report(request))
        if answer is not None and self._is_safe():
            self._counted["reports_taken"] += answer.taken
            reply("reported", codec.encode(answer))
            self._wake()

    async def _take_report(self, request: ReportRequest) -> ReportReply:
        async with self.store.transaction() as tx:
            return await recovery.take_report(tx, request, self.now())

    def _down(self, until_ms: int, request: DownRequest, reply: Reply, *, is_over: bool = False) -> None:
        """Answer at once if there is news, else hold the request until there is, or until its time is over."""
        answer: DownReply | None = self.guard(downlink.rows_after(self.store, request))
        if answer is None:
            return
        if downlink.is_empty(answer) and self._clockwork.now_ms < until_ms:
            entry = (until_ms, request, reply)
            self._watch(entry)
            self._clockwork.after(until_ms - self._clockwork.now_ms, lambda: self._again(entry))
            return
        if is_over and any(part.rows for part in answer.streams):
            raise Violated("I-19", "woken_late", f"{request.office} was told of rows only when its wait was over")
        if answer.fenced_by and not self._is_safe():
            return
        self._counted["resyncs"] += bool(answer.resync)
        reply("rows", codec.encode(answer))

    def _watch(self, entry: tuple[int, DownRequest, Reply]) -> None:
        """From here on news wake this request: the moment in which it was seen that there are none."""
        self._waiting.append(entry)

    def _again(self, entry: tuple[int, DownRequest, Reply]) -> None:
        if entry in self._waiting and not self._is_held(lambda: self._again(entry)):
            self._waiting.remove(entry)
            self._down(*entry, is_over=True)

    def _wake(self) -> None:
        """Ask again for who waits for a stream that has news, as a database's notifications do."""
        news, self.store.news = self.store.news, set()
        if not news:
            return
        waiting, self._waiting = self._waiting, []
        for entry in waiting:
            _until_ms, request, _reply = entry
            if news.isdisjoint(streams_of(request.office)):
                self._waiting.append(entry)
            else:
                self._down(*entry)

    def snapshot(self, request: SnapshotRequest, reply: Reply) -> None:
        """Write a snapshot; its reply is the id, a newline and the body."""
        lines: list[bytes] = []
        if self.guard(snapshot.write_snapshot(self.store, request, lines.append)) is not None:
            self._counted["snapshots"] += 1
            reply("snapshot", request.request_id.encode() + b"\n" + b"".join(lines))

    # what it does by itself

    def write_rows(self, rows: list[RowWritten], replicated_after_ms: int) -> None:
        """One business transaction that offices must see."""
        if not self.up:
            return
        self.guard(self._emit(rows))
        if replicated_after_ms and not self._stalled:
            self._stalled = True
            self._clockwork.after(replicated_after_ms, self.fail_over)
        if self.up:
            self._wake()

    async def _emit(self, rows: list[RowWritten]) -> None:
        async with self.store.transaction() as tx:
            for row in rows:
                await tx.emit(
                    row.stream,
                    kind=row.kind,
                    entity_id=row.entity_id,
                    version=row.version,
                    op=row.op,
                    body=row.body,
                )

    def prune(self, stream: str, keep: int) -> None:
        state = self.store.states.get(stream)
        if state is not None and self.up:
            self._counted["prune"] += 1
            self.guard(self._prune(stream, state.last.seq + 1 - keep))

    async def _prune(self, stream: str, oldest: int) -> None:
        self.store.prune(stream, oldest)

    def book(self) -> None:
        """Somebody books on the portal; told so only when it is safe."""
        booked = self.do(self.bookings.book(self.store, self.now()))
        if booked is not None and self._is_safe():
            self._ledger.note_booking(booked, self.store.appointments[booked.id].seats)

    def cancel(self) -> None:
        gone = self.do(self.bookings.cancel(self.store))
        if gone is not None and self._is_safe():
            self._ledger.note_cancelled(gone)

    def lend(self) -> None:
        lent = self.do(self.bookings.lend(self.store, self.now()))
        if lent is not None:
            self._counted["leases"] += 1

    def recall(self) -> None:
        self.do(self.bookings.recall(self.store))

    def reclaim(self, office: str, dead_epochs: frozenset[int]) -> None:
        """A person attests that these nodes are gone for good."""
        freed = self.do(self.bookings.reclaim(self.store, office, dead_epochs))
        self._counted["seats_reclaimed"] += freed or 0

    @property
    def is_settled(self) -> bool:
        """Whether what this central holds now is up and safe."""
        return self.up and self._is_safe()

    def replace(self, activation: Activation, clock_ahead_ms: int) -> None:
        """Give an office to its next node; a crash may hide whether that was done."""
        done = self.do(self._replace(activation, clock_ahead_ms))
        if done is not None:
            self._counted["tickets_restored"] += done.restored

    async def _replace(self, activation: Activation, clock_ahead_ms: int) -> replacement.Replaced | None:
        async with self.store.transaction() as tx:
            return await replacement.replace_node(tx, activation, self.now(), clock_ahead_ms)

    def send_elsewhere(self, office: str) -> None:
        """A ticket that nobody takes is sent to another office by a person."""
        stuck = sorted(t.ticket_id for t in self.store.tokens.values() if not t.accepted and t.grant is not None)
        if stuck:
            self.do(self._send_elsewhere(self._rng.choice(stuck), office))

    async def _send_elsewhere(self, ticket_id: str, office: str) -> bool:
        async with self.store.transaction() as tx:
            moved = await handover.send_elsewhere(tx, ticket_id, office)
            if moved:  # also if central dies once that is committed
                self._ledger.reissued.add(ticket_id)
        self._counted["reissue"] += moved
        return moved

    def do(self, step: Coroutine[Any, Any, T]) -> T | None:
        """One act of central's own business, and its news to whoever waits."""
        if not self.up:
            step.close()
            return None
        outcome = self.guard(step)
        if self.up:
            self._wake()
        return outcome

    # how it fails

    def back_up(self) -> None:
        """Take a backup of what is safe."""
        if self.up and not self._stalled:
            self._counted["back_up"] += 1
            self.store.back_up()

    def restore(self, known: Mapping[str, Mapping[str, int]], sold: Collection[str]) -> None:
        """Put the database back to its backup: a new life, which asks the offices before it sells.

        Args:
            known, sold: as of ``Ledger.note_restored``.
        """
        self._counted["central_restore"] += 1
        self._stalled = False
        lost = self.store.restore(self._clockwork.new_id())
        self._clockwork.trace(f"central is restored, {lost} commits lost")
        self._counted["bookings_lost_by_restore"] += self._ledger.note_restored(self.store, known, sold)
        self.crash()

    def guard(self, step: Coroutine[Any, Any, T]) -> T | None:
        """Run a step. A crash ends the process; any other error is a 500: no usable answer."""
        try:
            outcome = finish(step)
        except Crashed as crash:
            self._counted[f"central_crash_{crash}"] += 1
            self.crash()
            return None
        except CancelledError:
            self._counted["cancelled_request"] += 1
            return None
        except Violated:
            raise
        except Exception as error:
            self._clockwork.trace(f"central failed: {type(error).__name__} {error}")
            self._counted["central_errors"] += 1
            return None
        if not self._stalled:
            self.store.replicate()
        return outcome

    def crash(self) -> None:
        self._end()
        self._waiting.clear()
        if not self._stalled:
            self.store.replicate()
        self._clockwork.after(self._rng.randint(500, 15_000), self.start)

    def fail_over(self) -> None:
        """The standby takes over without what it never got."""
        if not self._stalled:
            return
        lost = self.store.fail_over()
        self._counted["failover"] += 1
        self._clockwork.trace(f"central fails over, {lost} commits lost")
        self._stalled = False
        self._ledger.branch(self.store)
        self._ledger.check_raw_logs(self.store)
        for key in self.store.log:
            self._ledger.check_told(self.store, key)
        self.crash()

    def start(self) -> None:
        """A new process, unless one runs, or is stopped, already."""
        if not self.up and not self._paused:
            self._begin()

    def heal(self) -> None:
        self.store.crash_next = self.store.fail_next = self.store.cancel_in = None
        self._stalled = False
        self.store.replicate()
        self.go_on()
        self.start()

    def _is_safe(self) -> bool:
        """Whether the commit just made is on the standby: only then may it be acknowledged."""
        return not self._stalled
