"""An office's queue in the simulator: the production's decisions and folds over the journal in memory.

It stands for the edge's dispatcher: one command at a time, facts and remembered request in one transaction, folded only when
committed; after a crash everything is folded anew from what the store has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from sync.domain.catalogue import Catalogue
from sync.domain.clock import OfficeClock, step_ms
from sync.domain.decide import decide, turn_day
from sync.domain.leases import LeaseBook, Rights
from sync.domain.office_day import OfficeDay
from sync.domain.outcomes import Accepted, Decision, refuse
from sync.domain.service_day import service_date
from sync.messages.codec import MalformedMessage
from sync.messages.commands import SYSTEM, Actor, AnyCommand
from sync.messages.envelope import FactHeader, FactRecord, open_fact, seal
from sync.messages.facts import ClockStepped, Fact
from sync.messages.feed import Lease
from tests.kit.facts import MORNING
from tests.kit.memory_store import MemoryEdgeStore

ZONE = ZoneInfo("Africa/Ceuta")
NODE = Actor(actor_id=SYSTEM, device_id="edge")
Watch = Callable[["Queue", AnyCommand | None, tuple[Fact, ...]], None]
"""Looks at what is about to be committed, and at the state that it was decided on."""


class Wall:
    """A machine's clocks: the wall one may be wrong and jump, the monotonic one counts the run's milliseconds."""

    def __init__(self, now_ms: Callable[[], int], skew_ms: int) -> None:
        self._now_ms = now_ms
        self.skew_ms = skew_ms
        self.boot_id = "boot-1"

    def now(self) -> datetime:
        return MORNING + timedelta(milliseconds=self._now_ms() + self.skew_ms)

    def mono_ns(self) -> int:
        return self._now_ms() * 1_000_000


class Queue:
    """What decides at one office. Make it anew to restart.

    Args:
    """

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
        self._watch = watch
        self.day = OfficeDay(office)
        self.book = LeaseBook()
        self._clock = OfficeClock(anchor_at=wall.now(), anchor_mono_ns=wall.mono_ns())
        self._replay()

    def now(self) -> datetime:
        """The office clock."""
        return self._clock.now(self.wall.mono_ns())

    @property
    def rights(self) -> Rights:
        return Rights(self.epoch, self.leases, self.book)

    def submit(self, command: AnyCommand, actor: Actor) -> Decision:
        """Carry out a command once.

        Raises:
            Crashed: the process died at the commit.
        """
        if command.request_id in self.store.requests:
            return Accepted(())
        if not self.has_authority or self.store.fence:
            return refuse("no_authority")
        self._turn()
        decision = decide(self.day, command, actor, self.now(), self.catalogue, rights=self.rights)
        if isinstance(decision, Accepted):
            self._commit(decision.facts, actor, command)
        return decision

    def record(self, facts: Iterable[Fact]) -> None:
        """Write what the node does by itself."""
        if self.has_authority and not self.store.fence and (facts := tuple(facts)):
            self._turn()
            self._commit(facts, NODE, None)

    def look_at_clock(self) -> None:
        """Follow the wall clock when it has left the office clock."""
        wall_at = self.wall.now()
        delta_ms = step_ms(self.now(), wall_at)
        if delta_ms is None or not self.has_authority or self.store.fence:
            return
        self._clock = self._clock.anchored(wall_at, self.wall.mono_ns())
        self._commit((ClockStepped(delta_ms=delta_ms),), NODE, None)

    def turn(self) -> None:
        """Open today's day if it is not; as every command does first."""
        if self.has_authority and not self.store.fence:
            self._turn()

    def _turn(self) -> None:
        today = service_date(self.now(), ZONE)
        if facts := turn_day(self.day, today, self.catalogue, self.floors):
            self._commit(facts, NODE, None)

    def _commit(self, facts: tuple[Fact, ...], actor: Actor, command: AnyCommand | None) -> None:
        now = self.now()
        request_id = command.request_id if command is not None else None
        seq = self.store.end(self.epoch).seq
        records = [self._seal(fact, seq + n, actor, request_id, now) for n, fact in enumerate(facts, 1)]
        self._watch(self, command, facts)
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
        for chained in self.store.journal.get(self.epoch, []):
            with suppress(MalformedMessage):  # poison of the simulator's own making
                self._fold(chained.record.header, open_fact(chained.record))

    def _fold(self, header: FactHeader, fact: Fact) -> None:
        self.day.apply(header, fact)
        self.book.apply(fact)
        if isinstance(fact, ClockStepped):
            self._clock = msgspec.structs.replace(self._clock, floor_at=None)
        self._clock = self._clock.after_fact(header.occurred_at)
