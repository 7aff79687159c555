from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from central.portal.progress_view import VALID_AFTER_CLOSE, follow_hash, holder_of, progress_of, ticket_of
from sync.domain.handover import card_of, release
from sync.domain.ordering import ahead_of
from sync.messages import commands as c
from sync.messages import facts as f
from sync.messages.node_facts import ClockStepped
from sync.messages.topics import WaitRange
from tests.kit import office as kit

NINE = kit.at("09:00")


def test_the_place_is_the_one_the_queue_gives() -> None:
    office = kit.TestOffice()
    office.open("1", NINE)
    tickets = [office.take("a", NINE) for _ in range(5)]
    for n, ticket in enumerate(tickets):
        shown = progress_of(office.day, office.day.tickets[ticket], office.catalogue, NINE, wait=None)
        assert shown.ahead == ahead_of(office.day, office.day.tickets[ticket]) == n
        assert shown.turn == ("next" if n == 0 else "near" if n <= 2 else "waiting")


def test_the_range_is_whole_fives_around_the_estimate_and_fits_its_rail() -> None:
    office = kit.TestOffice()
    office.open("1", NINE)
    last = [office.take("a", NINE) for _ in range(9)][-1]
    span = progress_of(
        office.day,
        office.day.tickets[last],
        office.catalogue,
        kit.at("09:02"),
        wait=WaitRange(low_min=75, high_min=110),
    ).span
    assert span is not None
    assert span.starts_at.minute % 5 == span.ends_at.minute % 5 == 0
    assert span.rail_from <= kit.at("09:02") < span.starts_at < span.ends_at
    assert span.minute(span.ends_at) <= span.top_min
    assert len(span.labels) == 5


def test_a_planned_visit_says_which_step_it_is_until_its_last() -> None:
    office = kit.TestOffice()
    ana = office.open("1", NINE)
    ticket = office.take("a", NINE)

    def shown() -> tuple[int, int]:
        view = progress_of(office.day, office.day.tickets[ticket], office.catalogue, NINE, wait=None)
        return view.step, view.steps

    assert shown() == (0, 0)
    office.do(c.PlanRoute(request_id=kit.new_id(), ticket_id=ticket, steps=("b",)), NINE)
    assert shown() == (1, 2)
    office.call_next(ana, NINE)
    mine: Any = {"session": ana, "ticket_id": ticket}
    office.do(c.Start(request_id=kit.new_id(), **mine), NINE)
    office.do(c.Finish(request_id=kit.new_id(), **mine), NINE)
    assert office.day.tickets[ticket].service == "b"
    assert shown() == (0, 0), "the last one: whoever leaves after it is right to"


def test_the_range_never_begins_in_the_past() -> None:
    office = kit.TestOffice()
    office.open("1", NINE, "ana")
    office.open("2", NINE, "luis")
    last = [office.take("a", NINE) for _ in range(3)][-1]
    span = progress_of(
        office.day, office.day.tickets[last], office.catalogue, kit.at("09:03"), wait=WaitRange(low_min=0, high_min=10)
    ).span
    assert span is not None
    assert (span.starts_at, span.ends_at) == (kit.at("09:03"), kit.at("09:15"))


@pytest.mark.parametrize("back_by_min, clock", [(None, None), (10, None), (15, "09:15"), (40, "09:40")])
def test_one_may_leave_until_few_are_called_before(back_by_min: int | None, clock: str | None) -> None:
    office = kit.TestOffice()
    office.open("1", NINE)
    last = [office.take("a", NINE) for _ in range(9)][-1]
    wait = WaitRange(low_min=50, high_min=70, back_by_min=back_by_min)
    shown = progress_of(office.day, office.day.tickets[last], office.catalogue, kit.at("09:03"), wait=wait)
    assert shown.back_by_at == (kit.at(clock) if clock else None)


def test_without_a_known_wait_nothing_is_promised() -> None:
    office = kit.TestOffice()
    office.open("1", NINE)
    last = [office.take("a", NINE) for _ in range(5)][-1]
    shown = progress_of(office.day, office.day.tickets[last], office.catalogue, NINE, wait=None)
    assert (shown.span, shown.ahead) == (None, 4)


