"""The way up: an office's facts, in order, each exactly once, acknowledged only when they are safe.

Theory
    The edge's journal of an epoch is a dense, hash-chained log; central's raw log of that epoch is a prefix of it. The
    edge alone writes facts, so the two never merge: the only question is how long the prefix is.

    Edge states: *ready* (may send), *asking* (one request in flight), *halted* (fork, fenced or malformed: a person must
    act; facts go on being written). Ready -> asking by ``next_request``; asking -> ready by the reply, a gap, or a failure;
    asking -> halted by the other refusals. The acknowledged position is in the database, everything else may be forgotten
    in a crash: an unknown outcome is resolved by sending again.

    Central, one transaction per request, the office's authority locked first:
        epoch an earlier one          -> *late*: the same below against that epoch's own log, with few effects (effects.py),
                                         and the acknowledgement says by which epoch the sender is fenced
        epoch a later one             -> *fenced* with the present one: not activated here (yet)
        a hole before the first fact  -> *gap*, with the position to go on from
        the batch does not meet the log with the same hash -> *fork*
        else skip what is there, append the rest raw, project it (a fact that cannot be projected is parked and delays
        nobody), move the end, commit, and only then acknowledge.
    Locking the authority is a write, so that a repeated batch too is only acknowledged when the commit that it finds is
    on the standby.
    "Meets" is one comparison: the batch's own chain, started from ``prev_hash``, must give the stored hash at the last
    seq that both have. A chain that agrees there agrees everywhere before.

    The edge believes no position that its journal does not prove. A proven lower one is a rewind (central was restored), a
    position that it does not have means that this journal is an old copy: fork.

    Epochs. Everything is per (office, epoch). A newer epoch is adopted in hello, by its signed activation.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from sync.messages import codec
from sync.messages.codec import MalformedMessage
from sync.messages.envelope import FactRecord, chain, open_fact
from sync.messages.wire import MAX_BATCH_BYTES, MAX_FACTS, UpRefusal, UpReply, UpRequest
from sync.protocol.backoff import retry_delay_s
from sync.protocol.hello import Node
from sync.protocol.in_flight import DROPPED, Dropped, InFlight
from sync.protocol.store import Authority, CentralStore, CentralTx, ChainedFact, EdgeStore, OpenedFact, Parked, Position

# ---------------------------------------------------------------------------------------------------------------- edge

HaltReason = Literal["fork", "fenced", "malformed"]


class Acked(msgspec.Struct, frozen=True):
    """Central has everything up to ``position``; ``backlog`` facts of this epoch are still to be sent.

    ``fenced_by``: a later epoch holds the office; this node's facts are recorded, and give it no authority.
    """

    position: Position
    backlog: int
    fenced_by: int = 0


class Rewound(msgspec.Struct, frozen=True):
    """Central has less than it had acknowledged; sending goes on from ``position``."""

    position: Position


class Halted(msgspec.Struct, frozen=True):
    """Nothing is sent any more until a person has acted: alarm. ``fenced_by``: the later epoch that said so; 0 for none."""

    reason: HaltReason
    fenced_by: int = 0


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Now, by the sender's monotonic clock of this boot, and by its estimate of central's clock."""

    boot_id: str = ""
    mono_ns: int = 0
    central_at: datetime | None = None


UNTOLD = Moment()


class Unplaced(msgspec.Struct, frozen=True):
    """Central does not know this epoch, or not any more since it was restored: say hello again, which shows the activation."""


UpOutcome = Acked | Rewound | Halted | Unplaced | Dropped


