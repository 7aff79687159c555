"""Tickets that a kiosk gives by itself join the queue at their true arrival, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from sync.domain.outcomes import Accepted, Decision
from sync.domain.reserve import BLOCK, grant, next_reserved
from sync.messages import commands as c
from sync.messages import facts as f
from sync.messages.refusals import Refusal
from tests.kit.office import DAY, TestOffice, at, new_id


def with_reserve() -> TestOffice:
    office = TestOffice()
    block = grant(office.day, "console", "X")
    assert block is not None
    office.write((block,), at("08:00"))
    return office


def told(*, minutes_ago: int = 10, **changes: Any) -> c.TakeReserved:
    command = c.TakeReserved(
        request_id=new_id(),
        service="a",
        series="X",
        number=1,
        elapsed_ms=minutes_ago * 60_000,
        follow_hash=bytes(32),
    )
    return msgspec.structs.replace(command, **changes)


def code(decision: Decision) -> str:
    assert isinstance(decision, Refusal), decision
    return decision.code


def test_it_joins_at_its_true_arrival() -> None:
    office = with_reserve()
    later = office.take("a", at("09:05"))
    early = told(minutes_ago=20)
    assert isinstance(office.do(early, at("09:10")), Accepted)
    ticket = office.day.tickets[early.request_id]
    assert (ticket.label, ticket.arrived_at, ticket.due_at) == ("X1", at("08:50"), at("08:50"))
    assert ticket.rank < office.day.tickets[later].rank


def test_told_twice_it_is_one_ticket() -> None:
    office = with_reserve()
    command = told()
    for _ in range(2):
        assert isinstance(office.do(command, at("09:10")), Accepted)
    assert len(office.day.tickets) == 1


def test_the_paper_counts_when_the_edge_had_taken_the_request_unheard() -> None:
    office = with_reserve()
    request = office.take("a", at("09:00"))
    decision = office.do(told(request_id=request), at("09:10"))
    assert isinstance(decision, Accepted)
    assert decision.facts == (f.TicketRelabelled(ticket_id=request, label="X1", series="X", number=1, voided="A1"),)
    ticket = office.day.tickets[request]
    assert (ticket.label, ticket.arrived_at, len(office.day.tickets)) == ("X1", at("09:00"), 1)


@pytest.mark.parametrize(
    "changes,refused",
    [
        ({"number": BLOCK + 1}, "not_reserved"),
        ({"series": "Y"}, "not_reserved"),
        ({"service": "nothing"}, "service_unknown"),
    ],
    ids=["beyond the block", "another letter", "no such service"],
)
def test_what_was_not_granted_is_refused(changes: dict[str, Any], refused: str) -> None:
    assert code(with_reserve().do(told(**changes), at("09:10"))) == refused


def test_another_kiosk_has_no_part_in_the_block() -> None:
    office = with_reserve()
    office.day.reserves = {"kiosk-2": office.day.reserves["console"]}
    assert code(office.do(told(), at("09:10"))) == "not_reserved"


def test_a_label_is_given_once() -> None:
    office = with_reserve()
    office.do(told(), at("09:10"))
    assert code(office.do(told(), at("09:11"))) == "not_reserved"


def test_a_kiosk_is_granted_anew_before_it_runs_out_and_never_the_same_numbers() -> None:
    office = with_reserve()
    assert grant(office.day, "console", "X") is None
    office.do(told(number=BLOCK // 2 + 1), at("09:10"))
    block = grant(office.day, "console", "X")
    assert block is not None
    assert (block.first, block.last) == (BLOCK + 1, 2 * BLOCK)
    behind = grant(office.day, "console", "X", floor=400)
    assert behind is not None
    assert behind.first == 401
    assert grant(office.day, "other", "X", floor=999) is None


def test_the_kiosk_counts_by_itself() -> None:
    block = f.ReserveGranted(device="k", service_date=DAY, series="X", first=5, last=6)
    assert [next_reserved(block, given, DAY) for given in (0, 5, 6)] == [5, 6, None]
    assert next_reserved(block, 0, DAY + timedelta(days=1)) is None
