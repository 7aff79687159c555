"""Central in the simulator: the production cores over a memory store, with long-poll, crashes and failovers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

import msgspec

from sync.messages import codec
from sync.messages.facts import TicketIssued
from sync.messages.feed import office_stream
from sync.messages.wire import DownReply, DownRequest, HelloRequest, SnapshotRequest, UpRefusal, UpReply, UpRequest
from sync.protocol import downlink, hello, snapshot, uplink
from sync.protocol.steps import finish
from sync.protocol.store import OpenedFact
from tests.kit.facts import MORNING
from tests.kit.memory_store import Crashed, MemoryCentralStore, MemoryCentralTx, UndoLog, emit_row
from tests.simulation.clockwork import Clockwork
from tests.simulation.invariants import Ledger, Violated
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

    def on_commit(self, undo: UndoLog) -> None:
        super().on_commit(undo)
        if not len(undo):
            return
        for stream in self.states:
            self._ledger.note_stream(self, stream)
        for office in self.authorities:
            self._ledger.check_raw_log(self, office)


class CentralNode:
    """Answers messages while it is up. A crash forgets who waits; a failover also what no standby had."""

    def __init__(self, clockwork: Clockwork, ledger: Ledger, offices: tuple[str, ...], counted: Counter[str]) -> None:
        self._clockwork = clockwork
        self._rng: Random = clockwork.fork("central")
        self._ledger = ledger
        self._counted = counted
        self.store = WatchedCentralStore(clockwork.new_id(), ledger)
        for office in offices:
            self.store.add_office(office)
        self._waiting: list[tuple[int, DownRequest, Reply]] = []
        self.up = True
        self._stalled = False

    def now(self) -> datetime:
        """Central's clock."""
        return MORNING + timedelta(milliseconds=self._clockwork.now_ms)

    # what it is asked

    def handle(self, kind: str, body: bytes, reply: Reply) -> None:
        """Answer one message, now, later or never."""
        if not self.up:
            return
        match kind:
            case "hello":
                self._hello(codec.decode(body, HelloRequest), reply)
            case "up":
                self._up(codec.decode(body, UpRequest), reply)
            case "down":
                request = codec.decode(body, DownRequest)
                self._down(self._clockwork.now_ms + request.wait_s * 1000, request, reply)
            case _:
                self.snapshot(codec.decode(body, SnapshotRequest), reply)

    def _hello(self, request: HelloRequest, reply: Reply) -> None:
        at = MORNING
        answer = self.guard(hello.answer_hello(self.store, request, server_at=at, durability="replicated"))
        if answer is not None and self._is_safe():
            reply("hello", codec.encode(answer))

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

    def _down(self, until_ms: int, request: DownRequest, reply: Reply) -> None:
        answer: DownReply | None = self.guard(downlink.rows_after(self.store, request))
        if answer is None:
            return
        if downlink.is_empty(answer) and self._clockwork.now_ms < until_ms:
            entry = (until_ms, request, reply)
            self._waiting.append(entry)
            self._clockwork.after(until_ms - self._clockwork.now_ms, lambda: self._again(entry))
            return
        self._counted["resyncs"] += bool(answer.resync)
        reply("rows", codec.encode(answer))

    def _again(self, entry: tuple[int, DownRequest, Reply]) -> None:
        if entry in self._waiting:
            self._waiting.remove(entry)
            self._down(*entry)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for entry in waiting:
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

    # how it fails

    def guard(self, step: Coroutine[Any, Any, T]) -> T | None:
        """Run a step. A crash ends the process; any other error is a 500: no usable answer."""
        try:
            outcome = finish(step)
        except Crashed as crash:
            self._counted[f"central_crash_{crash}"] += 1
            self.crash()
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
        self._clockwork.trace("central crashes")
        self.up = False
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
        for office in self.store.authorities:
            self._ledger.check_raw_log(self.store, office)
            self._ledger.check_told(self.store, office)
        self.crash()

    def start(self) -> None:
        self.up = True

    def heal(self) -> None:
        self.store.crash_next = None
        self._stalled = False
        self.store.replicate()
        self.up = True

    def _is_safe(self) -> bool:
        """Whether the commit just made is on the standby: only then may it be acknowledged."""
        return not self._stalled
