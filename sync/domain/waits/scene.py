"""What the forward replay starts from: an office day at an instant, as plain numbers. Seconds from now, everywhere.

A *line* is a service, or a counter that only its own marked tickets wait for. Lines hold who may be called now, sorted by
rank; *early* ones hold a rank and wait for their instant. ``order`` stands for the issue sequence in ties.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

import msgspec

from sync.domain.catalogue import Catalogue
from sync.domain.due import due
from sync.domain.office_day import OfficeDay
from sync.domain.ticket import CounterSession, Ticket
from sync.domain.waits.tables import Table, lognormal
from sync.messages.feed import Appointment, ServiceTimes, WaitModel
from sync.messages.policy import Policy

NOMINAL_CV = 0.8
SHRINK_VISITS = 30
"""As many nominal visits stand beside those that were seen, for a service and for the pace of the day."""
SOON_S = 4 * 3600.0


class Entry(NamedTuple):
    """A place in a line. ``who``: index of the ticket or ghost whose wait is asked for; -1 for somebody still to come."""

    due_s: float
    order: int
    who: int
    service: int


class Coming(NamedTuple):
    """Somebody who can be called from an instant on."""

    at_s: float
    line: int
    entry: Entry


class Desk(NamedTuple):
    """A counter: its lines, and the visit there.

    Args:
        state: ``idle``, ``called``, ``serving``, or ``away`` (closed or paused, and the clerk may be back); ``elapsed_s`` since.
        fresh: nobody was away from it yet today.
    """

    primary: tuple[int, ...]
    secondary: tuple[int, ...]
    state: str
    elapsed_s: float
    service: int
    fresh: bool = False


class Booking(NamedTuple):
    """Somebody who is not here now, of an appointment or set aside: how likely they come, and as whom; equally likely cases."""

    chance: float
    cases: tuple[Coming, ...]


class HeadStart(NamedTuple):
    """People with a head start who will come for a service."""

    line: int
    per_s: float
    head_start_s: float


class Missed(NamedTuple):
    """Somebody who missed a call and may come back, and the rank that they come back with."""

    elapsed_s: float
    line: int
    entry: Entry


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """An office day at an instant. ``tickets`` and then ``services`` are those whose waits are asked for, by ``who``."""

    key: str
    seq: int
    tickets: tuple[str, ...]
    services: tuple[str, ...]
    lines: int
    ready: tuple[tuple[Entry, ...], ...]
    early: tuple[Coming, ...]
    desks: tuple[Desk, ...]
    bookings: tuple[Booking, ...]
    missed: tuple[Missed, ...]
    head_started: tuple[HeadStart, ...]
    tables: tuple[Table, ...]
    model: WaitModel
    threshold_s: float
    idle_takes_secondary: bool
    keeps_place: bool
    from_history: bool


def scene_of(
    day: OfficeDay,
    catalogue: Catalogue,
    bookings: Iterable[Appointment],
    now: datetime,
    model: WaitModel | None = None,
    *,
    sessions: Mapping[str, CounterSession] | None = None,
) -> Scene:
    """The scene of an office day now.

    Args:
        bookings: the day's appointments, whoever has come already among them.
        model: what the past says; else the catalogue's own, else nominal durations.
        sessions: the open counters, if they were others than the day's (``sync.domain.waits.what_if``).
    """
    return _Maker(day, catalogue, now, model, day.sessions if sessions is None else sessions).scene(bookings)


def nominal(catalogue: Catalogue) -> WaitModel:
    """The model of an office without a past."""
    times = {
        s.id: ServiceTimes(visits=0, mean_s=s.duration_min * 60, cv_permille=800) for s in catalogue.services.values()
    }
    return WaitModel(made_on=date.min, services=times)


def pace(day: OfficeDay, means: dict[str, float]) -> float:
    """How much longer today's visits take than expected, shrunk towards 1."""
    done = [(d.count, d.total_s, means[s]) for s, d in day.durations.items() if s in means]
    count = sum(n for n, _, _ in done)
    if not count:
        return 1.0
    expected_s = sum(n * mean for n, _, mean in done)
    prior_s = SHRINK_VISITS * expected_s / count
    return (prior_s + sum(total for _, total, _ in done)) / (prior_s + expected_s)


