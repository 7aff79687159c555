"""Tickets on paper that a lost disk had told nobody: taken once, with label and arrival; what is known or over is not."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
import pytest

from sync.domain.outcomes import Accepted
from sync.domain.retold import LEAP, believed_up_to, command_of
from sync.messages import commands as c
from sync.messages.feed import Appointment, NumberFloor
from sync.messages.refusals import Refusal
from sync.messages.topics import KioskTellPrinted
from tests.kit.facts import ticket_accepted
from tests.kit.office import DAY, TestOffice, at, new_id


def told(**changes: Any) -> c.TakePrinted:
    command = c.TakePrinted(
        request_id=new_id(),
        ticket_id=new_id(),
        service="a",
        service_date=DAY,
        series="A",
        number=7,
        elapsed_ms=20 * 60_000,
        is_known=False,
        up_to=300,
        follow_hash=bytes(32),
    )
    return msgspec.structs.replace(command, **changes)


def test_a_ticket_that_nobody_heard_of_is_back_at_its_arrival() -> None:
    office = TestOffice()
    command = told()
    assert isinstance(office.do(command, at("09:10")), Accepted)
    ticket = office.day.tickets[command.ticket_id]
    assert (ticket.label, ticket.state, ticket.arrived_at, ticket.due_at) == ("A7", "waiting", at("08:50"), at("08:50"))
    assert office.day.last_numbers["A"] == 7


def test_an_appointment_keeps_its_hour() -> None:
    office = TestOffice()
    command = told(appointment_id=new_id(), slot_start_at=at("09:30"), duration_min=10)
    assert isinstance(office.do(command, at("09:10")), Accepted)
    ticket = office.day.tickets[command.ticket_id]
    assert (ticket.origin, ticket.slot_start_at, ticket.band) == ("appointment", at("09:30"), "early")
    again = told(appointment_id=command.appointment_id, number=8)
    assert office.do(again, at("09:11")) == Accepted(())


def test_what_central_has_heard_of_is_no_news() -> None:
    office = TestOffice()
    assert office.do(told(is_known=True), at("09:10")) == Accepted(())
    assert not office.day.tickets


def test_told_twice_it_is_one_ticket() -> None:
    office = TestOffice()
    command = told()
    office.do(command, at("09:10"))
    assert office.do(msgspec.structs.replace(command, request_id=new_id()), at("09:20")) == Accepted(())
    assert len(office.day.tickets) == 1


@pytest.mark.parametrize(
    "changes,code",
    [({"service_date": DAY.replace(day=1)}, "day_closed"), ({"service": "z"}, "service_unknown")],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], code: str) -> None:
    refusal = TestOffice().do(told(**changes), at("09:10"))
    assert isinstance(refusal, Refusal)
    assert refusal.code == code


def test_a_label_that_somebody_else_has_is_not_given_twice() -> None:
    office = TestOffice()
    first = told()
    office.do(first, at("09:10"))
    refusal = office.do(told(), at("09:11"))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "not_reserved"


@pytest.mark.parametrize("up_to", [0, 6])
def test_a_number_that_no_other_life_can_have_given_is_nobody_s_word(up_to: int) -> None:
    office = TestOffice()
    refusal = office.do(told(up_to=up_to), at("09:10"))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "not_reserved"
    assert office.day.last_numbers == {}, "the series goes on where it was"


def test_what_is_known_is_answered_well_in_any_life() -> None:
    office = TestOffice()
    command = told()
    office.do(command, at("09:10"))
    assert office.do(told(ticket_id=command.ticket_id, up_to=0), at("09:11")) == Accepted(())


@pytest.mark.parametrize(
    "another_life,copy,floor,known,expected",
    [
        (False, False, 0, 40, 0),
        (True, False, 0, 40, LEAP),
        (True, False, 25, 40, 25 + LEAP),
        (True, False, 900, 900, 999),
        (False, True, 0, 40, 40 + LEAP),
    ],
    ids=[
        "one life all day",
        "nothing heard of",
        "behind a floor",
        "no label beyond the last",
        "an old copy that goes on",
    ],
)
def test_how_far_kiosks_are_believed(another_life: bool, copy: bool, floor: int, known: int, expected: int) -> None:
    assert believed_up_to(follows_another=another_life, is_copy=copy, floor=floor, known=known) == expected


def back(office: TestOffice) -> str:
    """A ticket that came with a replacement, under the label that central had heard of."""
    ticket = new_id()
    accepted = ticket_accepted(ticket, 2, "A5", at("08:30"), service="a", via="restored")
    office.write((accepted,), at("09:00"), device="edge")
    return ticket


def test_a_ticket_that_came_back_under_a_label_that_nobody_saw_takes_the_one_on_paper() -> None:
    """Its node had been told of the kiosk's own number, and died before central heard of that."""
    office = TestOffice()
    ticket = back(office)
    paper = told(ticket_id=ticket, series="X", number=3)
    assert isinstance(office.do(paper, at("09:10")), Accepted)
    assert (office.day.tickets[ticket].label, len(office.day.tickets)) == ("X3", 1)
    assert office.do(msgspec.structs.replace(paper, request_id=new_id()), at("09:11")) == Accepted(())


