"""An office's queue in the simulator: the production's decisions and folds over the journal in memory.

It stands for the edge's dispatcher: one command at a time, facts and remembered request in one transaction, folded only when
committed; after a crash everything is folded anew from what the store has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from edge_node.queue.dispatcher import TAKING_IN
from sync.domain.catalogue import Catalogue
from sync.domain.central_clock import CentralClock
from sync.domain.clock import OfficeClock, step_ms
from sync.domain.date_doubt import confirm_date, doubt_of, latest_of
from sync.domain.decide import decide, turn_day
from sync.domain.leases import LeaseBook, Rights
from sync.domain.office_day import OfficeDay
from sync.domain.outcomes import Accepted, Decision, refuse
from sync.domain.parked import returning
from sync.domain.service_day import ends_at, service_date
from sync.messages.commands import SYSTEM, Actor, AnyCommand, ConfirmDate
from sync.messages.envelope import FactHeader, FactRecord, seal
from sync.messages.facts import (
    DayOpened,
    Fact,
    TicketIssued,
)
from sync.messages.feed import Lease
from sync.messages.node_facts import (
    ClockStepped,
    NodeStarted,
)
from tests.kit.facts import MORNING
from tests.kit.memory import CommitFailed
from tests.kit.memory_edge import MemoryEdgeStore
from tests.simulation.clockwork import Clockwork
from tests.simulation.decoded import opened

ZONE = ZoneInfo("Africa/Ceuta")
NODE = Actor(actor_id=SYSTEM, device_id="edge")
Asked = AnyCommand | ConfirmDate
Watch = Callable[["Queue", AnyCommand | None, tuple[Fact, ...]], None]
"""Looks at what is about to be committed, and at the state that it was decided on."""


class Wall:
    """A machine's clocks: the wall one may be wrong and jump, the monotonic one counts the run's milliseconds, give or take.

    Args:
        began_at: what a right wall clock showed when the run began.
        drift_ppm: how much faster than time both run, in millionths.
    """

    def __init__(self, clockwork: Clockwork, skew_ms: int, *, began_at: datetime = MORNING, drift_ppm: int = 0) -> None:
        self._clockwork = clockwork
        self.skew_ms = skew_ms
        self.boot_id = "boot-1"
        self._began_at = began_at
        self._drift_ppm = drift_ppm
        self._highest_skew_ms = skew_ms

    def true_now(self) -> datetime:
        """What a calendar and a good watch say."""
        return self._began_at + timedelta(milliseconds=self._clockwork.now_ms)

    def now(self) -> datetime:
        self._highest_skew_ms = max(self.skew_ms, self._highest_skew_ms)
        return self._at(self.skew_ms)

    def latest(self) -> datetime:
        """The latest that it could be by anything that this clock ever showed."""
        return self._at(self._highest_skew_ms)

    def also_shown(self, at: datetime) -> None:
        """The disk comes from a machine whose clock showed this."""
        self._highest_skew_ms = max(self._highest_skew_ms, -((self._at(0) - at) // timedelta(milliseconds=1)))

    def _at(self, skew_ms: int) -> datetime:
        return self._began_at + timedelta(milliseconds=self.mono_ns() // 1_000_000 + skew_ms)

    def mono_ns(self) -> int:
        return self._clockwork.now_ms * (1_000_000 + self._drift_ppm)


class Queue:
    """What decides at one office. Make it anew to restart."""

    def __init__(
        self, *, office: str, epoch: int, store: MemoryEdgeStore, wall: Wall, catalogue: Catalogue, watch: Watch
    ) -> None:
        self.office = office
        self.epoch = epoch
        self.store = store
        self.wall = wall
        self.catalogue = catalogue
        self.leases: Mapping[str, Lease] = {}
        self.floors: Mapping[str, int] = {}
        self.known_epochs: Mapping[str, int] = {}
        self.has_authority = True
        self.clock_error_ms = 0
        """How far off the node's knowledge of central's clock may be; 0: it knows nothing."""
        self.central_clock: CentralClock | None = None
        """Central's time as hellos of this run have told it; none before the first."""
        self.disk_full = False
        """Nobody new is taken in; who waits is served out of the room that is kept for it."""
        self.run = 0
        """Grows whenever the state was folded anew from the journal."""
        self._watch = watch
        self._before_step: tuple[int, OfficeClock] | None = None
        self._clock = OfficeClock(anchor_at=wall.now(), anchor_mono_ns=wall.mono_ns())
        self._read = (self._clock, wall.mono_ns(), self._clock.now(wall.mono_ns()))
        """The last look at the office clock: which clock, at which monotonic time, and what it said."""
        self._replay()

    def now(self) -> datetime:
        """The office clock. It is read far more often than it moves."""
        mono_ns = self.wall.mono_ns()
        if self._read[0] is not self._clock or self._read[1] != mono_ns:
            self._read = (self._clock, mono_ns, self._clock.now(mono_ns))
        return self._read[2]

    @property
    def rights(self) -> Rights:
        return Rights(self.epoch, self.leases, self.book)

    @property
    def central_at(self) -> datetime | None:
        """Central's time now, as far as it was heard in this run."""
        return self.central_clock.now(self.wall.mono_ns()) if self.central_clock is not None else None

    @property
    def day_is_over(self) -> bool:
        """Whether the journal still stands in an earlier service day, or in none."""
        return self.day.service_date is None or self.now() >= ends_at(self.day.service_date, ZONE)

    @property
    def is_doubtful(self) -> bool:
        """Whether a day is due that the clock alone may not open."""
        return self.day_is_over and any(
            doubt_of(at, self._latest_at, self.central_at) for at in (self.wall.now(), self.now())
        )

    def submit(self, command: Asked, actor: Actor) -> Decision:
        """Carry out a command once. After a commit that failed, what happened is read from the journal.

        Raises:
            Crashed: the process died at the commit.
        """
        if command.request_id in self.store.requests:
            return Accepted(())
        if not self.has_authority or self.store.fence:
            return refuse("no_authority")
        try:
            return self._carry_out(command, actor)
        except CommitFailed as failed:
            self.reload(failed)
            return Accepted(()) if command.request_id in self.store.requests else refuse("retry")

    def _carry_out(self, command: Asked, actor: Actor) -> Decision:
        self._turn()
        is_doubtful = self.is_doubtful
        if not is_doubtful:
            self._return_parked()
        if isinstance(command, ConfirmDate):
            today = service_date(self.now(), ZONE)
            decision = confirm_date(self.day, command, actor, today, catalogue=self.catalogue, floors=self.floors)
        elif is_doubtful:
            return refuse("date_unconfirmed")
        elif self.disk_full and isinstance(command, TAKING_IN):
            return refuse("disk_full")
        else:
            decision = decide(self.day, command, actor, self.now(), self.catalogue, rights=self.rights)
        if isinstance(decision, Accepted):
            self._commit(decision.facts, actor, command)
        return decision

    def record(self, facts: Iterable[Fact]) -> None:
        """Write what the node does by itself; what the disk refuses is due again."""
        if self.has_authority and not self.store.fence and (facts := tuple(facts)):
            try:
                self._turn()
                self._commit(facts, NODE, None)
            except CommitFailed as failed:
                self.reload(failed)

    def note_started(self, started: NodeStarted) -> None:
        """Write down that a process began, as the edge does before anything else, also before its first snapshot.

        Raises:
            Crashed, CommitFailed: there is no process.
        """
        if not self.store.fence:
            self._commit((started,), NODE, None)

    def look_at_clock(self) -> None:
        """Follow the wall clock when it has left the office clock."""
        wall_at = self.wall.now()
        delta_ms = step_ms(self.now(), wall_at)
        if delta_ms is None or not self.has_authority or self.store.fence:
            return
        self._before_step = self.store.written(self.epoch) + 1, self._clock
        self._clock = self._clock.anchored(wall_at, self.wall.mono_ns())
        try:
            self._commit((ClockStepped(delta_ms=delta_ms),), NODE, None)
        except CommitFailed as failed:
            self.reload(failed)

    def turn(self) -> None:
        """Open today's day if it is not; as every command does first."""
        if self.has_authority and not self.store.fence:
            try:
                self._turn()
            except CommitFailed as failed:
                self.reload(failed)

    def _turn(self) -> None:
        if not self.day_is_over or self.is_doubtful:
            return
        today = service_date(self.now(), ZONE)
        if facts := turn_day(self.day, today, self.catalogue, self.floors):
            self._commit(facts, NODE, None)

    def _return_parked(self) -> None:
        """What the edge's timer does; here before every command, which is later than the timer would be."""
        if facts := returning(self.day, self.now()):
            self._commit(facts, NODE, None)

    def reload(self, failed: CommitFailed) -> None:
        """After a failed commit the disk decides what happened: memory is folded anew from it."""
        self.disk_full |= str(failed) == "no_room"
        self._replay()

    def _commit(self, facts: tuple[Fact, ...], actor: Actor, command: Asked | None) -> None:
        now = self.now()
        request_id = command.request_id if command is not None else None
        seq = self.store.written(self.epoch)
        records = [self._seal(fact, seq + n, actor, request_id, now) for n, fact in enumerate(facts, 1)]
        self._watch(self, command if not isinstance(command, ConfirmDate) else None, facts)
        self.store.commit_act(records, request_id)
        for record, fact in zip(records, facts, strict=True):
            self._fold(record.header, fact)

    def _seal(self, fact: Fact, seq: int, actor: Actor, request_id: str | None, now: datetime) -> FactRecord:
        header = FactHeader(
            self.office,
            self.epoch,
            seq,
            fact.TYPE,
            fact.V,
            request_id,
            actor.actor_id,
            actor.device_id,
            now,
            self.wall.boot_id,
            self.wall.mono_ns(),
        )
        return seal(header, fact)

    def _replay(self) -> None:
        self.run += 1
        self.day = OfficeDay(self.office)
        self.book = LeaseBook()
        self.first_labels: dict[str, str] = {}
        """The label that each ticket had when it was issued here: what a repeated request is answered."""
        self._latest_at: datetime | None = None
        if self._before_step is not None and self.store.written(self.epoch) < self._before_step[0]:
            _seq, self._clock = self._before_step
        self._before_step = None
        for chained in self.store.journal.get(self.epoch, []):
            if (fact := opened(chained.record)) is not None:  # none: poison of the simulator's own making
                self._fold(chained.record.header, fact)

    def _fold(self, header: FactHeader, fact: Fact) -> None:
        self.day.apply(header, fact)
        if isinstance(fact, TicketIssued):
            self.first_labels[fact.ticket_id] = fact.label
        self.book.apply(fact)
        self._latest_at = latest_of(self._latest_at, header.occurred_at, opens_day=isinstance(fact, DayOpened))
        if isinstance(fact, ClockStepped):
            self._clock = msgspec.structs.replace(self._clock, floor_at=None)
        self._clock = self._clock.after_fact(header.occurred_at)
