"""What really happened, written down from outside: the truth that every part is judged by.

It is told what was committed, acknowledged and promised, and never asks the parts what they think they hold. Checks that cost
little are made at each commit; those over the whole world stand in ``invariants``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Literal

import msgspec

from sync.domain.office_day import OfficeDay
from sync.messages.commands import SYSTEM
from sync.messages.envelope import FactHeader, FactRecord, chain
from sync.messages.facts import (
    Fact,
    LeaseReturned,
    LeaseSold,
    TicketAbandoned,
    TicketAccepted,
    TicketFinished,
    TicketIssued,
    TicketReleased,
)
from sync.messages.feed import Appointment, Lease
from sync.messages.values import GENESIS, SeatRef
from sync.protocol.store import ChainedFact, ChainedRow, Position
from tests.kit.memory_central import MemoryCentralStore
from tests.kit.memory_edge import MemoryEdgeStore
from tests.simulation.decoded import opened

NOTED = frozenset(
    each.TYPE
    for each in (
        *(TicketIssued, TicketAccepted, TicketReleased, TicketFinished, TicketAbandoned),
        *(LeaseSold, LeaseReturned),
    )
)
"""Kinds of facts by which something is promised or moves."""
Key = tuple[str, int]
"""One life of an office's node: (office, epoch)."""

Kind = Literal[
    "acked_lost",
    "gaps",
    "chain_breaks",
    "feed_skewed",
    "oversold",
    "seats_miscounted",
    "lease_misused",
    "double_holders",
    "credit_lost",
    "steps_lost",
    "clock_pushed",
    "order_violations",
    "duplicate_labels",
    "requests_doubled",
    "fenced_acts",
    "rollback_missed",
    "bookings_revived",
    "unavailable",
    "personal_data",
    "unaudited",
    "unconverged",
    "woken_late",
    "halted",
    "stale_display",
    "paper_lost",
]
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]


class Violated(Exception):
    """An invariant does not hold. ``kind`` is the figure it counts under."""

    def __init__(self, invariant: str, kind: Kind, detail: str) -> None:
        super().__init__(f"{invariant} {kind}: {detail}")
        self.kind = kind


StreamContent = Mapping[tuple[str, str], tuple[int, bytes]]
"""A stream's entities by (kind, id): version and body."""


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """A confirmed appointment: who said so, and the seat."""

    appointment_id: str
    seats: tuple[SeatRef, ...]
    by: Literal["central", "lease"]
    key: Key | None = None


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """A slip that came out of a kiosk."""

    office: str
    service_date: date
    label: str
    ticket_id: str


