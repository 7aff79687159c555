"""Central's store in memory, which can also lose the commits that had not reached its standby, or be put back to a backup."""

from __future__ import annotations

import contextlib
from asyncio import CancelledError
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Raw

from sync.domain.office_day import OfficeDay
from sync.domain.service_day import service_date
from sync.messages import codec
from sync.messages.codec import MalformedMessage
from sync.messages.envelope import open_fact
from sync.messages.feed import Appointment, FeedRow, NumberFloor, Op, chain_row, office_stream
from sync.messages.values import SeatRef
from sync.messages.wire import Activation, SnapshotRow, StreamHead
from sync.protocol.effects import take_effect
from sync.protocol.rights import Conflict, LeaseState, NotTheirs, Origin, Seat, TicketToken
from sync.protocol.store import (
    START,
    Authority,
    ChainedFact,
    ChainedRow,
    OpenedFact,
    Parked,
    Position,
    StreamState,
)
from tests.kit.memory import (
    AlreadyThere,
    EntityKey,
    MemoryStore,
    ProjectionFailed,
    Transaction,
    UndoLog,
    count_by_kind,
    key_of,
)

ZONE = ZoneInfo("Africa/Ceuta")


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A start time of an office with parallel seats."""

    slot_id: str
    office: str
    start_at: datetime
    duration_min: int = 10

    def covers(self, appointment: Appointment) -> bool:
        end_at = appointment.slot_start_at + timedelta(minutes=appointment.duration_min)
        return appointment.slot_start_at <= self.start_at < end_at


class BookedAppointment(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment and the seats it has."""

    body: Appointment
    office: str
    seats: tuple[SeatRef, ...]
    source: str


class QueuedRow(msgspec.Struct, frozen=True, kw_only=True):
    stream: str
    kind: str
    entity_id: str
    version: int
    op: Op
    body: bytes


Projector = Callable[["MemoryCentralTx", OpenedFact], None]
"""What central's own tables learn from a fact, beside the rights that move."""


def project_nothing(tx: MemoryCentralTx, opened: OpenedFact) -> None:
    """A projector without projections."""


class MemoryCentralStore(MemoryStore):
    """Central's database: authorities, raw log, a projection, streams with their live entities.

    ``append`` refuses a fact that is there, as its primary key would. Commits gather in ``unreplicated`` until ``replicate``.
    """

    def __init__(self, gen: str, projector: Projector = project_nothing) -> None:
        super().__init__()
        self.generation = gen
        self.projector = projector
        self.authorities: dict[str, Authority] = {}
        self.log: dict[tuple[str, int], list[ChainedFact]] = {}
        self.parked: list[Parked] = []
        self.projection: dict[object, object] = {}
        self.states: dict[str, StreamState] = {}
        self.feed: dict[tuple[str, int], ChainedRow] = {}
        self.live: dict[EntityKey, SnapshotRow] = {}
        self.tokens: dict[str, TicketToken] = {}
        self.leases: dict[str, LeaseState] = {}
        self.seats: dict[SeatRef, Seat] = {}
        self.slots: dict[str, Slot] = {}
        self.appointments: dict[str, BookedAppointment] = {}
        self.conflicts: dict[str, Conflict] = {}
        self.life: dict[str, frozenset[str]] = {"awaited": frozenset()}
        self.cancel_in: int | None = None
        """At the so-many-th await of a transaction from now on its task is cancelled."""
        self.unreplicated: list[UndoLog] = []
        self.since_backup: list[UndoLog] = []

    def add_office(self, office: str, epoch: int = 1) -> None:
        self.authorities[office] = Authority(epoch=epoch, last=START)

    def add_slot(self, slot: Slot, seats: int) -> None:
        self.slots[slot.slot_id] = slot
        for seat_no in range(1, seats + 1):
            self.seats[SeatRef(slot.slot_id, seat_no)] = Seat(state="free")

    def transaction(self) -> Transaction[MemoryCentralTx]:
        tx = MemoryCentralTx(self, self.begin())
        given = tx if self.cancel_in is None else cast("MemoryCentralTx", CancelledTx(tx))
        return Transaction(self, given, tx.flush)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[MemoryCentralTx]:
        self.begin()
        try:
            yield MemoryCentralTx(self, self.undo)
        finally:
            self.abort()

    def on_commit(self, undo: UndoLog) -> None:
        if len(undo):
            self.unreplicated.append(undo)
            self.since_backup.append(undo)

    def replicate(self) -> None:
        """The standby has everything up to here."""
        self.unreplicated.clear()

    def fail_over(self) -> int:
        """The standby takes over: commits that it never got are gone. Returns how many."""
        lost = len(self.unreplicated)
        while self.unreplicated:
            self.unreplicated.pop().roll_back()
            self.since_backup.pop()
        return lost

    def back_up(self) -> None:
        """What a restore would bring back: everything up to here."""
        self.since_backup.clear()

    def restore(self, gen: str) -> int:
        """Put everything back to the backup and begin a new life that awaits all offices. Returns how many commits went."""
        lost = len(self.since_backup)
        while self.since_backup:
            self.since_backup.pop().roll_back()
        self.unreplicated.clear()
        self.generation = gen
        self.life["awaited"] = frozenset(self.authorities)
        return lost

    def prune(self, stream: str, oldest: int) -> None:
        """What a retention job does: delete a stream's rows before seq ``oldest``, never its end."""
        state = self.states.get(stream)
        if state is None or oldest <= state.oldest:
            return
        undo = self.begin()
        kept_from = min(oldest, state.last.seq + 1)
        for seq in range(state.oldest, kept_from):
            undo.drop(self.feed, (stream, seq))
        undo.put(self.states, stream, StreamState(last=state.last, oldest=kept_from))
        self.commit()


