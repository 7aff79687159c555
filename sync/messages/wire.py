"""The bodies of the sync protocol over HTTP: hello, up, down, snapshot, report. People have a file of their own.

A reply carries the ``request_id`` it answers; anything else is dropped by the receiver. Requests are signed by the node
(``Authorization``: a JWT whose ``bh`` is the SHA-256 of the body).
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from sync.messages.envelope import FactRecord
from sync.messages.feed import Appointment, Cursor, FeedRow, Lease
from sync.messages.values import Hash, Instant, SeatRef, Seq, Slug, Uuid

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


class Activation(msgspec.Struct, frozen=True, kw_only=True):
    """Central's word that this node speaks for its office from this epoch on, signed with central's own key. A central
    that was restored from an older backup learns from it of a replacement it has forgotten.
    """

    office: Slug
    node: Slug
    epoch: int
    public_key: bytes
    signature: bytes


class HelloRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What an edge says first, after every reconnect, and when its standing has changed.

    Args:
        rolled_back: a witness has seen more of this life than its journal holds, so it gives no tickets and calls nobody until
            it is replaced or a supervisor vouches for it; false from a node that does not tell.
    """

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
    activation: Activation | None = None
    rolled_back: bool = False


class HelloReply(msgspec.Struct, frozen=True, kw_only=True):
    """What central knows of this edge. ``proto`` is the version to speak; 0 when there is none in common: the edge
    then goes on telling its facts and asks for no rows until one of the two is upgraded.

    Args:
        fenced_by: the office's present epoch when it is a later one: this node has no authority any more; 0 otherwise.
        report_due: central was restored and waits for this office's report in its present gen.
    """

    request_id: Uuid
    proto: int
    gen: Uuid
    server_at: Instant
    durability: Durability
    acked_seq: Seq
    acked_hash: Hash
    features: tuple[str, ...] = ()
    fenced_by: int = 0
    report_due: bool = False


class UpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A run of facts of one epoch. ``prev_hash`` is the chain's hash before the first of them.

    Args:
        boot_id, mono_ns, central_at: this moment by the sender's monotonic clock and by its estimate of central's, so that
            central can tell how old a fact is whatever the wall clocks say; empty from a sender that does not tell.
    """

    request_id: Uuid
    office: Slug
    node: Slug
    epoch: int
    incarnation: Uuid
    first_seq: Annotated[int, msgspec.Meta(ge=1)]
    prev_hash: Hash
    facts: tuple[FactRecord, ...]
    boot_id: str = ""
    mono_ns: int = 0
    central_at: Instant | None = None


class UpReply(msgspec.Struct, frozen=True, kw_only=True):
    """Everything up to ``acked_seq`` is committed at central.

    Args:
        fenced_by: the office's present epoch when it is a later one: these facts are recorded, and move nothing that needs
            authority; 0 otherwise.
    """

    request_id: Uuid
    acked_seq: Seq
    acked_hash: Hash
    max_batch: int = MAX_FACTS
    retry_after_s: int = 0
    fenced_by: int = 0


UpRefusalCode = Literal["gap", "fork", "fenced", "malformed"]


class UpRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """409. ``gap``: send from ``expected_seq``. ``fork``: same numbers, other facts: stop and alarm. ``fenced``: ``epoch`` holds
    the office and not the sender's, which is a later one that central has not adopted (yet): say hello.
    """

    request_id: Uuid
    code: UpRefusalCode
    expected_seq: Seq = 0
    expected_hash: Hash = bytes(32)
    epoch: int = 0


class DownRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for what follows the cursors; central may hold the reply for ``wait_s`` seconds while there is nothing.

    ``epoch``: the sender's; 0 from one that does not tell.
    """

    request_id: Uuid
    office: Slug
    epoch: int = 0
    cursors: tuple[Cursor, ...]
    wait_s: Annotated[int, msgspec.Meta(ge=0, le=60)] = LONG_POLL_S
    max_rows: Annotated[int, msgspec.Meta(ge=1, le=MAX_ROWS)] = MAX_ROWS


class StreamRows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one stream right behind the asked cursor.

    Args:
        hash: the stream's hash after the last of these rows, as stored at central; the cursor's own when there are none.
            It proves every row, since each hash covers the one before.
        head: the stream's last seq when the reply was made.
    """

    stream: str
    rows: tuple[FeedRow, ...]
    hash: Hash
    head: Seq


class DownReply(msgspec.Struct, frozen=True, kw_only=True):
    """What follows the cursors.

    Args:
        resync: streams whose cursor central cannot continue (410): take a snapshot.
        fenced_by, report_due: as in ``HelloReply``; a fenced node gets no rows.
    """

    request_id: Uuid
    gen: Uuid
    streams: tuple[StreamRows, ...]
    resync: tuple[str, ...] = ()
    fenced_by: int = 0
    report_due: bool = False


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


class HeldLease(msgspec.Struct, frozen=True, kw_only=True):
    """What an office still holds of a lease: the seats that it has neither sold nor returned."""

    lease: Lease
    unsold: tuple[SeatRef, ...]


class KnownBooking(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment that an office knows and the snapshot of the present gen does not have, or has an older version of."""

    version: int
    body: Appointment


class ReportRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What an office knows that a restored central may have lost. Made after the switch to ``gen``, never before.

    Args:
        leases: every lease with something unsold.
        bookings: appointments from today on that only this office knows.
        facts_seq: the end of its journal; central takes the report only when it has these facts.
    """

    request_id: Uuid
    office: Slug
    epoch: int
    gen: Uuid
    facts_seq: Seq
    leases: tuple[HeldLease, ...]
    bookings: tuple[KnownBooking, ...]


class ReportReply(msgspec.Struct, frozen=True, kw_only=True):
    """``taken``: central has the report. Otherwise it is not wanted in this form: facts first, or another gen."""

    request_id: Uuid
    taken: bool
    gen: Uuid
