"""A node of an office in the simulator: the production sessions and queue rules over a memory store, driven as the edge's
shell drives them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from random import Random
from typing import Any, TypeVar

import msgspec

from edge_node.queue.dispatcher import TAKING_IN
from sync.domain.central_clock import CentralClock
from sync.domain.handover import command_of, ended_elsewhere, is_new
from sync.domain.leases import give_back
from sync.domain.outcomes import Decision
from sync.domain.service_day import service_date
from sync.messages import codec
from sync.messages.commands import Actor, ConfirmDate, TakeTicket
from sync.messages.facts import Fact, LeaseSold, NodeStarted
from sync.messages.feed import (
    ENTITIES,
    Appointment,
    Entity,
    Lease,
    NodeKey,
    NumberFloor,
    TicketClosed,
    TicketGrant,
    TicketTaken,
)
from sync.messages.refusals import Refusal
from sync.messages.topics import HeldNumbers
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
from sync.protocol.in_flight import DROPPED, Dropped
from sync.protocol.snapshot import SnapshotApplied
from sync.protocol.steps import finish
from sync.protocol.store import Position
from sync.protocol.uplink import Acked, Moment, Rewound, Unplaced, UplinkSession
from tests.kit.facts import MORNING
from tests.kit.lossy_link import LossyLink
from tests.kit.memory import CommitFailed, Crashed
from tests.kit.memory_edge import MemoryEdgeStore
from tests.simulation.clockwork import Clockwork
from tests.simulation.ledger import Key, Violated, opened
from tests.simulation.people import CATALOGUES, People
from tests.simulation.process import Process
from tests.simulation.queue import NODE, ZONE, Asked, Queue, Wall, Watch
from tests.simulation.stories import OddFacts

T = TypeVar("T")
Send = Callable[[str, bytes], None]

PULSE_MS = 15_000
RESTART_MS = 1_000
"""How long a loop that failed waits before it begins anew."""
ODD_SHARE = 0.01
REPORT = NodeReport(schema="0001", sqlite_version="3.40.1", clock_at=MORNING, disk_free_bytes=1 << 30)
STAGE_ROWS = 5
MAX_ROWS = 12


class OfficeNode(Process):
    """One edge. What is in ``store`` survives a crash; sessions, timers, requests and folded state do not.

    Args:
        people: who act at this node; none when nobody does any more.
        skew_ms: how wrong its wall clock is.
        drift_ppm: how much faster than time its clocks run.
        lacks: kinds of rows that its build, an older one, does not know. It keeps them, and knows them once it is upgraded.
        shown_at: the latest that the machine showed from which its disk was copied, if it was.
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
        drift_ppm: int = 0,
        lacks: frozenset[str] = frozenset(),
        shown_at: datetime | None = None,
    ) -> None:
        super().__init__(clockwork, activation.office)
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
        self.wall = Wall(lambda: clockwork.now_ms, skew_ms, began_at=clockwork.began_at, drift_ppm=drift_ppm)
        if shown_at is not None:
            self.wall.also_shown(shown_at)
        self.years_off_ms = 0
        self.lacks = lacks
        self.is_outdated = False
        """Central speaks no version any more that this build knows: it takes its facts, and gives it no rows."""
        self.central_clock: CentralClock | None = None
        self.rolled_back = False
        self.kiosk_floors: dict[str, int] = {}
        """Numbers that the kiosks of the office have printed: a new node asks them before it gives any."""
        self.numbers: dict[str, HeldNumbers] = {}
        """What each kiosk has said of the numbers that it knows; a process that starts is told again."""
        self.silent_since_ms = 0
        self._activation = activation
        self._watch = watch
        self._rng: Random = clockwork.fork(f"office/{office}/{activation.epoch}")
        self._counted = counted
        self.cut_rate = 0.0
        self.buried = False
        self.note_sent: Callable[[OfficeNode, UpRequest], None] = lambda node, request: None
        self.start()

    # life

    def start(self) -> None:
        """A new process over the same database."""
        self._begin()
        self._node = Node(
            office=self.office,
            node=self._activation.node,
            epoch=self.epoch,
            incarnation=self._clockwork.new_id(),
            activation=self._activation,
        )
        self._greeting: HelloRequest | None = None
        self._report: ReportRequest | None = None
        self._new_sessions()
        self.central_clock = None
        self.numbers = {}
        self.queue = self.queue_type(
            office=self.office,
            epoch=self.epoch,
            store=self.store,
            wall=self.wall,
            catalogue=CATALOGUES[self.office],
            watch=self._watch,
        )
        self._read: dict[tuple[str, str], tuple[SnapshotRow, Entity]] = {}
        """Rows that were decoded already."""
        self._asked_ns = 0
        self._too_old = False
        self.cancel_next = False
        self.refresh()
        self._soon(0, self._say_hello)
        if not self.rolled_back:
            self._note_started()

    def _note_started(self) -> None:
        """The first fact of every process. One whose disk refuses it ends, and is started again."""
        started = NodeStarted(node=self._node.node, incarnation=self._node.incarnation, version="0")
        try:
            self.queue.note_started(started)
        except Crashed as crash:
            self._died(crash)
        except CommitFailed:
            self.crash()

    def crash(self) -> None:
        self._end()
        self.silent_since_ms = self._clockwork.now_ms
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

    def sales(self) -> set[str]:
        """The appointments that this node's journal says it sold."""
        facts = (opened(each.record) for each in self.store.journal.get(self.epoch, []))
        return {fact.appointment_id for fact in facts if isinstance(fact, LeaseSold)}

    def pause(self, lasts_ms: int) -> None:
        self.silent_since_ms = self._clockwork.now_ms
        super().pause(lasts_ms)

    def upgrade(self) -> None:
        """Start anew with the present build, which knows every kind of row."""
        self.lacks, self.is_outdated = frozenset(), False
        self.crash()

    def put_years_right(self) -> None:
        """Somebody sets the clock to the right date."""
        self.wall.skew_ms -= self.years_off_ms
        self.years_off_ms = 0

    def room_again(self) -> None:
        """Somebody has made room on the disk."""
        self.queue.disk_full = False

    def heal(self) -> None:
        """The faults end, and a person sets the clock: an office whose day must not be opened could take nothing in."""
        self.wall.skew_ms = self.years_off_ms = 0
        self.store.crash_next = self.store.fail_next = None
        self.cut_rate = 0.0
        self.room_again()
        self.go_on()
        self._restart()
        if (self.lacks or self.is_outdated) and not self.buried:
            self.upgrade()

    # who stands before it

    @property
    def speaks(self) -> bool:
        """Whether its devices hear it: it runs, and may act for its office."""
        return self.up and bool(self.store.places) and not self.rolled_back and not self.store.fence

    def rows(self) -> Iterable[Entity]:
        """What came down, decoded."""
        return self._rows.values()

    def confirm_date(self, supervisor: Actor) -> None:
        """A supervisor who can look at a calendar confirms the date that a doubted clock says, if it is the right one."""
        today = service_date(self.queue.now(), ZONE)
        if self.speaks and self.queue.is_doubtful and today == service_date(self.wall.true_now(), ZONE):
            command = ConfirmDate(request_id=self._clockwork.new_id(), service_date=today)
            self.do_here(lambda: self.queue.submit(command, supervisor))

    def commit(self, facts: Iterable[Fact]) -> None:
        self.queue.record(facts)

    def do_here(self, work: Callable[[], T]) -> T | None:
        """Do something that a kiosk or a person here asked for; none when the process died at it."""
        before = self.store.end(self.epoch).seq
        try:
            self.queue.look_at_clock()
            done = work()
        except Crashed as crash:
            self._died(crash)
            return None
        self._wake_uplink(before)
        return done

    # hello

    def _say_hello(self) -> None:
        greeting = self._guard(hello.say_hello(self.store, self._node, REPORT, self._clockwork.new_id()))
        if greeting is None:
            return
        if self.is_outdated:
            greeting = msgspec.structs.replace(greeting, proto_min=0, proto_max=0, fact_versions={})
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
        if outcome is None or isinstance(outcome, Dropped):
            return
        self._greeting = None
        self._soon(PULSE_MS, self._pulse)
        self.central_clock = CentralClock.heard(
            self.central_clock, sent_ns=self._asked_ns, received_ns=self.wall.mono_ns(), server_at=reply.server_at
        )
        self.queue.central_clock = self.central_clock
        self.queue.clock_error_ms = self.central_clock.error_at(self.wall.mono_ns()) // 1_000_000 + 1
        if isinstance(outcome, Diverged):
            self._on_fork("hello says that the journal diverged")
            return
        self._too_old = outcome.proto == 0
        self.settle()
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
        before, run = self.store.end(self.epoch).seq, self.queue.run
        may_decide = bool(self.store.places) and not self.rolled_back and not self.store.fence
        try:
            self.queue.look_at_clock()
            if self._rng.random() < ODD_SHARE and before and not self.store.fence:
                self.odd.write(self.store, self.wall)
            else:
                done = self.people.act(
                    self.queue, self._agenda(), connected=self.connected, now_ms=self._clockwork.now_ms
                )
                if may_decide:
                    self._check_answer(*done, disk_failed=self.queue.run != run)
        except Crashed as crash:
            self._died(crash)
            return
        except CommitFailed as failed:
            self.queue.reload(failed)
        self._wake_uplink(before)

    def act_alone(self) -> None:
        """Write what a node writes by itself, without anybody there."""
        before = self.store.end(self.epoch).seq
        if not self.rolled_back and not self.store.fence:
            try:
                self.queue.look_at_clock()
                self.odd.write(self.store, self.wall)
            except Crashed as crash:
                self._died(crash)
                return
            except CommitFailed as failed:
                self.queue.reload(failed)
        self._wake_uplink(before)

    def _check_answer(self, command: Asked, decision: Decision, *, disk_failed: bool) -> None:
        """I-20: the office has all that it decides with, so no state of the link is a reason to refuse, and no full disk one
        not to serve who waits. Its own clock and its own disk are.
        """
        self._counted["answered_cut_off"] += not self.connected
        if not isinstance(decision, Refusal):
            return
        excused = {"retry": disk_failed, "date_unconfirmed": self.queue.is_doubtful}
        excused["disk_full"] = self.queue.disk_full and isinstance(command, TAKING_IN)
        must_be_done = isinstance(command, TakeTicket) or decision.code in (*excused, "no_authority")
        if must_be_done and not excused.get(decision.code):
            raise Violated("I-20", "unavailable", f"{self.key}: {type(command).__name__} is refused: {decision.code}")

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
            if (
                row.kind in ENTITIES
                and row.kind not in self.lacks
                and (key not in best or best[key].version < row.version)
            ):
                best[key] = row
        read = self._read
        self._read = {
            key: read[key] if key in read and read[key][0] is row else _read(row) for key, row in best.items()
        }
        self._rows = {key: entity for key, (_, entity) in self._read.items()}
        rows = self._rows.values()
        self._grants = [row for row in rows if isinstance(row, TicketGrant)]
        self._closed = [row for row in rows if isinstance(row, TicketClosed)]
        self._taken = [row for row in rows if isinstance(row, TicketTaken)]
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

    def settle(self) -> None:
        """Do what came down: hold granted tickets, end those that are over here, give back what was asked for."""
        if not self.up:
            return
        before = self.store.end(self.epoch).seq
        queue = self.queue
        try:
            queue.look_at_clock()
            for grant in self._grants:
                queue.turn()
                if queue.day.service_date is not None and is_new(queue.day, grant, queue.day.service_date):
                    command = command_of(grant, self.office, self._clockwork.new_id(), self.central_now())
                    queue.submit(command, NODE)
            queue.record(ended_elsewhere(queue.day, self._closed, self._taken))
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
        if self._too_old:
            return
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
        """Take a reply, if anybody is there; while the process is stopped it waits in the socket."""
        if self._is_held(lambda: self.receive(kind, body)) or not self.up:
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
            self.settle()
        self._after(outcome, self.downlink, self._pump_down)
        if self.up and self.downlink.report_due:
            self._send_report()

    # the report after central was restored

    def _send_report(self) -> None:
        if self._report is not None or self.store.fence or Lease.KIND in self.lacks:
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

    def _guard(self, step: Coroutine[Any, Any, T]) -> T | None:
        """Run a step. One that the disk refuses, or whose task is cancelled, ends the loops; they begin anew."""
        try:
            outcome = finish(step)
        except Crashed as crash:
            self._died(crash)
            return None
        except CommitFailed as failed:
            self.queue.disk_full |= str(failed) == "no_room"
            self._soon(RESTART_MS, self._begin_loops_anew)
            return None
        if self.cancel_next:
            self.cancel_next = False
            self._counted["cancelled_step"] += 1
            self._soon(RESTART_MS, self._begin_loops_anew)
            return None
        return outcome

    def _begin_loops_anew(self) -> None:
        """What the watchdog does: new sessions over the same database, and what may have come down is looked at."""
        halted = self.uplink.halted
        self._new_sessions()
        if halted is not None:
            self.uplink.halt(halted)
        self.refresh()
        self.settle()
        if self.up:
            self._say_hello()

    def _new_sessions(self) -> None:
        self.uplink = self.uplink_type(self.store, self._node)
        self.downlink = self.downlink_type(
            self.store, self.office, epoch=self.epoch, max_rows=MAX_ROWS, stage_rows=STAGE_ROWS
        )
        self._greeting, self._report = None, None

    def _died(self, crash: Crashed) -> None:
        self._counted[f"edge_crash_{crash}"] += 1
        self.crash()


def _read(row: SnapshotRow) -> tuple[SnapshotRow, Entity]:
    return row, codec.decode(bytes(row.body), ENTITIES[row.kind])


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
