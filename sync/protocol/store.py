"""What the protocol asks of a database, at each end: small typed verbs, no rules.

Three stores fulfil this and pass one contract suite (``tests/contract``): memory, SQLite at the edge, Postgres at central.

* Everything a step reads and writes happens inside one ``async with store.transaction() as tx``: it commits when the block
  ends, and leaves nothing when the block raises.
* A step awaits nothing but these methods. A store whose methods never suspend can therefore be driven to the end on any
  thread without an event loop (``sync.protocol.steps.finish``).
* Commit means durable at the strongest level configured. A commit whose outcome is unknown raises; the step is done again.
* A method returns stored values; what they mean is decided by the sessions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

import msgspec

from sync.messages.envelope import FactRecord
from sync.messages.facts import Fact
from sync.messages.feed import Cursor, FeedRow, Op
from sync.messages.values import GENESIS, Hash, Seq
from sync.messages.wire import Activation, SnapshotRow, StreamHead


class Position(msgspec.Struct, frozen=True):
    """A place in a hash chain: the last row and the chain's hash behind it. The default is before the first row."""

    seq: Seq = 0
    hash: Hash = GENESIS


START = Position()


# ---------------------------------------------------------------------------------------------------------------- edge


class EdgeTx(Protocol):
    """One transaction of an office's database. The journal is only read here: the queue writes it."""

    async def journal_end(self, epoch: int) -> Position:
        """The last fact of an epoch's journal, ``START`` when it has none."""

    async def journal_hash(self, epoch: int, seq: int) -> bytes | None:
        """The chain's hash behind fact ``seq``; genesis for 0; None when the journal has no such fact."""

    async def facts_after(self, epoch: int, seq: int, limit: int) -> Sequence[FactRecord]:
        """Up to ``limit`` facts from ``seq + 1`` on, in order."""

    async def acked(self, epoch: int) -> Position:
        """How far central has acknowledged this epoch, ``START`` when never."""

    async def set_acked(self, epoch: int, position: Position) -> None:
        """Remember central's acknowledgement. It may go back: central may have been restored."""

    async def fenced_by(self) -> int:
        """The later epoch that holds this office, as central has said; 0 when none does."""

    async def set_fenced_by(self, epoch: int) -> None:
        """Remember for ever that this node has no authority any more. The highest epoch stays."""

    async def cursors(self) -> Mapping[str, Cursor]:
        """The place in each stream that the entities stand for, by stream."""

    async def set_cursor(self, cursor: Cursor) -> None:
        """Move one stream's cursor."""

    async def put_entity(self, row: SnapshotRow) -> None:
        """Insert or replace the entity (stream, kind, entity_id). Unknown kinds are kept like all others."""

    async def delete_entity(self, stream: str, kind: str, entity_id: str) -> None:
        """Remove an entity; nothing happens when it is not there."""

    async def clear_staging(self) -> None:
        """Forget every staged row."""

    async def stage(self, rows: Sequence[SnapshotRow]) -> None:
        """Put rows of a snapshot aside; they show nowhere. The same entity twice counts once."""

    async def staged_counts(self) -> Mapping[str, int]:
        """Staged entities by kind."""

    async def swap_staged(self, cursors: Sequence[Cursor]) -> None:
        """Replace all entities of all streams by the staged ones and all cursors by ``cursors``; staging ends empty.

        Journal and acknowledgement are not touched: what this office did and central does not know yet stands.
        """

    async def put_aside(self, kinds: Sequence[str]) -> None:
        """Keep apart the entities of these kinds that are missing in the staging area, or older there; before a swap.

        What was put aside before stays; of two with the same key the higher version.
        """

    async def aside(self) -> Sequence[SnapshotRow]:
        """All that was put aside, ordered by (stream, kind, entity_id)."""

    async def clear_aside(self, kinds: Sequence[str]) -> None:
        """Forget what was put aside of these kinds."""

    async def entities_of(self, kind: str) -> Sequence[SnapshotRow]:
        """Every entity of a kind."""


class EdgeStore(Protocol):
    """An office's database."""

    def transaction(self) -> AbstractAsyncContextManager[EdgeTx]:
        """Begin a read-write transaction (``BEGIN IMMEDIATE``)."""


# ------------------------------------------------------------------------------------------------------------- central


class Authority(msgspec.Struct, frozen=True, kw_only=True):
    """Who may write an office's facts, and how far its raw log goes.

    Args:
        epoch: the present life of the office's node; facts of another one have no authority.
        last: the end of the raw log of that epoch.
    """

    epoch: int
    last: Position


