"""Hello: what both ends say first, after every reconnect.

Theory
    Edge -> central: who I am, how far my journal and my cursors go, what I understand. Central -> edge: the version to
    speak, its time, its generation, how durable an acknowledgement is, and how far its log of this epoch goes.
    The edge takes central's position as the acknowledged one if its own journal proves it, forwards or backwards: central
    may have been restored. If the journal does not have that fact, or has another one under its number, this journal is an
    old or a copied one (*diverged*): the uplink must stop, for its next numbers are already taken.
    Hello moves no row and no fact, so losing or repeating it costs nothing.
    The version is the highest that both know. Without one in common central still takes the edge's facts (``proto`` 0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

import msgspec

from sync.messages.fact_types import FACTS
from sync.messages.values import Instant, Slug, Uuid
from sync.messages.wire import PROTOCOL, Activation, Durability, HelloReply, HelloRequest
from sync.protocol.in_flight import DROPPED, Dropped
from sync.protocol.replacement import ReplacementTx, take_office
from sync.protocol.store import START, Authority, CentralTx, EdgeStore, Position

PROTO_MIN = PROTOCOL
PROTO_MAX = PROTOCOL
FACT_VERSIONS = {tag: fact.V for tag, fact in FACTS.items()}
"""The version of each kind of fact that this build knows."""


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """An installation of an office's edge. ``incarnation`` is new with each start of the process."""

    office: Slug
    node: Slug
    epoch: int
    incarnation: Uuid
    activation: Activation | None = None


class NodeReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an edge tells of itself beside its positions."""

    schema: str
    sqlite_version: str
    clock_at: Instant
    disk_free_bytes: int
    rolled_back: bool = False


class Greeted(msgspec.Struct, frozen=True, kw_only=True):
    """Both ends know each other; ``acked`` is stored."""

    proto: int
    gen: str
    server_at: Instant
    durability: Durability
    acked: Position
    features: tuple[str, ...]
    fenced_by: int = 0
    report_due: bool = False


class Diverged(msgspec.Struct, frozen=True, kw_only=True):
    """Central has a fact of this epoch that this journal has not: stop the uplink and alarm.

    ``fenced_by``: besides, a later epoch holds the office; 0 when none does.
    """

    central: Position
    journal: Position
    fenced_by: int = 0


# ---------------------------------------------------------------------------------------------------------------- edge


async def say_hello(store: EdgeStore, node: Node, report: NodeReport, request_id: str) -> HelloRequest:
    """Build the hello of this node from what its database holds."""
    async with store.transaction() as tx:
        end = await tx.journal_end(node.epoch)
        cursors = await tx.cursors()
    return HelloRequest(
        activation=node.activation,
        request_id=request_id,
        office=node.office,
        node=node.node,
        epoch=node.epoch,
        incarnation=node.incarnation,
        proto_min=PROTO_MIN,
        proto_max=PROTO_MAX,
        fact_versions=FACT_VERSIONS,
        schema=report.schema,
        sqlite_version=report.sqlite_version,
        clock_at=report.clock_at,
        disk_free_bytes=report.disk_free_bytes,
        last_seq=end.seq,
        last_hash=end.hash,
        cursors=tuple(cursors[stream] for stream in sorted(cursors)),
        rolled_back=report.rolled_back,
    )


async def on_hello(store: EdgeStore, request: HelloRequest, reply: HelloReply) -> Greeted | Diverged | Dropped:
    """Take central's answer to ``request``: adopt its position if the journal proves it."""
    if reply.request_id != request.request_id:
        return DROPPED
    acked = Position(reply.acked_seq, reply.acked_hash)
    async with store.transaction() as tx:
        if reply.fenced_by:  # holds whatever becomes of the journal
            await tx.set_fenced_by(reply.fenced_by)
        if await tx.journal_hash(request.epoch, acked.seq) != acked.hash:
            journal = await tx.journal_end(request.epoch)
            return Diverged(central=acked, journal=journal, fenced_by=reply.fenced_by)
        await tx.set_acked(request.epoch, acked)
    return Greeted(
        fenced_by=reply.fenced_by,
        report_due=reply.report_due,
        proto=reply.proto,
        gen=reply.gen,
        server_at=reply.server_at,
        durability=reply.durability,
        acked=acked,
        features=reply.features,
    )


# ------------------------------------------------------------------------------------------------------------- central


class HelloTx(CentralTx, ReplacementTx, Protocol):
    """Central's transaction, as far as hello needs it."""


class HelloStore(Protocol):
    """Central's database, as far as hello needs it."""

    def transaction(self) -> AbstractAsyncContextManager[HelloTx]:
        """As in ``CentralStore``."""


async def answer_hello(
    store: HelloStore,
    request: HelloRequest,
    *,
    server_at: datetime,
    durability: Durability,
    features: Sequence[str] = (),
    trusts: Callable[[Activation], bool] = lambda _activation: False,
    clock_ahead_ms: int = 0,
) -> HelloReply:
    """Answer a hello.

    A later epoch than the office's present one takes the office over when its activation is central's own word: this central
    was restored to before it. Without it that epoch has no position here. An earlier epoch hears how far its log goes, and
    that it is fenced.

    Args:
        trusts: whether central itself has signed an activation.
        clock_ahead_ms: the clock of the office's node that was heard last minus central's.
    """
    async with store.transaction() as tx:
        gen = await tx.gen()
        authority = await tx.lock_authority(request.office)
        if authority is not None and authority.epoch < request.epoch and _is_activated(request, trusts):
            assert request.activation is not None
            await take_office(tx, request.activation, authority.epoch, server_at, clock_ahead_ms)
            authority = Authority(epoch=request.epoch, last=START)
        last, fenced_by = START, 0
        if authority is not None and authority.epoch == request.epoch:
            last = authority.last
        elif authority is not None and authority.epoch > request.epoch:
            last, fenced_by = await tx.log_end(request.office, request.epoch), authority.epoch
        report_due = not fenced_by and await tx.awaits(request.office)
    return HelloReply(
        request_id=request.request_id,
        proto=choose_protocol(request.proto_min, request.proto_max),
        gen=gen,
        server_at=server_at,
        durability=durability,
        acked_seq=last.seq,
        acked_hash=last.hash,
        features=tuple(features),
        fenced_by=fenced_by,
        report_due=report_due,
    )


def _is_activated(request: HelloRequest, trusts: Callable[[Activation], bool]) -> bool:
    """Whether the sender shows central's own word that it is the office's node in this epoch."""
    shown = request.activation
    if shown is None or (shown.office, shown.node, shown.epoch) != (request.office, request.node, request.epoch):
        return False
    return trusts(shown)


def choose_protocol(theirs_min: int, theirs_max: int) -> int:
    """The highest version that both ends speak, 0 when there is none."""
    highest = min(theirs_max, PROTO_MAX)
    return highest if highest >= max(theirs_min, PROTO_MIN) else 0