class _Maker:
    def __init__(
        self,
        day: OfficeDay,
        catalogue: Catalogue,
        now: datetime,
        model: WaitModel | None,
        sessions: Mapping[str, CounterSession],
    ) -> None:
        self.day, self.now, self.sessions = day, now, sessions
        self.model = model or catalogue.model or nominal(catalogue)
        self.services = tuple(sorted(catalogue.services))
        self.index = {service: n for n, service in enumerate(self.services)}
        marked = sorted({t.counter for t in day.lines.marked.values() if t.counter is not None})
        self.own_line = {counter: len(self.services) + n for n, counter in enumerate(marked)}
        known = (t for t in day.tickets.values() if t.service in self.index)
        queued = [t for t in known if t.state in ("waiting", "missed") or _comes_back(t)]
        self.order = {t.ticket_id: n for n, t in enumerate(sorted(queued, key=lambda t: t.issue_seq))}
        self.nominal = {s.id: s.duration_min * 60.0 for s in catalogue.services.values()}

    def scene(self, bookings: Iterable[Appointment]) -> Scene:
        policy = self.day.policy
        means = {service: self._mean_s(service) for service in self.services}
        factor = pace(self.day, means)
        waiting = sorted((t for t in self.day.waiting.values() if t.service in self.index), key=lambda t: t.rank)
        who = {t.ticket_id: n for n, t in enumerate(waiting)}
        return Scene(
            key=f"{self.day.office} {self.day.service_date} {self.day.epoch}.{self.day.seq}",
            seq=self.day.seq,
            tickets=tuple(who),
            services=self.services,
            lines=len(self.services) + len(self.own_line),
            ready=self._ready(waiting, who),
            early=tuple(
                Coming(self._s(t.callable_at), self._line(t), self._entry(t, who[t.ticket_id]))
                for t in waiting
                if t.callable_at > self.now
            ),
            desks=(*(self._desk(s) for s in self.sessions.values()), *self._away()),
            bookings=(*self._bookings(bookings, policy), *self._coming_back()),
            missed=tuple(self._missed(t) for t in self.day.tickets.values() if t.state == "missed" and t.missed_at),
            head_started=self._head_started(policy),
            tables=tuple(lognormal(round(means[s] * factor, 1), self._cv(s)) for s in self.services),
            model=self.model,
            threshold_s=policy.secondary_threshold_min * 60.0,
            idle_takes_secondary=policy.idle_takes_secondary,
            keeps_place=policy.reinstate == "keep",
            from_history=sum(d.count for d in self.day.durations.values()) >= 20
            or sum(t.visits for t in self.model.services.values()) >= SHRINK_VISITS,
        )

    def _s(self, at: datetime) -> float:
        return (at - self.now).total_seconds()

    def _mean_s(self, service: str) -> float:
        seen = self.model.services.get(service)
        visits, mean_s = (seen.visits, float(seen.mean_s)) if seen else (0, 0.0)
        return (SHRINK_VISITS * self.nominal[service] + visits * mean_s) / (SHRINK_VISITS + visits)

    def _cv(self, service: str) -> float:
        seen = self.model.services.get(service)
        return seen.cv_permille / 1000 if seen and seen.visits >= SHRINK_VISITS else NOMINAL_CV

    def _line(self, ticket: Ticket) -> int:
        return self.own_line.get(ticket.counter or "", self.index[ticket.service])

    def _entry(self, ticket: Ticket, who: int) -> Entry:
        return Entry(self._s(ticket.ranks_at), self.order[ticket.ticket_id], who, self.index[ticket.service])

    def _ready(self, waiting: list[Ticket], who: dict[str, int]) -> tuple[tuple[Entry, ...], ...]:
        """Each line of people who may be called; a service's ends with the ghost of somebody who came now."""
        lines: list[list[Entry]] = [[] for _ in range(len(self.services) + len(self.own_line))]
        for ticket in waiting:
            if ticket.callable_at <= self.now:
                lines[self._line(ticket)].append(self._entry(ticket, who[ticket.ticket_id]))
        for n in range(len(self.services)):
            lines[n].append(Entry(0.0, len(self.order), len(waiting) + n, n))
        return tuple(tuple(sorted(line)) for line in lines)

    def _desk(self, session: CounterSession) -> Desk:
        primary, secondary = self._lines(session.primary, session.secondary)
        if session.counter in self.own_line:
            primary += (self.own_line[session.counter],)
        fresh = session.counter not in self.day.left
        visit = self.day.visit_at(session.session)
        if session.paused_at is not None and visit is None:
            return Desk(primary, secondary, "away", -self._s(session.paused_at), 0, fresh)
        if visit is None:
            return Desk(primary, secondary, "idle", 0.0, 0, fresh)
        since = visit.started_at or visit.called_at or self.now
        state = "serving" if visit.started_at else "called"
        return Desk(primary, secondary, state, max(0.0, -self._s(since)), self.index.get(visit.service, 0), fresh)

    def _away(self) -> Iterator[Desk]:
        """Counters whose clerks may be back, as long as somebody is at work."""
        for counter, left in self.day.left.items():
            away_s = -self._s(left.at)
            if self.sessions and counter not in self.day.session_at and away_s < 2 * self.model.pause_s:
                yield Desk(*self._lines(left.primary, left.secondary), "away", away_s, 0)

    def _lines(self, primary: Iterable[str], secondary: Iterable[str]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        first = tuple(self.index[s] for s in primary if s in self.index)
        return first, tuple(n for s in secondary if (n := self.index.get(s)) is not None and n not in first)

    def _coming_back(self) -> Iterator[Booking]:
        """Parked people who will wait again at a known instant, in their place."""
        for ticket in self.day.tickets.values():
            if ticket.returns_at is not None and ticket.ticket_id in self.order and _comes_back(ticket):
                coming = Coming(max(0.0, self._s(ticket.returns_at)), self._line(ticket), self._entry(ticket, -1))
                yield Booking(1.0, (coming,))

    def _bookings(self, bookings: Iterable[Appointment], policy: Policy) -> tuple[Booking, ...]:
        open_ones = (b for b in bookings if b.status == "booked" and b.service_id in self.index)
        made = (self._booking(b, policy) for b in open_ones if self.day.ticket_of(b.id) is None)
        return tuple(b for b in made if b is not None)

    def _booking(self, booking: Appointment, policy: Policy) -> Booking | None:
        slot_s = self._s(booking.slot_start_at)
        offsets = self.model.punctuality_s
        first = bisect_right(offsets, -slot_s)
        if first >= len(offsets) or slot_s > SOON_S:
            return None
        shows = self.model.show_permille / 1000
        later = (len(offsets) - first) / len(offsets)
        line = self.index[booking.service_id]
        cases = []
        for offset in offsets[first:]:
            rank = due(booking.slot_start_at + timedelta(seconds=offset), booking.slot_start_at, "general", policy)
            entry = Entry(self._s(rank.due_at), len(self.order) + 1, -1, line)
            cases.append(Coming(self._s(rank.callable_at), line, entry))
        return Booking(shows * later / (1 - shows + shows * later), tuple(cases))

    def _missed(self, ticket: Ticket) -> Missed:
        entry = self._entry(ticket, -1)
        if self.day.policy.reinstate != "keep" or ticket.reinstated:
            entry = entry._replace(due_s=0.0)
        return Missed(-self._s(ticket.missed_at or self.now), self._line(ticket), entry)

    def _head_started(self, policy: Policy) -> tuple[HeadStart, ...]:
        found = (
            (h, policy.class_head_start_min.get(h.priority_class, 0)) for h in self.model.head_started if h.per_1000_h
        )
        return tuple(
            HeadStart(self.index[h.service], h.per_1000_h / 3.6e6, minutes * 60.0)
            for h, minutes in found
            if minutes and h.service in self.index
        )


def _comes_back(ticket: Ticket) -> bool:
    return ticket.state == "parked" and ticket.returns_at is not None
