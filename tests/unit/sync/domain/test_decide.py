"""Verbs, in the states that allow them and in those that do not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sync.domain.decide import turn_day
from sync.domain.outcomes import Accepted, Unchanged
from sync.messages import commands as c
from sync.messages.facts import DayOpened
from sync.messages.feed import Counter, Service
from sync.messages.node_facts import ClockStepped
from sync.messages.refusals import Refusal
from tests.kit.office import DAY, TestOffice, at, catalogue, follow_hash, new_id


def code(decision: object) -> str:
    assert isinstance(decision, Refusal), decision
    return decision.code


def test_a_triple_click_on_next_calls_once() -> None:
    office = TestOffice()
    session = office.open("1", at("09:00"))
    for _ in range(3):
        office.take("a", at("09:01"))
    clicks = [office.do(c.CallNext(request_id=new_id(), session=session, after=None), at("09:02")) for _ in range(3)]
    assert [type(d) for d in clicks] == [Accepted, Unchanged, Unchanged]
    assert sum(t.state == "called" for t in office.day.tickets.values()) == 1


def test_a_late_click_after_a_finished_visit_calls_nobody() -> None:
    office = TestOffice()
    session = office.open("1", at("09:00"))
    first = office.take("a", at("09:01"))
    office.take("a", at("09:01"))
    office.call_next(session, at("09:02"))
    office.do(c.Start(request_id=new_id(), session=session, ticket_id=first), at("09:03"))
    office.do(c.Finish(request_id=new_id(), session=session, ticket_id=first), at("09:04"))
    late = office.do(c.CallNext(request_id=new_id(), session=session, after=None), at("09:05"))
    assert isinstance(late, Unchanged)


def test_next_with_an_open_visit_is_refused() -> None:
    office = TestOffice()
    session = office.open("1", at("09:00"))
    office.take("a", at("09:01"))
    office.call_next(session, at("09:02"))
    after = office.day.sessions[session].last_call
    decision = office.do(c.CallNext(request_id=new_id(), session=session, after=after), at("09:03"))
    assert code(decision) == "visit_open"


def test_a_ticket_is_no_call_and_a_page_that_names_one_is_shown_what_is_now() -> None:
    """Pages of a build whose ``after`` was a ticket; the next one they get is right."""
    office = TestOffice()
    session = office.open("1", at("09:00"))
    ticket = office.take("a", at("09:01"))
    office.call_next(session, at("09:02"))
    decision = office.do(c.CallNext(request_id=new_id(), session=session, after=ticket), at("09:03"))
    assert isinstance(decision, Unchanged)


def test_who_is_called_again_at_one_counter_is_called_by_another_call() -> None:
    office = TestOffice()
    session = office.open("1", at("09:00"))
    ticket = office.take("a", at("09:01"))
    office.call_next(session, at("09:02"))
    first = office.day.sessions[session].last_call
    office.do(c.NoShow(request_id=new_id(), session=session, ticket_id=ticket), at("09:03"))
    office.do(c.Reinstate(request_id=new_id(), ticket_id=ticket), at("09:04"))
    assert office.call_next(session, at("09:20")) == ticket
    late = office.do(c.CallNext(request_id=new_id(), session=session, after=first), at("09:21"))
    assert isinstance(late, Unchanged)


def test_recalls_have_a_gap_and_a_limit() -> None:
    office = TestOffice()
    session = office.open("1", at("09:00"))
    ticket = office.take("a", at("09:01"))
    office.call_next(session, at("09:02"))
    recall = {"session": session, "ticket_id": ticket}
    soon = office.do(c.Recall(request_id=new_id(), **recall), at("09:02:15"))
    assert isinstance(soon, Refusal)
    assert (soon.code, soon.wait_s) == ("recall_too_soon", 5)
    for minute in (3, 4, 5):
        assert isinstance(office.do(c.Recall(request_id=new_id(), **recall), at(f"09:0{minute}")), Accepted)
    assert code(office.do(c.Recall(request_id=new_id(), **recall), at("09:06"))) == "recall_limit"


def test_a_late_word_of_a_screen_is_not_about_the_next_call() -> None:
    office = TestOffice()
    session = office.open("1", at("09:00"))
    ticket_id = office.take("a", at("09:01"))
    office.call_next(session, at("09:02"))
    ticket = office.day.tickets[ticket_id]
    first = ticket.announcement
    office.do(c.NoShow(request_id=new_id(), session=session, ticket_id=ticket_id), at("09:05"))
    office.do(c.Reinstate(request_id=new_id(), ticket_id=ticket_id), at("09:06"))
    office.call_next(session, at("09:07"))
    assert (ticket.state, ticket.recalls) == ("called", 0)
    for announcement, shown_at in ((first, None), (ticket.announcement, at("09:02"))):
        report = c.ReportShown(
            request_id=new_id(),
            ticket_id=ticket_id,
            announcement=announcement,
            recalls=0,
            shown_at=at("09:02"),
            sounded=True,
        )
        office.do(report, at("09:08"))
        assert ticket.shown_at == shown_at


@pytest.mark.parametrize("verb", [c.Recall, c.Finish, c.Transfer, c.NoShow, c.Start])
def test_verbs_need_the_right_state_and_the_right_counter(verb: Any) -> None:
    office = TestOffice()
    mine, theirs = office.open("1", at("09:00"), "ana"), office.open("2", at("09:00"), "luis")
    ticket = office.take("a", at("09:01"))
    extra = {"service": "b"} if verb is c.Transfer else {}
    waiting = office.do(verb(request_id=new_id(), session=mine, ticket_id=ticket, **extra), at("09:02"))
    assert code(waiting) == "wrong_state"
    office.call_next(theirs, at("09:03"), "luis")
    if verb is c.Finish:
        office.do(c.Start(request_id=new_id(), session=theirs, ticket_id=ticket), at("09:03"), "luis")
    other = office.do(verb(request_id=new_id(), session=mine, ticket_id=ticket, **extra), at("09:04"))
    assert code(other) == "not_this_counter"
    foreign = office.do(verb(request_id=new_id(), session=theirs, ticket_id=ticket, **extra), at("09:04"))
    assert code(foreign) == "forbidden"


def test_an_appointment_checks_in_once() -> None:
    office = TestOffice()
    command = c.CheckIn(
        request_id=new_id(),
        appointment_id=new_id(),
        service="a",
        slot_start_at=at("10:00"),
        duration_min=10,
        follow_hash=follow_hash("x"),
    )
    office.do(command, at("09:50"))
    again = c.CheckIn(**{**{f: getattr(command, f) for f in command.__struct_fields__}, "request_id": new_id()})
    decision = office.do(again, at("09:51"))
    assert isinstance(decision, Refusal)
    assert (decision.code, decision.ticket_id) == ("already_checked_in", command.request_id)


def test_a_supervisor_ends_a_session_and_its_visit_waits_in_place() -> None:
    office = TestOffice()
    session = office.open("1", at("09:00"), "ana")
    ticket = office.take("a", at("09:01"))
    office.call_next(session, at("09:02"), "ana")
    refused = office.do(c.CloseCounter(request_id=new_id(), session=session), at("09:03"), "luis")
    assert code(refused) == "forbidden"
    office.do(c.CloseCounter(request_id=new_id(), session=session), at("09:03"), "eva", supervisor=True)
    assert office.day.tickets[ticket].state == "waiting"
    assert not office.day.sessions


def test_a_clerk_cannot_leave_a_visit_open() -> None:
    office = TestOffice()
    session = office.open("1", at("09:00"))
    office.take("a", at("09:01"))
    office.call_next(session, at("09:02"))
    assert code(office.do(c.CloseCounter(request_id=new_id(), session=session), at("09:03"))) == "visit_open"


def test_one_clerk_at_a_counter_and_one_counter_for_a_clerk() -> None:
    office = TestOffice()
    first = office.open("1", at("09:00"), "ana")
    taken = office.do(c.OpenCounter(request_id=new_id(), counter="1"), at("09:01"), "luis")
    second = office.do(c.OpenCounter(request_id=new_id(), counter="2"), at("09:01"), "ana")
    again = office.do(c.OpenCounter(request_id=new_id(), counter="1"), at("09:01"), "ana")
    assert (code(taken), code(second)) == ("counter_taken", "session_open")
    assert isinstance(again, Unchanged)
    office.do(c.OpenCounter(request_id=new_id(), counter="1", take_over=True), at("09:02"), "luis")
    assert first not in office.day.sessions
    assert office.day.sessions[office.day.session_at["1"]].staff_id == "luis"


def test_closing_the_day_abandons_what_is_open_and_refuses_the_rest() -> None:
    office = TestOffice()
    session = office.open("1", at("09:00"))
    for _ in range(2):
        office.take("a", at("09:01"))
    office.call_next(session, at("09:02"))
    assert code(office.do(c.CloseDay(request_id=new_id()), at("14:00"))) == "forbidden"
    office.do(c.CloseDay(request_id=new_id()), at("14:00"), supervisor=True)
    assert {t.state for t in office.day.tickets.values()} == {"abandoned"}
    assert not office.day.sessions
    taken = c.TakeTicket(request_id=new_id(), service="a", follow_hash=follow_hash("y"))
    assert code(office.do(taken, at("14:01"))) == "day_closed"
    assert turn_day(office.day, DAY, office.catalogue) == ()


def test_the_day_turns_by_closing_yesterday_first() -> None:
    office = TestOffice()
    office.take("a", at("09:01"))
    facts = turn_day(office.day, DAY.replace(day=24), office.catalogue)
    assert [fact.TYPE for fact in facts] == ["ticket.abandoned", "day.closed", "day.opened"]
    office.write(facts, at("23:59"))
    assert office.day.last_numbers == {}
    assert isinstance(facts[-1], DayOpened)
    assert turn_day(office.day, DAY, office.catalogue) == (), "a clock that went back opens no old day"


def test_a_service_without_walk_ins_says_so() -> None:
    of = catalogue(("a",))
    only = Service(id="a", names={"es": "A"}, series="A", duration_min=10, walk_in=False)
    office = TestOffice(type(of)(office=of.office, services={"a": only}, counters=of.counters))
    taken = c.TakeTicket(request_id=new_id(), service="a", follow_hash=follow_hash("z"))
    assert code(office.do(taken, at("09:00"))) == "walk_in_not_allowed"
    unknown = c.TakeTicket(request_id=new_id(), service="zz", follow_hash=follow_hash("z"))
    assert code(office.do(unknown, at("09:00"))) == "service_unknown"


def test_a_clock_step_moves_arrivals_and_keeps_the_waiting() -> None:
    office = TestOffice()
    walk_in = office.take("a", at("09:00"))
    cita = office.check_in("a", at("10:00"), at("09:50"))
    office.write((ClockStepped(delta_ms=3_600_000),), at("10:51"))
    assert office.day.tickets[walk_in].arrived_at == at("10:00")
    assert office.day.tickets[walk_in].due_at == at("10:00")
    late = office.day.tickets[cita]
    assert (late.arrived_at, late.due_at, late.band) == (at("10:50"), at("10:50"), "early")


def test_a_letter_that_changes_during_the_day_gives_no_number_twice() -> None:
    """Two services change their letters: who waits keeps the label on the paper, and each letter goes on counting."""
    office = TestOffice(catalogue(("a", "b"), (Counter(id="1", zone="a", primary=("a", "b")),)))
    before = [office.day.tickets[office.take(service, at("09:00"))].label for service in ("a", "b", "b")]
    services = office.catalogue.services
    changed = {
        name: msgspec.structs.replace(service, series={"A": "B", "B": "A"}[service.series])
        for name, service in services.items()
    }
    office.catalogue = msgspec.structs.replace(office.catalogue, services=changed)
    after = [office.day.tickets[office.take(service, at("09:01"))].label for service in ("a", "b")]
    assert before == ["A1", "B1", "B2"]
    assert after == ["B3", "A2"]
    assert [ticket.label for ticket in office.day.tickets.values()] == [*before, *after]


def test_a_full_series_goes_on_with_the_spare_letter() -> None:
    office = TestOffice(catalogue(("a",), (Counter(id="1", zone="a", primary=("a",)),)))
    office.day.last_numbers["A"] = 999
    ticket = office.take("a", at("09:00"))
    assert office.day.tickets[ticket].label == "Z1"
    office.day.last_numbers["Z"] = 999
    full = c.TakeTicket(request_id=new_id(), service="a", follow_hash=follow_hash("q"))
    assert code(office.do(full, at("09:01"))) == "series_exhausted"
