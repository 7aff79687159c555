"""An office's node in the simulator: what is done there, over the production's queue rules and a memory store. How it speaks with
central is in ``exchange``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from edge_node.queue.dispatcher import TAKING_IN
from sync.domain.handover import command_of, ended_elsewhere, is_new
from sync.domain.leases import give_back
from sync.domain.outcomes import Decision
from sync.domain.service_day import service_date
from sync.messages.commands import Actor, ConfirmDate, TakeTicket
from sync.messages.facts import (
    Fact,
    LeaseSold,
)
from sync.messages.feed import Appointment
from sync.messages.node_facts import NodeStarted
from sync.messages.refusals import Refusal
from sync.messages.topics import HeldNumbers
from sync.messages.wire import Activation
from sync.protocol.store import Position
from tests.kit.lossy_link import LossyLink
from tests.kit.memory import CommitFailed, Crashed
from tests.kit.memory_edge import MemoryEdgeStore
from tests.simulation.clockwork import Clockwork
from tests.simulation.decoded import opened
from tests.simulation.exchange import Exchange
from tests.simulation.ledger import Violated
from tests.simulation.people import CATALOGUES, People
from tests.simulation.queue import NODE, ZONE, Asked, Queue, Wall, Watch
from tests.simulation.rows import Rows
from tests.simulation.stories import OddFacts

T = TypeVar("T")

ODD_SHARE = 0.01


class OfficeNode(Exchange):
    """One edge. What is in ``store`` survives a crash; sessions, timers, requests and folded state do not.

    Args:
        people: who act at this node; none when nobody does any more.
        skew_ms: how wrong its wall clock is.
        drift_ppm: how much faster than time its clocks run.
        shown_at: the latest that the machine showed from which its disk was copied, if it was.
    """

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
        wall = Wall(clockwork, skew_ms, began_at=clockwork.began_at, drift_ppm=drift_ppm)
        if shown_at is not None:
            wall.also_shown(shown_at)
        super().__init__(
            activation=activation, clockwork=clockwork, store=store, wall=wall, counted=counted, lacks=lacks
        )
        self.link = link
        self.people = people
        self.odd = OddFacts(clockwork.fork(f"odd/{self.office}/{self.epoch}"), self.office, self.epoch)
        self.years_off_ms = 0
        self.kiosk_floors: dict[str, int] = {}
        """Numbers that the kiosks of the office have printed: a new node asks them before it gives any."""
        self.numbers: dict[str, HeldNumbers] = {}
        """What each kiosk has said of the numbers that it knows; a process that starts is told again."""
        self.numbers_settled: object = None
        """The numbers given, and the rows, with which all of that was looked at last; none when something new was said."""
        self.silent_since_ms = 0
        self._watch = watch
        self.buried = False
        self.start()

    # life

    def start(self) -> None:
        """A new process over the same database."""
        self._begin()
        self._speak_anew()
        self.numbers, self.numbers_settled = {}, None
        self.queue = self.queue_type(
            office=self.office,
            epoch=self.epoch,
            store=self.store,
            wall=self.wall,
            catalogue=CATALOGUES[self.office],
            watch=self._watch,
        )
        self.rows = Rows()
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
        before = self.store.written(self.epoch)
        try:
            self.queue.look_at_clock()
            done = work()
        except Crashed as crash:
            self._died(crash)
            return None
        self._wake_uplink(before)
        return done

    def act(self) -> None:
        """Somebody does something at the office; what is committed wakes the uplink."""
        if not self.up:
            return
        before, run = self.store.written(self.epoch), self.queue.run
        may_decide = bool(self.store.places) and not self.rolled_back and not self.store.fence
        try:
            self.queue.look_at_clock()
            if self._rng.random() < ODD_SHARE and before and not self.store.fence:
                self.odd.write(self.store, self.wall)
            else:
                done = self.people.act(
                    self.queue, self.rows.appointments, connected=self.connected, now_ms=self._clockwork.now_ms
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
        before = self.store.written(self.epoch)
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
        fresh = self.store.written(self.epoch) - before
        self._counted["facts"] += fresh
        if fresh and self._greeting is None and not self.uplink.is_asking:
            self._soon(0, self._pump_up)

    # what came down

    def refresh(self) -> None:
        """Look at the rows, and let the queue decide with them."""
        self.rows.look(self.store, self.lacks)
        self.queue.leases = self.rows.leases
        self.queue.known_epochs = self.rows.epochs
        self.queue.floors = self._floors()
        # Before its first snapshot a node knows neither its labels' floors nor which tickets it holds: it opens no day.
        self.queue.has_authority = bool(self.store.places) and not self.rolled_back

    def _floors(self) -> dict[str, int]:
        floors = dict(self.kiosk_floors)
        for row in self.rows.floors(self.epoch):
            for series, number in row.floors.items():
                floors[series] = max(number, floors.get(series, 0))
        return floors

    def settle(self) -> None:
        """Do what came down: hold granted tickets, end those that are over here, give back what was asked for."""
        if not self.up:
            return
        before = self.store.written(self.epoch)
        queue = self.queue
        try:
            queue.look_at_clock()
            if self.rows.grants:
                queue.turn()
            for grant in self.rows.grants:
                if queue.day.service_date is not None and is_new(queue.day, grant, queue.day.service_date):
                    command = command_of(grant, self.office, self._clockwork.new_id(), self.central_now())
                    queue.submit(command, NODE)
            queue.record(ended_elsewhere(queue.day, self.rows.closed, self.rows.taken))
            queue.record(give_back(queue.rights))
        except Crashed as crash:
            self._died(crash)
            return
        self._wake_uplink(before)
