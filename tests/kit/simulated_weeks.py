"""Days of an invented office, as facts: what the queue study simulated (its section 4), through the product's own commands.

People come, wait, miss calls, come back; clerks call as soon as they can, take a break, and are faster on some days.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count
from math import exp, log, sqrt
from random import Random
from typing import Any

import msgspec

from sync.domain.ordering import next_for
from sync.messages import commands as c
from sync.messages.facts import Expected
from sync.messages.feed import Appointment, Counter
from sync.messages.policy import Policy
from tests.kit.office import TestOffice, at, catalogue, follow_hash, new_id

MEANS_MIN = {"a": 3.5, "b": 7.0, "c": 12.0, "d": 3.0}
WALK_IN_SHARES = {"a": 0.35, "b": 0.3, "c": 0.1, "d": 0.25}
PER_HOUR = (14, 22, 28, 30, 28, 24, 20, 16, 12, 8)
"""Walk-ins by half hour from 09:00, at load 0.85 of four counters."""
CV = 0.8
CLOSES_MIN = 300


class World(msgspec.Struct, frozen=True, kw_only=True):
    """An office's demand. ``load`` multiplies the walk-ins; ``day_sd`` is how much days differ in pace."""

    load: float = 1.0
    counters: int = 4
    bookings_per_slot: int = 1
    day_sd: float = 0.08
    policy: Policy = Policy()


Tell = Callable[[TestOffice, list[Appointment], datetime], dict[str, Expected]]
"""What walk-ins are told at an instant, by service; asked at each arrival of one."""