class UplinkSession:
    """The edge's end. One per process and epoch; the shell calls one method at a time."""

    def __init__(self, store: EdgeStore, node: Node) -> None:
        self._store = store
        self._node = node
        self._in_flight: InFlight[UpRequest] = InFlight()
        self._max_facts = MAX_FACTS
        self._retry_after_s = 0
        self.halted: HaltReason | None = None

    @property
    def is_asking(self) -> bool:
        """Whether a request is in flight; facts written meanwhile go with the next."""
        return self._in_flight.request is not None

    async def next_request(self, request_id: str, moment: Moment = UNTOLD) -> UpRequest | None:
        """The next batch to send; None when all is acknowledged, one is in flight, or the session is halted."""
        if self.halted is not None or self._in_flight.request is not None:
            return None
        async with self._store.transaction() as tx:
            acked = await tx.acked(self._node.epoch)
            facts = await tx.facts_after(self._node.epoch, acked.seq, self._max_facts)
        if not facts:
            return None
        request = UpRequest(
            request_id=request_id,
            office=self._node.office,
            node=self._node.node,
            epoch=self._node.epoch,
            incarnation=self._node.incarnation,
            first_seq=acked.seq + 1,
            prev_hash=acked.hash,
            facts=tuple(fit(facts, MAX_BATCH_BYTES)),
            boot_id=moment.boot_id,
            mono_ns=moment.mono_ns,
            central_at=moment.central_at,
        )
        return self._in_flight.open(request)

    async def on_reply(self, reply: UpReply) -> UpOutcome:
        """Take an acknowledgement: store it if the journal proves it."""
        if self._in_flight.take(reply.request_id) is None:
            return DROPPED
        position = Position(reply.acked_seq, reply.acked_hash)
        backlog = await self._adopt(position, reply.fenced_by)
        if backlog is None:
            return self.halt("fork")
        self._in_flight.failures = 0
        self._max_facts = max(1, min(reply.max_batch, MAX_FACTS))
        self._retry_after_s = reply.retry_after_s
        return Acked(position, backlog, reply.fenced_by)

    async def on_refusal(self, refusal: UpRefusal) -> UpOutcome:
        """Take a refusal: rewind to a gap's position if the journal proves it, else halt."""
        if self._in_flight.take(refusal.request_id) is None:
            return DROPPED
        self._in_flight.failures += 1
        if refusal.code == "fenced" and refusal.epoch <= self._node.epoch:
            return Unplaced()
        if refusal.code == "fenced":
            async with self._store.transaction() as tx:
                await tx.set_fenced_by(refusal.epoch)
            return self.halt("fenced", refusal.epoch)
        if refusal.code != "gap":
            return self.halt(refusal.code)
        position = Position(refusal.expected_seq - 1, refusal.expected_hash)
        return self.halt("fork") if await self._adopt(position) is None else Rewound(position)

    def on_failure(self, request_id: str) -> bool:
        """Note that a request got no usable answer: its outcome is unknown. False if it is not the open one."""
        return self._in_flight.fail(request_id)

    def halt(self, reason: HaltReason, fenced_by: int = 0) -> Halted:
        """Stop sending; also called when hello finds that the journals diverged."""
        self.halted = reason
        return Halted(reason, fenced_by)

    def delay_s(self, chance: float) -> float:
        """Seconds to wait before the next request, with ``chance`` in [0, 1)."""
        return retry_delay_s(self._in_flight.failures, chance, self._retry_after_s)

    async def _adopt(self, position: Position, fenced_by: int = 0) -> int | None:
        """Store a position as acknowledged; how many facts lie behind it, or None if the journal does not prove it."""
        epoch = self._node.epoch
        async with self._store.transaction() as tx:
            if await tx.journal_hash(epoch, position.seq) != position.hash:
                return None
            await tx.set_acked(epoch, position)
            if fenced_by:
                await tx.set_fenced_by(fenced_by)
            return (await tx.journal_end(epoch)).seq - position.seq


def fit(facts: Sequence[FactRecord], max_bytes: int) -> Sequence[FactRecord]:
    """The longest run from the front whose encoded size stays within ``max_bytes``; at least one fact."""
    if len(codec.encode(facts)) - 1 <= max_bytes:
        return facts
    size = 0
    for count, record in enumerate(facts):
        size += len(codec.encode(record)) + 1
        if size > max_bytes and count:
            return facts[:count]
    return facts


# ------------------------------------------------------------------------------------------------------------- central


async def ingest(store: CentralStore, request: UpRequest, received_at: datetime) -> UpReply | UpRefusal:
    """Take a batch of facts. The reply may be sent as soon as this returns, and not before."""
    if not is_well_formed(request):
        return UpRefusal(request_id=request.request_id, code="malformed")
    async with store.transaction() as tx:
        present = await tx.lock_authority(request.office)
        if present is None or present.epoch < request.epoch:
            return UpRefusal(
                request_id=request.request_id, code="fenced", epoch=present.epoch if present is not None else 0
            )
        late = request.epoch < present.epoch
        authority = present
        if late:
            authority = Authority(epoch=request.epoch, last=await tx.log_end(request.office, request.epoch))
        if request.first_seq > authority.last.seq + 1:
            return _refusal(request, "gap", authority)
        chained = chain_batch(request.prev_hash, request.facts)
        if not await _meets(tx, request, authority, chained):
            return _refusal(request, "fork", authority)
        fresh = unseen(chained, authority.last.seq)
        last = await _record(tx, request, fresh, received_at, late=late) if fresh else authority.last
    return UpReply(
        request_id=request.request_id,
        acked_seq=last.seq,
        acked_hash=last.hash,
        fenced_by=present.epoch if late else 0,
    )


