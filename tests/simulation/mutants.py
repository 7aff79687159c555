"""Planted bugs: the simulator must find each of them, or it proves nothing.

They live here only, as subclasses and patches. Where the protocol has two defences against the same fault both are broken
together: with one of them left nothing goes wrong (``lone_defences``), as it should.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from unittest.mock import patch

import msgspec

from sync.messages import codec
from sync.messages.codec import MalformedMessage
from sync.messages.envelope import FactRecord, open_fact
from sync.messages.feed import Cursor
from sync.messages.wire import (
    DownReply,
    DownRequest,
    SnapshotManifest,
    SnapshotRequest,
    SnapshotTrailer,
    StreamRows,
    UpRefusal,
    UpReply,
    UpRequest,
)
from sync.protocol import downlink, uplink
from sync.protocol.downlink import DownlinkSession, DownOutcome
from sync.protocol.in_flight import InFlight
from sync.protocol.snapshot import SnapshotApplied, SnapshotLoad, SnapshotRejected, cursors_of
from sync.protocol.steps import finish
from sync.protocol.store import CentralTx, ChainedFact, OpenedFact, Parked, Position, StreamState
from sync.protocol.uplink import UNTOLD, Moment, UplinkSession
from tests.kit.memory_central import MemoryCentralStore, MemoryCentralTx
from tests.simulation.central import CentralNode, Reply
from tests.simulation.office import OfficeNode
from tests.simulation.runs import minimal
from tests.simulation.swarm import Scenario
from tests.simulation.world import Outcome, World

Planted = Callable[[], Iterator[type[World]]]
MUTANTS: dict[str, Planted] = {}


def mutant(planted: Planted) -> Planted:
    """Register a planted bug: a generator that yields the world to run while it is planted."""
    MUTANTS[planted.__name__] = planted
    return planted


def hunt(name: str, seeds: Sequence[int]) -> Outcome | None:
    """Run seeds until one kills the mutant; its outcome made small, None if it survives them all."""
    with contextmanager(all_mutants()[name])() as world:

        def runner(scenario: Scenario) -> Outcome:
            return world(scenario).run()

        for seed in seeds:
            outcome = runner(Scenario(seed=seed))
            if outcome.violated is not None:
                return minimal(outcome, runner)
    return None


def world_of(*, office: type[OfficeNode] = OfficeNode, central: type[CentralNode] = CentralNode) -> type[World]:
    return type("MutantWorld", (World,), {"office_type": office, "central_type": central})


def office_of(
    *, up: type[UplinkSession] = UplinkSession, down: type[DownlinkSession] = DownlinkSession
) -> type[OfficeNode]:
    return type("MutantOffice", (OfficeNode,), {"uplink_type": up, "downlink_type": down})


def lone_defences() -> dict[str, AbstractContextManager[object]]:
    """One half of each pair broken, by what is broken: the other half must be enough."""
    return {
        "central does not compare the cursor's hash": patch.object(downlink, "proves", proves_without_hash),
        "the edge does not compare the rows' hash": patch.object(downlink, "advance", trusting_advance),
        "a reply counts whatever it answers": patch.object(InFlight, "take", take_anything),
        "the raw log has no primary key": patch.object(MemoryCentralTx, "append", append_without_key),
        "the trailer is not looked at": patch.object(SnapshotLoad, "_check_trailer", lambda self: None),
    }


# ------------------------------------------------------------------------------------------------------------ the edge


class CursorFirst(DownlinkSession):
    """Moves the cursors in a transaction of their own, then applies the rows."""

    async def on_rows(self, reply: DownReply) -> DownOutcome:
        request = self._in_flight.request
        if isinstance(request, DownRequest) and request.request_id == reply.request_id and not reply.resync:
            async with self._store.transaction() as tx:
                for cursor in (downlink.follow(request, reply) or {}).values():
                    await tx.set_cursor(cursor)
        return await super().on_rows(reply)


@mutant
def cursor_before_rows() -> Iterator[type[World]]:
    yield world_of(office=office_of(down=CursorFirst))


class WaitsForCentral(OfficeNode):
    """Decides nothing while central is not heard."""

    def act(self) -> None:
        self.refresh()
        self.queue.has_authority &= self.connected
        super().act()


@mutant
def stops_while_cut_off() -> Iterator[type[World]]:
    yield world_of(office=WaitsForCentral)


class AckedWhenSent(UplinkSession):
    """Takes a batch for safe as soon as it is sent."""

    async def next_request(self, request_id: str, moment: Moment = UNTOLD) -> UpRequest | None:
        request = await super().next_request(request_id, moment)
        if request is not None:
            end = uplink.chain_batch(request.prev_hash, request.facts)[-1]
            async with self._store.transaction() as tx:
                await tx.set_acked(request.epoch, Position(end.record.seq, end.hash))
        return request


@mutant
def acked_when_sent() -> Iterator[type[World]]:
    yield world_of(office=office_of(up=AckedWhenSent))


def trusting_advance(cursor: Cursor, part: StreamRows) -> Cursor | None:
    """Believes central's rows and hash without looking."""
    seq = part.rows[-1].seq if part.rows else cursor.seq
    return Cursor(stream=cursor.stream, gen=cursor.gen, seq=seq, hash=part.hash if part.rows else cursor.hash)


