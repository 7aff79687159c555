"""Every verb in every state of a ticket: done, or refused with the reason that the screens have words for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from sync.domain.outcomes import Accepted
from sync.messages import commands as c
from sync.messages.facts import TicketAbandoned
from sync.messages.refusals import Refusal
from tests.kit.office import TestOffice, at, follow_hash, new_id

STATES = ("waiting", "called", "serving", "missed", "parked", "finished", "abandoned")
WRONG = "wrong_state"


class Bench(NamedTuple):
    """A ticket in some state, in an office where one more person waits; counter 1 is ana's, counter 2 luis's."""

    office: TestOffice
    session: str
    ticket: str


def bench(state: str) -> Bench:
    office = TestOffice()
    session = office.open("1", at("09:00"), "ana")
    office.open("2", at("09:00"), "luis")
    ticket = office.take("a", at("09:01"))
    office.take("a", at("09:02"))
    mine: Any = {"session": session, "ticket_id": ticket}
    if state not in ("waiting", "abandoned"):
        office.call_next(session, at("09:03"))
    if state in ("serving", "finished"):
        office.do(c.Start(request_id=new_id(), **mine), at("09:04"))
    if state == "finished":
        office.do(c.Finish(request_id=new_id(), **mine), at("09:05"))
    elif state == "missed":
        office.do(c.NoShow(request_id=new_id(), **mine), at("09:05"))
    elif state == "parked":
        office.do(c.Park(request_id=new_id(), **mine), at("09:05"))
    elif state == "abandoned":
        office.write((TicketAbandoned(ticket_id=ticket, reason="left"),), at("09:05"))
    assert office.day.tickets[ticket].state == state
    return Bench(office, session, ticket)


def on(verb: Any, **more: Any) -> Callable[[Bench], c.AnyCommand]:
    return lambda b: verb(request_id=new_id(), session=b.session, ticket_id=b.ticket, **more)


def loose(verb: Any, **more: Any) -> Callable[[Bench], c.AnyCommand]:
    return lambda b: verb(request_id=new_id(), ticket_id=b.ticket, **more)


def seen(b: Bench) -> str | None:
    return b.office.day.sessions[b.session].last_call


VERBS: dict[str, tuple[Callable[[Bench], c.AnyCommand], dict[str, str]]] = {
    "recall": (on(c.Recall), {"called": "done"}),
    "start": (on(c.Start), {"called": "done"}),
    "finish": (on(c.Finish, services=("a", "b")), {"serving": "done"}),
    "no_show": (on(c.NoShow), {"called": "done"}),
    "transfer to a service": (on(c.Transfer, service="b", note="x"), dict.fromkeys(("called", "serving"), "done")),
    "transfer to a counter": (on(c.Transfer, counter="2"), dict.fromkeys(("called", "serving"), "done")),
    "transfer to a person": (on(c.Transfer, staff_id="luis"), dict.fromkeys(("called", "serving"), "done")),
    "transfer to a zone": (on(c.Transfer, zone="a"), dict.fromkeys(("called", "serving"), "done")),
    "park": (on(c.Park, back_to_me=True), dict.fromkeys(("waiting", "called", "serving"), "done")),
    "set the route": (
        loose(c.PlanRoute, steps=("b",)),
        dict.fromkeys(("waiting", "called", "serving", "parked"), "done"),
    ),
    "skip": (on(c.Skip, reason="short"), dict.fromkeys(("waiting", "called"), "done")),
    "add a service": (on(c.AddService, service="b"), {"serving": "done"}),
    "reinstate": (loose(c.Reinstate), {"missed": "done"}),
    "resume": (loose(c.Resume), {"parked": "done"}),
    "leave": (loose(c.Leave), dict.fromkeys(("waiting", "parked", "missed"), "done")),
    "leave, told at a counter": (on(c.Leave), dict.fromkeys(("waiting", "parked", "missed"), "done")),
    "set the class": (
        loose(c.SetPriority, priority_class="reduced_mobility", basis="seen"),
        dict.fromkeys(("waiting", "called", "serving", "missed", "parked"), "done"),
    ),
    "set the needs": (
        loose(c.SetNeeds, needs=("signs",)),
        dict.fromkeys(("waiting", "called", "serving", "missed", "parked"), "done"),
    ),
    "call next": (
        lambda b: c.CallNext(request_id=new_id(), session=b.session, after=seen(b)),
        {**dict.fromkeys(STATES, "done"), "called": "visit_open"},
    ),
    "serve a walk-in": (
        lambda b: c.ServeWalkIn(
            request_id=new_id(), session=b.session, service="a", follow_hash=follow_hash("w"), after=seen(b)
        ),
        {**dict.fromkeys(STATES, "done"), "called": "visit_open", "serving": "visit_open"},
    ),
    "pause": (
        lambda b: c.PauseCounter(request_id=new_id(), session=b.session, reason="rest"),
        {**dict.fromkeys(STATES, "done"), "called": "visit_open", "serving": "visit_open"},
    ),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_in_a_state(verb: str, state: str) -> None:
    command, expected = VERBS[verb]
    b = bench(state)
    before = len(b.office.journal)
    decision = b.office.do(command(b), at("09:10"))
    told = decision.code if isinstance(decision, Refusal) else "done" if isinstance(decision, Accepted) else "unchanged"
    assert told == expected.get(state, WRONG)
    assert (len(b.office.journal) > before) == (told == "done"), "a refusal writes nothing"


AT_THE_COUNTER = [
    verb
    for verb, (_, states) in VERBS.items()
    if {"called", "serving"} & set(states) and not verb.startswith("set the")
]


@pytest.mark.parametrize("verb", AT_THE_COUNTER)
def test_another_clerk_may_not_act_for_this_counter(verb: str) -> None:
    command, states = VERBS[verb]
    state = "serving" if states.get("serving") == "done" else "called"
    b = bench(state)
    decision = b.office.do(command(b), at("09:10"), "luis")
    assert isinstance(decision, Refusal)
    assert decision.code == "forbidden"


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_is_done_on_a_closed_day(verb: str) -> None:
    b = bench("waiting")
    command = VERBS[verb][0](b)
    b.office.do(c.CloseDay(request_id=new_id()), at("14:00"), supervisor=True)
    decision = b.office.do(command, at("14:01"))
    assert isinstance(decision, Refusal)
    assert decision.code == "day_closed"
