"""The index of waiting lines says what a walk through everybody who waits would say, whatever has happened before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sync.domain.office_day import OfficeDay
from sync.domain.ordering import ahead_of, reachable
from sync.domain.ticket import Ticket
from sync.messages import commands as c
from sync.messages.feed import Counter
from sync.messages.node_facts import ClockStepped
from tests.kit.office import TestOffice, at, catalogue, new_id

SERVICES = ("a", "b", "c")
COUNTERS = (
    Counter(id="1", zone="a", primary=("a",), secondary=("b",)),
    Counter(id="2", zone="a", primary=("b", "c")),
    Counter(id="3", zone="b", primary=("c",)),
)
ACTS = [
    "walk_in",
    "walk_in",
    "check_in",
    "next",
    "finish",
    "no_show",
    "back",
    "to_service",
    "to_counter",
    "to_staff",
    "to_zone",
    "step",
    "close",
]
acts = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 2), st.integers(0, 59)), max_size=60)


def walked(day: OfficeDay, ticket: Ticket) -> int:
    """``ahead_of`` as its docstring says it."""
    servers = [s for s in day.sessions.values() if reachable(s, ticket)]
    smaller = [t for t in day.waiting.values() if t.rank < ticket.rank]
    if not servers:
        return sum(t.service == ticket.service for t in smaller)
    return sum(any(reachable(s, t) for s in servers) for t in smaller)


@settings(max_examples=200)
@given(acts)
def test_the_index_agrees_with_a_walk(done: list[tuple[str, int, int]]) -> None:
    office = TestOffice(catalogue(SERVICES, COUNTERS))
    sessions = [office.open(counter.id, at("08:00"), f"clerk-{counter.id}") for counter in COUNTERS]
    now = at("09:00")
    for act, which, amount in done:
        now += timedelta(seconds=amount)
        _act(office, act, sessions[which], which, amount, now=now)
        for ticket in office.day.waiting.values():
            assert ahead_of(office.day, ticket) == walked(office.day, ticket)
    lines = office.day.lines
    assert sorted(rank for line in lines.by_service.values() for rank in line) == sorted(
        t.rank for t in office.day.waiting.values()
    )
    assert lines == office.replayed().lines


def _act(office: TestOffice, act: str, session: str, which: int, amount: int, *, now: datetime) -> None:
    day = office.day
    visit = day.visit_at(session)
    clerk = f"clerk-{which + 1}"
    if act == "walk_in":
        office.take(SERVICES[amount % 3], now, "reduced_mobility" if amount % 5 == 0 else "general")
    elif act == "check_in":
        office.check_in(SERVICES[amount % 3], now + timedelta(minutes=amount - 30), now)
    elif act == "back":
        for ticket in [t for t in day.tickets.values() if t.state == "missed"][:1]:
            office.do(c.Reinstate(request_id=new_id(), ticket_id=ticket.ticket_id), now, clerk)
    elif act == "step":
        office.write((ClockStepped(delta_ms=(amount - 30) * 60_000),), now)
    elif session not in day.sessions:
        return
    elif act == "close":
        office.do(c.CloseCounter(request_id=new_id(), session=session), now, "boss", supervisor=True)
    elif act == "next" and visit is None:
        office.call_next(session, now, clerk)
    elif visit is not None and act != "next":
        _end(office, act, session, visit, amount, now=now, clerk=clerk)


def _end(office: TestOffice, act: str, session: str, visit: Ticket, amount: int, *, now: datetime, clerk: str) -> None:
    target: Any = {"request_id": new_id(), "session": session, "ticket_id": visit.ticket_id}
    if act == "finish":
        office.do(c.Start(**{**target, "request_id": new_id()}), now, clerk)
        office.do(c.Finish(**target), now, clerk)
    elif act == "no_show":
        office.do(c.NoShow(**target), now, clerk)
    elif act == "to_service":
        office.do(c.Transfer(service=SERVICES[amount % 3], **target), now, clerk)
    else:
        order: Any = ("keep", "next", "end")[amount % 3]
        where: dict[str, Any] = {
            "to_counter": {"counter": str(1 + amount % 3)},
            "to_staff": {"staff_id": f"clerk-{1 + amount % 3}"},
            "to_zone": {"zone": ("a", "b")[amount % 2]},
        }
        office.do(c.Transfer(**where[act], order=order, **target), now, clerk)