class ChainedFact(msgspec.Struct, frozen=True, kw_only=True):
    """A fact on its way into the raw log, with the chain's hash behind it."""

    record: FactRecord
    hash: Hash


class OpenedFact(msgspec.Struct, frozen=True, kw_only=True):
    """A fact whose body was understood, on its way into the projections.

    Args:
        happened_at: when, by central's clock, as well as central can tell.
        by_age: that is counted back from its telling on one monotonic clock.
        late: its node had no authority any more when it told of it.
    """

    record: FactRecord
    fact: Fact
    happened_at: datetime
    by_age: bool = False
    late: bool = False


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that is in the raw log and in no projection. ``detail`` quotes nothing of its content."""

    record: FactRecord
    detail: str


class StreamState(msgspec.Struct, frozen=True, kw_only=True):
    """A stream's end, and the oldest row still kept (``last.seq + 1`` when none is)."""

    last: Position
    oldest: int


class ChainedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a stream and the hash that was stored with it when it was written."""

    row: FeedRow
    hash: Hash


class CentralTx(Protocol):
    """One read-write transaction of central's database."""

    async def lock_authority(self, office: str) -> Authority | None:
        """Read an office's authority and hold it (``FOR UPDATE``) until the end; None for an unknown office."""

    async def present_epoch(self, office: str) -> int:
        """The epoch of an office's authority, without holding it; 0 for an unknown office."""

    async def adopt(self, activation: Activation) -> None:
        """Make an activated node the office's authority, with an empty log; the caller has verified it."""

    async def log_end(self, office: str, epoch: int) -> Position:
        """The end of the raw log of an epoch that is over, ``START`` when it has none; under the authority's lock."""

    async def awaits(self, office: str) -> bool:
        """Whether a restored central waits for this office's report."""

    async def advance(self, office: str, last: Position) -> None:
        """Set the end of the raw log of the office's present epoch."""

    async def fact_hash(self, office: str, epoch: int, seq: int) -> bytes | None:
        """The hash stored with a fact of the raw log; None when it is not there."""

    async def append(self, facts: Sequence[ChainedFact]) -> None:
        """Add facts to the raw log, header and body as the bytes they came as. One that is there already is an error."""

    async def project(self, facts: Sequence[OpenedFact]) -> Sequence[Parked]:
        """Bring the projections up to date, and the feed rows that follow from them, fact by fact in order: what central's
        own tables learn, and ``effects.take_effect`` on the rights that move.

        A fact whose projection fails leaves no trace there (savepoint), does not stop the others, and is returned. Must be
        idempotent by effect.
        """

    async def park(self, parked: Sequence[Parked]) -> None:
        """List facts that no projection holds, for a person to look at."""

    async def emit(self, stream: str, *, kind: str, entity_id: str, version: int, op: Op, body: bytes) -> StreamHead:
        """Add one row to a stream, with its hash, and bring the stream's entities up to date; the last lock taken.

        ``put``: the entity's full new state; ``del``: body ``{}``. Returns the stream's new head.
        """

    async def gen(self) -> str:
        """The id of this life of central's database: a random UUID, new after every restore from a backup."""

    async def stream(self, stream: str) -> StreamState:
        """A stream's end and oldest row; a stream that was never written is at ``START``, oldest 1."""

    async def feed_hash(self, stream: str, seq: int) -> bytes | None:
        """The hash stored with row ``seq``; None when that row is not kept."""

    async def rows_after(self, stream: str, seq: int, limit: int) -> Sequence[ChainedRow]:
        """Up to ``limit`` kept rows from ``seq + 1`` on, in order."""


class SnapshotReading(Protocol):
    """One consistent read (``REPEATABLE READ READ ONLY``): nothing can fall between its heads and its entities."""

    async def gen(self) -> str:
        """As in ``CentralTx``."""

    async def heads(self, streams: Sequence[str]) -> Sequence[StreamHead]:
        """The ends of the streams, in the order asked."""

    async def counts(self, streams: Sequence[str]) -> Mapping[str, int]:
        """Live entities of these streams by kind."""

    def entities(self, streams: Sequence[str]) -> AsyncIterator[SnapshotRow]:
        """Every live entity of these streams, ordered by (stream, kind, entity_id), deleted ones left out."""


class CentralStore(Protocol):
    """Central's database."""

    def transaction(self) -> AbstractAsyncContextManager[CentralTx]:
        """Begin a read-write transaction."""

    def snapshot(self) -> AbstractAsyncContextManager[SnapshotReading]:
        """Begin a consistent read."""
