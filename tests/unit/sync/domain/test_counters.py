"""What leaving a counter does to those who wait, and what a supervisor may change at one."""

from __future__ import annotations

from typing import Any

import pytest

from sync.domain.counters import Unserved, left_unserved
from sync.domain.outcomes import Accepted, Decision
from sync.messages import commands as c
from sync.messages import facts as f
from sync.messages.desk_facts import CounterServicesChanged, TicketWantedBack
from sync.messages.feed import Counter, NodeKey
from sync.messages.node_facts import ClockStepped
from sync.messages.refusals import Refusal
from tests.kit.office import TestOffice, at, catalogue, new_id

DESKS = (
    Counter(id="1", zone="a", primary=("a",), secondary=("b",)),
    Counter(id="2", zone="a", primary=("b",)),
)


def office_of_two() -> tuple[TestOffice, str, str]:
    office = TestOffice(catalogue(("a", "b"), DESKS))
    return office, office.open("1", at("09:00"), "ana"), office.open("2", at("09:00"), "luis")


def code(decision: Decision) -> str:
    assert isinstance(decision, Refusal), decision
    return decision.code


def boss(office: TestOffice, command: c.AnyCommand, clock: str = "09:10") -> Decision:
    return office.do(command, at(clock), "jefa", supervisor=True)


def test_the_last_counter_of_a_service_is_known() -> None:
    office, ana, luis = office_of_two()
    for service in "aab":
        office.take(service, at("09:01"))
    day = office.day
    assert left_unserved(day, day.sessions[ana]) == (Unserved(service="a", waiting=2),)
    assert left_unserved(day, day.sessions[luis]) == (), "counter 1 serves b, too"
    office.do(c.PauseCounter(request_id=new_id(), session=ana, reason="rest"), at("09:02"))
    assert left_unserved(day, day.sessions[luis]) == (Unserved(service="b", waiting=1),), (
        "a counter on pause serves nobody"
    )


@pytest.mark.parametrize("command", [c.PauseCounter, c.CloseCounter])
def test_the_last_one_leaves_only_on_purpose(command: Any) -> None:
    office, ana, _ = office_of_two()
    office.take("a", at("09:01"))
    asked = command(request_id=new_id(), session=ana, reason="rest", unless_last=True)
    assert code(office.do(asked, at("09:02"))) == "last_counter"
    anyway = command(request_id=new_id(), session=ana, reason="rest")
    decision = office.do(anyway, at("09:03"))
    assert isinstance(decision, Accepted)
    (fact,) = decision.facts
    assert getattr(fact, "why", None) == "rest" or getattr(fact, "reason", None) == "rest"


def test_nobody_waits_so_nobody_is_left() -> None:
    office, ana, _ = office_of_two()
    asked = c.CloseCounter(request_id=new_id(), session=ana, reason="shift_end", unless_last=True)
    assert isinstance(office.do(asked, at("09:02")), Accepted)


def test_a_supervisor_lets_a_counter_serve_other_services() -> None:
    office, ana, luis = office_of_two()
    ticket = office.take("a", at("09:01"))
    change = c.ChangeServices(request_id=new_id(), session=luis, primary=("b",), secondary=("a", "b"))
    assert code(office.do(change, at("09:02"), "luis")) == "forbidden"
    decision = boss(office, change)
    assert isinstance(decision, Accepted)
    changed = CounterServicesChanged(session=luis, counter="2", primary=("b",), secondary=("a",))
    assert decision.facts == (changed,)
    assert office.call_next(luis, at("09:10"), "luis") == ticket
    assert office.replayed().sessions[luis].secondary == ("a",)
    assert boss(office, change) == Accepted(()), "it is so already"
    unknown = c.ChangeServices(request_id=new_id(), session=ana, primary=("z",))
    assert code(boss(office, unknown)) == "service_unknown"
    gone = c.ChangeServices(request_id=new_id(), session=new_id(), primary=("a",))
    assert code(boss(office, gone)) == "counter_closed"


def test_a_zone_mark_falls_when_no_counter_there_serves_the_service_any_more() -> None:
    desks = (Counter(id="1", zone="a", primary=("a",)), Counter(id="2", zone="b", primary=("a",)))
    office = TestOffice(catalogue(("a", "b"), desks))
    ana, luis = office.open("1", at("09:00"), "ana"), office.open("2", at("09:00"), "luis")
    ticket = office.take("a", at("09:01"))
    office.call_next(ana, at("09:02"))
    office.do(c.Transfer(request_id=new_id(), session=ana, ticket_id=ticket, zone="b"), at("09:03"))
    boss(office, c.ChangeServices(request_id=new_id(), session=luis, primary=("b",)))
    assert not office.day.tickets[ticket].is_marked


def test_one_ticket_is_given_to_a_counter_and_back_to_all() -> None:
    office, ana, luis = office_of_two()
    first, second = office.take("a", at("09:01")), office.take("a", at("09:02"))
    give = c.AssignTicket(request_id=new_id(), ticket_id=second, to_counter="2")
    assert code(office.do(give, at("09:03"), "ana")) == "forbidden"
    decision = boss(office, give, "09:03")
    assert decision == Accepted((f.TicketReassigned(ticket_id=second, counter="2"),))
    assert boss(office, give, "09:03") == Accepted(())
    assert office.call_next(luis, at("09:04"), "luis") == second
    assert code(boss(office, give)) == "wrong_state"
    closed = c.AssignTicket(request_id=new_id(), ticket_id=first, to_counter="9")
    assert code(boss(office, closed)) == "counter_closed"
    assert boss(office, c.AssignTicket(request_id=new_id(), ticket_id=first)) == Accepted(()), "it is everybody's"
    assert office.call_next(ana, at("09:05")) == first


def test_who_was_sent_away_is_asked_for_once() -> None:
    office, ana, _ = office_of_two()
    office.catalogue.nodes["real"] = NodeKey(office="real", epoch=1, public_key=bytes(32))  # type: ignore[index]
    ticket = office.take("a", at("09:01"))
    back = c.TakeBack(request_id=new_id(), ticket_id=ticket)
    assert code(office.do(back, at("09:02"))) == "wrong_state"
    office.do(c.HandOver(request_id=new_id(), session=ana, ticket_id=ticket, to_office="real"), at("09:03"))
    sent = office.day.tickets[ticket]
    assert (sent.state, sent.released_at, sent.wanted_back) == ("in_transit", at("09:03"), False)
    decision = office.do(back, at("09:04"))
    assert isinstance(decision, Accepted)
    assert [type(fact) for fact in decision.facts] == [TicketWantedBack]
    assert (sent.state, sent.wanted_back) == ("in_transit", True)
    assert office.do(c.TakeBack(request_id=new_id(), ticket_id=ticket), at("09:05")) == Accepted(())


def test_a_clock_that_is_set_moves_the_instant_at_which_somebody_was_sent() -> None:
    office, ana, _ = office_of_two()
    office.catalogue.nodes["real"] = NodeKey(office="real", epoch=1, public_key=bytes(32))  # type: ignore[index]
    ticket = office.take("a", at("09:01"))
    office.do(c.HandOver(request_id=new_id(), session=ana, ticket_id=ticket, to_office="real"), at("09:03"))
    office.write((ClockStepped(delta_ms=600_000),), at("09:14"))
    assert office.day.tickets[ticket].released_at == at("09:13")
