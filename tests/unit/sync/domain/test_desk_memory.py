"""What the day remembers of who did what at a counter: who sent a person on, who set them aside; and forgets again."""

from __future__ import annotations

from datetime import timedelta

from sync.messages import commands as c
from sync.messages.facts import TicketIssued
from sync.messages.node_facts import ClockStepped
from tests.kit.office import TestOffice, at, new_id


def called() -> tuple[TestOffice, str, str]:
    office = TestOffice()
    ana = office.open("1", at("09:00"), "ana")
    office.open("2", at("09:00"), "luis")
    ticket = office.take("a", at("09:01"))
    office.call_next(ana, at("09:05"))
    return office, ana, ticket


def test_a_transfer_is_remembered_with_who_sent() -> None:
    office, ana, ticket = called()
    office.do(c.Transfer(request_id=new_id(), session=ana, ticket_id=ticket, counter="2"), at("09:06"))
    there = office.day.tickets[ticket]
    assert (there.sent_from, there.sent_by) == ("1", "ana")


def test_a_visit_that_went_back_was_sent_by_nobody() -> None:
    office, ana, ticket = called()
    office.do(c.CloseCounter(request_id=new_id(), session=ana), at("09:06"), "boss", supervisor=True)
    assert office.day.tickets[ticket].state == "waiting"
    assert office.day.tickets[ticket].sent_by is None


def test_a_parked_ticket_knows_since_when_and_by_whom_until_it_is_resumed_or_undone() -> None:
    office, ana, ticket = called()
    park = c.Park(request_id=new_id(), session=ana, ticket_id=ticket, reason="form")
    office.do(park, at("09:06"))
    aside = office.day.tickets[ticket]
    assert (aside.parked_by, aside.parked_at) == ("ana", at("09:06"))
    office.do(c.Undo(request_id=new_id(), session=ana, act=park.request_id), at("09:06:30"))
    assert (aside.state, aside.parked_by, aside.parked_at) == ("called", None, None)
    office.do(c.Park(request_id=new_id(), session=ana, ticket_id=ticket), at("09:07"))
    office.do(c.Resume(request_id=new_id(), ticket_id=ticket), at("09:08"))
    assert (aside.state, aside.parked_by, aside.parked_at) == ("waiting", None, None)


def test_a_stepped_clock_takes_the_parking_along() -> None:
    office, ana, ticket = called()
    office.do(c.Park(request_id=new_id(), session=ana, ticket_id=ticket, remind_min=5), at("09:06"))
    office.write((ClockStepped(delta_ms=3_600_000),), at("10:07"))
    aside = office.day.tickets[ticket]
    assert aside.parked_at == at("10:06")
    assert aside.remind_at == at("10:06") + timedelta(minutes=5)


def test_a_ticket_given_at_the_desk_tells_how_its_class_is_known() -> None:
    office, _, _ = called()
    take = c.TakeTicket(
        request_id=new_id(), service="a", priority_class="reduced_mobility", basis="seen", follow_hash=bytes(32)
    )
    decision = office.do(take, at("09:10"))
    (issued,) = decision.facts  # type: ignore[union-attr]
    assert isinstance(issued, TicketIssued)
    assert (issued.priority_class, issued.basis) == ("reduced_mobility", "seen")
