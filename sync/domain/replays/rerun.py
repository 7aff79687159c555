"""Runs a recorded day again. Who is called is decided by ``due``, ``next_for`` and ``due_again``, the code of the office itself.

When a counter calls: the day tells how long its clerk took from the first instant at which somebody waited for them (the
*reaction*; idle time is no part of it). A replay gives each counter the same reactions in the same order, and every visit its own
length. So under the same policy, and without calls out of order, the same calls come out at the same instants; under another
one people are called in that policy's order. What it cannot know: how people and clerks would have behaved.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from statistics import median_low

import msgspec

from sync.domain.due import due
from sync.domain.office_day import OfficeDay
from sync.domain.ordering import next_for, passed_over_bound
from sync.domain.reinstatement import due_again
from sync.domain.replays.recording import Call, Recording, Stretch
from sync.domain.ticket import CounterSession, Ticket
from sync.messages import facts as f
from sync.messages.envelope import FactHeader
from sync.messages.policy import Policy

NEVER = datetime.min.replace(tzinfo=UTC)
_WAKES = 0
"""A look at the clock comes before what happens at that instant."""


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket of a replayed day. ``called_at``: its first call; none: it was not called."""

    ticket_id: str
    label: str
    service: str
    origin: f.Origin
    priority_class: str
    arrived_at: datetime
    slot_start_at: datetime | None
    called_at: datetime | None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A replayed day. ``over_bound``: calls that passed somebody over beyond the policy's bound."""

    policy: Policy
    calls: tuple[Call, ...]
    tickets: tuple[Served, ...]
    over_bound: int


def rerun(recording: Recording, policy: Policy | None = None) -> Outcome:
    """The recorded day under a policy; under its own when none is given."""
    past = _Past(recording, recording.policy)
    past.run()
    run = _Replay(recording, policy or recording.policy, past)
    run.run()
    return run.outcome()


def as_it_was(recording: Recording) -> Outcome:
    """The recorded day with the calls that were really made, those out of order among them."""
    run = _Past(recording, recording.policy)
    run.run()
    return run.outcome()


class _Run(ABC):
    """One pass over a day: a heap of what happens, and the office day that it changes."""

    def __init__(self, recording: Recording, policy: Policy) -> None:
        self.recording, self.policy = recording, policy
        self.day = OfficeDay("")
        self.day.policy = policy
        self.now = min(header.occurred_at for header, _ in recording.acts) if recording.acts else NEVER
        self.called: list[Call] = []
        self.over_bound = 0
        self.numbers: dict[str, int] = {}
        self.noticed: dict[str, datetime] = {}
        """Free counters, and since when somebody waits for them."""
        self.closing: dict[str, f.CounterClosed] = {}
        self.events: list[tuple[datetime, int, int, Callable[[], None]]] = []
        self.woken: set[datetime] = set()
        self.ties = count()
        for header, fact in recording.acts:
            self._at(header.occurred_at, header.seq, self._act_of(header, fact))

    def run(self) -> None:
        while self.events:
            self.now, _, _, act = heappop(self.events)
            act()
            self._look()

    def outcome(self) -> Outcome:
        first: dict[str, datetime] = {}
        for call in self.called:
            first.setdefault(call.ticket_id, call.at)
        tickets = tuple(_served(t, first.get(t.ticket_id)) for t in self.day.tickets.values())
        return Outcome(policy=self.policy, calls=tuple(self.called), tickets=tickets, over_bound=self.over_bound)

    def _at(self, at: datetime, seq: int, act: Callable[[], None]) -> None:
        heappush(self.events, (at, seq, next(self.ties), act))

    def _write(self, fact: f.Fact, header: FactHeader | None = None) -> None:
        place = header or FactHeader("", self.day.epoch, 0, fact.TYPE, fact.V, None, "", "", self.now, "", 0)
        self.day.apply(place, fact)

    def _act_of(self, header: FactHeader, fact: f.Fact) -> Callable[[], None]:
        def act() -> None:
            match fact:
                case f.TicketIssued():
                    rank = due(fact.arrived_at, fact.slot_start_at, fact.priority_class, self.policy)
                    ranked = msgspec.structs.replace(fact, due_at=rank.due_at, callable_at=rank.callable_at)
                    self._write(ranked, header)
                case f.CounterClosed():
                    self._close(fact)
                case f.TicketReassigned() | f.TicketParked() | f.TicketReleased():
                    if fact.ticket_id in self.day.waiting:
                        self._write(fact, header)
                case f.TicketResumed():
                    if (parked := self.day.tickets.get(fact.ticket_id)) and parked.state == "parked":
                        self._write(fact, header)
                case f.TicketAbandoned():
                    if (left := self.day.tickets.get(fact.ticket_id)) and left.state in ("waiting", "missed", "parked"):
                        self._write(fact, header)
                case _:
                    self._write(fact, header)

        return act

    def _close(self, fact: f.CounterClosed) -> None:
        """A counter closes once its visit is over."""
        self.noticed.pop(fact.session, None)
        if self.day.visit_at(fact.session) is None:
            self._write(fact)
        else:
            self.closing[fact.session] = fact

    def _look(self) -> None:
        """Which free counters have somebody to call from now on; and when time alone may change that."""
        for session in list(self.day.sessions.values()):
            if session.session in self.noticed or self.day.visit_at(session.session) is not None:
                continue
            if next_for(self.day, session, self.now) is not None:
                self.noticed[session.session] = self.now
                self._notice(session)
            else:
                self._wake(session)

    def _wake(self, session: CounterSession) -> None:
        threshold = timedelta(minutes=self.policy.secondary_threshold_min)
        ripe = [
            t.due_at + threshold
            for t in self.day.waiting.values()
            if t.service in session.secondary and t.due_at + threshold > self.now
        ]
        if ripe and (at := min(ripe)) not in self.woken:
            self.woken.add(at)
            self._at(at, _WAKES, lambda: None)

    @abstractmethod
    def _notice(self, session: CounterSession) -> None:
        """A free counter has somebody to call from now on."""

    def _call(self, session: CounterSession, ticket: Ticket, call: Call) -> None:
        if not call.chosen and passed_over_bound(self.day, session, ticket, self.now) is not None:
            self.over_bound += 1
        self.noticed.pop(session.session, None)
        self.called.append(call)
        because = f.Why(rule="primary", origin=ticket.origin, arrived_at=ticket.arrived_at, due_at=ticket.due_at)
        self._write(
            f.TicketCalled(
                ticket_id=ticket.ticket_id, session=session.session, counter=session.counter, how="next", why=because
            )
        )
        number = self.numbers.get(ticket.ticket_id, 0)
        self.numbers[ticket.ticket_id] = number + 1
        stretch = self.recording.stretch(ticket.ticket_id, ticket.service, number)
        if stretch.lasted is not None:
            self._at(self.now + stretch.lasted, stretch.seq, lambda: self._end(session, ticket, stretch))

    def _end(self, session: CounterSession, ticket: Ticket, stretch: Stretch) -> None:
        ticket_id = ticket.ticket_id
        match stretch.end:
            case "finished":
                self._write(f.TicketFinished(ticket_id=ticket_id, session=session.session))
            case "missed":
                self._write(f.TicketNoShow(ticket_id=ticket_id, session=session.session))
            case "parked":
                self._write(f.TicketParked(ticket_id=ticket_id))
            case "transferred":
                counter = stretch.to_counter if stretch.to_counter in self.day.session_at else None
                self._write(f.TicketTransferred(ticket_id=ticket_id, service=stretch.to_service, counter=counter))
        if stretch.back_after is not None:
            self._at(self.now + stretch.back_after, stretch.back_seq, lambda: self._back(ticket))
        if closing := self.closing.pop(session.session, None):
            self._write(closing)

    def _back(self, ticket: Ticket) -> None:
        if ticket.state == "missed":
            self._write(f.TicketReinstated(ticket_id=ticket.ticket_id, due_at=due_again(self.day, ticket, self.now)))
        elif ticket.state == "parked":
            self._write(f.TicketResumed(ticket_id=ticket.ticket_id))


