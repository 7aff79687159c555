"""The way down: central's rows, in order, each stream dense and chained, entities and cursor always of one moment.

Theory
    A stream is a dense log that only central writes; the edge's entities are what a prefix of it leaves, and the cursor
    (gen, seq, hash) says and proves which prefix. Rows carry full states, so applying one twice changes nothing.

    Edge states: *idle*, *asking rows*, *asking a snapshot*. From idle, ``next_request`` asks for rows behind all cursors, or
    for a snapshot when a stream has no cursor or a resync is due. A reply counts only for the request in flight. It is
    applied whole or not at all: for each stream rows must be exactly seq + 1, seq + 2, ... and the chain from the own
    cursor must end in the hash that central has stored; rows and cursors are written in one transaction. Anything that
    does not follow is never "continued and hoped for": a resync becomes due. Being due is kept in memory only: after a
    restart central says it again.

    Central compares gen and the hash at the cursor's seq. Another gen, a seq beyond the head, another hash, or a row that
    is no longer kept: *resync*. The check and the rows are read in one transaction.

    Waiting. Central's shell holds an empty reply for ``wait_s``: subscribe first, then ``rows_after``, then wait, then
    ``rows_after`` again. A wake-up is only a hint.

    Failures in a row lengthen the pause. Resyncs in a row do so too, and only rows that were proven end that row, so a
    snapshot that helps nothing does not become a busy loop. After a failure the next request does not ask central to hold
    it: its answer tells at once that the link is back.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sync.messages.feed import Cursor, FeedRow, chain_row
from sync.messages.values import GENESIS
from sync.messages.wire import LONG_POLL_S, MAX_ROWS, DownReply, DownRequest, SnapshotRequest, SnapshotRow, StreamRows
from sync.protocol.backoff import retry_delay_s
from sync.protocol.in_flight import DROPPED, Dropped, InFlight
from sync.protocol.snapshot import STAGED_AT_ONCE, SnapshotApplied, SnapshotLoad, SnapshotRejected
from sync.protocol.store import CentralStore, CentralTx, EdgeStore, EdgeTx, StreamState
from sync.protocol.streams import streams_of

# ---------------------------------------------------------------------------------------------------------------- edge


class StreamRow(msgspec.Struct, frozen=True):
    """A row that was applied, and its stream."""

    stream: str
    row: FeedRow


class RowsApplied(msgspec.Struct, frozen=True, kw_only=True):
    """Entities and cursors now stand behind ``rows`` (none after an empty reply). ``behind``: rows still to come."""

    rows: tuple[StreamRow, ...]
    behind: int


class ResyncDue(msgspec.Struct, frozen=True, kw_only=True):
    """The next request will be for a snapshot. ``asked`` by central, or because its rows did not follow."""

    asked: bool


class Fenced(msgspec.Struct, frozen=True, kw_only=True):
    """A later epoch holds the office: this node gets no rows any more."""

    by: int


DownOutcome = RowsApplied | ResyncDue | Fenced | SnapshotApplied | SnapshotRejected | Dropped


class DownlinkSession:
    """The edge's end. One per process; the shell calls one method at a time.

    Args:
        epoch: this life of the node.
        max_rows: most rows of one reply, over all streams.
        stage_rows: how many rows of a snapshot one transaction stages.
    """

    def __init__(
        self,
        store: EdgeStore,
        office: str,
        *,
        epoch: int = 0,
        max_rows: int = MAX_ROWS,
        stage_rows: int = STAGED_AT_ONCE,
    ) -> None:
        self._store = store
        self._office = office
        self._epoch = epoch
        self.report_due = False
        """Central was restored and waits for this office's report (sync.protocol.recovery)."""
        self._max_rows = max_rows
        self._stage_rows = stage_rows
        self._in_flight: InFlight[DownRequest | SnapshotRequest] = InFlight()
        self._load: SnapshotLoad | None = None
        self._resync_due = False
        self._resyncs = 0

    async def next_request(self, request_id: str, wait_s: int = LONG_POLL_S) -> DownRequest | SnapshotRequest | None:
        """What to ask now; None while a request is in flight."""
        if self._in_flight.request is not None:
            return None
        async with self._store.transaction() as tx:
            cursors = await tx.cursors()
        wanted = streams_of(self._office)
        if self._resync_due or any(stream not in cursors for stream in wanted):
            snapshot = SnapshotRequest(request_id=request_id, office=self._office)
            self._load = SnapshotLoad(self._store, snapshot, stage_rows=self._stage_rows)
            return self._in_flight.open(snapshot)
        asked = tuple(cursors[stream] for stream in wanted)
        hold_s = 0 if self._in_flight.failures else wait_s
        return self._in_flight.open(
            DownRequest(
                request_id=request_id,
                office=self._office,
                epoch=self._epoch,
                cursors=asked,
                wait_s=hold_s,
                max_rows=self._max_rows,
            )
        )

    async def on_rows(self, reply: DownReply) -> DownOutcome:
        """Apply a reply: all of its rows and the cursors behind them, or nothing."""
        request = self._in_flight.request
        if not isinstance(request, DownRequest) or self._in_flight.take(reply.request_id) is None:
            return DROPPED
        self._in_flight.failures = 0
        self.report_due = reply.report_due
        if reply.fenced_by:
            async with self._store.transaction() as tx:
                await tx.set_fenced_by(reply.fenced_by)
            return Fenced(by=reply.fenced_by)
        if reply.resync:
            return self._resync(asked=True)
        moved = follow(request, reply)
        if moved is None:
            return self._resync(asked=False)
        async with self._store.transaction() as tx:
            await _apply(tx, reply, moved)
        self._resyncs = 0
        return RowsApplied(
            rows=tuple(StreamRow(part.stream, row) for part in reply.streams for row in part.rows),
            behind=sum(max(0, part.head - moved[part.stream].seq) for part in reply.streams),
        )

    async def on_snapshot_data(self, request_id: str, data: bytes) -> Dropped | None:
        """Take the next bytes (inflated) of the snapshot in flight, cut anywhere. Dropped: no more of them are wanted, for the
        snapshot is flawed already; ``on_snapshot_end`` tells how.
        """
        if self._load is None or not self._load.answers(request_id):
            return DROPPED
        return None if await self._load.receive(data) else DROPPED

    async def on_snapshot_end(self, request_id: str) -> DownOutcome:
        """Check the whole snapshot, and swap it in if it is whole."""
        if self._load is None or not self._load.answers(request_id) or self._in_flight.take(request_id) is None:
            return DROPPED
        outcome = await self._load.finish()
        self._load = None
        self._resync_due = isinstance(outcome, SnapshotRejected)
        self._in_flight.failures = self._in_flight.failures + 1 if self._resync_due else 0
        return outcome

    def on_failure(self, request_id: str) -> bool:
        """Note that a request got no usable answer. False if it is not the open one."""
        if not self._in_flight.fail(request_id):
            return False
        self._load = None
        return True

    def delay_s(self, chance: float) -> float:
        """Seconds to wait before the next request, with ``chance`` in [0, 1)."""
        return retry_delay_s(max(self._in_flight.failures, self._resyncs), chance)

    def _resync(self, *, asked: bool) -> ResyncDue:
        self._resync_due = True
        self._resyncs += 1
        return ResyncDue(asked=asked)


