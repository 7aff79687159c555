"""What a supervisor should look at, and in which order."""

from __future__ import annotations

from sync.domain.alerts import alerts
from sync.messages import commands as c
from sync.messages.feed import Counter
from sync.messages.policy import Policy
from tests.kit.office import TestOffice, at, catalogue, new_id

DESKS = (Counter(id="1", zone="a", primary=("a",)), Counter(id="2", zone="a", primary=("a", "b")))


def test_the_most_urgent_comes_first() -> None:
    office = TestOffice(catalogue(("a", "b"), DESKS))
    ana, luis = office.open("1", at("09:00"), "ana"), office.open("2", at("09:00"), "luis")
    parked = office.take("a", at("09:00"))
    office.do(c.Park(request_id=new_id(), session=ana, ticket_id=parked), at("09:01"))
    office.take("b", at("09:01"))
    office.do(c.PauseCounter(request_id=new_id(), session=luis, reason="rest"), at("09:02"), "luis")
    support, panic = new_id(), new_id()
    office.do(c.AskSupport(request_id=support, session=ana), at("09:30"))
    office.do(c.AskSupport(request_id=panic, urgency="panic", session=luis), at("09:31"), "luis")
    found = alerts(office.day, at("09:32"))
    assert [each.kind for each in found] == ["panic", "support", "unserved", "parked", "paused"]
    assert [each.subject for each in found] == [panic, support, "b", parked, luis]
    assert (found[0].who, found[0].counter, found[2].waiting) == ("luis", "2", 1)


def test_a_limit_is_reached_to_the_minute() -> None:
    office = TestOffice(catalogue(("a", "b"), DESKS))
    ana = office.open("1", at("09:00"), "ana")
    ticket = office.take("a", at("09:00"))
    office.do(c.Park(request_id=new_id(), session=ana, ticket_id=ticket), at("09:01"))
    office.do(c.PauseCounter(request_id=new_id(), session=ana, reason="rest"), at("09:02"))
    assert alerts(office.day, at("09:25:59")) == ()
    assert [each.subject for each in alerts(office.day, at("09:26"))] == [ticket]
    assert [each.kind for each in alerts(office.day, at("09:31:59"))] == ["parked"]
    assert [each.kind for each in alerts(office.day, at("09:32"))] == ["parked", "paused"]
    office.do(c.Resume(request_id=new_id(), ticket_id=ticket), at("09:33"))
    office.do(c.ResumeCounter(request_id=new_id(), session=ana), at("09:33"))
    assert alerts(office.day, at("09:34")) == ()


def test_an_office_has_limits_of_its_own() -> None:
    office = TestOffice(catalogue(("a", "b"), DESKS, Policy(park_limit_min=40, pause_limit_min=10)))
    ana = office.open("1", at("09:00"), "ana")
    ticket = office.take("a", at("09:00"))
    office.do(c.Park(request_id=new_id(), session=ana, ticket_id=ticket), at("09:00"))
    office.do(c.PauseCounter(request_id=new_id(), session=ana, reason="rest"), at("09:02"))
    assert [each.kind for each in alerts(office.day, at("09:12"))] == ["paused"]
    assert [each.kind for each in alerts(office.day, at("09:44"))] == ["paused"]
    assert [each.kind for each in alerts(office.day, at("09:45"))] == ["parked", "paused"]


def test_an_office_that_has_not_opened_has_no_alerts() -> None:
    office = TestOffice(catalogue(("a", "b"), DESKS))
    office.take("a", at("08:50"))
    assert alerts(office.day, at("08:55")) == ()
