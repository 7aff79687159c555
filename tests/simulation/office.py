"""An office in the simulator: the production sessions over a memory store, driven as the edge's shell drives them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, TypeVar

from sync.messages import codec
from sync.messages.wire import (
    DownReply,
    DownRequest,
    HelloReply,
    HelloRequest,
    SnapshotRequest,
    UpRefusal,
    UpReply,
    UpRequest,
)
from sync.protocol import hello
from sync.protocol.backoff import ANSWER_WITHIN_S
from sync.protocol.downlink import DownlinkSession, RowsApplied
from sync.protocol.hello import Diverged, Node, NodeReport
from sync.protocol.in_flight import DROPPED
from sync.protocol.steps import finish
from sync.protocol.uplink import UplinkSession
from tests.kit.facts import MORNING
from tests.kit.lossy_link import LossyLink
from tests.kit.memory_store import Crashed, MemoryCentralStore, MemoryEdgeStore, UndoLog
from tests.simulation.clockwork import Clockwork
from tests.simulation.invariants import EPOCH, Ledger, Violated
from tests.simulation.stories import OfficeStory

T = TypeVar("T")
Send = Callable[[str, bytes], None]

REPORT = NodeReport(schema="0001", sqlite_version="3.40.1", clock_at=MORNING, disk_free_bytes=1 << 30)
STAGE_ROWS = 5
MAX_ROWS = 12


class WatchedEdgeStore(MemoryEdgeStore):
    """Checks the invariants of an edge at each commit, against central as it is."""

    def __init__(self, office: str, ledger: Ledger, central: MemoryCentralStore) -> None:
        super().__init__()
        self._office = office
        self._ledger = ledger
        self._central = central

    def on_commit(self, undo: UndoLog) -> None:
        if not len(undo):
            return
        self._ledger.note_told(self._office, self)
        self._ledger.check_told(self._central, self._office)
        self._ledger.check_prefix(self._office, self)


class OfficeNode:
    """One edge. What is in ``store`` survives a crash; sessions, timers and requests do not."""

    uplink_type = UplinkSession
    downlink_type = DownlinkSession

    def __init__(
        self, office: str, clockwork: Clockwork, store: MemoryEdgeStore, link: LossyLink, counted: Counter[str]
    ) -> None:
        self.office = office
        self.store = store
        self.link = link
        self.story = OfficeStory(clockwork.fork(f"story/{office}"), office)
        self.send: Send = lambda kind, body: None
        self._clockwork = clockwork
        self._rng: Random = clockwork.fork(f"office/{office}")
        self._counted = counted
        self.cut_rate = 0.0
        self._life = 0
        self.start()

    # life

    def start(self) -> None:
        """A new process over the same database."""
        self._life += 1
        self.up = True
        self._node = Node(
            office=self.office, node=f"edge-{self.office}", epoch=EPOCH, incarnation=self._clockwork.new_id()
        )
        self.uplink = self.uplink_type(self.store, self._node)
        self.downlink = self.downlink_type(self.store, self.office, max_rows=MAX_ROWS, stage_rows=STAGE_ROWS)
        self._greeting: HelloRequest | None = None
        self._soon(0, self._say_hello)

    def crash(self) -> None:
        self._clockwork.trace(f"{self.office} crashes")
        self.up = False
        self._life += 1
        self._clockwork.after(self._rng.randint(500, 20_000), self._restart)

    def _restart(self) -> None:
        if not self.up:
            self.start()

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
        self._ask("hello", greeting)
        self._soon(ANSWER_WITHIN_S * 1000, lambda: self._hello_again(greeting))

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
        if isinstance(outcome, Diverged):
            raise Violated("I-19", "halted", f"{self.office}: hello says that the journal diverged")
        self._pump_up()
        self._pump_down()

    # the two loops

    def write_facts(self) -> None:
        """The queue commits one act, and wakes the uplink."""
        if not self.up:
            return
        records = self.story.facts(self.store.end(EPOCH).seq + 1, self._clockwork.now_ms)
        self.store.write_facts(records)
        self._counted["facts"] += len(records)
        if self._greeting is None:
            self._soon(0, self._pump_up)

    def _pump_up(self) -> None:
        request = self._guard(self.uplink.next_request(self._clockwork.new_id()))
        if request is not None:
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

    def _after_up(self, outcome: object) -> None:
        if self.uplink.halted is not None:
            raise Violated("I-19", "halted", f"{self.office}: uplink halted by {self.uplink.halted}")
        self._after(outcome, self.uplink, self._pump_up)

    def _after_down(self, outcome: object) -> None:
        self._after(outcome, self.downlink, self._pump_down)

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

    def _ask(self, kind: str, request: UpRequest | DownRequest | SnapshotRequest | HelloRequest) -> None:
        if self.up:
            self.send(kind, codec.encode(request))

    def _soon(self, delay_ms: float, action: Callable[[], None]) -> None:
        life = self._life
        self._clockwork.after(delay_ms, lambda: action() if life == self._life else None)

    def _guard(self, step: Coroutine[Any, Any, T]) -> T | None:
        try:
            return finish(step)
        except Crashed as crash:
            self._counted[f"edge_crash_{crash}"] += 1
            self.crash()
            return None


def brief(outcome: object) -> str:
    """An outcome for the trace: the same words for the same outcome, in every process."""
    if isinstance(outcome, RowsApplied):
        return f"applied {[(one.stream, one.row.seq) for one in outcome.rows]}, {outcome.behind} behind"
    return repr(outcome)