class SimulatedDay:
    """One day; ``office.journal`` has its facts. ``idle_on_arrival``: walk-ins whom a counter was free for."""

    def __init__(self, seed: int, world: World | None = None, tell: Tell | None = None) -> None:
        self.random, self.world, self.tell = Random(seed), world or World(), tell
        self.office = TestOffice(catalogue(tuple(MEANS_MIN), self._counters(), self.world.policy), "08:50")
        self.pace = exp(self.random.gauss(0, self.world.day_sd))
        self.now = at("08:50")
        self.agenda: list[Appointment] = []
        self.sessions: dict[str, str | None] = {}
        self.idle_on_arrival: set[str] = set()
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._ties = count()
        self._breaks: dict[str, datetime] = {}
        self._paused: dict[str, datetime] = {}
        self._plan()
        while self._events:
            self.now, _, act = heappop(self._events)
            act()

    def _counters(self) -> tuple[Counter, ...]:
        kinds = ((("a", "b", "d"), ("c",)), (("a", "b", "d"), ()), (("b", "c"), ("a", "d")), (("a", "d"), ("b",)))
        chosen = [kinds[(n + (2 if self.world.counters == 1 else 0)) % 4] for n in range(self.world.counters)]
        if self.world.counters < 3:
            chosen[-1] = kinds[2]
        return tuple(
            Counter(id=str(n + 1), zone="a", primary=primary, secondary=secondary)
            for n, (primary, secondary) in enumerate(chosen)
        )

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        heappush(self._events, (self.now + timedelta(seconds=seconds), next(self._ties), act))

    def _plan(self) -> None:
        for counter in sorted(self.office.catalogue.counters):
            self._later(600, partial(self._open, counter))
            self._later(60 * (11 + CLOSES_MIN), partial(self._close_if_idle, counter))
            self._breaks[counter] = at("10:00") + timedelta(minutes=self.random.uniform(0, 120))
        self._plan_walk_ins()
        for slot in range(0, CLOSES_MIN - 20, 10):
            for _ in range(self.world.bookings_per_slot):
                if self.random.random() < 0.95:
                    self._plan_booking(at("09:00") + timedelta(minutes=slot))

    def _plan_walk_ins(self) -> None:
        scale = self.world.load * self.world.counters / 4
        for half, per_hour in enumerate(PER_HOUR):
            at_s = half * 1800.0
            while (at_s := at_s + self.random.expovariate(per_hour * scale / 3600)) < (half + 1) * 1800:
                service = self.random.choices(list(WALK_IN_SHARES), list(WALK_IN_SHARES.values()))[0]
                self._later(600 + at_s, partial(self._walk_in, service))

    def _plan_booking(self, slot_at: datetime) -> None:
        booking = Appointment(
            id=new_id(),
            version=1,
            locator="ACD-EFG",
            service_id=self.random.choices(["a", "b", "c"], [0.3, 0.4, 0.3])[0],
            slot_start_at=slot_at,
            duration_min=10,
            status="booked",
        )
        self.agenda.append(booking)
        if self.random.random() < 0.15:
            return
        kind = self.random.random()
        if kind < 0.8:
            late_min = -self.random.expovariate(1 / 10)
        else:
            late_min = self.random.uniform(*((0, 10) if kind < 0.92 else (10, 30) if kind < 0.98 else (30, 60)))
        comes_s = (slot_at - self.now).total_seconds() + 60 * late_min
        self._later(max(0.0, comes_s), lambda: self._check_in(booking))

    def _class(self) -> str:
        return "reduced_mobility" if self.random.random() < 0.05 else "general"

    def _walk_in(self, service: str) -> None:
        expected = self.tell(self.office, self.agenda, self.now) if self.tell else {}
        ticket = new_id()
        command = c.TakeTicket(
            request_id=ticket, service=service, priority_class=self._class(), follow_hash=follow_hash(ticket)
        )
        if any(
            s.serves(service) and self.office.day.visit_at(s.session) is None for s in self.office.day.sessions.values()
        ):
            self.idle_on_arrival.add(ticket)
        self.office.do(command, self.now, c.CITIZEN, expected=expected)
        self._wake()

    def _check_in(self, booking: Appointment) -> None:
        ticket = new_id()
        command = c.CheckIn(
            request_id=ticket,
            appointment_id=booking.id,
            service=booking.service_id,
            slot_start_at=booking.slot_start_at,
            duration_min=booking.duration_min,
            priority_class=self._class(),
            follow_hash=follow_hash(ticket),
        )
        self.office.do(command, self.now, c.CITIZEN)
        self._wake()

    def _open(self, counter: str) -> None:
        self.sessions[counter] = self.office.open(counter, self.now, f"clerk-{counter}")
        self._free(counter)

    def _wake(self) -> None:
        """Counters without a visit look at once; ties go by number."""
        for counter, session in sorted(self.sessions.items()):
            if session and self.office.day.visit_at(session) is None and counter not in self._pausing:
                self._call(counter)

    @property
    def _pausing(self) -> set[str]:
        return {k for k, until in self._paused.items() if until > self.now}

    def _free(self, counter: str) -> None:
        """A visit is over: the break if it is time, the clerk's own pause, the end of the day, or the next person."""
        session = self.sessions[counter]
        if session is None:
            return
        if self.now >= self._breaks[counter]:
            self._breaks[counter] = at("23:59")
            self.office.do(c.CloseCounter(request_id=new_id(), session=session), self.now, f"clerk-{counter}")
            self.sessions[counter] = None
            self._later(20 * 60, lambda: self._open(counter))
            return
        closes_at = at("09:00") + timedelta(minutes=CLOSES_MIN)
        if self.now >= closes_at and next_for(self.office.day, self.office.day.sessions[session], self.now) is None:
            self.office.do(c.CloseCounter(request_id=new_id(), session=session), self.now, f"clerk-{counter}")
            self.sessions[counter] = None
            return
        self._call(counter)

    def _close_if_idle(self, counter: str) -> None:
        session = self.sessions[counter]
        if session is not None and self.office.day.visit_at(session) is None:
            self._free(counter)

    def _call(self, counter: str) -> None:
        session = self.sessions[counter]
        if session is None or self.office.day.visit_at(session) is not None:
            return
        ticket_id = self.office.call_next(session, self.now, f"clerk-{counter}")
        if ticket_id is None:
            if self.now >= at("09:00") + timedelta(minutes=CLOSES_MIN):
                self._free_later(counter, 60)
            return
        target = {"session": session, "ticket_id": ticket_id}
        if self.random.random() < 0.04:
            self._later(self.random.uniform(60, 90), lambda: self._missed(counter, target))
            return
        self._later(self.random.uniform(8, 30), lambda: self._start(counter, target))

    def _free_later(self, counter: str, seconds: float) -> None:
        self._paused[counter] = self.now + timedelta(seconds=seconds)
        self._later(seconds, lambda: self._free(counter))

    def _start(self, counter: str, target: dict[str, Any]) -> None:
        self.office.do(c.Start(request_id=new_id(), **target), self.now, f"clerk-{counter}")
        mean_s = MEANS_MIN[self.office.day.tickets[target["ticket_id"]].service] * 60 * self.pace
        sigma = sqrt(log(1 + CV * CV))
        lasts_s = self.random.lognormvariate(log(mean_s) - sigma * sigma / 2, sigma)
        self._later(lasts_s, lambda: self._finish(counter, target))

    def _finish(self, counter: str, target: dict[str, Any]) -> None:
        self.office.do(c.Finish(request_id=new_id(), **target), self.now, f"clerk-{counter}")
        self._free_later(counter, self.random.uniform(2, 20))

    def _missed(self, counter: str, target: dict[str, Any]) -> None:
        self.office.do(c.NoShow(request_id=new_id(), **target), self.now, f"clerk-{counter}")
        if self.random.random() < 0.6:
            self._later(self.random.uniform(120, 600), lambda: self._back(target["ticket_id"]))
        self._free_later(counter, self.random.uniform(2, 20))

    def _back(self, ticket_id: str) -> None:
        self.office.do(c.Reinstate(request_id=new_id(), ticket_id=ticket_id), self.now)
        self._wake()