def test_an_early_appointment_is_told_its_hour() -> None:
    office = kit.TestOffice()
    office.open("1", NINE)
    ticket = office.check_in("a", kit.at("11:00"), NINE)
    shown = progress_of(office.day, office.day.tickets[ticket], office.catalogue, NINE, wait=None)
    assert (shown.turn, shown.not_before_at, shown.ahead) == ("early", kit.at("11:00"), None)


def test_a_call_names_its_counter_and_a_recall_says_so() -> None:
    office = kit.TestOffice()
    session = office.open("2", NINE)
    ticket = office.take("a", NINE)
    office.call_next(session, NINE)
    shown = progress_of(office.day, office.day.tickets[ticket], office.catalogue, NINE, wait=None)
    assert (shown.turn, shown.counter, shown.recalls) == ("called", "2", 0)
    office.do(c.Recall(request_id=kit.new_id(), session=session, ticket_id=ticket), NINE + timedelta(minutes=1))
    shown = progress_of(office.day, office.day.tickets[ticket], office.catalogue, NINE, wait=None)
    assert shown.recalls == 1


def test_a_ticket_is_found_until_two_hours_after_the_close() -> None:
    office = kit.TestOffice()
    ticket = office.take("a", NINE)
    hashed = office.day.tickets[ticket].follow_hash
    assert ticket_of(office.day, hashed, NINE) is office.day.tickets[ticket]
    office.do(c.CloseDay(request_id=kit.new_id()), kit.at("14:00"), supervisor=True)
    closed_at = kit.at("14:00")
    assert ticket_of(office.day, hashed, closed_at + VALID_AFTER_CLOSE) is not None
    assert ticket_of(office.day, hashed, closed_at + VALID_AFTER_CLOSE + timedelta(seconds=1)) is None


def test_what_is_told_after_the_day_was_closed_shows_no_ticket_for_longer() -> None:
    office = kit.TestOffice()
    ticket = office.take("a", NINE)
    hashed = office.day.tickets[ticket].follow_hash
    closed_at = kit.at("14:00")
    office.do(c.CloseDay(request_id=kit.new_id()), closed_at, supervisor=True)
    printed = f.TicketPrinted(ticket_id=ticket, device="kiosk-1")
    closed_again = f.DayClosed(service_date=closed_at.date(), reason="scheduled")
    office.write((printed, closed_again), kit.at("15:30"))
    assert ticket_of(office.day, hashed, closed_at + VALID_AFTER_CLOSE) is not None
    assert ticket_of(office.day, hashed, closed_at + VALID_AFTER_CLOSE + timedelta(seconds=1)) is None


def test_a_clock_that_is_put_right_takes_the_closing_with_it() -> None:
    office = kit.TestOffice()
    ticket = office.take("a", NINE)
    hashed = office.day.tickets[ticket].follow_hash
    office.do(c.CloseDay(request_id=kit.new_id()), kit.at("11:00"), supervisor=True)
    office.write((ClockStepped(delta_ms=3 * 3600 * 1000),), kit.at("14:00"))
    assert ticket_of(office.day, hashed, kit.at("14:00") + VALID_AFTER_CLOSE) is not None


def test_a_code_is_sixteen_bytes_and_nothing_else() -> None:
    raw = bytes(range(16))
    code = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    assert follow_hash(code) == hashlib.sha256(raw).digest()


@pytest.mark.parametrize("code", ["", "x", "A" * 21, "A" * 23, "é" * 22, "A" * 21 + "=", "../../../../etc/passwd"])
def test_what_is_no_code_has_no_hash(code: str) -> None:
    assert follow_hash(code) is None


