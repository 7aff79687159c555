"""The bodies of the sync protocol over HTTP: hello, up, down, snapshot.

A reply carries the ``request_id`` it answers; anything else is dropped by the receiver. Requests are signed by the node
(``Authorization``: a JWT whose ``bh`` is the SHA-256 of the body).
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from sync.messages.envelope import FactRecord
from sync.messages.feed import Cursor, FeedRow
from sync.messages.values import Hash, Instant, Seq, Slug, Uuid

PROTOCOL = 1
"""The version of the protocol that this build speaks; it also accepts nothing else yet."""

MAX_FACTS = 500
MAX_BATCH_BYTES = 256 * 1024
MAX_INFLATED_BYTES = 8 * 1024 * 1024
MAX_ROWS = 500
GZIP_ABOVE_BYTES = 1024
LONG_POLL_S = 25

Durability = Literal["no_replica", "replicated"]
"""The strongest level at which central acknowledges: one disk, or a synchronous standby too."""


class HelloRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What an edge says first, and after every reconnect."""

    request_id: Uuid
    office: Slug
    node: Slug
    epoch: int
    incarnation: Uuid
    proto_min: int
    proto_max: int
    fact_versions: dict[str, int]
    schema: str
    sqlite_version: str
    clock_at: Instant
    disk_free_bytes: int
    last_seq: Seq
    last_hash: Hash
    cursors: tuple[Cursor, ...]


class HelloReply(msgspec.Struct, frozen=True, kw_only=True):
    """What central knows of this edge. ``proto`` is the version to speak; 0 when there is none in common: central then
    takes this edge's facts and gives it nothing (426) until it is upgraded.
    """

    request_id: Uuid
    proto: int
    gen: Uuid
    server_at: Instant
    durability: Durability
    acked_seq: Seq
    acked_hash: Hash
    features: tuple[str, ...] = ()


class UpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A run of facts of one epoch. ``prev_hash`` is the chain's hash before the first of them."""

    request_id: Uuid
    office: Slug
    node: Slug
    epoch: int
    incarnation: Uuid
    first_seq: Annotated[int, msgspec.Meta(ge=1)]
    prev_hash: Hash
    facts: tuple[FactRecord, ...]


class UpReply(msgspec.Struct, frozen=True, kw_only=True):
    """Everything up to ``acked_seq`` is committed at central."""

    request_id: Uuid
    acked_seq: Seq
    acked_hash: Hash
    max_batch: int = MAX_FACTS
    retry_after_s: int = 0


UpRefusalCode = Literal["gap", "fork", "fenced", "malformed"]


class UpRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """409. ``gap``: send from ``expected_seq``. ``fork``: same numbers, other facts: stop and alarm. ``fenced``: a
    newer epoch holds the office.
    """

    request_id: Uuid
    code: UpRefusalCode
    expected_seq: Seq = 0
    expected_hash: Hash = bytes(32)
    epoch: int = 0


class DownRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for what follows the cursors; central may hold the reply for ``wait_s`` seconds while there is nothing."""

    request_id: Uuid
    office: Slug
    cursors: tuple[Cursor, ...]
    wait_s: Annotated[int, msgspec.Meta(ge=0, le=60)] = LONG_POLL_S
    max_rows: Annotated[int, msgspec.Meta(ge=1, le=MAX_ROWS)] = MAX_ROWS


class StreamRows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one stream right behind the asked cursor.

    Args:
        hash: the stream's hash after the last of these rows, as stored at central; the cursor's own when there are
        none.
            It proves every row, since each hash covers the one before.
        head: the stream's last seq when the reply was made.
    """

    stream: str
    rows: tuple[FeedRow, ...]
    hash: Hash
    head: Seq


class DownReply(msgspec.Struct, frozen=True, kw_only=True):
    """``resync`` names streams whose cursor central cannot continue (410): take a snapshot."""

    request_id: Uuid
    gen: Uuid
    streams: tuple[StreamRows, ...]
    resync: tuple[str, ...] = ()


class SnapshotRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for everything an office must know. The snapshot's id is the ``request_id``."""

    request_id: Uuid
    office: Slug


class StreamHead(msgspec.Struct, frozen=True, kw_only=True):
    stream: str
    seq: Seq
    hash: Hash


class SnapshotManifest(msgspec.Struct, frozen=True, kw_only=True):
    """First line of a snapshot: one consistent read of central. ``counts`` is entities by kind; ``snapshot_id`` the
    ``request_id`` it answers.
    """

    snapshot_id: Uuid
    gen: Uuid
    schema: int
    heads: tuple[StreamHead, ...]
    counts: dict[str, int]


class SnapshotRow(msgspec.Struct, frozen=True, kw_only=True):
    stream: str
    kind: str
    entity_id: str
    version: int
    body: msgspec.Raw


class SnapshotTrailer(msgspec.Struct, frozen=True, kw_only=True):
    """Last line: SHA-256 over all the lines before it, newlines included."""

    sha256: Hash
