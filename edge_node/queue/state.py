"""The office's present state in memory: the fold of its journal, the journal's tail, the office clock, the configuration.

Only the dispatcher changes it. Between deciding a command and its COMMIT the state is ahead of the disk; whoever shows it
to anybody reads it through ``Dispatcher.read``, which waits for the COMMIT.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from edge_node.leases.rules import Buyer, with_sold
from edge_node.queue.journal import Entry, Person, Remark, Tail, entry
from sync.domain.catalogue import Catalogue
from sync.domain.central_clock import CentralClock
from sync.domain.check_in import Agenda, Here
from sync.domain.clock import OfficeClock
from sync.domain.date_doubt import Doubt, doubt_of, latest_of
from sync.domain.leases import LeaseBook, Rights
from sync.domain.office_day import OfficeDay
from sync.domain.retold import believed_up_to
from sync.domain.service_day import ends_at, service_date, starts_at
from sync.domain.standing import Standing
from sync.domain.waits.steady import Shown
from sync.io.clock import Clock
from sync.messages.commands import Actor
from sync.messages.envelope import FactHeader
from sync.messages.facts import (
    DayOpened,
    Expected,
    Fact,
    LeaseSold,
)
from sync.messages.feed import (
    Entity,
    Holiday,
    Lease,
    NumberFloor,
    Office,
    QrKey,
    Staff,
    TicketClosed,
    TicketGrant,
    TicketTaken,
)
from sync.messages.node_facts import (
    ClockStepped,
    NodeBreakGlass,
)
from sync.messages.topics import WaitRange


class Configuration:
    """What central has told this office, decoded: replaced as a whole or row by row when the feed brings news."""

    def __init__(self, office: str, time_zone: str) -> None:
        self.office = office
        self.time_zone = time_zone
        nothing = Office(id=office, name=office, address="", time_zone=time_zone, services=(), hours=())
        self.catalogue = Catalogue(office=nothing, services={}, counters={})
        self.agenda = Agenda(by_id={}, by_locator={})
        self.staff: Mapping[str, Staff] = {}
        self.qr_keys: Mapping[str, QrKey] = {}
        self.erased: frozenset[str] = frozenset()
        """Appointments whose people had their data erased at central."""
        self.grants: Mapping[str, TicketGrant] = {}
        self.closed: Mapping[str, TicketClosed] = {}
        self.taken: Mapping[str, TicketTaken] = {}
        self.leases: Mapping[str, Lease] = {}
        self.floors: Mapping[date, NumberFloor] = {}
        self.holidays: Mapping[date, Holiday] = {}
        self.decoded: dict[tuple[str, bytes], Entity | None] = {}
        """By kind and bytes, what a row says; none where this build cannot read it."""
        self.put_aside = 0
        """Rows among these that central forgot when it was restored, and has no report of yet."""
        self.is_known = False
        """Whether anything came from central yet. Before its first snapshot a node opens no day: it knows neither the floors
        of its labels nor the tickets that it holds."""
        self.versions: dict[str, int] = {}
        """Highest version by kind of row, appointments left out."""
        self.states: dict[str, str] = {}
        """By kind of row, a hash over all versions: what it tells central that it works with."""
        self._zones: dict[str, str] = {}

    def zone_of(self, service: str) -> str:
        """The zone where a service is called; worked out once."""
        if service not in self._zones:
            self._zones[service] = self.catalogue.zone_of_service(service)
        return self._zones[service]


class _Made(NamedTuple):
    """An agenda, and for what news and which service day it was made: every page asks for it many times."""

    known: Agenda
    counts: tuple[int, int]
    begins: datetime
    ends: datetime
    agenda: Agenda


class OfficeState:
    """Everything that a decision reads.

    Args:
        zone: where the service day turns.
        epoch: this life of the office's node.
    """

    def __init__(self, office: str, epoch: int, zone: ZoneInfo, clock: Clock) -> None:
        self.office = office
        self.zone = zone
        self.day = OfficeDay(office)
        self.tail = Tail(epoch)
        self.configuration = Configuration(office, zone.key)
        self.waits: dict[str, WaitRange | None] = {}
        """Expected wait of somebody who came now, by service, as screens show it; a second old at most."""
        self.shown_waits: dict[str, Shown] = {}
        self.expected: dict[str, Expected] = {}
        """The same as it is told to who takes a ticket, and judged later by the call."""
        self.people: dict[str, Person] = {}
        """Who today's checked-in appointments are for, by appointment; their rows may be emptied or gone by now."""
        self.remarks: dict[str, Remark] = {}
        """What staff wrote for each other about today's tickets, by ticket."""
        self.book = LeaseBook()
        self.sold: list[LeaseSold] = []
        """What this life of the node sold from leases, across days."""
        self.buyers: dict[str, Buyer] = {}
        """Who they are for, by appointment, as long as central may not have them."""
        self._agenda: _Made | None = None
        self.standing = Standing(epoch=epoch)
        """Whether this life of the node may act for its office. Changes as soon as it is known, between two decisions."""
        self.disk_full = False
        """Nobody new is taken in; who waits is served."""
        self.clock = clock
        self.office_clock = OfficeClock(anchor_at=clock.now(), anchor_mono_ns=clock.monotonic_ns())
        self._had_a_day = False
        """This life of the node had a service day before the present one."""
        self._day_ends_at: datetime | None = None
        self._latest_at: datetime | None = None
        self.central_clock: CentralClock | None = None
        """Central's time as hellos of this run have told it; none before the first."""
        self._before_step: tuple[int, OfficeClock] | None = None
        """Seq of the last step of the clock, and the clock before it: it is undone if its fact is not in the journal."""

    def now(self) -> datetime:
        """The office clock."""
        return self.office_clock.now(self.clock.monotonic_ns())

    @property
    def has_authority(self) -> bool:
        """Whether this life of the node may act for its office."""
        return self.standing.has_authority

    @property
    def agenda(self) -> Agenda:
        """Appointments that central has told of, and those that were sold here and it has not told of yet; made once per news."""
        known, now, counts = self.configuration.agenda, self.now(), (len(self.sold), len(self.buyers))
        made = self._agenda
        if made is not None and made.known is known and made.counts == counts and made.begins <= now < made.ends:
            return made.agenda
        today = service_date(now, self.zone)
        begins, ends = starts_at(today, self.zone), ends_at(today, self.zone)
        agenda = with_sold(known, [fact for fact in self.sold if fact.slot_start_at >= begins], self.buyers)
        self._agenda = _Made(known, counts, begins, ends, agenda)
        return agenda

    @property
    def rights(self) -> Rights:
        """What may be decided about leased seats."""
        return Rights(self.tail.epoch, self.configuration.leases, self.book)

    def floor(self, day: date) -> NumberFloor | None:
        """Central's floors for this life of the node on a service day."""
        floor = self.configuration.floors.get(day)
        return floor if floor is not None and floor.epoch == self.tail.epoch else None

    def floors(self, day: date) -> Mapping[str, int]:
        """Numbers that an earlier life of this node may have given on a service day, by series."""
        floor = self.floor(day)
        return floor.floors if floor is not None else {}

    def is_moved(self, ticket_id: str) -> bool:
        """Whether a ticket lives at another office, or is over, by central's word."""
        return ticket_id in self.configuration.taken or ticket_id in self.configuration.closed

    def believed_up_to(self, series: str) -> int:
        """How far kiosks are believed about today's numbers that this journal does not have."""
        today = self.day.service_date
        return believed_up_to(
            follows_another=self.tail.epoch > 1 and not self._had_a_day,
            is_copy=self.standing.answered is not None,
            floor=self.floors(today).get(series, 0) if today is not None else 0,
            known=self.day.last_numbers.get(series, 0),
        )

    def here(self, now: datetime) -> Here:
        """Where and when somebody arrives who arrives now."""
        today = service_date(now, self.zone)
        day = self.day if self.day.service_date == today else OfficeDay(self.office)
        return Here(office=self.office, today=today, zone=self.zone, ticket_of=day.ticket_of)

    def day_is_over(self, now: datetime) -> bool:
        """Whether the journal still stands in an earlier service day, or in none."""
        return self._day_ends_at is None or now >= self._day_ends_at

    def doubt(self, now: datetime) -> Doubt | None:
        """Why today's day must not be opened by the clock alone; none when it may, or is open already."""
        if not self.day_is_over(now):
            return None
        known = self.central_clock
        central_at = known.now(self.clock.monotonic_ns()) if known is not None else None
        return doubt_of(self.clock.now(), self._latest_at, central_at) or doubt_of(now, self._latest_at, central_at)

    def record(self, facts: Iterable[Fact], actor: Actor, now: datetime, request_id: str | None = None) -> list[Entry]:
        """Seal facts at the tail of the journal and fold them; the caller commits them.

        Without authority nothing is added but the word that gives it back: what the journal holds already is all that this life
        of the node has to tell.
        """
        if not self.has_authority:
            facts = [fact for fact in facts if isinstance(fact, NodeBreakGlass)]
        entries = []
        for fact in facts:
            header = self._header(fact, actor, now, request_id)
            entries.append(sealed := entry(self.tail, header, fact))
            self.tail = Tail(header.epoch, header.seq, sealed.hash)
            self._fold(header, fact)
        return entries

    def step_clock(self, delta_ms: int, wall_at: datetime, actor: Actor) -> list[Entry]:
        """Write down that the wall clock has left the office clock; the office clock follows the wall from here on."""
        self._before_step = self.tail.seq + 1, self.office_clock
        self.office_clock = self.office_clock.anchored(wall_at, self.clock.monotonic_ns())
        return self.record((ClockStepped(delta_ms=delta_ms),), actor, wall_at)

    def restore(
        self,
        entries: Sequence[Entry],
        tail: Tail,
        beyond: Iterable[tuple[int, Fact]] = (),
        *,
        had_a_day: bool = False,
    ) -> None:
        """Forget the state and fold it anew from what the journal holds.

        Args:
            beyond: all that outlives its service day.
            had_a_day: there was a service day before that of the entries.
        """
        self.day = OfficeDay(self.office)
        self.book, self.sold, self._agenda = LeaseBook(), [], None
        self.standing = msgspec.structs.replace(self.standing, answered=None)
        for _seq, fact in beyond:
            self._fold_beyond_the_day(fact)
        self.tail = tail
        if self._before_step is not None and tail.seq < self._before_step[0]:
            _seq, self.office_clock = self._before_step
        self._before_step = None
        self._day_ends_at = self._latest_at = None
        for each in entries:
            self._fold_day(each.header, each.fact)
        self._had_a_day = had_a_day
        if self.day.last_at is not None:
            self.office_clock = self.office_clock.after_fact(self.day.last_at)

    def _header(self, fact: Fact, actor: Actor, now: datetime, request_id: str | None) -> FactHeader:
        return FactHeader(
            self.office,
            self.tail.epoch,
            self.tail.seq + 1,
            fact.TYPE,
            fact.V,
            request_id,
            actor.actor_id,
            actor.device_id,
            now,
            self.clock.boot_id,
            self.clock.monotonic_ns(),
        )

    def _fold(self, header: FactHeader, fact: Fact) -> None:
        self._fold_day(header, fact)
        self._fold_beyond_the_day(fact)

    def _fold_beyond_the_day(self, fact: Fact) -> None:
        """What outlives its service day."""
        self.book.apply(fact)
        if isinstance(fact, LeaseSold):
            self.sold.append(fact)
        elif isinstance(fact, NodeBreakGlass):
            self.standing = self.standing.vouched(fact)

    def _fold_day(self, header: FactHeader, fact: Fact) -> None:
        before = self.day.service_date
        self.day.apply(header, fact)
        self._latest_at = latest_of(self._latest_at, header.occurred_at, opens_day=isinstance(fact, DayOpened))
        if before is not None and isinstance(fact, DayOpened):
            self._had_a_day = True
        if self.day.service_date is not None and self.day.service_date != before:
            self._day_ends_at = ends_at(self.day.service_date, self.zone)
