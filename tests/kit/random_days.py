"""Random office days, and a judge of their calls that shares no line with the rule: it restates the queue's theorems.

Property tests use it to show that the rule keeps them; tests with planted faults use it to show that the judge notices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random

import msgspec

from sync.domain.office_day import OfficeDay
from sync.domain.ticket import CounterSession, Ticket
from sync.messages import commands as c
from sync.messages.feed import Counter
from sync.messages.policy import Policy
from tests.kit.office import TestOffice, at, catalogue, new_id

SERVICES = ("a", "b", "c")
ACTS = (
    *("walk_in", "check_in", "next", "next", "next", "start", "finish", "finish"),
    *("no_show", "back", "transfer", "park", "resume"),
)


def minutes(amount: int) -> timedelta:
    return timedelta(minutes=amount)


def bound_of(policy: Policy) -> timedelta:
    """B of the queue study, stated anew: max(max(H, h) + G, L)."""
    head_starts = [policy.appointment_head_start_min, *policy.class_head_start_min.values()]
    return minutes(max(max(head_starts) + policy.grace_min, policy.late_limit_min))


def broken(day: OfficeDay, session: CounterSession, chosen: Ticket, now: datetime) -> list[str]:
    """What a choice breaks, by name."""
    return [name for name, rule in RULES.items() if not rule(_Moment(day, session, chosen, now))]


class _Moment(msgspec.Struct):
    day: OfficeDay
    session: CounterSession
    chosen: Ticket
    now: datetime

    def within_reach(self) -> Iterator[Ticket]:
        """Everybody whom this counter may serve, ever."""
        for ticket in self.day.tickets.values():
            if ticket.state == "waiting" and (
                ticket.counter == self.session.counter
                or (ticket.counter is None and ticket.service in self.session.primary + self.session.secondary)
            ):
                yield ticket

    def mine(self) -> list[Ticket]:
        ripe_from = minutes(self.day.policy.secondary_threshold_min)
        return [
            t
            for t in self.within_reach()
            if t.counter == self.session.counter
            or t.service in self.session.primary
            or self.now >= t.due_at + ripe_from
        ]

    def ready(self, tickets: list[Ticket]) -> list[Ticket]:
        return [t for t in tickets if t.callable_at <= self.now]


def _key(ticket: Ticket) -> tuple[datetime, tuple[int, int]]:
    return ticket.due_at, ticket.issue_seq


def _theorem_1(m: _Moment) -> bool:
    limit = bound_of(m.day.policy)
    return all(m.chosen.arrived_at <= t.due_at + limit for t in m.ready(m.mine()) if t is not m.chosen)


def _theorem_2(m: _Moment) -> bool:
    if m.chosen not in m.ready([m.chosen]):
        return True
    same = [t for t in m.within_reach() if (t.service, t.counter) == (m.chosen.service, m.chosen.counter)]
    return all(_key(m.chosen) <= _key(t) for t in m.ready(same))


def _smallest_of_mine(m: _Moment) -> bool:
    ready = m.ready(m.mine())
    return not ready or m.chosen is min(ready, key=_key)


def _early_only_alone(m: _Moment) -> bool:
    if m.ready([m.chosen]):
        return True
    return not m.ready(list(m.within_reach()) if m.day.policy.idle_takes_secondary else m.mine())


def _corollary_1(m: _Moment) -> bool:
    """Who goes before a walk-in that came first: people with a head start, and appointments of a known window of slots."""
    policy = m.day.policy
    head_starts = policy.class_head_start_min
    largest = max(policy.appointment_head_start_min, *head_starts.values())
    passed = [t for t in m.ready(m.mine()) if t.origin == "walk_in" and not head_starts.get(t.priority_class)]
    for t in passed:
        if t.due_at != t.arrived_at or m.chosen.arrived_at <= t.arrived_at:  # reinstated later, or here before
            continue
        within_class = m.chosen.arrived_at <= t.arrived_at + minutes(head_starts.get(m.chosen.priority_class, 0))
        slot = m.chosen.slot_start_at
        from_at, to_at = t.arrived_at - minutes(policy.late_limit_min), t.arrived_at + minutes(largest)
        if not within_class and not (slot is not None and from_at <= slot <= to_at):
            return False
    return True


RULES: dict[str, Callable[[_Moment], bool]] = {
    "theorem 1": _theorem_1,
    "theorem 2": _theorem_2,
    "corollary 1": _corollary_1,
    "the smallest of mine": _smallest_of_mine,
    "early only when nobody else waits": _early_only_alone,
}


class RandomDay:
    """One seed, one day: random policy, counters and acts. ``broken`` collects what its calls and dues break."""

    def __init__(self, seed: int, policy: Policy | None = None, steps: int = 120) -> None:
        self.random = Random(seed)
        self.policy = policy or self._policy()
        self.office = TestOffice(catalogue(SERVICES, self._counters(), self.policy))
        desks = sorted(self.office.catalogue.counters)
        self.sessions = [self.office.open(desk, at("08:00"), f"clerk-{desk}") for desk in desks]
        self.broken: list[str] = []
        self.now = at("09:00")
        for _ in range(steps):
            self.now += minutes(self.random.choice((0, 0, 1, 2, 5)))
            self._act(self.random.choice(ACTS), self.random.choice(self.sessions))

    def _policy(self) -> Policy:
        pick = self.random.choice
        return Policy(
            appointment_head_start_min=pick((0, 15, 30, 45, 60)),
            class_head_start_min={"reduced_mobility": pick((0, 15, 30, 60))},
            early_margin_min=pick((0, 5, 10)),
            grace_min=pick((0, 5, 10, 15)),
            late_limit_min=pick((15, 30, 45, 60)),
            secondary_threshold_min=pick((0, 5, 10, 15)),
            idle_takes_secondary=pick((True, True, False)),
            reinstate=pick(("keep", "behind_two", "now")),
        )

    def _counters(self) -> tuple[Counter, ...]:
        desks = []
        for n in range(self.random.randint(1, 4)):
            primary = self.random.sample(SERVICES, self.random.randint(1, 3))
            secondary = [s for s in SERVICES if s not in primary and self.random.random() < 0.7]
            desks.append(Counter(id=str(n + 1), zone="a", primary=tuple(primary), secondary=tuple(secondary)))
        return tuple(desks)

    def _act(self, act: str, session: str) -> None:
        match act:
            case "walk_in":
                self.office.take(self.random.choice(SERVICES), self.now, self._class())
            case "check_in":
                slot = self.now.replace(minute=0) + minutes(10 * self.random.randint(-6, 12))
                self.office.check_in(self.random.choice(SERVICES), slot, self.now, self._class())
            case "next":
                self._next(session)
            case "back":
                self._back()
            case "park" | "resume":
                self._aside(act, session)
            case _:
                self._visit(act, session)

    def _class(self) -> str:
        return "reduced_mobility" if self.random.random() < 0.25 else "general"

    def _next(self, session: str) -> None:
        before = self.office.replayed()
        if before.visit_at(session) is not None:
            return
        at_counter = before.sessions[session]
        called = self.office.call_next(session, self.now, at_counter.staff_id)
        if called is not None:
            self.broken += broken(before, at_counter, before.tickets[called], self.now)

    def _back(self) -> None:
        missed = [t for t in self.office.day.tickets.values() if t.state == "missed"]
        if missed:
            ticket = self.random.choice(missed)
            due_at = ticket.due_at
            self.office.do(c.Reinstate(request_id=new_id(), ticket_id=ticket.ticket_id), self.now)
            if ticket.due_at < due_at:
                self.broken.append("a reinstatement never lowers a due")

    def _aside(self, act: str, session: str) -> None:
        state = "waiting" if act == "park" else "parked"
        found = [t for t in self.office.day.tickets.values() if t.state == state]
        if not found:
            return
        ticket_id = self.random.choice(found).ticket_id
        park = c.Park(request_id=new_id(), session=session, ticket_id=ticket_id)
        resume = c.Resume(request_id=new_id(), ticket_id=ticket_id)
        self.office.do(park if act == "park" else resume, self.now, self._clerk(session))

    def _visit(self, act: str, session: str) -> None:
        visit = self.office.day.visit_at(session)
        if visit is None:
            return
        target = {"request_id": new_id(), "session": session, "ticket_id": visit.ticket_id}
        verb = {"start": c.Start, "finish": c.Finish, "no_show": c.NoShow}.get(act)
        self.office.do(verb(**target) if verb else self._sent(visit.ticket_id, session), self.now, self._clerk(session))

    def _sent(self, ticket_id: str, session: str) -> c.Transfer:
        return c.Transfer(
            request_id=new_id(), session=session, ticket_id=ticket_id, service=self.random.choice(SERVICES)
        )

    def _clerk(self, session: str) -> str:
        return self.office.day.sessions[session].staff_id
