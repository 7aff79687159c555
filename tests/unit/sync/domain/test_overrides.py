"""Where staff changed the order by hand: what a day's facts say of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sync.domain.outcomes import Accepted
from sync.domain.overrides import LABELS_KEPT, Override, overrides
from sync.messages import commands as c
from sync.messages.feed import Counter
from tests.kit.office import TestOffice, at, catalogue, follow_hash, new_id

NOW = at("09:00")


def an_office() -> tuple[TestOffice, str, list[str]]:
    """Counter 1 open, three walk-ins a minute apart."""
    office = TestOffice(catalogue(("a", "b"), (Counter(id="1", zone="a", primary=("a",), secondary=("b",)),)))
    session = office.open("1", NOW)
    return office, session, [office.take("a", NOW + timedelta(minutes=n)) for n in range(3)]


def do(office: TestOffice, command: c.AnyCommand, clock: str, actor: str = "ana") -> None:
    assert isinstance(office.do(command, at(clock), actor, supervisor=True), Accepted)


def told(office: TestOffice) -> list[Override]:
    return overrides(office.journal)


def brief(found: list[Override]) -> list[tuple[object, ...]]:
    return [
        (one.kind, one.label, one.reason, one.counter, one.actor_id, one.passed, one.passed_labels) for one in found
    ]


def test_a_day_in_its_order_has_none() -> None:
    office, session, _ = an_office()
    office.call_next(session, at("09:05"))
    assert told(office) == []


def test_a_call_out_of_order_says_who_was_passed_over() -> None:
    office, session, tickets = an_office()
    do(office, c.CallTicket(request_id=new_id(), session=session, ticket_id=tickets[2], reason="short"), "09:05")
    assert brief(told(office)) == [("call", "A3", "short", "1", "ana", 2, ("A1", "A2"))]
    assert told(office)[0].at == at("09:05")


def test_the_number_passed_over_is_the_one_that_the_call_itself_stored() -> None:
    office, session, _ = an_office()
    early = office.check_in("a", at("11:00"), at("09:01"))
    office.take("b", at("09:02"))
    last = office.take("a", at("09:03"))
    do(office, c.CallTicket(request_id=new_id(), session=session, ticket_id=last, reason="short"), "09:05")
    (one,) = told(office)
    assert one.passed == len(one.passed_labels) == office.day.tickets[last].why.ahead_now == 3  # type: ignore[union-attr]
    assert office.day.tickets[early].label not in one.passed_labels, "nobody could have called them yet"


def test_who_is_served_without_having_waited_goes_before_those_who_wait() -> None:
    office, session, _ = an_office()
    walk_in = c.ServeWalkIn(request_id=new_id(), session=session, service="b", follow_hash=follow_hash("x"))
    do(office, walk_in, "09:05")
    assert brief(told(office)) == [("call", "B1", "walk_in", "1", "ana", 3, ("A1", "A2", "A3"))]


def test_a_skip_names_who_was_skipped() -> None:
    office, session, tickets = an_office()
    do(office, c.Skip(request_id=new_id(), session=session, ticket_id=tickets[0], reason="away"), "09:05")
    assert brief(told(office)) == [("skip", "A1", "away", "1", "ana", 1, ("A1",))]


def test_priority_that_staff_give_counts_with_whom_it_overtakes() -> None:
    office, _, tickets = an_office()
    given = c.TakeTicket(
        request_id=new_id(),
        service="a",
        priority_class="reduced_mobility",
        basis="seen",
        follow_hash=follow_hash("y"),
    )
    do(office, given, "09:04", actor="bea")
    changed = c.SetPriority(
        request_id=new_id(), ticket_id=tickets[2], priority_class="reduced_mobility", basis="document"
    )
    do(office, changed, "09:06")
    found = told(office)
    assert brief(found) == [
        ("priority", "A4", "seen", "", "bea", 3, ("A1", "A2", "A3")),
        ("priority", "A3", "document", "1", "ana", 3, ("A4", "A1", "A2")),
    ]
    assert {one.priority_class for one in found} == {"reduced_mobility"}


def test_a_class_that_the_person_chose_at_the_kiosk_is_no_override() -> None:
    office, _, _ = an_office()
    office.take("a", at("09:05"), "reduced_mobility")
    assert told(office) == []


@pytest.mark.parametrize("order, kind", [("next", "front"), ("end", "end"), ("keep", None)])
def test_who_is_sent_to_the_front_or_the_end(order: str, kind: str | None) -> None:
    office, session, tickets = an_office()
    office.call_next(session, at("09:05"))
    fields: dict[str, Any] = {"ticket_id": tickets[0], "service": "b", "order": order, "reason": "short"}
    sent = c.Transfer(request_id=new_id(), session=session, **fields)
    do(office, sent, "09:06")
    assert [(one.kind, one.counter, one.reason) for one in told(office)] == ([(kind, "1", "short")] if kind else [])


def test_what_was_taken_back_at_once_is_marked_so() -> None:
    office, session, tickets = an_office()
    act = new_id()
    do(office, c.CallTicket(request_id=act, session=session, ticket_id=tickets[2], reason="short"), "09:05")
    office.do(c.Undo(request_id=new_id(), session=session, act=act), at("09:05") + timedelta(seconds=3))
    assert [one.is_undone for one in told(office)] == [True]
    do(office, c.CallTicket(request_id=new_id(), session=session, ticket_id=tickets[2], reason="short"), "09:06")
    assert [one.is_undone for one in told(office)] == [True, False]


def test_of_many_who_were_passed_over_the_first_are_named_and_all_counted() -> None:
    office, session, _ = an_office()
    tickets = [office.take("a", at("09:10")) for _ in range(LABELS_KEPT)]
    do(office, c.CallTicket(request_id=new_id(), session=session, ticket_id=tickets[-1], reason="short"), "09:11")
    (one,) = told(office)
    assert (one.passed, len(one.passed_labels)) == (LABELS_KEPT + 2, LABELS_KEPT)
