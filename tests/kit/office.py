"""A small office driven command by command through the pure queue, for unit and property tests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from itertools import count
from zoneinfo import ZoneInfo

from sync.domain.catalogue import Catalogue
from sync.domain.decide import decide, turn_day
from sync.domain.office_day import OfficeDay
from sync.domain.outcomes import Accepted, Decision
from sync.messages import commands as c
from sync.messages.envelope import FactHeader
from sync.messages.facts import Expected, Fact
from sync.messages.feed import Counter, Office, OfficePolicy, OpeningHours, Service
from sync.messages.policy import Policy

DAY = date(2026, 11, 23)
ZONE = ZoneInfo("Africa/Ceuta")
_ids = count(1)


def new_id() -> str:
    """A UUID that only counts, so that failures read well."""
    return f"00000000-0000-7000-8000-{next(_ids):012d}"


def at(clock: str) -> datetime:
    """``09:15`` of the test day, as UTC."""
    return datetime.combine(DAY, time.fromisoformat(clock), tzinfo=UTC)


def catalogue(
    services: tuple[str, ...] = ("a", "b"), counters: tuple[Counter, ...] = (), policy: Policy | None = None
) -> Catalogue:
    """An office of some services; without counters, counters 1 to 3 serve all of them."""
    office = Office(
        id="centro",
        name="Centro",
        address="Plaza 1",
        time_zone="Africa/Ceuta",
        services=services,
        hours=(OpeningHours(weekday=0, opens=time(9), closes=time(14)),),
    )
    offered = [Service(id=s, names={"es": s}, series=s[0].upper(), duration_min=10) for s in services]
    desks = counters or tuple(Counter(id=str(n), zone="a", primary=services) for n in range(1, 4))
    policies = [OfficePolicy(effective_from=DAY, policy=policy)] if policy else []
    return Catalogue.of(office, [*offered, *desks, *policies])


class TestOffice:
    """An office day and its journal, without I/O."""

    __test__ = False

    def __init__(self, of: Catalogue | None = None, opened_at: str = "04:00") -> None:
        self.catalogue = of or catalogue()
        self.day = OfficeDay("centro")
        self.journal: list[tuple[FactHeader, Fact]] = []
        self.write(turn_day(self.day, DAY, self.catalogue), at(opened_at))

    def write(
        self,
        facts: tuple[Fact, ...],
        now: datetime,
        actor: str = "system",
        device: str = "console",
        request_id: str | None = None,
    ) -> None:
        for fact in facts:
            header = FactHeader(
                "centro", 1, self.day.seq + 1, fact.TYPE, fact.V, request_id, actor, device, now, "boot-1", 0
            )
            self.journal.append((header, fact))
            self.day.apply(header, fact)

    def do(
        self,
        command: c.AnyCommand,
        now: datetime,
        actor: str = "ana",
        *,
        supervisor: bool = False,
        device: str = "console",
        expected: Mapping[str, Expected] = {},
    ) -> Decision:
        """Decide and, when accepted, fold."""
        who = c.Actor(actor_id=actor, device_id=device, supervisor=supervisor)
        decision = decide(self.day, command, who, now, self.catalogue, expected=expected)
        if isinstance(decision, Accepted):
            self.write(decision.facts, now, actor, device, command.request_id)
        return decision

    def open(self, counter: str, now: datetime, actor: str = "ana") -> str:
        """Open a counter; the session's id."""
        session = new_id()
        decision = self.do(c.OpenCounter(request_id=session, counter=counter), now, actor)
        assert isinstance(decision, Accepted), decision
        return session

    def take(self, service: str, now: datetime, priority_class: str = "general") -> str:
        """A walk-in; the ticket's id."""
        ticket = new_id()
        command = c.TakeTicket(
            request_id=ticket, service=service, priority_class=priority_class, follow_hash=follow_hash(ticket)
        )
        decision = self.do(command, now, c.CITIZEN)
        assert isinstance(decision, Accepted), decision
        return ticket

    def check_in(self, service: str, slot: datetime, now: datetime, priority_class: str = "general") -> str:
        """An appointment arrives; the ticket's id."""
        ticket = new_id()
        command = c.CheckIn(
            request_id=ticket,
            appointment_id=new_id(),
            service=service,
            slot_start_at=slot,
            duration_min=10,
            priority_class=priority_class,
            follow_hash=follow_hash(ticket),
        )
        decision = self.do(command, now, c.CITIZEN)
        assert isinstance(decision, Accepted), decision
        return ticket

    def call_next(self, session: str, now: datetime, actor: str = "ana") -> str | None:
        """Call next as a clerk with a fresh view does; the ticket's id, or none when nobody waits."""
        after = self.day.sessions[session].last_call
        decision = self.do(c.CallNext(request_id=new_id(), session=session, after=after), now, actor)
        return self.day.sessions[session].last_ticket_id if isinstance(decision, Accepted) else None

    def replayed(self) -> OfficeDay:
        """The day that a replay of the journal gives."""
        day = OfficeDay("centro")
        for header, fact in self.journal:
            day.apply(header, fact)
        return day


def follow_hash(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()
