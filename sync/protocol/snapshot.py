"""A snapshot: everything an office must know, of one moment, as lines.

Theory
    Line 1 is the manifest, then one line per entity ordered by (stream, kind, entity_id), last the trailer: SHA-256 over
    all lines before it, newlines included. Every line ends in a newline; bodies hold none (they were encoded once, by
    ``codec``). The id is the ``request_id`` of the edge that asked.

    Central reads heads and entities in one consistent read, so that nothing can fall between the snapshot and the rows
    behind its heads. Its shell gives a sink (a file), never the open connection of a slow reader.

    The edge stages lines in small transactions as they come, and shows none of them. At the end it checks the trailer and
    the counts of what is staged, then swaps entities and sets cursors in one transaction. A crash or a cut before that
    leaves entities and cursors as they were; the next load begins with an empty staging area. What follows the cursors is
    asked as usual.

    Own facts win by construction: journal and acknowledgement are no entities, so a swap cannot undo what this office
    did; what it sold of a lease or accepted of a ticket is in the journal, and a row that comes anew brings no right back.
    A snapshot of another gen is of a central that was restored and may have forgotten: rows of leases and appointments that
    it lacks are put aside, go on counting here, and are reported (sync.protocol.recovery). So are grants of tickets: where the
    node before this one died, a grant that was not accepted yet is the last that anybody knows of its person. It counts until
    its day is over, and is reported by being accepted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Literal

import msgspec

from sync.messages import codec
from sync.messages.codec import MalformedMessage
from sync.messages.feed import Appointment, Cursor, Lease, TicketGrant
from sync.messages.wire import SnapshotManifest, SnapshotRequest, SnapshotRow, SnapshotTrailer
from sync.protocol.store import CentralStore, EdgeStore
from sync.protocol.streams import streams_of

SCHEMA = 1
PUT_ASIDE = (Appointment.KIND, Lease.KIND, TicketGrant.KIND)
"""Kinds whose rows outlive a snapshot of another gen."""
STAGED_AT_ONCE = 500

MAX_LINE_BYTES = 1024 * 1024
"""Most bytes of a line: a hundred times the largest entity. Nothing else bounds what is held while a line has no end."""

RejectReason = Literal["malformed", "schema", "not_ours", "too_large", "truncated", "hash", "counts"]

# ------------------------------------------------------------------------------------------------------------- central


async def write_snapshot(
    store: CentralStore, request: SnapshotRequest, sink: Callable[[bytes], object]
) -> SnapshotManifest:
    """Write the snapshot of the request's office to ``sink``, line by line, and return its manifest."""
    digest = hashlib.sha256()

    def put(message: msgspec.Struct) -> None:
        line = codec.encode(message) + b"\n"
        digest.update(line)
        sink(line)

    streams = streams_of(request.office)
    async with store.snapshot() as reading:
        manifest = SnapshotManifest(
            snapshot_id=request.request_id,
            gen=await reading.gen(),
            schema=SCHEMA,
            heads=tuple(await reading.heads(streams)),
            counts=dict(await reading.counts(streams)),
        )
        put(manifest)
        async for row in reading.entities(streams):
            put(row)
    put(SnapshotTrailer(sha256=digest.digest()))
    return manifest


# ---------------------------------------------------------------------------------------------------------------- edge


class SnapshotApplied(msgspec.Struct, frozen=True, kw_only=True):
    """All entities were replaced by the snapshot's; ``cursors`` stand at its heads."""

    snapshot_id: str
    cursors: tuple[Cursor, ...]
    entities: int


class SnapshotRejected(msgspec.Struct, frozen=True, kw_only=True):
    """The snapshot was not whole, or not for this office; nothing has changed."""

    reason: RejectReason


