"""Tickets that a kiosk gives by itself join the queue at their true arrival, once."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from sync.domain.outcomes import Accepted, Decision
from sync.domain.reserve import BLOCK, command_of, doubted, grant, grants, next_reserved, skipped
from sync.messages import commands as c
from sync.messages import facts as f
from sync.messages import topics as t
from sync.messages.refusals import Refusal
from tests.kit.facts import ticket_accepted
from tests.kit.office import DAY, TestOffice, at, follow_hash, new_id


def with_reserve() -> TestOffice:
    office = TestOffice()
    block = grant(office.day, "console", "X")
    assert block is not None
    office.write((block,), at("08:00"))
    return office


def told(*, minutes_ago: int = 10, **changes: Any) -> c.TakeReserved:
    command = c.TakeReserved(
        request_id=new_id(),
        ticket_id=new_id(),
        service="a",
        service_date=DAY,
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
    ticket = office.day.tickets[early.ticket_id]
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
    decision = office.do(told(ticket_id=request), at("09:10"))
    assert isinstance(decision, Accepted)
    assert decision.facts == (
        f.TicketRelabelled(ticket_id=request, label="X1", series="X", number=1, voided="A1", follow_hash=bytes(32)),
    )
    ticket = office.day.tickets[request]
    assert (ticket.label, ticket.arrived_at, len(office.day.tickets)) == ("X1", at("09:00"), 1)


@pytest.mark.parametrize(
    "changes,refused",
    [
        ({"number": BLOCK + 1}, "not_reserved"),
        ({"series": "Y"}, "not_reserved"),
        ({"service": "nothing"}, "service_unknown"),
        ({"service_date": DAY - timedelta(days=1)}, "day_closed"),
    ],
    ids=["beyond the block", "another letter", "no such service", "yesterday"],
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


def held(series: str | None = None, last: int = 0, **highest: int) -> t.HeldNumbers:
    return t.HeldNumbers(service_date=DAY, series=series, last=last, highest=highest)


def test_every_kiosk_has_a_letter_that_nothing_else_has() -> None:
    office = TestOffice()
    kiosks = [f"k{n}" for n in range(30)]
    blocks = grants(office.day, kiosks, dict.fromkeys(kiosks, held()), office.catalogue)
    letters = [block.series for block in blocks]
    used = {service.series for service in office.catalogue.services.values()} | {office.catalogue.office.spare_series}
    assert len(set(letters)) == len(letters) == 26 - len(used)
    assert not set(letters) & used


def test_a_life_that_knows_nothing_gives_the_same_letters_whoever_comes_first() -> None:
    office, kiosks = TestOffice(), ["k1", "k2", "k3"]
    alone = {k: grants(office.day, kiosks, {k: held()}, office.catalogue)[0].series for k in kiosks}
    together = {b.device: b.series for b in grants(office.day, kiosks, dict.fromkeys(kiosks, held()), office.catalogue)}
    assert alone == together


def test_a_kiosk_keeps_the_letter_that_it_holds_and_goes_on_behind_it() -> None:
    office, kiosks = TestOffice(), ["k1", "k2"]
    told = {"k1": held(), "k2": held("Y", 60)}
    blocks = {b.device: b for b in grants(office.day, kiosks, told, office.catalogue)}
    assert (blocks["k2"].series, blocks["k2"].first) == ("Y", 61)
    assert blocks["k1"].series != "Y"


def test_a_letter_of_a_kiosk_is_no_service_s_that_day() -> None:
    office = TestOffice()
    office.write((f.ReserveGranted(device="k", service_date=DAY, series="A", first=1, last=60),), at("08:00"))
    ticket = office.day.tickets[office.take("a", at("09:00"))]
    assert ticket.series == office.catalogue.office.spare_series


def test_numbers_on_paper_that_the_journal_lacks_are_skipped_once() -> None:
    office = TestOffice()
    told = {"k1": held("Y", 60, A=25, Y=3), "k2": held(A=20, B=1000)}
    facts = skipped(office.day, told, lambda _series: 999)
    assert [(fact.device, fact.floors) for fact in facts] == [("k1", {"A": 25}), ("k2", {"B": 999})]
    office.write(tuple(facts), at("09:00"))
    assert skipped(office.day, told, lambda _series: 999) == []
    assert office.day.tickets[office.take("a", at("09:01"))].number == 26


def test_a_clock_that_says_nonsense_moves_an_arrival_a_day_at_most() -> None:
    office = with_reserve()
    assert isinstance(office.do(command := told(elapsed_ms=10**18), at("09:10")), Accepted)
    assert office.day.tickets[command.ticket_id].arrived_at == at("09:10") - timedelta(hours=24)


def test_numbers_that_nobody_can_have_given_move_no_series() -> None:
    office = TestOffice()
    told = {"k1": held("Y", 60, A=999, B=20), "k2": held(A=21)}
    assert skipped(office.day, told, lambda _series: 0) == []
    assert doubted(office.day, told, lambda _series: 0) == {"k1": {"A": 999, "B": 20}, "k2": {"A": 21}}
    facts = skipped(office.day, told, lambda _series: 300)
    assert [(fact.device, fact.floors) for fact in facts] == [("k1", {"B": 20}), ("k2", {"A": 21})]
    assert doubted(office.day, told, lambda _series: 300) == {"k1": {"A": 999}}


def test_what_the_journal_has_is_not_doubted() -> None:
    office = TestOffice()
    office.take("a", at("09:00"))
    assert doubted(office.day, {"k1": held("Y", 60, A=1, Y=44)}, lambda _series: 0) == {}


def test_a_ticket_that_another_gave_is_not_relabelled() -> None:
    office = with_reserve()
    block = grant(office.day, "kiosk-2", "W")
    assert block is not None
    office.write((block,), at("08:00"))
    request = office.take("a", at("09:00"))
    theirs = told(ticket_id=request, series="W")
    assert code(office.do(theirs, at("09:10"), device="kiosk-2")) == "ticket_unknown"
    ticket = office.day.tickets[request]
    assert (ticket.label, ticket.follow_hash) == ("A1", follow_hash(request))


def test_a_ticket_whose_paper_has_a_reserved_number_keeps_it() -> None:
    office = with_reserve()
    office.do(first := told(), at("09:10"))
    assert code(office.do(told(ticket_id=first.ticket_id, number=2), at("09:11"))) == "not_reserved"
    assert office.day.tickets[first.ticket_id].label == "X1"


def test_a_ticket_that_came_back_with_a_replacement_takes_the_printed_label() -> None:
    office = with_reserve()
    ticket = new_id()
    back = ticket_accepted(ticket, 2, "A1", at("08:30"), service="a", via="restored")
    office.write((back,), at("09:00"), device="edge")
    assert isinstance(office.do(told(ticket_id=ticket), at("09:10")), Accepted)
    assert office.day.tickets[ticket].label == "X1"


def test_a_question_of_another_kiosk_gets_no_ticket_out_of_this_one_s_reserve() -> None:
    office = with_reserve()
    office.do(given := told(), at("09:10"))
    late = c.TakeTicket(request_id=given.ticket_id, service="a", follow_hash=bytes(32))
    assert office.do(late, at("09:11")) == Accepted(())
    assert code(office.do(late, at("09:11"), device="kiosk-2")) == "ticket_unknown"
    assert len(office.day.tickets) == 1


def test_a_kiosk_s_word_is_a_command_that_its_printed_code_leads_to() -> None:
    printed = bytes(range(16))
    message = t.KioskTellReserved(
        request_id=new_id(),
        ticket_id=new_id(),
        device="kiosk-1",
        service="a",
        service_date=DAY,
        series="X",
        number=4,
        elapsed_ms=5_000,
        follow_code=printed,
        language="ar",
    )
    command = command_of(message)
    assert (command.request_id, command.ticket_id) == (message.request_id, message.ticket_id)
    assert (command.service, command.service_date, command.elapsed_ms) == ("a", DAY, 5_000)
    assert (command.series, command.number, command.language) == ("X", 4, "ar")
    assert command.follow_hash == sha256(printed).digest()