def follow(request: DownRequest, reply: DownReply) -> dict[str, Cursor] | None:
    """The cursors behind a reply's rows, by stream; None unless every row follows from the cursor that was asked."""
    asked = {cursor.stream: cursor for cursor in request.cursors}
    moved: dict[str, Cursor] = {}
    for part in reply.streams:
        cursor = asked.pop(part.stream, None)
        if cursor is None or cursor.gen != reply.gen:
            return None
        behind = advance(cursor, part)
        if behind is None:
            return None
        moved[part.stream] = behind
    return moved


def advance(cursor: Cursor, part: StreamRows) -> Cursor | None:
    """The cursor behind ``part``; None unless its rows are dense and their chain ends in the hash that central stored."""
    seq, running = cursor.seq, cursor.hash
    for row in part.rows:
        seq += 1
        if row.seq != seq:
            return None
        running = chain_row(running, row)
    if running != part.hash:
        return None
    return Cursor(stream=cursor.stream, gen=cursor.gen, seq=seq, hash=running)


async def _apply(tx: EdgeTx, reply: DownReply, moved: Mapping[str, Cursor]) -> None:
    for part in reply.streams:
        for row in part.rows:
            await _apply_row(tx, part.stream, row)
        if part.rows:
            await tx.set_cursor(moved[part.stream])


