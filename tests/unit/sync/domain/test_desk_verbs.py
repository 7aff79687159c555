"""What the verbs of a counter do beyond their states: who comes first, who is told, what is kept."""

from __future__ import annotations

from typing import Any

import pytest

from sync.domain.counters import Unserved, unserved
from sync.domain.ordering import ahead_of, passed_over_bound
from sync.domain.outcomes import Accepted, Decision, Unchanged
from sync.messages import commands as c
from sync.messages import facts as f
from sync.messages.feed import Counter
from sync.messages.refusals import Refusal
from tests.kit.office import TestOffice, at, catalogue, follow_hash, new_id

ZONES = (
    Counter(id="1", zone="a", primary=("a",), secondary=("b",)),
    Counter(id="2", zone="b", primary=("a", "b")),
    Counter(id="3", zone="b", primary=("b",)),
)


def code(decision: Decision) -> str:
    assert isinstance(decision, Refusal), decision
    return decision.code


def office_of_two() -> tuple[TestOffice, str, str]:
    office = TestOffice(catalogue(("a", "b"), ZONES))
    return office, office.open("1", at("09:00"), "ana"), office.open("2", at("09:00"), "luis")


def send(office: TestOffice, session: str, ticket: str, clock: str = "09:05", **where: Any) -> Decision:
    return office.do(c.Transfer(request_id=new_id(), session=session, ticket_id=ticket, **where), at(clock))


def test_clicks_with_fresh_views_call_once() -> None:
    """The page is fast enough to show the next visit between two clicks of one finger."""
    office, ana, _ = office_of_two()
    first, second = office.take("a", at("09:01")), office.take("a", at("09:02"))
    office.take("a", at("09:03"))
    office.call_next(ana, at("09:04"))
    office.do(c.Start(request_id=new_id(), session=ana, ticket_id=first), at("09:05"))
    for second_s in (0, 1, 2):
        office.call_next(ana, at(f"09:10:0{second_s}"))
    states = [t.state for t in office.day.tickets.values()]
    assert states == ["finished", "called", "waiting"]
    assert office.day.tickets[second].state == "called"


def test_next_with_nobody_waiting_still_ends_the_visit() -> None:
    office, ana, _ = office_of_two()
    only = office.take("a", at("09:01"))
    office.call_next(ana, at("09:02"))
    office.do(c.Start(request_id=new_id(), session=ana, ticket_id=only), at("09:03"))
    decision = office.do(c.CallNext(request_id=new_id(), session=ana, after=only), at("09:10"))
    assert isinstance(decision, Accepted)
    (ended,) = decision.facts
    assert isinstance(ended, f.TicketFinished)
    assert (ended.outcome, ended.services) == ("resolved", ("a",))
    again = office.do(c.CallNext(request_id=new_id(), session=ana, after=only), at("09:11"))
    assert code(again) == "nobody_waiting"


def test_a_skip_holds_for_one_call_and_costs_nothing() -> None:
    office, ana, luis = office_of_two()
    first, second, third = (office.take("a", at(f"09:0{n}")) for n in (1, 2, 3))
    skip = c.Skip(request_id=new_id(), session=ana, ticket_id=first, reason="short")
    assert isinstance(office.do(skip, at("09:04")), Accepted)
    again = c.Skip(request_id=new_id(), session=ana, ticket_id=first, reason="short")
    assert isinstance(office.do(again, at("09:04")), Unchanged), "it is not the next one any more"
    assert office.call_next(ana, at("09:05")) == second
    office.do(c.NoShow(request_id=new_id(), session=ana, ticket_id=second), at("09:06"))
    assert office.call_next(ana, at("09:07")) == first
    assert office.call_next(luis, at("09:07"), "luis") == third