def test_the_holder_is_the_largest_tenure() -> None:
    centro, real = kit.TestOffice(), kit.TestOffice()
    session = centro.open("1", NINE)
    ticket = centro.take("a", NINE)
    hashed = kit.follow_hash(ticket)
    command = c.HandOver(request_id=kit.new_id(), session=session, ticket_id=ticket, to_office="real")
    centro.write((release(centro.day, centro.day.tickets[ticket], command, NINE),), NINE)
    assert holder_of([centro.day, real.day], hashed, NINE) == (centro.day, centro.day.tickets[ticket])
    shown = progress_of(centro.day, centro.day.tickets[ticket], centro.catalogue, NINE, wait=None)
    assert (shown.turn, shown.to_office, shown.ahead, shown.span) == ("in_transit", "real", None, None)

    card = card_of(centro.day.tickets[ticket], "b", NINE)
    accept = c.Accept(
        request_id=kit.new_id(),
        ticket_id=ticket,
        tenure=2,
        from_office="real",
        via="grant",
        card=card,
        transit_ms=0,
        travel_min=10,
    )
    real.do(accept, NINE)
    held = real.day.tickets[ticket]
    assert holder_of([centro.day, real.day], hashed, NINE) == (real.day, held)
    shown = progress_of(real.day, held, real.catalogue, NINE, wait=None)
    assert (shown.turn, shown.label, shown.has_moved) == ("expected", "B1", True)
    assert holder_of([], hashed, NINE) is None


def test_who_was_said_to_have_left_is_told_so_and_not_that_the_office_has_closed() -> None:
    office = kit.TestOffice()
    session = office.open("1", NINE)
    ticket, other = office.take("a", NINE), office.take("a", NINE)

    def turn(of: str) -> str:
        shown = progress_of(office.day, office.day.tickets[of], office.catalogue, NINE, wait=None)
        assert shown.is_over == (shown.turn != "next")
        return shown.turn

    leave = c.Leave(request_id=kit.new_id(), session=session, ticket_id=ticket)
    office.do(leave, NINE)
    assert turn(ticket) == "left"
    office.do(c.Undo(request_id=kit.new_id(), session=session, act=leave.request_id), NINE)
    assert turn(ticket) == "next"
    office.do(c.CloseDay(request_id=kit.new_id()), kit.at("14:00"), supervisor=True)
    assert turn(other) == "ended"


def test_a_step_that_the_office_does_not_offer_is_not_promised() -> None:
    office = kit.TestOffice(kit.catalogue(("a", "b", "c")))
    ticket = office.take("a", NINE)

    def shown(*offered: str) -> tuple[int, int]:
        services = {name: office.catalogue.services[name] for name in offered}
        here = msgspec.structs.replace(office.catalogue, services=services)
        view = progress_of(office.day, office.day.tickets[ticket], here, NINE, wait=None)
        return view.step, view.steps

    office.do(c.PlanRoute(request_id=kit.new_id(), ticket_id=ticket, steps=("b", "c")), NINE)
    assert (shown("a", "b", "c"), shown("a", "b"), shown("a")) == ((1, 3), (1, 2), (0, 0))


def test_a_detour_from_a_planned_visit_is_no_step_of_it() -> None:
    office = kit.TestOffice(kit.catalogue(("a", "b", "c")))
    ana = office.open("1", NINE)
    ticket = office.take("a", NINE)
    office.do(c.PlanRoute(request_id=kit.new_id(), ticket_id=ticket, steps=("b",)), NINE)
    office.call_next(ana, NINE)
    mine: Any = {"session": ana, "ticket_id": ticket}
    office.do(c.Transfer(request_id=kit.new_id(), service="c", **mine), NINE)
    assert office.day.tickets[ticket].service == "c"
    view = progress_of(office.day, office.day.tickets[ticket], office.catalogue, NINE, wait=None)
    assert (view.step, view.steps) == (0, 0)


def test_who_is_set_aside_for_some_minutes_is_told_when_they_wait_again() -> None:
    office = kit.TestOffice()
    ana = office.open("1", NINE)
    ticket = office.take("a", NINE)
    office.call_next(ana, NINE)
    mine: Any = {"session": ana, "ticket_id": ticket}
    office.do(c.Park(request_id=kit.new_id(), return_min=20, **mine), NINE)

    def shown(clock: str) -> Any:
        view = progress_of(office.day, office.day.tickets[ticket], office.catalogue, kit.at(clock), wait=None)
        return view.turn, view.returns_at

    assert shown("09:05") == ("parked", kit.at("09:20"))
    assert shown("09:21") == ("parked", None), "the office has not told yet that they are back; nothing is promised"
    office.write((f.TicketResumed(ticket_id=ticket, automatic=True),), kit.at("09:21"))
    assert shown("09:22") == ("next", None)
