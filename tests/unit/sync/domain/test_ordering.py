"""The points of the order that the golden cases do not reach, each with the fault it guards against."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync.domain.ordering import ahead_of, next_for
from sync.messages import commands as c
from sync.messages.feed import Counter
from sync.messages.policy import Policy
from tests.kit.office import TestOffice, at, catalogue, new_id


def test_equal_dues_go_by_issue_not_by_printed_code() -> None:
    office = TestOffice(catalogue(("z", "a")))
    session = office.open("1", at("09:00"))
    first = office.check_in("z", at("10:00"), at("09:40"))
    second = office.check_in("a", at("10:00"), at("09:50"))
    labels = [office.day.tickets[t].label for t in (first, second)]
    assert labels == ["Z1", "A1"]
    assert office.call_next(session, at("10:00")) == first


def test_an_idle_counter_takes_a_secondary_ticket_before_an_early_appointment() -> None:
    of = catalogue(("a", "b"), (Counter(id="1", zone="a", primary=("a",), secondary=("b",)),))
    office = TestOffice(of)
    session = office.open("1", at("09:00"))
    early = office.check_in("a", at("10:00"), at("09:10"))
    secondary = office.take("b", at("09:11"))
    choice = next_for(office.day, office.day.sessions[session], at("09:12"))
    assert choice is not None
    assert (choice.ticket.ticket_id, choice.rule) == (secondary, "idle_secondary")
    office.call_next(session, at("09:12"))
    assert office.day.tickets[early].state == "waiting"


def test_a_ticket_sent_to_a_counter_is_served_only_there_until_it_closes() -> None:
    office = TestOffice()
    one, two = office.open("1", at("09:00"), "ana"), office.open("2", at("09:00"), "luis")
    ticket = office.take("a", at("09:01"))
    office.call_next(one, at("09:02"))
    office.do(c.Transfer(request_id=new_id(), session=one, ticket_id=ticket, counter="2"), at("09:03"))
    assert office.call_next(one, at("09:04")) is None
    office.do(c.CloseCounter(request_id=new_id(), session=two), at("09:05"), "luis")
    assert office.call_next(one, at("09:06")) == ticket


def test_a_mark_falls_with_its_counter_also_for_a_ticket_that_is_parked() -> None:
    office = TestOffice()
    one, two = office.open("1", at("09:00")), office.open("2", at("09:00"), actor="eva")
    ticket = office.take("a", at("09:01"))
    office.call_next(one, at("09:02"))
    office.do(c.Transfer(request_id=new_id(), session=one, ticket_id=ticket, counter="2"), at("09:03"))
    office.do(c.Park(request_id=new_id(), session=two, ticket_id=ticket), at("09:04"), actor="eva")
    office.do(c.CloseCounter(request_id=new_id(), session=two), at("09:05"), actor="eva")
    office.do(c.Resume(request_id=new_id(), ticket_id=ticket), at("09:06"))
    assert office.call_next(one, at("09:07")) == ticket


def test_a_transfer_keeps_label_and_due() -> None:
    office = TestOffice()
    session = office.open("1", at("09:00"))
    ticket = office.take("a", at("09:01"))
    before = office.day.tickets[ticket]
    label, due_at = before.label, before.due_at
    office.call_next(session, at("09:02"))
    office.do(c.Transfer(request_id=new_id(), session=session, ticket_id=ticket, service="b"), at("09:03"))
    after = office.day.tickets[ticket]
    assert (after.label, after.due_at, after.service, after.state) == (label, due_at, "b", "waiting")


@pytest.mark.parametrize(
    "policy, waited_min, kept",
    [
        (Policy(), 15, True),
        (Policy(), 16, False),
        (Policy(reinstate="now"), 1, False),
        (Policy(reinstate="behind_two"), 1, True),
    ],
)
def test_reinstatement_keeps_the_place_once_and_in_time(policy: Policy, waited_min: int, kept: bool) -> None:
    office = TestOffice(catalogue(policy=policy))
    session = office.open("1", at("09:00"))
    ticket = office.take("a", at("09:01"))
    due_at = office.day.tickets[ticket].due_at
    office.call_next(session, at("09:02"))
    office.do(c.NoShow(request_id=new_id(), session=session, ticket_id=ticket), at("09:03"))
    back_at = at("09:03") + timedelta(minutes=waited_min)
    office.do(c.Reinstate(request_id=new_id(), ticket_id=ticket), back_at)
    assert office.day.tickets[ticket].due_at == (due_at if kept else back_at)


def test_a_second_reinstatement_counts_from_now() -> None:
    office = TestOffice()
    session = office.open("1", at("09:00"))
    ticket = office.take("a", at("09:01"))
    for minute in (2, 4):
        office.call_next(session, at(f"09:0{minute}"))
        office.do(c.NoShow(request_id=new_id(), session=session, ticket_id=ticket), at(f"09:0{minute}"))
        office.do(c.Reinstate(request_id=new_id(), ticket_id=ticket), at(f"09:0{minute + 1}"))
    assert office.day.tickets[ticket].due_at == at("09:05")


def test_people_ahead_are_those_who_compete_for_the_same_counters() -> None:
    of = catalogue(("a", "b"), (Counter(id="1", zone="a", primary=("a",)), Counter(id="2", zone="a", primary=("b",))))
    office = TestOffice(of)
    office.open("1", at("09:00"), "ana")
    office.open("2", at("09:00"), "luis")
    office.take("b", at("09:01"))
    office.take("a", at("09:02"))
    last = office.take("a", at("09:03"))
    assert ahead_of(office.day, office.day.tickets[last]) == 1