class _Past(_Run):
    """The calls as they were.

    Attributes:
        seen: each counter session's reactions, with the place of the call in the journal.
        through: since when a session called nobody any more although somebody waited for it.
    """

    def __init__(self, recording: Recording, policy: Policy) -> None:
        super().__init__(recording, policy)
        self.seen: dict[str, list[tuple[timedelta, int]]] = {}
        self.through: dict[str, datetime] = {}
        for call in recording.calls:
            self._at(call.at, call.seq, self._call_of(call))

    def _call_of(self, call: Call) -> Callable[[], None]:
        def act() -> None:
            session, ticket = self.day.sessions.get(call.session), self.day.tickets.get(call.ticket_id)
            if session is None or ticket is None:
                return
            since = self.noticed.get(call.session, self.now)
            self.seen.setdefault(call.session, []).append((self.now - since, call.seq))
            self._call(session, ticket, call)

        return act

    def run(self) -> None:
        super().run()
        self.through.update(self.noticed)

    def _close(self, fact: f.CounterClosed) -> None:
        if fact.session in self.noticed:
            self.through[fact.session] = self.noticed[fact.session]
        super()._close(fact)

    def _notice(self, _session: CounterSession) -> None:
        """The day itself says when the call was."""


class _Replay(_Run):
    """The calls by the rule."""

    def __init__(self, recording: Recording, policy: Policy, past: _Past) -> None:
        super().__init__(recording, policy)
        self.reactions = {session: list(reversed(each)) for session, each in past.seen.items()}
        self.through = past.through
        spans = [span for each in past.seen.values() for span, _ in each]
        self.usual = median_low(spans) if spans else timedelta()

    def _notice(self, session: CounterSession) -> None:
        if session.session in self.closing:
            return
        left = self.reactions.get(session.session)
        through_at = self.through.get(session.session)
        if not left and through_at is not None and self.now >= through_at:
            return
        span, seq = left[-1] if left else (self.usual, 1 << 60)
        self._at(self.now + span, seq, lambda: self._next(session.session, seq))

    def _next(self, session_id: str, seq: int) -> None:
        session = self.day.sessions.get(session_id)
        if session is None or self.day.visit_at(session_id) is not None:
            return
        choice = next_for(self.day, session, self.now)
        if choice is None:  # somebody else took them
            self.noticed.pop(session_id, None)
            return
        if left := self.reactions.get(session_id):
            left.pop()
        self._call(session, choice.ticket, Call(self.now, seq, session_id, choice.ticket.ticket_id, chosen=False))


def _served(ticket: Ticket, called_at: datetime | None) -> Served:
    return Served(
        ticket_id=ticket.ticket_id,
        label=ticket.label,
        service=ticket.service,
        origin=ticket.origin,
        priority_class=ticket.priority_class,
        arrived_at=ticket.arrived_at,
        slot_start_at=ticket.slot_start_at,
        called_at=called_at,
    )