def test_who_is_skipped_here_is_next_elsewhere() -> None:
    office, ana, luis = office_of_two()
    first = office.take("a", at("09:01"))
    office.take("a", at("09:02"))
    office.do(c.Skip(request_id=new_id(), session=ana, ticket_id=first, reason="short"), at("09:03"))
    assert office.call_next(luis, at("09:04"), "luis") == first


def test_nobody_is_skipped_for_nobody() -> None:
    office, ana, _ = office_of_two()
    only = office.take("a", at("09:01"))
    skip = c.Skip(request_id=new_id(), session=ana, ticket_id=only, reason="short")
    assert code(office.do(skip, at("09:02"))) == "nobody_waiting"
    other = office.take("a", at("09:03"))
    office.do(skip, at("09:04"))
    office.do(c.Leave(request_id=new_id(), ticket_id=other), at("09:05"))
    assert office.call_next(ana, at("09:06")) == only, "the other one left: nobody waits beside an idle counter"


def test_back_to_me_comes_first_at_my_counter_and_nowhere_else() -> None:
    office, ana, luis = office_of_two()
    ticket_id = office.take("a", at("09:01"))
    office.call_next(ana, at("09:02"))
    park = c.Park(
        request_id=new_id(), session=ana, ticket_id=ticket_id, reason="document", remind_min=10, back_to_me=True
    )
    office.do(park, at("09:04"))
    ticket = office.day.tickets[ticket_id]
    assert (ticket.parked_reason, ticket.remind_at) == ("document", at("09:14"))
    before = office.take("a", at("09:05"), "reduced_mobility")
    assert office.day.tickets[before].due_at < ticket.due_at
    office.take("a", at("09:06"))
    office.do(c.Resume(request_id=new_id(), ticket_id=ticket_id), at("09:20"))
    assert office.call_next(ana, at("09:21")) == ticket_id
    assert (ticket.due_at, ticket.remind_at, ticket.is_first) == (at("09:01"), None, False)
    assert office.call_next(luis, at("09:21"), "luis") == before


def test_back_to_me_is_for_all_when_i_have_gone() -> None:
    office, ana, luis = office_of_two()
    ticket = office.take("a", at("09:01"))
    office.call_next(ana, at("09:02"))
    office.do(c.Park(request_id=new_id(), session=ana, ticket_id=ticket, back_to_me=True), at("09:03"))
    office.do(c.CloseCounter(request_id=new_id(), session=ana), at("09:04"))
    office.do(c.Resume(request_id=new_id(), ticket_id=ticket), at("09:05"))
    assert office.call_next(luis, at("09:06"), "luis") == ticket


@pytest.mark.parametrize("order, expected", [("keep", 1), ("next", 0), ("end", 2)])
def test_the_order_of_a_transfer(order: Any, expected: int) -> None:
    office, ana, luis = office_of_two()
    moved = office.take("a", at("08:55"))
    office.call_next(ana, at("08:56"))
    early, _ = office.take("b", at("08:50")), office.take("b", at("08:58"))
    due_at = office.day.tickets[moved].due_at
    send(office, ana, moved, service="b", order=order, reason="short")
    calls = []
    for n in range(3):
        calls.append(office.call_next(luis, at(f"09:1{n}"), "luis"))
        office.do(c.NoShow(request_id=new_id(), session=luis, ticket_id=calls[-1] or ""), at(f"09:1{n}"), "luis")
    assert calls.index(moved) == expected
    assert early in calls
    assert office.day.tickets[moved].due_at == due_at, "its credit is kept whatever its place"


@pytest.mark.parametrize("order", ["next", "end"])
def test_another_order_needs_a_reason_and_tells_it(order: str) -> None:
    office, ana, _ = office_of_two()
    ticket = office.take("a", at("08:40"))
    office.call_next(ana, at("09:00"))
    sent = {"session": ana, "ticket_id": ticket, "service": "b"}
    without = c.Transfer(request_id=new_id(), order=order, **sent)  # type: ignore[arg-type]
    assert code(office.do(without, at("09:01"))) == "reason_required"
    assert office.day.tickets[ticket].state == "called"
    office.do(c.Transfer(request_id=new_id(), order=order, reason="short", **sent), at("09:02"))  # type: ignore[arg-type]
    assert office.day.tickets[ticket].state == "waiting"