class Ledger:
    """Everything that was committed or promised in one run.

    Args:
        now_ms: the run's time.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self.now_ms = now_ms
        self._contents: dict[tuple[str, bytes], tuple[int, StreamContent]] = {}
        self._ends: dict[str, Position] = {}
        self._told: dict[Key, Position] = {}
        self._verified: dict[Key, int] = {}
        self._chained: dict[bytes, tuple[bytes, FactRecord]] = {}
        """What offices have committed, by its hash, and the hash before it: such a link need not be hashed again."""
        self.is_restored = False
        """Central was put back in time, and has not heard of everything again yet."""
        self.labels: dict[tuple[str, date, str], str] = {}
        self._seen_days: dict[Key, tuple[OfficeDay, int]] = {}
        """Up to where the labels of a life's day were looked at."""
        self.issued_in: defaultdict[str, set[Key]] = defaultdict(set)
        self.sent_on: set[tuple[str, str]] = set()
        """Offices and the tickets that they gave up."""
        self.releases: defaultdict[tuple[str, int], dict[int, int]] = defaultdict(dict)
        """When a ticket was given up, in ms of the run, by how long its waiting counted then; an old copy may do it again."""
        self.accepts: defaultdict[tuple[str, int], set[Key]] = defaultdict(set)
        self.slipped: set[tuple[str, int]] = set()
        """Tickets by tenure that an office took on a slip's word, while central may have granted them to a replaced node's next."""
        self.copies: set[Key] = set()
        """Lives whose database was put back or cloned: until they are found they act on what was theirs."""
        self.promises: dict[str, Promise] = {}
        self.cancelled: dict[str, int] = {}
        self.perhaps_cancelled: set[str] = set()
        """Appointments that central once held as over, whether or not anybody was told so."""
        self.capacity: dict[str, int] = {}
        """How many seats each slot was made with."""
        self._crowds: defaultdict[str, set[str]] = defaultdict(set)
        self.at_risk: dict[str, set[str]] = {}
        """Confirmed appointments that only offices remember, since central was restored."""
        self.restores = 0
        self.given_back: set[str] = set()
        """Slots of which an appointment was cancelled, whatever central remembers of it."""
        self.fences: dict[str, int] = {}
        self.sold: defaultdict[tuple[str, SeatRef], set[str]] = defaultdict(set)
        self.returned: set[tuple[str, SeatRef]] = set()
        self.reissued: set[str] = set()
        """Tickets that a person sent elsewhere although their office may have taken them."""
        self.lost_unacked = 0
        self.papers: dict[tuple[str, str], Paper] = {}
        """What kiosks have printed, by office and ticket."""
        self.ended: set[str] = set()
        """Tickets that were served or given up, whoever still knows of it."""
        self.refused_papers: list[str] = []
        """Labels on paper that a node would not take, and why."""
        self.release_errors_ms: dict[tuple[str, int], int] = {}

    # central's commits

    def note_stream(self, store: MemoryCentralStore, stream: str) -> None:
        """Remember what each new row of a stream leaves."""
        behind = self._ends.get(stream, Position())
        for seq in range(behind.seq + 1, store.states[stream].last.seq + 1):
            behind = Position(seq, self._note_row(stream, behind.hash, store.feed[stream, seq]))
        self._ends[stream] = behind

    def branch(self, store: MemoryCentralStore) -> None:
        """After a failover or a restore streams go on from an earlier end, and logs are read again from the start."""
        self._ends = {stream: state.last for stream, state in store.states.items()}
        self._verified.clear()

    def _note_row(self, stream: str, behind: bytes, chained: ChainedRow) -> bytes:
        _, before = self._contents.get((stream, behind), (0, {}))
        after, row = dict(before), chained.row
        if row.op == "del":
            after.pop((row.kind, row.entity_id), None)
        else:
            after[row.kind, row.entity_id] = (row.version, bytes(row.body))
        self._contents[stream, chained.hash] = (row.seq, after)
        return chained.hash

    def check_raw_logs(self, store: MemoryCentralStore) -> None:
        """I-3, for what was appended to any log since the last check."""
        for key, log in store.log.items():
            if len(log) != self._verified.get(key, 0):
                self._check_raw_log(store, key)

    def _check_raw_log(self, store: MemoryCentralStore, key: Key) -> None:
        log = store.log.get(key, [])
        verified = min(self._verified.get(key, 0), len(log))
        running = log[verified - 1].hash if verified else GENESIS
        for index in range(verified, len(log)):
            fact = log[index]
            if fact.record.seq != index + 1:
                raise Violated("I-3", "gaps", f"{key}: place {index + 1} holds seq {fact.record.seq}")
            if self._chained.get(fact.hash) == (running, fact.record):
                running = fact.hash
                continue
            running = chain(running, fact.record)
            if fact.hash != running:
                raise Violated("I-3", "chain_breaks", f"{key}: seq {index + 1}")
        self._verified[key] = len(log)

    def note_lease(self, lease: Lease) -> None:
        self.fences[lease.id] = lease.fence

    def note_booking(self, booked: Appointment, seats: Sequence[SeatRef]) -> None:
        """Central has told somebody that their appointment is confirmed."""
        self._promise(Promise(appointment_id=booked.id, seats=tuple(seats), by="central"))

    def _promise(self, promise: Promise) -> None:
        """I-5, whatever any table says: not more people are promised a slot than it has seats."""
        self.promises[promise.appointment_id] = promise
        for slot_id in {ref.slot_id for ref in promise.seats}:
            crowd = self._crowds[slot_id]
            crowd.add(promise.appointment_id)
            crowd &= self.promises.keys() - self.perhaps_cancelled
            if len(crowd) > self.capacity.get(slot_id, 0):
                raise Violated("I-5", "oversold", f"{slot_id} is promised to {len(crowd)}, last {promise}")

    def note_cancelled(self, gone: Appointment) -> None:
        self.cancelled[gone.id] = gone.version
        if (promise := self.promises.pop(gone.id, None)) is not None:
            self.given_back.update(ref.slot_id for ref in promise.seats)

    def note_restored(
        self, store: MemoryCentralStore, known: Mapping[str, Mapping[str, int]], sold: Collection[str]
    ) -> int:
        """Central was put back in time. What it had confirmed and no office knows is the restore's own loss: how many.

        Args:
            known: the version of each appointment that an office's node knows.
            sold: the appointments that stand in the journal of a node as sold there.
        """
        self.branch(store)
        self.is_restored = True
        self.restores += 1
        lost = 0
        for appointment_id in list(self.promises):
            if appointment_id in sold or appointment_id in store.appointments:
                continue
            holders = {office for office, appointments in known.items() if appointment_id in appointments}
            if holders:
                self.at_risk[appointment_id] = holders
            else:
                del self.promises[appointment_id]
                lost += 1
        for appointment_id, version in list(self.cancelled.items()):
            stored = store.appointments.get(appointment_id)
            holders = {o for o, appointments in known.items() if appointments.get(appointment_id, 0) >= version}
            if (stored is None or stored.body.version < version) and not holders:
                del self.cancelled[appointment_id]
                lost += 1
        return lost

    # the edges' commits

    def note_facts(self, key: Key, journal: Sequence[ChainedFact], records: Sequence[FactRecord]) -> None:
        """What an office committed: promises, labels and moves are made in this moment.

        Args:
            journal: the office's, which ends with these records.
        """
        running = journal[-len(records) - 1].hash if len(journal) > len(records) else GENESIS
        for chained in journal[len(journal) - len(records) :]:
            self._chained[chained.hash] = (running, chained.record)
            running = chained.hash
        for record in records:
            self._check_named(key, record.header)
            if record.header.type in NOTED and (fact := opened(record)) is not None:
                self._note_fact(key, fact)

    def _check_named(self, key: Key, header: FactHeader) -> None:
        is_asked = header.request_id is not None or header.actor_id == SYSTEM
        if not header.actor_id or not header.device_id or not is_asked:
            raise Violated("I-25", "unaudited", f"{key}: {header.type} at {header.seq} by {header.actor_id}")

    def _note_fact(self, key: Key, fact: Fact) -> None:
        match fact:
            case TicketIssued():
                if key in self.issued_in[fact.ticket_id]:
                    raise Violated("I-15", "requests_doubled", f"{key}: two tickets of {fact.ticket_id}")
                self.issued_in[fact.ticket_id].add(key)
            case TicketAccepted():
                self._note_accepted(key, fact)
            case TicketReleased():
                self.sent_on.add((key[0], fact.ticket_id))
                self.releases[fact.ticket_id, fact.tenure][fact.card.waited_ms] = self.now_ms()
            case TicketFinished() | TicketAbandoned():
                self.ended.add(fact.ticket_id)
            case LeaseSold():
                self._note_sale(key, fact)
            case LeaseReturned():
                self.returned.update((fact.lease_id, seat) for seat in fact.seats)
            case _:
                pass

    def _note_accepted(self, key: Key, fact: TicketAccepted) -> None:
        """I-9: a tenure is granted to one office. A slip may be believed beside the grant to a replaced node of its office."""
        holders = self.accepts[fact.ticket_id, fact.tenure]
        if fact.via == "slip":
            self.slipped.add((fact.ticket_id, fact.tenure))
        else:
            holders.add(key)
            offices = {office for office, _ in holders}
            is_known = fact.ticket_id not in self.reissued and not self.is_restored
            if len(offices) > 1 and is_known:
                raise Violated("I-9", "double_holders", f"{fact.ticket_id} under tenure {fact.tenure} at {offices}")

    def note_labels(self, key: Key, day: OfficeDay) -> bool:
        """I-14: what stands on paper or on a screen of an office. A label that died with its process was never given. One that a
        life gave of which neither central, since it was restored, nor this life knows is free again if its person went elsewhere.

        Returns whether a label is among them that did not before: a device of the office has heard from the node.
        """
        seen = (day, day.seq)
        if day.service_date is None or self._seen_days.get(key) == seen:
            return False
        self._seen_days[key] = seen
        known = len(self.labels)
        for ticket in day.tickets.values():
            place = (key[0], day.service_date, ticket.label)
            if (other := self.labels.setdefault(place, ticket.ticket_id)) != ticket.ticket_id:
                if self.is_restored and (key[0], other) in self.sent_on and other not in day.tickets:
                    self.labels[place] = ticket.ticket_id
                    continue
                raise Violated("I-14", "duplicate_labels", f"{key}: {ticket.label} for {ticket.ticket_id} and {other}")
        return len(self.labels) > known

    def note_paper(self, paper: Paper) -> None:
        """I-14 and I-15, by what people have in their hands: a label for one of them, one label for a request."""
        place = (paper.office, paper.service_date, paper.label)
        if (other := self.labels.setdefault(place, paper.ticket_id)) != paper.ticket_id:
            raise Violated("I-14", "duplicate_labels", f"{place} on paper for {paper.ticket_id} and {other}")
        before = self.papers.setdefault((paper.office, paper.ticket_id), paper)
        if before != paper:
            raise Violated(
                "I-15", "requests_doubled", f"{paper.ticket_id} has {before.label} and {paper.label} on paper"
            )

    def note_refused(self, office: str, label: str, code: str) -> None:
        """A node will not take a ticket that is on paper; only a day that is over is a reason."""
        if code != "day_closed":
            self.refused_papers.append(f"{office}: {label} is refused: {code}")

    def _note_sale(self, key: Key, fact: LeaseSold) -> None:
        """I-8: a lease sells in its own life only; a seat of it once, and not after it was given back."""
        if self.fences.get(fact.lease_id) != key[1]:
            raise Violated("I-8", "lease_misused", f"{key} sold from {fact.lease_id}, which is not its own")
        for seat in fact.seats:
            if (fact.lease_id, seat) in self.returned or self.sold[fact.lease_id, seat]:
                raise Violated("I-8", "lease_misused", f"{key}: {seat} was sold or given back before")
            self.sold[fact.lease_id, seat].add(fact.appointment_id)
        self._promise(Promise(appointment_id=fact.appointment_id, seats=fact.seats, by="lease", key=key))

    def note_disk_lost(self, key: Key, edge: MemoryEdgeStore, central: MemoryCentralStore) -> None:
        """A node's disk is gone: what central has not got is lost, and the promises in it. Said, not hidden."""
        office, epoch = key
        safe = min(len(central.log.get(key, [])), edge.acks.get(epoch, Position()).seq)
        self.lost_unacked += max(0, edge.end(epoch).seq - safe)
        for chained in edge.journal.get(epoch, [])[safe:]:
            if isinstance(fact := opened(chained.record), LeaseSold):
                self.promises.pop(fact.appointment_id, None)
        if self._told.get(key, Position()).seq > safe:
            self._told[key] = Position(safe, central.log[key][safe - 1].hash) if safe else Position()
        self.note_memory_lost(office, central)

    def note_memory_lost(self, office: str, central: MemoryCentralStore) -> None:
        """The node that central would have asked what it forgot is not there any more: a double loss, said and not hidden."""
        for appointment_id, holders in list(self.at_risk.items()):
            holders.discard(office)
            if not holders and appointment_id not in central.appointments:
                self.promises.pop(appointment_id, None)
                del self.at_risk[appointment_id]
        if self.is_restored:  # a cancellation that only this disk knew is gone with it
            for appointment_id, version in list(self.cancelled.items()):
                stored = central.appointments.get(appointment_id)
                if stored is None or stored.body.version < version:
                    del self.cancelled[appointment_id]

    def note_told(self, key: Key, edge: MemoryEdgeStore) -> None:
        """Remember how far the edge believes that its facts are safe."""
        acked = edge.acks.get(key[1], Position())
        if acked.seq > self._told.get(key, Position()).seq:
            self._told[key] = acked

    def check_told(self, store: MemoryCentralStore, key: Key) -> None:
        """I-1, for the furthest fact; the chain and I-3 speak for those before it. Not while a restored central catches up."""
        told = self._told.get(key, Position())
        if told.seq == 0 or self.is_restored:
            return
        log = store.log.get(key, [])
        if len(log) < told.seq or log[told.seq - 1].hash != told.hash:
            raise Violated(
                "I-1", "acked_lost", f"{key}: told that {told.seq} is safe, central's log ends at {len(log)}"
            )

    def check_prefix(self, office: str, edge: MemoryEdgeStore) -> None:
        """I-4, for every stream of an edge."""
        mine: dict[str, dict[tuple[str, str], tuple[int, bytes]]] = {stream: {} for stream in edge.places}
        for (stream, kind, entity_id), row in edge.entities.items():
            if stream not in mine:
                raise Violated("I-4", "feed_skewed", f"{office}: {kind} of {stream} without a cursor")
            mine[stream][kind, entity_id] = (row.version, bytes(row.body))
        for stream, cursor in edge.places.items():
            seq, content = self._contents.get((stream, cursor.hash), (0, {}))
            if cursor.hash != GENESIS and (stream, cursor.hash) not in self._contents:
                raise Violated(
                    "I-4", "feed_skewed", f"{office}: no prefix of {stream} has the cursor's hash at {cursor.seq}"
                )
            if seq != cursor.seq or mine[stream] != content:
                raise Violated(
                    "I-4", "feed_skewed", f"{office}: {stream} at {cursor.seq} is not the prefix up to there"
                )