class MemoryCentralTx:
    def __init__(self, store: MemoryCentralStore, undo: UndoLog) -> None:
        self.store = store
        self.undo = undo
        self.queued: list[QueuedRow] = []

    def flush(self) -> None:
        """Write the queued rows, in the order of the streams."""
        if not self.queued:
            return
        queued, self.queued = sorted(self.queued, key=lambda row: row.stream), []
        for row in queued:
            emit_row(self, **msgspec.structs.asdict(row))

    async def lock_authority(self, office: str) -> Authority | None:
        return self.store.authorities.get(office)

    async def advance(self, office: str, last: Position) -> None:
        authority = self.store.authorities[office]
        self.undo.put(self.store.authorities, office, Authority(epoch=authority.epoch, last=last))

    async def fact_hash(self, office: str, epoch: int, seq: int) -> bytes | None:
        facts = self.store.log.get((office, epoch), [])
        return facts[seq - 1].hash if 0 < seq <= len(facts) else None

    async def present_epoch(self, office: str) -> int:
        authority = self.store.authorities.get(office)
        return authority.epoch if authority is not None else 0

    async def adopt(self, activation: Activation) -> None:
        self.undo.put(self.store.authorities, activation.office, Authority(epoch=activation.epoch, last=START))

    async def log_end(self, office: str, epoch: int) -> Position:
        facts = self.store.log.get((office, epoch), [])
        return Position(facts[-1].record.seq, facts[-1].hash) if facts else START

    async def awaits(self, office: str) -> bool:
        return office in self.store.life["awaited"]

    async def append(self, facts: Sequence[ChainedFact]) -> None:
        for fact in facts:
            header = fact.record.header
            log = self.store.log.setdefault((header.office, header.epoch), [])
            if header.seq <= len(log):
                raise AlreadyThere(f"{header.office} {header.epoch}:{header.seq}")
            self.undo.add(log, fact)

    async def project(self, facts: Sequence[OpenedFact]) -> Sequence[Parked]:
        failed: list[Parked] = []
        for opened in facts:
            savepoint, queued = len(self.undo), len(self.queued)
            origin = Origin(office=opened.record.header.office, happened_at=opened.happened_at, by_age=opened.by_age)
            try:
                self.store.projector(self, opened)
                await take_effect(self, origin, opened.fact, late=opened.late)
            except (ProjectionFailed, NotTheirs) as error:
                self.undo.roll_back(savepoint)
                del self.queued[queued:]
                failed.append(Parked(record=opened.record, detail=str(error)))
        return failed

    async def park(self, parked: Sequence[Parked]) -> None:
        for one in parked:
            self.undo.add(self.store.parked, one)

    async def emit(self, stream: str, *, kind: str, entity_id: str, version: int, op: Op, body: bytes) -> StreamHead:
        return emit_row(self, stream, kind=kind, entity_id=entity_id, version=version, op=op, body=body)

    # rights

    async def token(self, ticket_id: str) -> TicketToken | None:
        return self.store.tokens.get(ticket_id)

    async def set_token(self, token: TicketToken) -> None:
        self.undo.put(self.store.tokens, token.ticket_id, token)

    async def is_recovering(self) -> bool:
        return bool(self.store.life["awaited"])

    async def has_office(self, office: str) -> bool:
        return office in self.store.authorities

    async def person_of(self, appointment_id: str) -> tuple[str, str, tuple[str, ...]]:
        return ("Fátima M.", "es", ()) if appointment_id in self.store.appointments else ("", "es", ())

    async def lease(self, lease_id: str) -> LeaseState | None:
        return self.store.leases.get(lease_id)

    async def put_lease(self, state: LeaseState) -> None:
        self.undo.put(self.store.leases, state.lease.id, state)

    async def slot_office(self, slot_id: str) -> str | None:
        slot = self.store.slots.get(slot_id)
        return slot.office if slot is not None else None

    async def seat(self, seat: SeatRef) -> Seat | None:
        return self.store.seats.get(seat)

    async def set_seat(self, seat: SeatRef, to: Seat) -> None:
        assert seat in self.store.seats, "only a seat that exists is changed"
        self.undo.put(self.store.seats, seat, to)

    async def add_seat_over(self, slot_id: str, appointment_id: str) -> SeatRef | None:
        if slot_id not in self.store.slots:
            return None
        ref = SeatRef(slot_id, 1 + max((ref.seat_no for ref in self.store.seats if ref.slot_id == slot_id), default=0))
        self.undo.put(self.store.seats, ref, Seat(state="booked", appointment_id=appointment_id))
        return ref

    async def seats_of(self, appointment: Appointment, office: str) -> Sequence[SeatRef]:
        slots = [s for s in self.store.slots.values() if s.office == office and s.covers(appointment)]
        found: list[SeatRef] = []
        if sum(slot.duration_min for slot in slots) < appointment.duration_min:
            return found
        for slot in sorted(slots, key=lambda slot: slot.start_at):
            mine = [(ref, seat) for ref, seat in self.store.seats.items() if ref.slot_id == slot.slot_id]
            mine.sort(
                key=lambda pair: (pair[1].appointment_id != appointment.id, pair[1].state != "free", pair[0].seat_no)
            )
            found.append(mine[0][0])
        return found

    async def release_seats(self, appointment_id: str) -> None:
        for ref, seat in list(self.store.seats.items()):
            if seat.state == "booked" and seat.appointment_id == appointment_id:
                self.undo.put(self.store.seats, ref, Seat(state="free"))

    async def appointment_version(self, appointment_id: str) -> int | None:
        booked = self.store.appointments.get(appointment_id)
        return booked.body.version if booked is not None else None

    async def put_appointment(
        self, appointment: Appointment, office: str, seats: Sequence[SeatRef], source: str
    ) -> None:
        booked = BookedAppointment(body=appointment, office=office, seats=tuple(seats), source=source)
        self.undo.put(self.store.appointments, appointment.id, booked)

    async def note_conflict(self, conflict: Conflict) -> None:
        if conflict.key not in self.store.conflicts:
            self.undo.put(self.store.conflicts, conflict.key, conflict)

    async def emit_at_end(self, stream: str, *, kind: str, entity_id: str, version: int, op: Op, body: bytes) -> None:
        row = QueuedRow(stream=stream, kind=kind, entity_id=entity_id, version=version, op=op, body=body)
        self.queued.append(row)

    async def present_day(self, office: str, epoch: int) -> OfficeDay:
        day = OfficeDay(office)
        for fact in self.store.log.get((office, epoch), []):
            with contextlib.suppress(MalformedMessage):
                day.apply(fact.record.header, open_fact(fact.record))
        return day

    async def service_date(self, office: str, at: datetime) -> date:
        return service_date(at, ZONE)

    async def last_floor(self, office: str, until: date) -> NumberFloor | None:
        floors = [row for key, row in self.store.live.items() if key[:2] == (office_stream(office), NumberFloor.KIND)]
        known = (row for row in floors if row.entity_id <= until.isoformat())
        last = max(known, key=lambda row: row.entity_id, default=None)
        return codec.decode(bytes(last.body), NumberFloor) if last is not None else None

    async def awaited(self) -> frozenset[str]:
        return self.store.life["awaited"]

    async def set_awaited(self, offices: frozenset[str]) -> None:
        self.undo.put(self.store.life, "awaited", offices)

    async def gen(self) -> str:
        return self.store.generation

    async def stream(self, stream: str) -> StreamState:
        return self.store.states.get(stream, StreamState(last=START, oldest=1))

    async def feed_hash(self, stream: str, seq: int) -> bytes | None:
        chained = self.store.feed.get((stream, seq))
        return chained.hash if chained is not None else None

    async def rows_after(self, stream: str, seq: int, limit: int) -> Sequence[ChainedRow]:
        rows: list[ChainedRow] = []
        while len(rows) < limit and (chained := self.store.feed.get((stream, seq + 1 + len(rows)))) is not None:
            rows.append(chained)
        return rows

    async def heads(self, streams: Sequence[str]) -> Sequence[StreamHead]:
        ends = [(await self.stream(stream)).last for stream in streams]
        return [
            StreamHead(stream=stream, seq=end.seq, hash=end.hash) for stream, end in zip(streams, ends, strict=True)
        ]

    async def counts(self, streams: Sequence[str]) -> Mapping[str, int]:
        return count_by_kind({key: row for key, row in self.store.live.items() if key[0] in streams})

    async def entities(self, streams: Sequence[str]) -> AsyncIterator[SnapshotRow]:
        for key in sorted(self.store.live):
            if key[0] in streams:
                yield self.store.live[key]


