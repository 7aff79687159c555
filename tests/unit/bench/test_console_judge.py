"""The bench's judge finds what it is there to find."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.bench.console.judge import Fact, Verdict, judge

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)


class Journal:
    """Facts one after the other, some seconds apart."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def add(self, kind: str, *, after_s: int = 1, **body: Any) -> Fact:
        at = (self.facts[-1].at if self.facts else NINE) + timedelta(seconds=after_s)
        self.facts.append(Fact(len(self.facts) + 1, kind, f"r{len(self.facts) + 1}", at, body))
        return self.facts[-1]

    def counter(self, number: str = "1", primary: tuple[str, ...] = ("a",), secondary: tuple[str, ...] = ()) -> None:
        self.add("counter.opened", session=f"s{number}", counter=number, primary=primary, secondary=secondary)

    def issue(self, *labels: str, service: str = "a") -> None:
        for label in labels:
            at = (self.facts[-1].at + timedelta(seconds=1)).isoformat()
            self.add("ticket.issued", ticket_id=label, label=label, service=service, arrived_at=at)

    def call(self, label: str, counter: str = "1", how: str = "next", **more: Any) -> None:
        self.add("ticket.called", ticket_id=label, counter=counter, session=f"s{counter}", how=how, **more)

    def judged(self) -> Verdict:
        return judge(self.facts)


@pytest.fixture
def journal() -> Journal:
    begun = Journal()
    begun.counter("1")
    begun.counter("2")
    return begun


def test_a_day_in_order_has_no_faults_and_says_where_each_request_stands(journal: Journal) -> None:
    journal.issue("A1", "A2", "A3")
    journal.call("A1")
    journal.call("A2", "2")
    journal.add("ticket.finished", ticket_id="A1")
    journal.call("A3")
    verdict = journal.judged()
    assert (verdict.faults, verdict.calls) == ([], 3)
    assert verdict.seq_of["r4"] == 4


def test_who_is_called_at_two_counters_is_called_twice(journal: Journal) -> None:
    journal.issue("A1", "A2")
    journal.call("A1")
    journal.call("A1", "2")
    assert len(journal.judged().double_calls) == 1


def test_a_counter_that_calls_over_its_open_visit_is_a_double_call(journal: Journal) -> None:
    journal.issue("A1", "A2")
    journal.call("A1")
    journal.call("A2")
    assert len(journal.judged().double_calls) == 1


def test_who_is_passed_over_is_named(journal: Journal) -> None:
    journal.issue("A1", "A2", "A3")
    journal.call("A3")
    verdict = journal.judged()
    assert len(verdict.order_violations) == 1
    assert [text.split(": ")[-1] for text in verdict.skipped] == ["A1 was passed over", "A2 was passed over"]


def test_a_choice_needs_a_reason(journal: Journal) -> None:
    journal.issue("A1", "A2", "A3")
    journal.call("A3", how="chosen", reason="returning")
    journal.call("A2", "2", how="chosen")
    assert journal.judged().figures == {"calls": 2, "double_calls": 0, "skipped": 1, "order_violations": 0}


def test_a_counter_helps_out_with_what_has_waited_or_when_nobody_else_is_there() -> None:
    journal = Journal()
    journal.counter("1", ("a",), ("b",))
    journal.issue("B1", service="b")
    journal.issue("A1")
    journal.call("B1")
    assert journal.judged().order_violations, "five minutes have not passed"
    journal = Journal()
    journal.counter("1", ("a",), ("b",))
    journal.issue("B1", service="b")
    journal.issue("A1")
    journal.add("ticket.shown", after_s=400)
    journal.call("B1")
    journal.add("ticket.finished", ticket_id="B1")
    journal.issue("B2", service="b")
    journal.call("A1")
    journal.add("ticket.finished", ticket_id="A1")
    journal.call("B2")
    assert journal.judged().faults == []


def test_a_transfer_keeps_the_place_and_a_mark_keeps_others_off(journal: Journal) -> None:
    journal.issue("A1", "A2")
    journal.call("A1")
    journal.add("ticket.transferred", ticket_id="A1", service="a", counter="2")
    journal.call("A2")
    journal.call("A1", "2")
    assert journal.judged().faults == []


def test_who_comes_back_after_a_quarter_of_an_hour_counts_from_then(journal: Journal) -> None:
    journal.issue("A1")
    journal.call("A1")
    journal.add("ticket.no_show", ticket_id="A1")
    journal.issue("A2")
    journal.add("ticket.reinstated", ticket_id="A1", after_s=1000)
    journal.call("A2")
    journal.call("A1", "2")
    assert journal.judged().faults == []


def test_who_comes_back_keeps_the_place_once(journal: Journal) -> None:
    journal.issue("A1")
    for counter in ("1", "2"):
        journal.call("A1", counter)
        journal.add("ticket.no_show", ticket_id="A1")
        journal.issue(f"A{int(counter) + 1}")
        journal.add("ticket.reinstated", ticket_id="A1")
    journal.call("A2")
    journal.call("A3", "2")
    assert journal.judged().faults == [], "the second time it counts from then"


def test_a_fact_that_moves_people_and_that_it_does_not_know_is_refused(journal: Journal) -> None:
    journal.add("ticket.teleported", ticket_id="A1")
    with pytest.raises(ValueError, match="teleported"):
        journal.judged()
