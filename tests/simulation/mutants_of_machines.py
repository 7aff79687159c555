"""Planted bugs of processes, clocks, disks and cancelled tasks: in what stands between the protocol's rules and a machine."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar
from unittest.mock import patch

import msgspec

from sync.domain.outcomes import Decision, refuse
from sync.messages.commands import Actor
from sync.messages.envelope import FactHeader, FactRecord, seal
from sync.messages.facts import Fact
from sync.messages.feed import ENTITIES
from sync.messages.wire import DownRequest, HelloReply, ReportReply, ReportRequest, SnapshotRow
from sync.protocol import recovery
from tests.kit.memory_central import MemoryCentralStore, MemoryCentralTx
from tests.kit.memory_edge import MemoryEdgeTx
from tests.simulation import bookings, queue
from tests.simulation.central import CentralNode, Reply
from tests.simulation.mutants import mutant, world_of
from tests.simulation.office import OfficeNode
from tests.simulation.queue import Asked, Queue
from tests.simulation.world import World

T = TypeVar("T")


def with_queue(queue_type: type[Queue]) -> type[World]:
    return world_of(office=type("Office", (OfficeNode,), {"queue_type": queue_type}))


# ------------------------------------------------------------------------------------------------------------- waiting


class ReadsThenWatches(CentralNode):
    """Looks for rows, and begins to listen for news only a moment later."""

    def _watch(self, entry: tuple[int, DownRequest, Reply]) -> None:
        self._soon(500, lambda: super(ReadsThenWatches, self)._watch(entry))


@mutant
def wake_race() -> Iterator[type[World]]:
    yield world_of(central=ReadsThenWatches)


async def take_of_any_gen(tx: recovery.RecoveryTx, report: ReportRequest, now: datetime) -> ReportReply:
    return await _take_report(tx, msgspec.structs.replace(report, gen=await tx.gen()), now)


_take_report = recovery.take_report


@mutant
def report_without_nonce() -> Iterator[type[World]]:
    """A report that was made before the office had switched to the restored central's gen counts."""
    with patch.object(recovery, "take_report", take_of_any_gen):
        yield World


# ------------------------------------------------------------------------------------------------------ paper and labels


class AnswersFirst(OfficeNode):
    """Tells the kiosk the label that it is about to commit; now and then it dies in between."""

    def do_here(self, work: Callable[[], T]) -> T | None:
        if self._rng.random() > 0.1:
            return super().do_here(work)
        self.store.crash_next = self.store.fail_next = None
        journal, requests = list(self.store.journal.get(self.epoch, [])), dict(self.store.requests)
        done = work()
        self.store.journal[self.epoch], self.store.requests = journal, requests
        self.crash()
        return done


@mutant
def kiosk_prints_before_commit() -> Iterator[type[World]]:
    yield world_of(office=AnswersFirst)


class CountsFromMemory(Queue):
    """Its counters of labels begin anew with each process."""

    def _replay(self) -> None:
        super()._replay()
        self.day.last_numbers.clear()


@mutant
def label_counter_from_memory() -> Iterator[type[World]]:
    yield with_queue(CountsFromMemory)


# -------------------------------------------------------------------------------------------------------------- clocks


class PushedByOthers(OfficeNode):
    """Takes a later stamp of somebody else for its own time, as a hybrid clock does."""

    def _on_hello(self, reply: HelloReply) -> None:
        self.queue._clock = self.queue._clock.after_fact(reply.server_at)
        super()._on_hello(reply)


@mutant
def remote_stamps_push_the_clock() -> Iterator[type[World]]:
    yield world_of(office=PushedByOthers)


class KeepsItsStep(Queue):
    """Goes on with a clock that it has set although the disk refused to write that down."""

    def _replay(self) -> None:
        self._before_step = None
        super()._replay()


@mutant
def step_kept_although_refused() -> Iterator[type[World]]:
    yield with_queue(KeepsItsStep)


# --------------------------------------------------------------------------------------------------------------- disks


class ServesNobody(Queue):
    """On a full disk it refuses everything."""

    def _carry_out(self, command: Asked, actor: Actor) -> Decision:
        return refuse("disk_full") if self.disk_full else super()._carry_out(command, actor)


@mutant
def full_disk_stops_the_office() -> Iterator[type[World]]:
    yield with_queue(ServesNobody)


async def forget_what_is_unknown(self: MemoryEdgeTx, row: SnapshotRow) -> None:
    if row.kind in ENTITIES:
        await _put_entity(self, row)


_put_entity = MemoryEdgeTx.put_entity


@mutant
def unknown_rows_dropped() -> Iterator[type[World]]:
    """Rows that this build does not know are not kept for the next one."""
    with patch.object(MemoryEdgeTx, "put_entity", forget_what_is_unknown):
        yield World


# ----------------------------------------------------------------------------------------------------- cancelled tasks


@asynccontextmanager
async def commit_when_cancelled(self: MemoryCentralStore) -> AsyncIterator[MemoryCentralTx]:
    cancelled = False
    async with _transaction(self) as tx:
        try:
            yield tx
        except CancelledError:
            cancelled = True
    if cancelled:
        raise CancelledError


_transaction = MemoryCentralStore.transaction


@mutant
def cancelled_half_way() -> Iterator[type[World]]:
    """Central commits what a cancelled request had done so far."""
    with patch.object(MemoryCentralStore, "transaction", commit_when_cancelled):
        yield World


# ------------------------------------------------------------------------------------------------------ seats and audit


def anybodys(ref: Any, seat: Any) -> bool:
    return seat.state in ("free", "booked")


@mutant
def seat_picked_blindly() -> Iterator[type[World]]:
    """Central books a seat without looking whether it is somebody's."""
    with patch.object(bookings, "_is_for_sale", anybodys):
        yield World


def without_request(header: FactHeader, fact: Fact) -> FactRecord:
    return seal(msgspec.structs.replace(header, request_id=None), fact)


@mutant
def acts_without_request() -> Iterator[type[World]]:
    """Facts do not say which request made them."""
    with patch.object(queue, "seal", without_request):
        yield World
