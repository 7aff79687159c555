"""How a node of the simulator speaks with central: hello, the two loops and the report, with the production's sessions.

It stands for the shell of ``edge_node/uplink``: who asks when, what is given up, and what is done with what came. What an office
does by itself is in ``office``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import datetime
from random import Random
from typing import Any, TypeVar

import msgspec

from sync.domain.central_clock import CentralClock
from sync.messages import codec
from sync.messages.feed import Lease
from sync.messages.wire import (
    Activation,
    DownReply,
    DownRequest,
    HelloReply,
    HelloRequest,
    ReportReply,
    ReportRequest,
    SnapshotRequest,
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
from sync.protocol.uplink import Acked, Moment, Rewound, Unplaced, UplinkSession
from tests.kit.facts import MORNING
from tests.kit.memory import CommitFailed, Crashed
from tests.kit.memory_edge import MemoryEdgeStore
from tests.simulation.clockwork import Clockwork
from tests.simulation.ledger import Key, Violated
from tests.simulation.process import Process
from tests.simulation.queue import Queue, Wall

T = TypeVar("T")
Send = Callable[[str, bytes], None]

PULSE_MS = 20_000
"""After so long without a word of central a node says hello again; sooner than a long-poll ends, for only hello shows that a clone of
this node has told more than it has itself.
"""
RESTART_MS = 1_000
"""How long a loop that failed waits before it begins anew."""
REPORT = NodeReport(schema="0001", sqlite_version="3.40.1", clock_at=MORNING, disk_free_bytes=1 << 30)
STAGE_ROWS = 5
MAX_ROWS = 12


class Exchange(Process, ABC):
    """One node's end of all that it exchanges with central. An office fills in what it is (``queue``) and what it does with rows.

    Args:
        lacks: kinds of rows that its build, an older one, does not know. It keeps them, and knows them once it is upgraded.
    """

    uplink_type = UplinkSession
    downlink_type = DownlinkSession
    queue: Queue

    def __init__(
        self,
        *,
        activation: Activation,
        clockwork: Clockwork,
        store: MemoryEdgeStore,
        wall: Wall,
        counted: Counter[str],
        lacks: frozenset[str],
    ) -> None:
        super().__init__(clockwork, activation.office)
        self.office = activation.office
        self.epoch = activation.epoch
        self.key: Key = (self.office, self.epoch)
        self.store = store
        self.wall = wall
        self.lacks = lacks
        self.is_copy = False
        """Its database was put back from an old copy: a fork is what must be found."""
        self.rolled_back = False
        self.is_outdated = False
        """Central speaks no version any more that this build knows: it takes its facts, and gives it no rows."""
        self.central_clock: CentralClock | None = None
        self.cut_rate = 0.0
        self.send: Send = lambda kind, body: None
        self.note_sent: Callable[[Exchange, UpRequest], None] = lambda node, request: None
        self._activation = activation
        self._rng: Random = clockwork.fork(f"office/{activation.office}/{activation.epoch}")
        self._counted = counted

    @abstractmethod
    def crash(self) -> None:
        """Stop as a process that is killed."""

    @abstractmethod
    def refresh(self) -> None:
        """Look at what has come down."""

    @abstractmethod
    def settle(self) -> None:
        """Do what came down."""

    def _speak_anew(self) -> None:
        """What a new process begins with."""
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
        self._asked_ns = 0
        self._too_old = False
        self._heard_ms = self._clockwork.now_ms
        self._is_lost = False
        """Whether a request got no answer, and nothing was heard since."""
        self._listens = False
        """Whether it is looked at whether central is silent."""
        self.cancel_next = False

    # hello

    @property
    def connected(self) -> bool:
        """Whether central can be asked, as far as this node knows."""
        return self._greeting is None and not self._is_lost

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
        self._listens = False
        quiet_ms = self._clockwork.now_ms - self._heard_ms
        if self._greeting is None and quiet_ms >= PULSE_MS:
            self._say_hello()
        else:
            self._listen(PULSE_MS - quiet_ms)

    def _listen(self, for_ms: int) -> None:
        if not self._listens:
            self._listens = True
            self._soon(max(for_ms, 1_000), self._pulse)

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
        self._listen(PULSE_MS)
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
            self._is_lost = True
            self._soon(self._delay_ms(session), pump)

    def receive(self, kind: str, body: bytes) -> None:
        """Take a reply, if anybody is there; while the process is stopped it waits in the socket."""
        if self._is_held(lambda: self.receive(kind, body)) or not self.up:
            return
        self._heard_ms, self._is_lost = self._clockwork.now_ms, False
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
            taken = self._guard(self.downlink.on_snapshot_data(request_id.decode(), body[at : at + step]))
            if self._life != life:
                return
            if taken is DROPPED:
                break
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
        self._after(outcome, self.uplink, self._pump_up if not _is_all(outcome) else None)
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

    def _after(
        self, outcome: object, session: UplinkSession | DownlinkSession, pump: Callable[[], None] | None
    ) -> None:
        if outcome is None:
            return
        self._clockwork.trace(f"{self.office} {brief(outcome)}")
        if outcome is DROPPED:
            self._counted["late_replies"] += 1
            return
        if pump is not None:
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


def _is_all(outcome: object) -> bool:
    """Whether there is nothing more to send before there are new facts, which wake the uplink."""
    return isinstance(outcome, Acked) and outcome.backlog == 0


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