def test_a_ticket_that_this_life_gave_keeps_its_label_whatever_is_told_of_it() -> None:
    office = TestOffice()
    given = office.take("a", at("09:01"))
    assert office.do(told(ticket_id=given, series="X", number=3), at("09:10")) == Accepted(())
    assert office.day.tickets[given].label == "A1"


@pytest.mark.parametrize(
    "changes", [{"up_to": 2}, {"series": "A", "number": 6}], ids=["beyond belief", "another's label"]
)
def test_a_label_that_cannot_be_on_its_paper_is_refused(changes: dict[str, Any]) -> None:
    office = TestOffice()
    office.do(told(number=6), at("09:05"))
    refusal = office.do(told(**{"ticket_id": back(office), "series": "X", "number": 3, **changes}), at("09:10"))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "not_reserved"


MESSAGE = KioskTellPrinted(
    request_id=new_id(),
    ticket_id=new_id(),
    device="kiosk-1",
    service="a",
    service_date=DAY,
    series="A",
    number=7,
    elapsed_ms=5_000,
)


@pytest.mark.parametrize(
    "runs, is_moved, is_known",
    [
        (None, False, False),
        (((1, 6),), False, False),
        (((1, 7),), False, True),
        (((1, 3), (7, 9)), False, True),
        (None, True, True),
    ],
)
def test_a_ticket_is_known_by_its_number_or_since_it_moved(
    runs: tuple[tuple[int, int], ...] | None, is_moved: bool, is_known: bool
) -> None:
    floor = None if runs is None else NumberFloor(service_date=DAY, epoch=2, floors={"A": 30}, runs={"A": runs})
    command = command_of(MESSAGE, bytes(16), floor=floor, is_moved=is_moved, up_to=330)
    assert (command.is_known, command.up_to) == (is_known, 330)
    assert (command.ticket_id, command.series, command.number) == (MESSAGE.ticket_id, "A", 7)
    assert command.follow_hash == sha256(bytes(16)).digest()
    assert (command.appointment_id, command.slot_start_at, command.duration_min) == (None, None, None)


def test_a_ticket_of_an_appointment_that_is_known_here_goes_by_its_hour() -> None:
    booked = Appointment(
        id=new_id(),
        version=1,
        locator="ACDEFG",
        service_id="a",
        slot_start_at=at("09:30"),
        duration_min=10,
        status="booked",
        display_name="",
    )
    command = command_of(MESSAGE, bytes(16), floor=None, is_moved=False, up_to=0, booked=booked)
    assert (command.appointment_id, command.slot_start_at, command.duration_min) == (booked.id, at("09:30"), 10)