def test_who_was_sent_to_the_end_has_the_own_place_again_after_the_next_move() -> None:
    office, ana, luis = office_of_two()
    moved = office.take("a", at("08:40"))
    office.call_next(ana, at("09:00"))
    send(office, ana, moved, service="b", order="end", reason="papers")
    other = office.take("b", at("08:50"))
    ticket = office.day.tickets[moved]
    assert ticket.ranks_at == at("09:05")
    assert passed_over_bound(office.day, office.day.sessions[luis], office.day.tickets[other], at("09:06")) is None
    office.call_next(luis, at("09:06"), "luis")
    office.do(c.NoShow(request_id=new_id(), session=luis, ticket_id=other), at("09:07"), "luis")
    assert office.call_next(luis, at("09:08"), "luis") == moved
    again = c.Transfer(request_id=new_id(), session=luis, ticket_id=moved, service="a")
    office.do(again, at("09:09"), "luis")
    assert ticket.ranks_at == ticket.due_at == at("08:40")


def test_a_ticket_for_a_person_or_a_zone_is_served_only_there() -> None:
    office, ana, luis = office_of_two()
    for where in ({"staff_id": "luis"}, {"zone": "b"}):
        ticket = office.take("a", at("09:01"))
        office.call_next(ana, at("09:02"))
        assert isinstance(send(office, ana, ticket, **where), Accepted)
        assert office.call_next(ana, at("09:06")) is None
        chosen = c.CallTicket(
            request_id=new_id(),
            session=ana,
            ticket_id=ticket,
            reason="short",
            after=office.day.sessions[ana].last_ticket_id,
        )
        assert code(office.do(chosen, at("09:06"))) == "not_this_counter"
        assert office.call_next(luis, at("09:07"), "luis") == ticket
        office.do(c.NoShow(request_id=new_id(), session=luis, ticket_id=ticket), at("09:08"), "luis")


@pytest.mark.parametrize("where", [{"staff_id": "eva"}, {"zone": "b"}])
def test_who_waits_for_somebody_else_is_not_ahead(where: dict[str, str]) -> None:
    office = TestOffice(catalogue(("a", "b"), ZONES))
    ana = office.open("1", at("09:00"), "ana")
    office.open("3", at("09:00"), "eva")
    sent = office.take("b", at("09:01"))
    office.call_next(ana, at("09:02"))
    later = office.take("a", at("09:03"))
    send(office, ana, sent, **where)
    assert ahead_of(office.day, office.day.tickets[later]) == 0
    assert office.call_next(ana, at("09:06")) == later


def test_nobody_is_sent_where_nobody_works() -> None:
    office, ana, luis = office_of_two()
    ticket = office.take("a", at("09:01"))
    office.call_next(ana, at("09:02"))
    assert code(send(office, ana, ticket, staff_id="eva")) == "nobody_there"
    assert code(send(office, ana, ticket, zone="c")) == "nobody_there"
    assert code(send(office, ana, ticket, counter="3")) == "counter_closed"
    assert code(send(office, ana, ticket)) == "malformed"
    assert code(send(office, ana, ticket, zone="b", service="b")) == "malformed"
    office.do(c.CloseCounter(request_id=new_id(), session=luis), at("09:06"), "luis")
    office.open("3", at("09:06"), "luis")
    assert code(send(office, ana, ticket, zone="b")) == "nobody_there", "counter 3 does not serve it"