def take_anything(self: InFlight[UpRequest], request_id: str) -> UpRequest | None:
    """Takes any reply for the one that is awaited."""
    request, self.request = self.request, None
    return request


@mutant
def reply_not_bound() -> Iterator[type[World]]:
    """Both defences: a reply counts whatever it answers, and its rows need not follow."""
    with patch.object(InFlight, "take", take_anything), patch.object(downlink, "advance", trusting_advance):
        yield World


async def proves_without_hash(tx: CentralTx, cursor: Cursor, state: StreamState) -> bool:
    """Compares positions only."""
    return state.oldest - 1 <= cursor.seq <= state.last.seq


@mutant
def no_row_hash() -> Iterator[type[World]]:
    """Both defences: central does not compare the cursor's hash, and the edge does not compare the rows'."""
    with patch.object(downlink, "proves", proves_without_hash), patch.object(downlink, "advance", trusting_advance):
        yield World


def never_cleared(self: SnapshotLoad, *args: object, **kwargs: object) -> None:
    _load_init(self, *args, **kwargs)  # type: ignore[arg-type]
    self._cleared = True


_load_init = SnapshotLoad.__init__


@mutant
def staging_kept() -> Iterator[type[World]]:
    """A load goes on over what an earlier, interrupted one has left."""
    with patch.object(SnapshotLoad, "__init__", never_cleared):
        yield World


async def finish_unchecked(self: SnapshotLoad) -> SnapshotApplied | SnapshotRejected:
    if self._manifest is None:
        return SnapshotRejected(reason="truncated")
    await self._stage()
    async with self._store.transaction() as tx:
        await tx.swap_staged(cursors_of(self._manifest))
    return SnapshotApplied(snapshot_id=self._manifest.snapshot_id, cursors=cursors_of(self._manifest), entities=0)


@mutant
def snapshot_not_checked() -> Iterator[type[World]]:
    """Both defences: neither the trailer nor the counts."""
    with patch.object(SnapshotLoad, "finish", finish_unchecked):
        yield World


# ------------------------------------------------------------------------------------------------------------- central


class Rehearsal:
    """A central store whose transactions are always undone."""

    def __init__(self, store: MemoryCentralStore) -> None:
        self._store = store

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MemoryCentralTx]:
        yield MemoryCentralTx(self._store, self._store.begin())
        self._store.abort()

    def snapshot(self) -> object:
        return self._store.snapshot()


