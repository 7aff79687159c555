"""A node of an office in the simulator: the production sessions and queue rules over a memory store, driven as the edge's
shell drives them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from random import Random
from typing import Any, TypeVar

import msgspec

from sync.domain.central_clock import CentralClock
from sync.domain.handover import command_of, ended_elsewhere, is_new
from sync.domain.leases import give_back
from sync.messages import codec
from sync.messages.envelope import FactRecord
from sync.messages.feed import (
    ENTITIES,
    Appointment,
    Lease,
    NodeKey,
    NumberFloor,
    TicketClosed,
    TicketGrant,
)
from sync.messages.wire import (
    Activation,
    DownReply,
    DownRequest,
    HelloReply,
    HelloRequest,
    ReportReply,
    ReportRequest,
    SnapshotRequest,
    SnapshotRow,
    UpRefusal,
    UpReply,
    UpRequest,
)
from sync.protocol import hello, recovery
from sync.protocol.backoff import ANSWER_WITHIN_S
from sync.protocol.downlink import DownlinkSession, Fenced, RowsApplied
from sync.protocol.hello import Diverged, Node, NodeReport
from sync.protocol.in_flight import DROPPED
from sync.protocol.snapshot import SnapshotApplied
from sync.protocol.steps import finish
from sync.protocol.store import Position
from sync.protocol.uplink import Acked, Moment, Rewound, Unplaced, UplinkSession
from tests.kit.facts import MORNING
from tests.kit.lossy_link import LossyLink
from tests.kit.memory_store import Crashed, MemoryCentralStore, MemoryEdgeStore, UndoLog
from tests.simulation.clockwork import Clockwork
from tests.simulation.ledger import Key, Ledger, Violated
from tests.simulation.people import CATALOGUES, People
from tests.simulation.queue import NODE, Queue, Wall, Watch
from tests.simulation.stories import OddFacts

T = TypeVar("T")
Send = Callable[[str, bytes], None]

PULSE_MS = 15_000
ODD_SHARE = 0.01
REPORT = NodeReport(schema="0001", sqlite_version="3.40.1", clock_at=MORNING, disk_free_bytes=1 << 30)
STAGE_ROWS = 5
MAX_ROWS = 12


class WatchedEdgeStore(MemoryEdgeStore):
    """Checks the invariants of an edge at each commit, against central as it is."""

    def __init__(self, office: str, epoch: int, ledger: Ledger, central: MemoryCentralStore) -> None:
        super().__init__()
        self._key = (office, epoch)
        self._ledger = ledger
        self._central = central

    def on_commit(self, undo: UndoLog) -> None:
        if not len(undo):
            return
        self._ledger.note_told(self._key, self)
        self._ledger.check_told(self._central, self._key)
        self._ledger.check_prefix(self._key[0], self)

    def commit_act(self, records: Sequence[FactRecord], request_id: str | None) -> None:
        """Tell the ledger of what is durable, whether or not the process lived to know it."""
        if self.fence:
            raise Violated("I-16", "fenced_acts", f"{self._key} acts although it knows of epoch {self.fence}")
        try:
            super().commit_act(records, request_id)
        except Crashed as crash:
            if str(crash) == "after_commit":
                self._ledger.note_facts(self._key, records)
            raise
        self._ledger.note_facts(self._key, records)


class OfficeNode:
    """One edge. What is in ``store`` survives a crash; sessions, timers, requests and folded state do not.

    Args:
        people: who act at this node; none when nobody does any more.
        skew_ms: how wrong its wall clock is.
    """

    uplink_type = UplinkSession
    downlink_type = DownlinkSession
    queue_type = Queue

    def __init__(
        self,
        *,
        activation: Activation,
        clockwork: Clockwork,
        store: MemoryEdgeStore,
        link: LossyLink,
        people: People,
        watch: Watch,
        counted: Counter[str],
        skew_ms: int = 0,
    ) -> None:
        self.office = office = activation.office
        self.epoch = activation.epoch
        self.key: Key = (self.office, self.epoch)
        self.is_copy = False
        """Its database was put back from an old copy: a fork is what must be found."""
        self.store = store
        self.link = link
        self.people = people
        self.odd = OddFacts(clockwork.fork(f"odd/{office}/{activation.epoch}"), office, activation.epoch)
        self.send: Send = lambda kind, body: None
        self.wall = Wall(lambda: clockwork.now_ms, skew_ms)
        self.central_clock: CentralClock | None = None
        self.rolled_back = False
        self.kiosk_floors: dict[str, int] = {}
        """Numbers that the kiosks of the office have printed: a new node asks them before it gives any."""
        self._activation = activation
        self._watch = watch
        self._clockwork = clockwork
        self._rng: Random = clockwork.fork(f"office/{office}/{activation.epoch}")
        self._counted = counted
        self.cut_rate = 0.0
        self.buried = False
        self.note_sent: Callable[[OfficeNode, UpRequest], None] = lambda node, request: None
        self._life = 0
        self.start()

    # life

    def start(self) -> None:
        """A new process over the same database."""
        self._life += 1
        self.up = True
        self._node = Node(
            office=self.office,
            node=self._activation.node,
            epoch=self.epoch,
            incarnation=self._clockwork.new_id(),
            activation=self._activation,
        )
        self.uplink = self.uplink_type(self.store, self._node)
        self.downlink = self.downlink_type(
            self.store, self.office, epoch=self.epoch, max_rows=MAX_ROWS, stage_rows=STAGE_ROWS
        )
        self.central_clock = None
        self.queue = self.queue_type(
            office=self.office,
            epoch=self.epoch,
            store=self.store,
            wall=self.wall,
            catalogue=CATALOGUES[self.office],
            watch=self._watch,
        )
        self._greeting: HelloRequest | None = None
        self._asked_ns = 0
        self._report: ReportRequest | None = None
        self.refresh()
        self._soon(0, self._say_hello)

    def crash(self) -> None:
        self._clockwork.trace(f"{self.office} crashes")
        self.up = False
        self._life += 1
        self._clockwork.after(self._rng.randint(500, 20_000), self._restart)

    def _restart(self) -> None:
        if not self.up and not self.buried:
            self.start()

    def put_back(self, seq: int) -> None:
        """The database is again what it was when the journal ended at ``seq``."""
        self.is_copy = True
        del self.store.journal[self.epoch][seq:]
        acked = self.store.acks.get(self.epoch, Position())
        if acked.seq > seq:
            self.store.acks[self.epoch] = Position(seq, self.store.journal[self.epoch][-1].hash)

    def known_appointments(self) -> dict[str, int]:
        """The version of every appointment that this node has a row of."""
        rows = (*self.store.entities.values(), *self.store.put_aside.values())
        known: dict[str, int] = {}
        for row in rows:
            if row.kind == Appointment.KIND:
                known[row.entity_id] = max(row.version, known.get(row.entity_id, 0))
        return known

    def heal(self) -> None:
        self.store.crash_next = None
        self.cut_rate = 0.0
        self._restart()

    # hello

    def _say_hello(self) -> None:
        greeting = self._guard(hello.say_hello(self.store, self._node, REPORT, self._clockwork.new_id()))
        if greeting is None:
            return
        self._greeting = greeting
        self._asked_ns = self.wall.mono_ns()
        self._ask("hello", greeting)
        self._soon(ANSWER_WITHIN_S * 1000, lambda: self._hello_again(greeting))

    def _pulse(self) -> None:
        """A quiet link says hello again, so that both ends notice what the other has become."""
        if self._greeting is None:
            self._say_hello()

    def _hello_again(self, greeting: HelloRequest) -> None:
        if self._greeting is greeting:
            self._say_hello()

    def _on_hello(self, reply: HelloReply) -> None:
        if self._greeting is None:
            return
        outcome = self._guard(hello.on_hello(self.store, self._greeting, reply))
        if outcome is None or outcome is DROPPED:
            return
        self._greeting = None
        self._soon(PULSE_MS, self._pulse)
        self.central_clock = CentralClock.heard(
            self.central_clock, sent_ns=self._asked_ns, received_ns=self.wall.mono_ns(), server_at=reply.server_at
        )
        self.queue.clock_error_ms = self.central_clock.error_at(self.wall.mono_ns()) // 1_000_000 + 1
        if isinstance(outcome, Diverged):
            self._on_fork("hello says that the journal diverged")
            return
        self._settle()
        self._pump_up()
        self._pump_down()

    # the two loops

    @property
    def connected(self) -> bool:
        return self._greeting is None

    def act(self) -> None:
        """Somebody does something at the office; what is committed wakes the uplink."""
        if not self.up:
            return
        before = self.store.end(self.epoch).seq
        try:
            self.queue.look_at_clock()
            if self._rng.random() < ODD_SHARE and before and not self.store.fence:
                self.odd.write(self.store, self.wall)
            else:
                self.people.act(self.queue, self._agenda(), connected=self.connected, now_ms=self._clockwork.now_ms)
        except Crashed as crash:
            self._died(crash)
            return
        self._wake_uplink(before)

    def _wake_uplink(self, before: int) -> None:
        fresh = self.store.end(self.epoch).seq - before
        self._counted["facts"] += fresh
        if fresh and self.connected:
            self._soon(0, self._pump_up)

    def _agenda(self) -> list[Appointment]:
        return self._appointments

    def refresh(self) -> None:
        """What came down, decoded: rows put aside count as well, the higher version wins."""
        best: dict[tuple[str, str], SnapshotRow] = {}
        for row in (*self.store.put_aside.values(), *self.store.entities.values()):
            key = (row.kind, row.entity_id)
            if row.kind in ENTITIES and (key not in best or best[key].version < row.version):
                best[key] = row
        self._rows = {key: codec.decode(bytes(row.body), ENTITIES[row.kind]) for key, row in best.items()}
        rows = self._rows.values()
        self._appointments = [r for r in rows if isinstance(r, Appointment) and r.status == "booked"]
        self.queue.leases = {row.id: row for row in rows if isinstance(row, Lease)}
        self.queue.known_epochs = {row.office: row.epoch for row in rows if isinstance(row, NodeKey)}
        self.queue.floors = self._floors()
        # Before its first snapshot a node knows neither its labels' floors nor which tickets it holds: it opens no day.
        self.queue.has_authority = bool(self.store.places) and not self.rolled_back

    def _floors(self) -> dict[str, int]:
        floors = dict(self.kiosk_floors)
        for row in self._rows.values():
            if isinstance(row, NumberFloor) and row.epoch == self.epoch:
                for series, number in row.floors.items():
                    floors[series] = max(number, floors.get(series, 0))
        return floors

    def _settle(self) -> None:
        """Do what came down: hold granted tickets, end those that are over here, give back what was asked for."""
        before = self.store.end(self.epoch).seq
        rows = list(self._rows.values())
        queue = self.queue
        try:
            for grant in (row for row in rows if isinstance(row, TicketGrant)):
                queue.turn()
                if queue.day.service_date is not None and is_new(queue.day, grant, queue.day.service_date):
                    command = command_of(grant, self.office, self._clockwork.new_id(), self.central_now())
                    queue.submit(command, NODE)
            queue.record(ended_elsewhere(queue.day, [row for row in rows if isinstance(row, TicketClosed)]))
            queue.record(give_back(queue.rights))
        except Crashed as crash:
            self._died(crash)
            return
        self._wake_uplink(before)

    def central_now(self) -> datetime:
        """Central's clock as this node knows it; its own wall clock while it has heard nothing."""
        known = self.central_clock
        return known.now(self.wall.mono_ns()) if known is not None else self.wall.now()

    def _moment(self) -> Moment:
        known = self.central_clock
        at = known.now(self.wall.mono_ns()) if known is not None else None
        return Moment(boot_id=self.wall.boot_id, mono_ns=self.wall.mono_ns(), central_at=at)

    def _pump_up(self) -> None:
        request = self._guard(self.uplink.next_request(self._clockwork.new_id(), self._moment()))
        if request is not None:
            self.note_sent(self, request)
            self._ask("up", request)
            self._soon(ANSWER_WITHIN_S * 1000, lambda: self._give_up(self.uplink, request, self._pump_up))

    def _pump_down(self) -> None:
        request = self._guard(self.downlink.next_request(self._clockwork.new_id()))
        if request is None:
            return
        self._ask("down" if isinstance(request, DownRequest) else "snapshot", request)
        held_s = request.wait_s if isinstance(request, DownRequest) else 0
        self._soon((held_s + ANSWER_WITHIN_S) * 1000, lambda: self._give_up(self.downlink, request, self._pump_down))

    def _give_up(
        self,
        session: UplinkSession | DownlinkSession,
        request: UpRequest | DownRequest | SnapshotRequest,
        pump: Callable[[], None],
    ) -> None:
        if session.on_failure(request.request_id):
            self._soon(self._delay_ms(session), pump)

    def receive(self, kind: str, body: bytes) -> None:
        """Take a reply, if anybody is there."""
        if not self.up:
            return
        match kind:
            case "hello":
                self._on_hello(codec.decode(body, HelloReply))
            case "acked":
                self._after_up(self._guard(self.uplink.on_reply(codec.decode(body, UpReply))))
            case "refused":
                self._after_up(self._guard(self.uplink.on_refusal(codec.decode(body, UpRefusal))))
            case "rows":
                self._after_down(self._guard(self.downlink.on_rows(codec.decode(body, DownReply))))
            case "reported":
                self._on_reported(codec.decode(body, ReportReply))
            case _:
                self._on_snapshot(body)

    def _on_snapshot(self, message: bytes) -> None:
        """The body arrives in pieces, and may end early."""
        request_id, _, body = message.partition(b"\n")
        if self._rng.random() < self.cut_rate:
            self._counted["cut_snapshot"] += 1
            body = body[: self._rng.randrange(len(body))]
        step = self._rng.randint(50, 4000)
        life = self._life
        for at in range(0, len(body), step):
            self._guard(self.downlink.on_snapshot_data(request_id.decode(), body[at : at + step]))
            if self._life != life:
                return
        self._after_down(self._guard(self.downlink.on_snapshot_end(request_id.decode())))

    def _on_fork(self, how: str) -> None:
        """A journal that is an old copy is found out, and has no authority from then on; any other fork is a fault."""
        if not self.is_copy:
            raise Violated("I-19", "halted", f"{self.office}: {how}")
        self._counted["rollbacks_found"] += not self.rolled_back
        self.rolled_back, self.queue.has_authority = True, False

    def _after_up(self, outcome: object) -> None:
        if self.uplink.halted is not None:
            self._on_fork(f"uplink halted by {self.uplink.halted}")
            return
        if isinstance(outcome, Unplaced):
            self._soon(self._delay_ms(self.uplink), self._say_hello)
            return
        self._after(outcome, self.uplink, self._pump_up)
        if isinstance(outcome, Acked) and self.downlink.report_due:
            self._send_report()

    def _after_down(self, outcome: object) -> None:
        if isinstance(outcome, Fenced):
            return
        if isinstance(outcome, (RowsApplied, SnapshotApplied)) and (
            isinstance(outcome, SnapshotApplied) or outcome.rows
        ):
            self.refresh()
            self._settle()
        self._after(outcome, self.downlink, self._pump_down)
        if self.up and self.downlink.report_due:
            self._send_report()

    # the report after central was restored

    def _send_report(self) -> None:
        if self._report is not None or self.store.fence:
            return
        book, new_id = self.queue.book, self._clockwork.new_id()
        report = self._guard(recovery.next_report(self.store, self._node, new_id, book, self.central_now()))
        if report is not None:
            self._report = report
            self._ask("report", report)
            self._soon(ANSWER_WITHIN_S * 1000, lambda: self._report_again(report))

    def _report_again(self, report: ReportRequest) -> None:
        if self._report is report:
            self._report = None

    def _on_reported(self, reply: ReportReply) -> None:
        report = self._report
        if report is None or report.request_id != reply.request_id:
            return
        self._report = None
        self._counted["reports"] += bool(self._guard(recovery.on_report_reply(self.store, report, reply)))
        self.refresh()

    def _after(self, outcome: object, session: UplinkSession | DownlinkSession, pump: Callable[[], None]) -> None:
        if outcome is None:
            return
        self._clockwork.trace(f"{self.office} {brief(outcome)}")
        if outcome is DROPPED:
            self._counted["late_replies"] += 1
            return
        self._soon(self._delay_ms(session), pump)

    # plumbing

    def _delay_ms(self, session: UplinkSession | DownlinkSession) -> float:
        return session.delay_s(self._rng.random()) * 1000

    def _ask(self, kind: str, request: msgspec.Struct) -> None:
        if self.up:
            self.send(kind, codec.encode(request))

    def _soon(self, delay_ms: float, action: Callable[[], None]) -> None:
        life = self._life
        self._clockwork.after(delay_ms, lambda: action() if life == self._life else None)

    def _guard(self, step: Coroutine[Any, Any, T]) -> T | None:
        try:
            return finish(step)
        except Crashed as crash:
            self._died(crash)
            return None

    def _died(self, crash: Crashed) -> None:
        self._counted[f"edge_crash_{crash}"] += 1
        self.crash()


def brief(outcome: object) -> str:
    """An outcome for the trace: the same words for the same outcome, in every process."""
    if isinstance(outcome, RowsApplied):
        return f"applied {[(one.stream, one.row.seq) for one in outcome.rows]}, {outcome.behind} behind"
    if isinstance(outcome, Acked):
        return f"acked {outcome.position.seq}, {outcome.backlog} to send, fenced by {outcome.fenced_by}"
    if isinstance(outcome, SnapshotApplied):
        return f"snapshot applied at {[cursor.seq for cursor in outcome.cursors]}"
    if isinstance(outcome, Rewound):
        return f"rewound to {outcome.position.seq}"
    return repr(outcome)
