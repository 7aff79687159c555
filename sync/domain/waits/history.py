"""What past days say: how long things take, who comes, and how good the published waits were. A fold over one day's facts.

Nothing of a person is kept, only spans and counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from sync.domain.office_day import OfficeDay
from sync.domain.ordering import next_for
from sync.domain.ticket import Ticket
from sync.messages import facts as f
from sync.messages.envelope import FactHeader

LONGEST_VISIT_S = 4 * 3600.0
LONGEST_BETWEEN_S = 600.0
"""A longer pause between two visits is a break, not the way of working."""

LONGEST_PAUSE = timedelta(minutes=60)
LAST_CLOSINGS = timedelta(minutes=30)
"""Counters that close so shortly before the last one close for the day."""

Journal = Iterable[tuple[FactHeader, f.Fact]]


class Told(msgspec.Struct, frozen=True):
    """A published wait, and how long it was.

    Args:
        service: what its person came for.
    """

    expected: f.Expected
    wait_s: float
    service: str = ""


class Observed(msgspec.Struct, kw_only=True):
    """One day of an office, or several.

    Args:
        booked: appointments that were for that day and not cancelled; central adds it.
        pauses_s: first times that a counter was left and opened again; ``closings``: also those that were not, apart from
            the end of the day; ``before_pause_s``: time that counters were open before.
        head_started: people with a priority class, by (class, service).
    """

    visits_s: dict[str, list[float]] = {}
    walk_ups_s: list[float] = []
    betweens_s: list[float] = []
    lateness_s: list[float] = []
    missed_s: list[float] = []
    returns_s: list[float] = []
    pauses_s: list[float] = []
    closings: int = 0
    before_pause_s: float = 0.0
    calls: int = 0
    missed: int = 0
    booked: int = 0
    came: int = 0
    open_s: float = 0.0
    head_started: dict[tuple[str, str], int] = {}
    told: list[Told] = []


def observe(journal: Journal) -> Observed:
    """What happened on one day, from its facts in journal order."""
    watch = _Watch()
    for header, fact in journal:
        watch.see(header, fact)
    watch.end()
    return watch.seen


class _Watch:
    def __init__(self) -> None:
        self.seen = Observed()
        self.day = OfficeDay("")
        self.expected: dict[str, tuple[str, f.Expected]] = {}
        self.freed: dict[str, datetime] = {}
        """Sessions whose visit ended while somebody waited for them."""
        self.opened_at: datetime | None = None
        self.openings: dict[str, list[datetime]] = {}
        self.closings: dict[str, datetime] = {}
        """The first closing of each counter."""

    def see(self, header: FactHeader, fact: f.Fact) -> None:
        ticket = self.day.tickets.get(getattr(fact, "ticket_id", ""))
        match fact:
            case f.TicketIssued():
                self._issued(fact)
            case f.CounterOpened():
                self.opened_at = self.opened_at or header.occurred_at
                self.openings.setdefault(fact.counter, []).append(header.occurred_at)
            case f.CounterClosed(reason="closed"):
                self.closings.setdefault(fact.counter, header.occurred_at)
            case f.TicketCalled() if ticket:
                self._called(header.occurred_at, ticket, fact)
            case f.TicketStarted() if ticket and ticket.called_at:
                self.seen.walk_ups_s.append((header.occurred_at - ticket.called_at).total_seconds())
            case f.TicketNoShow() if ticket and ticket.called_at:
                self.seen.missed += 1
                self.seen.missed_s.append((header.occurred_at - ticket.called_at).total_seconds())
            case f.TicketReinstated() if ticket and ticket.missed_at:
                self.seen.returns_s.append((header.occurred_at - ticket.missed_at).total_seconds())
            case f.TicketFinished() | f.TicketTransferred() if ticket and ticket.started_at:
                self._ended(header.occurred_at - ticket.started_at, ticket.service)
            case _:
                pass
        session = ticket.session if ticket else None
        self.day.apply(header, fact)
        if session and isinstance(fact, (f.TicketFinished, f.TicketTransferred, f.TicketNoShow)):
            self._freed(session, header.occurred_at)
        if isinstance(fact, f.CounterClosed) and self.opened_at and not self.day.sessions:
            self.seen.open_s += (header.occurred_at - self.opened_at).total_seconds()
            self.opened_at = None

    def end(self) -> None:
        """Count who was away for a while: known only when the day is over."""
        last_at = max(self.closings.values(), default=None)
        for counter, (opened_at, *again) in self.openings.items():
            closed_at = self.closings.get(counter)
            if closed_at is None or last_at is None:
                continue
            self.seen.before_pause_s += (closed_at - opened_at).total_seconds()
            back = [at for at in again if closed_at < at <= closed_at + LONGEST_PAUSE]
            if back:
                self.seen.pauses_s.append((back[0] - closed_at).total_seconds())
            if back or closed_at < last_at - LAST_CLOSINGS:
                self.seen.closings += 1

    def _issued(self, fact: f.TicketIssued) -> None:
        seen = self.seen
        if fact.slot_start_at is not None:
            seen.came += 1
            seen.lateness_s.append((fact.arrived_at - fact.slot_start_at).total_seconds())
        elif fact.priority_class in self.day.policy.class_head_start_min:
            key = (fact.priority_class, fact.service)
            seen.head_started[key] = seen.head_started.get(key, 0) + 1
        if fact.expected is not None:
            self.expected[fact.ticket_id] = (fact.service, fact.expected)

    def _called(self, now: datetime, ticket: Ticket, fact: f.TicketCalled) -> None:
        self.seen.calls += 1
        told = self.expected.pop(ticket.ticket_id, None)  # the first call only
        if told is not None:
            service, expected = told
            self.seen.told.append(Told(expected, (now - ticket.arrived_at).total_seconds(), service))
        freed_at = self.freed.pop(fact.session, None)
        if freed_at is not None and now - freed_at <= timedelta(seconds=LONGEST_BETWEEN_S):
            self.seen.betweens_s.append((now - freed_at).total_seconds())

    def _ended(self, lasted: timedelta, service: str) -> None:
        if lasted.total_seconds() <= LONGEST_VISIT_S:
            self.seen.visits_s.setdefault(service, []).append(max(1.0, lasted.total_seconds()))

    def _freed(self, session: str, now: datetime) -> None:
        at = self.day.sessions.get(session)
        self.freed.pop(session, None)
        if at is not None and next_for(self.day, at, now) is not None:
            self.freed[session] = now