async def _apply_row(tx: EdgeTx, stream: str, row: FeedRow) -> None:
    """Kinds that this build does not know are kept as they are: a later build finds them."""
    if row.op == "del":
        await tx.delete_entity(stream, row.kind, row.entity_id)
        return
    await tx.put_entity(
        SnapshotRow(stream=stream, kind=row.kind, entity_id=row.entity_id, version=row.version, body=row.body)
    )


# ------------------------------------------------------------------------------------------------------------- central


async def rows_after(store: CentralStore, request: DownRequest) -> DownReply:
    """What follows the cursors of a request, at most ``max_rows`` in all; streams of other offices are not answered, nor is
    a node that was replaced.
    """
    allowed = streams_of(request.office)
    own = {cursor.stream: cursor for cursor in request.cursors if cursor.stream in allowed}
    parts: list[StreamRows] = []
    resync: list[str] = []
    room = request.max_rows
    async with store.transaction() as tx:
        gen = await tx.gen()
        present = await tx.present_epoch(request.office)
        if request.epoch and present > request.epoch:
            # A fence is for ever, so what it stands on must outlive a failover: this lock is a write that waits for the standby.
            await tx.lock_authority(request.office)
            return DownReply(request_id=request.request_id, gen=gen, streams=(), fenced_by=present)
        report_due = await tx.awaits(request.office)
        for stream in sorted(own):
            cursor = own[stream]
            state = await tx.stream(cursor.stream)
            if cursor.gen != gen or not await proves(tx, cursor, state):
                resync.append(cursor.stream)
                continue
            part = await _read(tx, cursor, state, room)
            room -= len(part.rows)
            parts.append(part)
    return DownReply(
        request_id=request.request_id,
        gen=gen,
        streams=tuple(parts),
        resync=tuple(resync),
        report_due=report_due,
    )


async def proves(tx: CentralTx, cursor: Cursor, state: StreamState) -> bool:
    """Whether the cursor stands on this very stream, and all rows behind it are still kept."""
    if cursor.seq > state.last.seq or cursor.seq + 1 < state.oldest:
        return False
    if cursor.seq == state.last.seq:
        return cursor.hash == state.last.hash
    if cursor.seq == 0:
        return cursor.hash == GENESIS
    return cursor.hash == await tx.feed_hash(cursor.stream, cursor.seq)


async def _read(tx: CentralTx, cursor: Cursor, state: StreamState, room: int) -> StreamRows:
    rows = await tx.rows_after(cursor.stream, cursor.seq, room) if room and cursor.seq < state.last.seq else ()
    return StreamRows(
        stream=cursor.stream,
        rows=tuple(chained.row for chained in rows),
        hash=rows[-1].hash if rows else cursor.hash,
        head=max(state.last.seq, rows[-1].row.seq if rows else 0),
    )


def is_empty(reply: DownReply) -> bool:
    """Whether the reply tells nothing new, so that a long-poll may hold it back."""
    return not reply.resync and not reply.fenced_by and not any(part.rows for part in reply.streams)
