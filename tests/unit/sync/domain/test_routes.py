"""A visit of several steps: planned at entry, followed by finishing, changed on the way."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sync.domain.outcomes import Accepted, Unchanged
from sync.domain.routes import not_offered, steps_after
from sync.messages import commands as c
from sync.messages.desk_facts import TicketUndone
from sync.messages.facts import TicketFinished, TicketTransferred
from sync.messages.refusals import Refusal
from tests.kit.office import TestOffice, at, catalogue, new_id

SERVICES = ("a", "b", "c", "d")


class Walk:
    """Ana serves all; somebody who came at 9:00 for ``a`` is to go on to ``b`` and ``c``."""

    def __init__(self, *steps: str) -> None:
        self.office = TestOffice(catalogue(SERVICES))
        self.ana = self.office.open("1", at("08:55"), "ana")
        self.ticket_id = self.office.take("a", at("09:00"))
        self.plan(*(steps or ("b", "c")))
        self.ticket = self.office.day.tickets[self.ticket_id]

    def plan(self, *steps: str) -> Any:
        return self.office.do(c.PlanRoute(request_id=new_id(), ticket_id=self.ticket_id, steps=steps), at("09:01"))

    @property
    def mine(self) -> dict[str, Any]:
        return {"request_id": new_id(), "session": self.ana, "ticket_id": self.ticket_id}

    @property
    def seen(self) -> str | None:
        """What a page that shows the counter as it is names."""
        return self.office.day.sessions[self.ana].last_call

    def serve(self, clock: str) -> None:
        assert self.office.call_next(self.ana, at(clock)) == self.ticket_id
        self.office.do(c.Start(**self.mine), at(clock))

    def finish(self, clock: str, **more: Any) -> Any:
        decision = self.office.do(c.Finish(**self.mine, **more), at(clock))
        assert isinstance(decision, Accepted), decision
        return decision.facts[0]


def test_each_end_leads_to_the_next_step_with_the_waiting_of_the_first_and_the_last_one_ends() -> None:
    w = Walk()
    assert (w.ticket.to_do, w.ticket.steps_done) == (("a", "b", "c"), 0)
    w.serve("09:05")
    step = w.finish("09:10", services=("a",))
    assert isinstance(step, TicketTransferred)
    assert (step.service, step.outcome, step.services, step.order) == ("b", "resolved", ("a",), "keep")
    assert (w.ticket.state, w.ticket.to_do, w.ticket.due_at) == ("waiting", ("b", "c"), at("09:00"))
    w.office.take("b", at("09:11"))
    w.serve("09:12")
    w.finish("09:20")
    w.serve("09:21")
    assert steps_after(w.ticket) == ()
    assert isinstance(w.finish("09:30"), TicketFinished)
    assert w.ticket.state == "finished"


def test_next_leads_on_too_and_calls_somebody_else() -> None:
    w = Walk()
    other = w.office.take("b", at("09:02"))
    w.serve("09:05")
    assert w.office.call_next(w.ana, at("09:10")) == other
    assert (w.ticket.state, w.ticket.service) == ("waiting", "b")


def test_next_with_nobody_else_waiting_only_sends_them_on() -> None:
    w = Walk()
    w.serve("09:05")
    seen = w.seen
    decision = w.office.do(c.CallNext(request_id=new_id(), session=w.ana, after=seen), at("09:10"))
    assert isinstance(decision, Accepted)
    assert [type(fact) for fact in decision.facts] == [TicketTransferred]
    again = w.office.do(c.CallNext(request_id=new_id(), session=w.ana, after=seen), at("09:10"))
    assert again == Unchanged(), "a second click calls nobody, not the same person for the next step either"
    assert w.office.call_next(w.ana, at("09:11")) == w.ticket_id


def test_a_second_call_of_a_person_at_one_counter_is_not_taken_for_the_first() -> None:
    w = Walk()
    w.serve("09:05")
    first = w.seen
    w.finish("09:10")
    w.serve("09:11")
    stale = w.office.do(c.CallNext(request_id=new_id(), session=w.ana, after=first), at("09:12"))
    assert stale == Unchanged()
    assert (w.ticket.state, w.ticket.service) == ("serving", "b")
    assert isinstance(w.office.do(c.CallNext(request_id=new_id(), session=w.ana, after=w.seen), at("09:12")), Accepted)


def test_a_page_from_before_a_transfer_calls_nobody_back() -> None:
    w = Walk()
    w.serve("09:05")
    seen = w.seen
    w.office.do(c.Transfer(**w.mine, service="c"), at("09:06"))
    stale = w.office.do(c.CallNext(request_id=new_id(), session=w.ana, after=seen), at("09:07"))
    assert stale == Unchanged(), "it meant: finish and call somebody else"
    assert w.office.call_next(w.ana, at("09:08")) == w.ticket_id


def test_who_sends_on_somebody_that_waits_still_sees_their_own_visit() -> None:
    w = Walk()
    w.serve("09:05")
    seen, waits = w.seen, w.office.take("b", at("09:06"))
    w.office.do(c.Transfer(request_id=new_id(), session=w.ana, ticket_id=waits, service="c"), at("09:07"))
    assert w.seen == seen


def test_a_page_from_before_an_act_that_was_taken_back_shows_what_is_again() -> None:
    w = Walk()
    w.serve("09:05")
    seen, finish = w.seen, c.Finish(**w.mine)
    w.office.do(finish, at("09:10"))
    assert w.seen != seen
    w.office.do(c.Undo(request_id=new_id(), session=w.ana, act=finish.request_id), at("09:10:30"))
    assert w.seen == seen


@pytest.mark.parametrize("outcome", ["missing_documents", "not_applicable", "identity_mismatch"])
def test_who_lacks_something_is_at_the_end(outcome: Any) -> None:
    w = Walk()
    w.serve("09:05")
    assert isinstance(w.finish("09:10", outcome=outcome), TicketFinished)


def test_a_step_that_was_done_at_the_same_counter_is_not_asked_for_again() -> None:
    w = Walk()
    w.serve("09:05")
    w.office.do(c.AddService(**w.mine, service="b"), at("09:08"))
    assert steps_after(w.ticket) == ("c",)
    step = w.finish("09:10")
    assert (step.service, w.ticket.to_do, w.ticket.steps_done) == ("c", ("c",), 2)


def test_a_step_done_beside_another_stays_to_do_if_it_was_not_done_after_all() -> None:
    w = Walk()
    w.serve("09:05")
    w.office.do(c.AddService(**w.mine, service="b"), at("09:08"))
    w.plan("c", "d")
    assert w.ticket.to_do == ("a", "b", "c", "d")
    assert w.finish("09:10", services=("a",)).service == "b"


def test_a_detour_by_transfer_comes_back_to_the_step_that_it_left() -> None:
    w = Walk()
    w.serve("09:05")
    w.office.do(c.Transfer(**w.mine, service="d"), at("09:06"))
    assert (w.ticket.service, w.ticket.is_on_route, steps_after(w.ticket)) == ("d", False, ("a", "b", "c"))
    w.serve("09:07")
    assert w.finish("09:10").service == "a"
    assert (w.ticket.to_do, w.ticket.steps_done) == (("a", "b", "c"), 0)


def test_a_transfer_to_a_step_goes_on_from_there_and_leaves_the_others_to_do() -> None:
    w = Walk()
    w.serve("09:05")
    w.office.do(c.Transfer(**w.mine, service="c"), at("09:06"))
    assert (w.ticket.service, w.ticket.to_do, steps_after(w.ticket)) == ("c", ("c", "b"), ("b",))


def test_a_transfer_to_somebody_else_for_the_same_step_changes_nothing_of_it() -> None:
    w = Walk()
    w.office.open("2", at("09:00"), "luis")
    w.serve("09:05")
    w.office.do(c.Transfer(**w.mine, counter="2"), at("09:06"))
    assert (w.ticket.to_do, w.ticket.steps_done) == (("a", "b", "c"), 0)


def test_the_longest_plan_can_be_kept_and_changed_on_a_detour() -> None:
    office = TestOffice(catalogue(("a", "b", "c", "d", "e", "f")))
    ana, ticket_id = office.open("1", at("08:55"), "ana"), office.take("a", at("09:00"))
    office.do(c.PlanRoute(request_id=new_id(), ticket_id=ticket_id, steps=("b", "c", "d", "e")), at("09:01"))
    office.call_next(ana, at("09:02"))
    office.do(c.Transfer(request_id=new_id(), session=ana, ticket_id=ticket_id, service="f"), at("09:03"))
    plan = msgspec.convert(
        {"request_id": new_id(), "ticket_id": ticket_id, "steps": ["a", "b", "c", "e", "d"]}, c.PlanRoute
    )
    assert isinstance(office.do(plan, at("09:04")), Accepted)
    assert steps_after(office.day.tickets[ticket_id]) == ("a", "b", "c", "e", "d")


def test_a_step_that_the_office_offers_no_more_is_passed_over_and_stays_to_do() -> None:
    w = Walk()
    w.serve("09:05")
    offered = {name: each for name, each in w.office.catalogue.services.items() if name != "b"}
    w.office.catalogue = msgspec.structs.replace(w.office.catalogue, services=offered)
    assert not_offered(w.ticket, w.office.catalogue) == ("b",)
    assert w.finish("09:10").service == "c"
    assert (w.ticket.to_do, steps_after(w.ticket)) == (("b", "c"), ("b",))
    w.serve("09:11")
    assert isinstance(w.finish("09:15"), TicketFinished)
    assert w.ticket.to_do == ("b",)


def test_a_step_that_is_not_offered_here_can_stay_in_a_new_plan() -> None:
    w = Walk()
    offered = {name: each for name, each in w.office.catalogue.services.items() if name != "b"}
    w.office.catalogue = msgspec.structs.replace(w.office.catalogue, services=offered)
    assert isinstance(w.plan("d", "b"), Accepted)
    assert w.ticket.to_do == ("a", "d", "b")


def test_undoing_the_end_of_a_step_puts_the_person_back_into_it() -> None:
    w = Walk()
    w.serve("09:05")
    finish = c.Finish(**w.mine)
    w.office.do(finish, at("09:10"))
    w.office.do(c.Undo(request_id=new_id(), session=w.ana, act=finish.request_id), at("09:10:30"))
    assert (w.ticket.state, w.ticket.to_do, w.ticket.steps_done) == ("serving", ("a", "b", "c"), 0)
    undone = w.office.journal[-1][1]
    assert isinstance(undone, TicketUndone)
    assert undone.undone == "ticket.transferred.step"
    assert w.finish("09:12").service == "b"


def test_a_plan_does_not_stand_in_the_way_of_undoing_and_outlives_it() -> None:
    office = TestOffice(catalogue(SERVICES))
    ana = office.open("1", at("08:55"), "ana")
    ticket_id = office.take("a", at("09:00"))
    call = c.CallNext(request_id=new_id(), session=ana)
    office.do(call, at("09:01"))
    office.do(c.PlanRoute(request_id=new_id(), ticket_id=ticket_id, steps=("b",)), at("09:01:10"))
    assert isinstance(
        office.do(c.Undo(request_id=new_id(), session=ana, act=call.request_id), at("09:01:20")), Accepted
    )
    ticket = office.day.tickets[ticket_id]
    assert (ticket.state, ticket.to_do) == ("waiting", ("a", "b"))


def test_a_plan_made_between_the_end_of_a_step_and_its_undoing_outlives_the_undoing() -> None:
    w = Walk()
    w.serve("09:05")
    finish = c.Finish(**w.mine)
    w.office.do(finish, at("09:10"))
    w.plan("d")
    w.office.do(c.Undo(request_id=new_id(), session=w.ana, act=finish.request_id), at("09:10:30"))
    assert (w.ticket.service, w.ticket.to_do, w.ticket.steps_done) == ("a", ("a", "b", "d"), 0)


@pytest.mark.parametrize("steps, then", [(("b",), ("a", "b")), ((), ())])
def test_a_plan_made_on_a_detour_outlives_the_undoing_of_the_detour(
    steps: tuple[str, ...], then: tuple[str, ...]
) -> None:
    w = Walk()
    w.serve("09:05")
    aside = c.Transfer(**w.mine, service="d")
    w.office.do(aside, at("09:06"))
    w.plan(*steps)
    w.office.do(c.Undo(request_id=new_id(), session=w.ana, act=aside.request_id), at("09:06:30"))
    assert (w.ticket.state, w.ticket.service, w.ticket.to_do) == ("serving", "a", then)


def test_a_plan_is_changed_on_the_way_or_ended() -> None:
    w = Walk()
    w.serve("09:05")
    w.finish("09:10")
    w.plan("d")
    assert (w.ticket.to_do, w.ticket.steps_done) == (("b", "d"), 1)
    w.plan()
    assert (w.ticket.to_do, w.ticket.steps_done) == (("b",), 1)
    w.serve("09:11")
    assert isinstance(w.finish("09:15"), TicketFinished)


@pytest.mark.parametrize("steps, code", [(("a",), "malformed"), (("b", "b"), "malformed"), (("x",), "service_unknown")])
def test_a_plan_that_leads_nowhere_is_refused(steps: tuple[str, ...], code: str) -> None:
    answer = Walk().plan(*steps)
    assert isinstance(answer, Refusal)
    assert answer.code == code


def test_the_same_plan_again_writes_nothing() -> None:
    w = Walk()
    assert w.plan("b", "c") == Accepted(())


@pytest.mark.parametrize(
    "added, done, leads_to",
    [
        ((), ("a", "b"), "c"),
        (("b",), ("a", "b"), "c"),
        (("b",), ("a",), "b"),
        (("b",), (), "c"),
    ],
)
def test_the_next_step_is_the_first_that_was_not_really_done(
    added: tuple[str, ...], done: tuple[str, ...], leads_to: str
) -> None:
    w = Walk()
    w.serve("09:05")
    for service in added:
        w.office.do(c.AddService(**w.mine, service=service), at("09:06"))
    assert w.finish("09:10", services=done).service == leads_to


def test_a_replay_of_the_journal_knows_the_same_of_a_route() -> None:
    w = Walk()
    w.serve("09:05")
    w.office.do(c.Transfer(**w.mine, service="d"), at("09:06"))
    w.serve("09:07")
    w.finish("09:10")
    again = w.office.replayed().tickets[w.ticket_id]
    assert (again.to_do, again.steps_done) == (w.ticket.to_do, w.ticket.steps_done)