class SnapshotLoad:
    """One snapshot on its way into the staging area. The last line is held back: only the end tells the trailer."""

    def __init__(self, store: EdgeStore, request: SnapshotRequest, *, stage_rows: int = STAGED_AT_ONCE) -> None:
        self._store = store
        self._stage_rows = stage_rows
        self._request = request
        self._digest = hashlib.sha256()
        self._rest = b""
        self._held: bytes | None = None
        self._manifest: SnapshotManifest | None = None
        self._rows: list[SnapshotRow] = []
        self._rejected: RejectReason | None = None
        self._cleared = False
        self._left = 0

    def answers(self, request_id: str) -> bool:
        """Whether this load was begun for that request."""
        return self._request.request_id == request_id

    async def receive(self, data: bytes) -> bool:
        """Take bytes of the body, cut anywhere; whether more are wanted. After a flaw none are; ``finish`` tells it."""
        if self._rejected is None and len(self._rest) > MAX_LINE_BYTES:
            self._rejected = "too_large"
        if self._rejected is not None:
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if self._rejected is None:
                self._take(line)
            if len(self._rows) >= self._stage_rows:
                await self._stage()
        return self._rejected is None

    async def finish(self) -> SnapshotApplied | SnapshotRejected:
        """Check trailer and counts, and swap: all in one transaction, or nothing."""
        reason = self._rejected or self._check_trailer()
        if reason is not None or self._manifest is None:
            return SnapshotRejected(reason=reason or "truncated")
        await self._stage()
        cursors = cursors_of(self._manifest)
        async with self._store.transaction() as tx:
            if dict(await tx.staged_counts()) != self._manifest.counts:
                return SnapshotRejected(reason="counts")
            known = await tx.cursors()
            if any(cursor.gen != self._manifest.gen for cursor in known.values()):
                await tx.put_aside(PUT_ASIDE)
            await tx.swap_staged(cursors)
        return SnapshotApplied(
            snapshot_id=self._manifest.snapshot_id, cursors=cursors, entities=sum(self._manifest.counts.values())
        )

    def _take(self, line: bytes) -> None:
        line, self._held = self._held or b"", line
        if not line:
            return
        self._digest.update(line + b"\n")
        try:
            if self._manifest is None:
                self._manifest = codec.decode(line, SnapshotManifest)
                self._rejected = self._check_manifest(self._manifest)
                self._left = sum(self._manifest.counts.values())
            else:
                self._rows.append(self._own(codec.decode(line, SnapshotRow)))
                self._left -= 1
                if self._left < 0:  # found now, before the disk is full of them
                    self._rejected = self._rejected or "counts"
        except MalformedMessage:
            self._rejected = "malformed"

    def _own(self, row: SnapshotRow) -> SnapshotRow:
        if row.stream not in streams_of(self._request.office):
            self._rejected = "not_ours"
        return row

    def _check_manifest(self, manifest: SnapshotManifest) -> RejectReason | None:
        if manifest.schema != SCHEMA:
            return "schema"
        streams = tuple(head.stream for head in manifest.heads)
        ours = manifest.snapshot_id == self._request.request_id and streams == streams_of(self._request.office)
        return None if ours else "not_ours"

    def _check_trailer(self) -> RejectReason | None:
        if self._rest or not self._held:
            return "truncated"
        try:
            trailer = codec.decode(self._held, SnapshotTrailer)
        except MalformedMessage:
            return "truncated"
        return None if trailer.sha256 == self._digest.digest() else "hash"

    async def _stage(self) -> None:
        """Stage what has gathered; the first time over an area that an earlier load may have left."""
        rows, self._rows = self._rows, []
        async with self._store.transaction() as tx:
            if not self._cleared:
                await tx.clear_staging()
            await tx.stage(rows)
        self._cleared = True


def cursors_of(manifest: SnapshotManifest) -> tuple[Cursor, ...]:
    """The cursors that a swap of this snapshot sets."""
    return tuple(Cursor(stream=head.stream, gen=manifest.gen, seq=head.seq, hash=head.hash) for head in manifest.heads)