class CancelledTx:
    """A transaction whose step is cancelled at one of its awaits, as a task is whose client has gone away."""

    def __init__(self, tx: MemoryCentralTx) -> None:
        self._tx = tx

    def __getattr__(self, name: str) -> Any:
        method, store = getattr(self._tx, name), self._tx.store
        if not callable(method) or store.cancel_in is None:
            return method
        if store.cancel_in == 0:
            store.cancel_in = None
            raise CancelledError
        store.cancel_in -= 1
        return method


def emit_row(
    tx: MemoryCentralTx, stream: str, *, kind: str, entity_id: str, version: int, op: Op, body: bytes
) -> StreamHead:
    """``CentralTx.emit`` for a projector, which does not await."""
    store = tx.store
    state = store.states.get(stream, StreamState(last=START, oldest=1))
    row = FeedRow(seq=state.last.seq + 1, kind=kind, entity_id=entity_id, version=version, op=op, body=Raw(body))
    end = Position(row.seq, chain_row(state.last.hash, row))
    tx.undo.put(store.states, stream, StreamState(last=end, oldest=state.oldest))
    tx.undo.put(store.feed, (stream, row.seq), ChainedRow(row=row, hash=end.hash))
    if op == "del":
        tx.undo.drop(store.live, (stream, kind, entity_id))
    else:
        live = SnapshotRow(stream=stream, kind=kind, entity_id=entity_id, version=version, body=row.body)
        tx.undo.put(store.live, key_of(live), live)
    return StreamHead(stream=stream, seq=end.seq, hash=end.hash)