def test_marks_fall_when_the_last_counter_of_a_zone_closes() -> None:
    office, ana, luis = office_of_two()
    ticket = office.take("a", at("09:01"))
    office.call_next(ana, at("09:02"))
    send(office, ana, ticket, zone="b", order="next", reason="mobility")
    office.do(c.CloseCounter(request_id=new_id(), session=luis), at("09:06"), "luis")
    assert not office.day.tickets[ticket].is_first
    assert office.call_next(ana, at("09:07")) == ticket


def test_a_note_is_no_part_of_the_fact() -> None:
    office, ana, _ = office_of_two()
    ticket = office.take("a", at("09:01"))
    office.call_next(ana, at("09:02"))
    decision = send(office, ana, ticket, service="b", note="Trae el libro de familia")
    assert isinstance(decision, Accepted)
    (moved,) = decision.facts
    assert isinstance(moved, f.TicketTransferred)
    assert moved.has_note
    assert "libro" not in repr(moved)


def test_a_supervisor_empties_a_counter_and_closes_it() -> None:
    office, ana, luis = office_of_two()
    third = office.open("3", at("09:00"), "eva")
    for_counter, for_person = office.take("a", at("09:01")), office.take("a", at("09:02"))
    for ticket, where in ((for_counter, {"counter": "2"}), (for_person, {"staff_id": "luis"})):
        office.call_next(ana, at("09:03"))
        send(office, ana, ticket, **where)
    visit = office.take("b", at("08:30"))
    office.call_next(luis, at("09:06"), "luis")
    move: Any = {"counter": "2", "to_counter": "3", "close": True}
    assert code(office.do(c.Reassign(request_id=new_id(), **move), at("09:07"))) == "forbidden"
    dues = {t.ticket_id: t.due_at for t in office.day.tickets.values()}
    office.do(c.Reassign(request_id=new_id(), **move), at("09:07"), "jefa", supervisor=True)
    assert "2" not in office.day.session_at
    tickets = office.day.tickets
    in_hand = {t.ticket_id for t in tickets.values() if t.counter == "3"}
    assert in_hand == {for_counter, for_person} - {t.ticket_id for t in tickets.values() if t.state != "waiting"}
    assert all(tickets[each].due_at == due_at for each, due_at in dues.items())
    assert visit in tickets
    assert office.call_next(third, at("09:08"), "eva") in {for_counter, for_person, visit}


@pytest.mark.parametrize("to", ["1", "3"])
def test_tickets_go_to_an_open_counter_that_is_another_one(to: str) -> None:
    office, _, _ = office_of_two()
    move = c.Reassign(request_id=new_id(), counter="1", to_counter=to)
    expected = "malformed" if to == "1" else "counter_closed"
    assert code(office.do(move, at("09:01"), "jefa", supervisor=True)) == expected


def test_a_walk_in_served_at_once_says_whom_it_passed() -> None:
    office, ana, _ = office_of_two()
    office.take("a", at("09:01"))
    command = c.ServeWalkIn(request_id=new_id(), session=ana, service="a", follow_hash=follow_hash("w"))
    decision = office.do(command, at("09:02"))
    assert isinstance(decision, Accepted)
    issued, called, started = decision.facts
    assert isinstance(issued, f.TicketIssued)
    assert isinstance(called, f.TicketCalled)
    assert isinstance(started, f.TicketStarted)
    assert (called.how, called.reason, called.why.ahead_now) == ("chosen", "walk_in", 1)
    assert office.day.tickets[command.request_id].state == "serving"
    twice = c.ServeWalkIn(request_id=new_id(), session=ana, service="a", follow_hash=follow_hash("x"))
    assert isinstance(office.do(twice, at("09:02:01")), Unchanged), "a double click with the old view"


