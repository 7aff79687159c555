"""The theorems of the queue order on random days, under random policies, in random offices."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sync.domain.due import bound, due
from sync.domain.office_day import OfficeDay
from sync.domain.ordering import next_for, passed_over_bound
from sync.messages import commands as c
from sync.messages.facts import TicketCalled
from sync.messages.feed import Counter
from sync.messages.policy import Policy
from tests.kit.office import TestOffice, at, catalogue, new_id
from tests.kit.random_days import RandomDay, bound_of

SERVICES = ("a", "b", "c")

policies = st.builds(
    Policy,
    appointment_head_start_min=st.sampled_from([0, 15, 30, 45, 60]),
    class_head_start_min=st.fixed_dictionaries({"reduced_mobility": st.sampled_from([0, 15, 30, 60])}),
    early_margin_min=st.integers(0, 10),
    grace_min=st.integers(0, 15),
    late_limit_min=st.integers(15, 60),
    secondary_threshold_min=st.integers(0, 15),
    idle_takes_secondary=st.booleans(),
    reinstate=st.sampled_from(["keep", "behind_two", "now"]),
)
counters = st.lists(
    st.tuples(st.sets(st.sampled_from(SERVICES), min_size=1), st.sets(st.sampled_from(SERVICES))),
    min_size=1,
    max_size=4,
)
steps = st.lists(
    st.tuples(
        st.sampled_from(["walk_in", "check_in", "next", "next", "start", "finish", "no_show", "back", "transfer"]),
        st.integers(0, 5),
        st.integers(0, 40),
    ),
    max_size=80,
)


def office_of(policy: Policy, services: list[tuple[set[str], set[str]]]) -> tuple[TestOffice, list[str]]:
    desks = tuple(
        Counter(id=str(n), zone="a", primary=tuple(sorted(p)), secondary=tuple(sorted(s - p)))
        for n, (p, s) in enumerate(services, 1)
    )
    office = TestOffice(catalogue(SERVICES, desks, policy))
    return office, [office.open(desk.id, at("08:00"), f"clerk-{desk.id}") for desk in desks]


@settings(max_examples=150, deadline=None)
@given(policy=policies, services=counters, acts=steps)
def test_theorems_hold_on_random_days(
    policy: Policy, services: list[tuple[set[str], set[str]]], acts: list[tuple[str, int, int]]
) -> None:
    office, sessions = office_of(policy, services)
    now = at("09:00")
    for act, which, amount in acts:
        now += timedelta(minutes=amount % 7)
        session = sessions[which % len(sessions)]
        _act(office, act, session, amount, now)
    labels = [t.label for t in office.day.tickets.values()]
    assert len(labels) == len(set(labels))
    assert set(office.day.waiting) == {t.ticket_id for t in office.day.tickets.values() if t.state == "waiting"}
    _assert_same_day(office)


def _act(office: TestOffice, act: str, session: str, amount: int, now: datetime) -> None:
    clerk = office.day.sessions[session].staff_id
    visit = office.day.visit_at(session)
    service = SERVICES[amount % 3]
    if act == "walk_in":
        office.take(service, now, "reduced_mobility" if amount % 5 == 0 else "general")
    elif act == "check_in":
        slot = now + timedelta(minutes=10 * (amount % 12) - 60)
        office.check_in(service, slot, now, "reduced_mobility" if amount % 7 == 0 else "general")
    elif act == "next" and visit is None:
        _call_and_check(office, session, now)
    elif act == "back":
        for ticket in [t for t in office.day.tickets.values() if t.state == "missed"][:1]:
            before = ticket.due_at
            office.do(c.Reinstate(request_id=new_id(), ticket_id=ticket.ticket_id), now, clerk)
            assert ticket.due_at >= before, "a reinstatement never lowers due_at"
    elif visit is not None and act != "next":
        verb = {"start": c.Start, "finish": c.Finish, "no_show": c.NoShow}.get(act)
        target: Any = {"request_id": new_id(), "session": session, "ticket_id": visit.ticket_id}
        command: c.AnyCommand = verb(**target) if verb else c.Transfer(service=service, **target)
        office.do(command, now, clerk)


def _call_and_check(office: TestOffice, session: str, now: datetime) -> None:
    at_counter = office.day.sessions[session]
    choice = next_for(office.day, at_counter, now)
    if choice is None:
        return
    assert passed_over_bound(office.day, at_counter, choice.ticket, now) is None, "theorem 1"
    same = [
        t
        for t in office.day.waiting.values()
        if t.service == choice.ticket.service and t.counter == choice.ticket.counter and t.callable_at <= now
    ]
    if choice.ticket.callable_at <= now and choice.ticket.counter is None:
        assert min(same, key=lambda t: t.rank) is choice.ticket, "theorem 2"
    assert office.call_next(session, now, at_counter.staff_id) == choice.ticket.ticket_id


def _assert_same_day(office: TestOffice) -> None:
    replayed = office.replayed()
    assert replayed.tickets == office.day.tickets
    assert replayed.sessions == office.day.sessions
    assert replayed.last_numbers == office.day.last_numbers
    assert replayed.announcements == office.day.announcements


minutes = st.integers(-300, 300)


@given(policy=policies, slot=minutes, first=minutes, later=st.integers(0, 120), reduced=st.booleans())
def test_coming_later_never_helps_and_an_appointment_never_hurts(
    policy: Policy, slot: int, first: int, later: int, reduced: bool
) -> None:
    slot_at, arrived_at = at("12:00") + timedelta(minutes=slot), at("12:00") + timedelta(minutes=first)
    cls = "reduced_mobility" if reduced else "general"
    ranked = due(arrived_at, slot_at, cls, policy)
    assert ranked.due_at <= due(arrived_at, None, cls, policy).due_at, "theorem 3, first claim"
    assert ranked.due_at <= due(arrived_at + timedelta(minutes=later), slot_at, cls, policy).due_at, "theorem 3, second"
    assert arrived_at - ranked.due_at <= bound(policy), "lemma"


@given(policy=policies)
def test_the_bound_is_the_best_possible(policy: Policy) -> None:
    slot_at = at("12:00")
    lateness = [timedelta(minutes=m) for m in (policy.grace_min, policy.late_limit_min)]
    reached = [
        arrived_at - due(arrived_at, slot_at, cls, policy).due_at
        for arrived_at in (slot_at + late for late in lateness)
        for cls in ("general", "reduced_mobility")
    ]
    assert max(reached) == bound(policy) == bound_of(policy)


def test_head_start_and_grace_alone_are_no_bound() -> None:
    """What the first draft promised; false as soon as the late limit is longer than both."""
    policy = Policy(appointment_head_start_min=10, class_head_start_min={}, grace_min=10, late_limit_min=30)
    office, (session, *_) = office_of(policy, [({"a"}, set())])
    first = office.take("a", at("10:00"))
    office.check_in("a", at("09:55"), at("10:25"))
    overtaker = office.call_next(session, at("10:26"), "clerk-1")
    assert overtaker not in (None, first)
    assert office.day.tickets[str(overtaker)].arrived_at > at("10:00") + timedelta(minutes=10 + 10)
    assert bound(policy) == timedelta(minutes=30)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_call_of_a_random_day_breaks_the_order(seed: int) -> None:
    assert RandomDay(seed).broken == []


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_order_is_a_function_of_the_journal(seed: int) -> None:
    """Theorem 4: whoever folds the journal up to a call would make the same one."""
    office = RandomDay(seed, steps=80).office
    day = OfficeDay("centro")
    for header, fact in office.journal:
        if isinstance(fact, TicketCalled):
            choice = next_for(day, day.sessions[fact.session], header.occurred_at)
            assert choice is not None
            assert (choice.ticket.ticket_id, choice.rule) == (fact.ticket_id, fact.why.rule)
        day.apply(header, fact)