class EarlyAck(CentralNode):
    """Answers with what the commit would be, and commits afterwards."""

    def ingest(self, request: UpRequest) -> UpReply | UpRefusal | None:
        early = finish(uplink.ingest(Rehearsal(self.store), request, self.now()))  # type: ignore[arg-type]
        super().ingest(request)
        return early


@mutant
def ack_before_commit() -> Iterator[type[World]]:
    yield world_of(central=EarlyAck)


def everything(chained: Sequence[ChainedFact], last_seq: int) -> Sequence[ChainedFact]:
    return chained


async def append_without_key(self: MemoryCentralTx, facts: Sequence[ChainedFact]) -> None:
    for fact in facts:
        header = fact.record.header
        self.undo.add(self.store.log.setdefault((header.office, header.epoch), []), fact)


@mutant
def no_dedupe_by_seq() -> Iterator[type[World]]:
    """Both defences: what is there is not skipped, and the raw log has no primary key."""
    with patch.object(uplink, "unseen", everything), patch.object(MemoryCentralTx, "append", append_without_key):
        yield World


class LateHeads(CentralNode):
    """Reads the heads of a snapshot after its entities, in a read of their own."""

    def snapshot(self, request: SnapshotRequest, reply: Reply) -> None:
        super().snapshot(request, lambda kind, body: self._later(kind, body, reply))

    def _later(self, kind: str, body: bytes, reply: Reply) -> None:
        self._clockwork.after(self._rng.randint(100, 3_000), lambda: reply(kind, self._with_heads_of_now(body)))

    def _with_heads_of_now(self, body: bytes) -> bytes:
        request_id, first, *rows, _, _ = body.split(b"\n")
        manifest = codec.decode(first, SnapshotManifest)
        heads = finish(self._heads([head.stream for head in manifest.heads]))
        lines = [codec.encode(msgspec.structs.replace(manifest, heads=heads)), *rows]
        text = b"".join(line + b"\n" for line in lines)
        trailer = codec.encode(SnapshotTrailer(sha256=hashlib.sha256(text).digest()))
        return request_id + b"\n" + text + trailer + b"\n"

    async def _heads(self, streams: Sequence[str]) -> tuple[object, ...]:
        async with self.store.snapshot() as reading:
            return tuple(await reading.heads(streams))


@mutant
def snapshot_heads_outside() -> Iterator[type[World]]:
    yield world_of(central=LateHeads)


async def proves_what_is_pruned(tx: CentralTx, cursor: Cursor, state: StreamState) -> bool:
    stored = await tx.feed_hash(cursor.stream, cursor.seq)
    return cursor.seq <= state.last.seq and (stored is None or stored == cursor.hash)


@mutant
def pruned_rows_not_told() -> Iterator[type[World]]:
    """Central goes on with a cursor whose next rows it has deleted."""
    with patch.object(downlink, "proves", proves_what_is_pruned):
        yield World


def open_or_fail(records: Sequence[FactRecord]) -> tuple[list[OpenedFact], list[Parked]]:
    for record in records:
        if record.header.type == "ticket.called" and record.body == b'{"ticket_id":7}':
            raise MalformedMessage("poison")
    return [OpenedFact(record=r, fact=open_fact(r), happened_at=r.header.occurred_at) for r in records], []


@mutant
def poison_blocks() -> Iterator[type[World]]:
    """A fact that cannot be opened fails its whole batch."""
    with patch.object(uplink, "open_facts", open_or_fail):
        yield World


def all_mutants() -> dict[str, Planted]:
    """Every planted bug, those of the other files too."""
    from tests.simulation import (  # they register their own here
        mutants_of_display,
        mutants_of_kiosks,
        mutants_of_machines,
        mutants_of_rights,
    )

    assert mutants_of_display.__name__
    assert mutants_of_kiosks.__name__
    assert mutants_of_rights.__name__
    assert mutants_of_machines.__name__
    return MUTANTS