def test_a_second_service_is_one_that_the_counter_serves() -> None:
    office, ana, luis = office_of_two()
    ticket = office.take("b", at("09:01"))
    third = office.open("3", at("09:00"), "eva")
    office.call_next(third, at("09:02"), "eva")
    ids: Any = {"session": third, "ticket_id": ticket}
    office.do(c.Start(request_id=new_id(), **ids), at("09:03"), "eva")
    added = office.do(c.AddService(request_id=new_id(), **ids, service="a"), at("09:04"), "eva")
    assert code(added) == "not_served_here"
    unknown = office.do(c.AddService(request_id=new_id(), **ids, service="z"), at("09:04"), "eva")
    assert code(unknown) == "service_unknown"
    same = office.do(c.AddService(request_id=new_id(), **ids, service="b"), at("09:04"), "eva")
    assert same == Accepted(())
    done = office.do(c.Finish(request_id=new_id(), **ids, services=("z",)), at("09:05"), "eva")
    assert code(done) == "service_unknown"
    assert ana != luis


def test_a_class_ranks_anew_from_the_same_arrival() -> None:
    office, _, _ = office_of_two()
    ticket_id = office.take("a", at("09:00"))
    ticket = office.day.tickets[ticket_id]
    for priority_class, due_at in (("reduced_mobility", "08:30"), ("general", "09:00")):
        change = c.SetPriority(request_id=new_id(), ticket_id=ticket_id, priority_class=priority_class, basis="asked")
        office.do(change, at("09:20"))
        assert (ticket.priority_class, ticket.due_at, ticket.arrived_at) == (priority_class, at(due_at), at("09:00"))
        assert office.do(change, at("09:21")) == Accepted(())
    unknown = c.SetPriority(request_id=new_id(), ticket_id=ticket_id, priority_class="vip", basis="asked")
    assert code(office.do(unknown, at("09:22"))) == "class_unknown"


def test_needs_are_no_part_of_the_fact() -> None:
    office, _, _ = office_of_two()
    ticket = office.take("a", at("09:00"))
    decision = office.do(c.SetNeeds(request_id=new_id(), ticket_id=ticket, needs=("wheelchair",)), at("09:01"))
    assert isinstance(decision, Accepted)
    assert "wheelchair" not in repr(decision.facts)


def test_a_counter_on_pause_calls_nobody_and_promises_nothing() -> None:
    office, ana, luis = office_of_two()
    office.do(c.CloseCounter(request_id=new_id(), session=luis), at("09:00"), "luis")
    office.take("a", at("09:01"))
    assert unserved(office.day) == ()
    for _ in range(2):
        assert isinstance(
            office.do(c.PauseCounter(request_id=new_id(), session=ana, reason="rest"), at("09:02")), Accepted
        )
    assert office.day.sessions[ana].paused_at == at("09:02")
    assert unserved(office.day) == (Unserved(service="a", waiting=1),)
    call = c.CallNext(request_id=new_id(), session=ana, after=None)
    assert code(office.do(call, at("09:03"))) == "counter_paused"
    office.do(c.ResumeCounter(request_id=new_id(), session=ana), at("09:04"))
    assert office.call_next(ana, at("09:05")) is not None


def test_a_clerk_who_sits_down_elsewhere_takes_the_visit_along() -> None:
    office, ana, _ = office_of_two()
    ticket = office.take("a", at("09:01"))
    office.call_next(ana, at("09:02"))
    office.do(c.Start(request_id=new_id(), session=ana, ticket_id=ticket), at("09:03"))
    move = c.OpenCounter(request_id=new_id(), counter="3", take_over=True)
    decision = office.do(move, at("09:04"), device="console-2")
    assert isinstance(decision, Accepted)
    assert [fact.TYPE for fact in decision.facts] == ["counter.opened", "counter.taken_over", "counter.closed"]
    visit = office.day.visit_at(move.request_id)
    assert visit is not None
    assert (visit.ticket_id, visit.called_counter, visit.state) == (ticket, "3", "serving")
    end = c.Finish(request_id=new_id(), session=move.request_id, ticket_id=ticket)
    assert code(office.do(end, at("09:05"), device="console-1")) == "session_elsewhere"
    assert isinstance(office.do(end, at("09:05"), device="console-2"), Accepted)