def is_well_formed(request: UpRequest) -> bool:
    """Whether the batch is a dense run of the sender's own facts, starting where it says."""
    return 0 < len(request.facts) <= MAX_FACTS and all(
        (record.header.office, record.header.epoch, record.header.seq)
        == (request.office, request.epoch, request.first_seq + index)
        for index, record in enumerate(request.facts)
    )


def chain_batch(previous: bytes, records: Sequence[FactRecord]) -> list[ChainedFact]:
    """Each record with the hash of the chain behind it."""
    chained: list[ChainedFact] = []
    for record in records:
        previous = chain(previous, record)
        chained.append(ChainedFact(record=record, hash=previous))
    return chained


def unseen(chained: Sequence[ChainedFact], last_seq: int) -> Sequence[ChainedFact]:
    """The facts of a dense batch that a log ending in ``last_seq`` has not got."""
    return chained[max(0, last_seq - chained[0].record.seq + 1) :]


async def _meets(tx: CentralTx, request: UpRequest, authority: Authority, chained: Sequence[ChainedFact]) -> bool:
    """Whether batch and log have the same hash at the last seq that both have."""
    seq = min(authority.last.seq, request.first_seq + len(chained) - 1)
    ours = chained[seq - request.first_seq].hash if seq >= request.first_seq else request.prev_hash
    if seq == authority.last.seq:
        return ours == authority.last.hash
    return ours == await tx.fact_hash(request.office, request.epoch, seq)


async def _record(
    tx: CentralTx, request: UpRequest, fresh: Sequence[ChainedFact], received_at: datetime, *, late: bool
) -> Position:
    """Append the raw facts, project them, park what cannot be projected, and move the end of the log."""
    await tx.append(fresh)
    opened, poison = open_facts([chained.record for chained in fresh])
    told_at = aligned(request, received_at)
    opened = [
        msgspec.structs.replace(
            each,
            late=late,
            happened_at=happened_at(each.record, request, told_at),
            by_age=age_us(each.record, request) is not None,
        )
        for each in opened
    ]
    parked = [*poison, *await tx.project(opened)]
    if parked:
        await tx.park(parked)
    last = Position(fresh[-1].record.seq, fresh[-1].hash)
    if not late:
        await tx.advance(request.office, last)
    return last


TRANSIT_MAX = timedelta(minutes=5)
"""How far the sender's estimate of central's clock may be behind the arrival of its message and still be believed."""


def aligned(request: UpRequest, received_at: datetime) -> datetime:
    """The instant, by central's clock, at which a request was made: the sender's estimate where it is possible at all."""
    said = request.central_at
    return said if said is not None and received_at - TRANSIT_MAX <= said <= received_at else received_at


UPTIME_MAX = timedelta(days=50 * 365)
"""No machine has run for longer; what says so is no clock."""


def happened_at(record: FactRecord, request: UpRequest, told_at: datetime) -> datetime:
    """When a fact happened, by central's clock: by how much older than its telling it is on the same monotonic clock; by the
    wall clock of its office when the machine was booted in between. Never in the future.
    """
    age = age_us(record, request)
    if age is not None:
        return told_at - timedelta(microseconds=age)
    return min(record.header.occurred_at, told_at)


def age_us(record: FactRecord, request: UpRequest) -> int | None:
    """How much older than its telling a fact is, in microseconds of one monotonic clock; none when a boot lies in between."""
    header, age = record.header, (request.mono_ns - record.header.mono_ns) // 1000
    is_one_boot = header.boot_id and header.boot_id == request.boot_id
    return age if is_one_boot and 0 <= age <= UPTIME_MAX // timedelta(microseconds=1) else None


def open_facts(records: Sequence[FactRecord]) -> tuple[list[OpenedFact], list[Parked]]:
    """Decode bodies; those that do not fit their shape come back as parked. Unknown types open as ``UnknownFact``."""
    opened: list[OpenedFact] = []
    poison: list[Parked] = []
    for record in records:
        try:
            fact = open_fact(record)
            opened.append(OpenedFact(record=record, fact=fact, happened_at=record.header.occurred_at))
        except MalformedMessage as error:
            poison.append(Parked(record=record, detail=error.detail))
    return opened, poison


def _refusal(request: UpRequest, code: Literal["gap", "fork"], authority: Authority) -> UpRefusal:
    return UpRefusal(
        request_id=request.request_id,
        code=code,
        expected_seq=authority.last.seq + 1,
        expected_hash=authority.last.hash,
        epoch=authority.epoch,
    )