def test_the_same_counter_in_another_browser_tells_the_first_one() -> None:
    office, ana, _ = office_of_two()
    office.take("a", at("09:01"))
    plain = office.do(c.OpenCounter(request_id=new_id(), counter="1"), at("09:02"), device="console-2")
    assert isinstance(plain, Unchanged)
    taken = c.OpenCounter(request_id=new_id(), counter="1", take_over=True)
    decision = office.do(taken, at("09:02"), device="console-2")
    assert isinstance(decision, Accepted)
    assert [fact.TYPE for fact in decision.facts] == ["counter.taken_over"]
    call = c.CallNext(request_id=new_id(), session=ana, after=None)
    assert code(office.do(call, at("09:03"), device="console-1")) == "session_elsewhere"
    close = c.CloseCounter(request_id=new_id(), session=ana)
    assert code(office.do(close, at("09:03"), device="console-1")) == "session_elsewhere", "a sign-out there"
    again = c.OpenCounter(request_id=new_id(), counter="1", take_over=True)
    assert office.do(again, at("09:03"), device="console-2") == Accepted(())
    assert isinstance(office.do(call, at("09:03"), device="console-2"), Accepted)


def test_who_only_brings_their_own_counter_along_takes_nobody_elses() -> None:
    office, ana, luis = office_of_two()
    theirs = c.OpenCounter(request_id=new_id(), counter="2", take_over=True, only_own=True)
    assert code(office.do(theirs, at("09:02"), device="console-2")) == "counter_taken"
    nobodys = c.OpenCounter(request_id=new_id(), counter="3", take_over=True, only_own=True)
    assert code(office.do(nobodys, at("09:02"), device="console-2")) == "counter_closed"
    own = c.OpenCounter(request_id=new_id(), counter="1", take_over=True, only_own=True)
    assert isinstance(office.do(own, at("09:02"), device="console-2"), Accepted)
    assert set(office.day.sessions) == {ana, luis}


def test_a_clerk_with_a_counter_takes_over_another_ones() -> None:
    office, ana, luis = office_of_two()
    for clerk, session in (("ana", ana), ("luis", luis)):
        office.take("a", at("09:01"))
        office.call_next(session, at("09:02"), clerk)
    hers, his = (office.day.sessions[s].last_ticket_id or "" for s in (ana, luis))
    move = c.OpenCounter(request_id=new_id(), counter="2", take_over=True)
    office.do(move, at("09:04"))
    assert set(office.day.sessions) == {move.request_id}
    visit = office.day.visit_at(move.request_id)
    assert visit is not None
    assert visit.ticket_id == hers
    assert office.day.tickets[his].state == "waiting", "in its place, for whoever comes next"


def test_help_is_asked_for_after_hours_too() -> None:
    office, _, _ = office_of_two()
    office.do(c.CloseDay(request_id=new_id()), at("14:00"), supervisor=True)
    ask = c.AskSupport(request_id=new_id(), urgency="panic")
    assert isinstance(office.do(ask, at("14:30")), Accepted)
    assert ask.request_id in office.day.support


def test_a_call_for_support_waits_until_somebody_takes_care_of_it() -> None:
    office, ana, _ = office_of_two()
    ask = c.AskSupport(request_id=new_id(), urgency="panic", session=ana)
    office.do(ask, at("09:01"))
    assert office.do(c.AskSupport(request_id=new_id(), urgency="panic", session=ana), at("09:01:02")) == Accepted(())
    (call,) = office.day.support.values()
    assert (call.urgency, call.counter, call.staff_id, call.asked_at) == ("panic", "1", "ana", at("09:01"))
    answer = c.AnswerSupport(request_id=new_id(), support_id=ask.request_id)
    office.do(answer, at("09:02"), "jefa")
    assert office.day.support == {}
    assert code(office.do(answer, at("09:03"), "jefa")) == "support_over"
