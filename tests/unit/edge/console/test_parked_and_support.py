"""Who is told of a parked ticket, and when; who is told of a call for support."""

from __future__ import annotations

from datetime import datetime

import pytest

from edge_node.console import notices
from sync.domain.parked import for_clerk, next_alert_at, parked_alerts
from sync.domain.support import answer_for, calls
from sync.messages import commands as c
from sync.messages.policy import Policy
from tests.kit.office import TestOffice, at, catalogue, new_id
from ui.catalog import Words, load_catalog
from ui.formats import CITY_ZONE
from ui.locales import STAFF_LOCALES


def parked(remind_min: int | None = None, policy: Policy | None = None) -> tuple[TestOffice, str]:
    """Ana parks somebody at 9:10."""
    office = TestOffice(catalogue(policy=policy))
    ana = office.open("1", at("09:00"), "ana")
    office.open("2", at("09:00"), "luis")
    ticket = office.take("a", at("09:01"))
    office.call_next(ana, at("09:05"))
    office.do(
        c.Park(request_id=new_id(), session=ana, ticket_id=ticket, reason="papers", remind_min=remind_min), at("09:10")
    )
    return office, ana


@pytest.mark.parametrize(
    "remind_min, quiet, due, escalated",
    [(10, "09:19", "09:20", "09:25"), (5, "09:14", "09:15", "09:20"), (None, "09:29", "09:30", "09:35")],
)
def test_the_clerk_is_told_first_then_the_supervisors(
    remind_min: int | None, quiet: str, due: str, escalated: str
) -> None:
    office, _ = parked(remind_min)
    assert parked_alerts(office.day, at(quiet)) == ()
    assert next_alert_at(office.day, at(quiet)) == at(due)
    (alert,) = parked_alerts(office.day, at(due))
    assert (alert.parked_by, alert.due_at, alert.is_escalated) == ("ana", at(due), False)
    assert for_clerk([alert], "ana", supervisor=False) == (alert,)
    assert for_clerk([alert], "luis", supervisor=False) == for_clerk([alert], "boss", supervisor=True) == ()
    (late,) = parked_alerts(office.day, at(escalated))
    assert for_clerk([late], "boss", supervisor=True) == for_clerk([late], "ana", supervisor=False) == (late,)
    assert next_alert_at(office.day, at(escalated)) is None


def test_an_office_has_limits_of_its_own() -> None:
    office, _ = parked(policy=Policy(park_limit_min=40, park_escalate_min=0))
    assert next_alert_at(office.day, at("09:10")) == at("09:50")
    assert parked_alerts(office.day, at("09:49")) == ()
    (alert,) = parked_alerts(office.day, at("09:50"))
    assert alert.is_escalated


def test_the_ticket_of_a_clerk_who_has_gone_is_the_supervisors_at_once() -> None:
    office, ana = parked(10)
    office.do(c.CloseCounter(request_id=new_id(), session=ana), at("09:15"), "ana")
    (alert,) = parked_alerts(office.day, at("09:20"))
    assert alert.is_escalated


def test_who_is_back_is_no_matter_any_more() -> None:
    office, _ = parked(5)
    (ticket,) = office.day.tickets
    office.do(c.Resume(request_id=new_id(), ticket_id=ticket), at("09:30"))
    assert parked_alerts(office.day, at("09:40")) == ()
    assert next_alert_at(office.day, at("09:40")) is None


def test_who_asked_for_support_reads_for_a_while_who_comes() -> None:
    office, ana = parked()
    quiet, loud = new_id(), new_id()
    office.do(c.AskSupport(request_id=quiet, session=ana), at("09:20"), "ana")
    office.do(c.AskSupport(request_id=loud, urgency="panic"), at("09:21"), "eva")
    assert [call.urgency for call in calls(office.day)] == ["panic", "support"], "the urgent one first"
    office.do(c.AnswerSupport(request_id=new_id(), support_id=quiet), at("09:22"), "luis")
    answer = answer_for(office.day, "ana", at("09:26"))
    assert answer is not None
    assert (answer.staff_id, answer.counter) == ("luis", "2")
    assert answer_for(office.day, "ana", at("09:27")) is None
    assert answer_for(office.day, "luis", at("09:23")) is None
    office.do(c.AskSupport(request_id=new_id(), session=ana), at("09:23"), "ana")
    assert answer_for(office.day, "ana", at("09:24")) is None, "nobody has answered this one"


def test_whoever_needs_nobody_any_more_is_told_of_nobody() -> None:
    office, ana = parked()
    asked = new_id()
    office.do(c.AskSupport(request_id=asked, session=ana), at("09:20"), "ana")
    office.do(c.AnswerSupport(request_id=new_id(), support_id=asked), at("09:21"), "ana")
    assert answer_for(office.day, "ana", at("09:22")) is None


@pytest.fixture(params=STAFF_LOCALES)
def words(request: pytest.FixtureRequest) -> Words:
    return load_catalog(strict=True).words(request.param)


def told(office: TestOffice, me: str, now: datetime, words: Words, *, supervisor: bool = False) -> list[notices.Notice]:
    alerts = for_clerk(parked_alerts(office.day, now), me, supervisor=supervisor)
    to = notices.Reader(me, str.title, words, CITY_ZONE)
    return [
        *notices.of_support(calls(office.day), answer_for(office.day, me, now), to),
        *notices.of_parked(alerts, to),
    ]


def test_notices_say_who_and_why_and_offer_the_answer(words: Words) -> None:
    office, ana = parked(10)
    office.do(c.AskSupport(request_id=new_id(), session=ana), at("09:20"), "ana")
    mine, due = told(office, "ana", at("09:20"), words)
    assert (mine.kind, mine.verb, due.verb) == ("plain", "answer_support", "resume")
    assert words.text("console.park.papers") in due.text
    (theirs,) = told(office, "luis", at("09:20"), words)
    assert "Ana" in theirs.text
    assert theirs.act == words.text("console.support.go")
    _, escalated = told(office, "boss", at("09:30"), words, supervisor=True)
    assert "Ana" in escalated.text
    assert len({notice.about for notice in (mine, due)}) == 2


def test_a_reason_of_another_build_is_another_reason(words: Words) -> None:
    assert notices.park_reason("siesta", words) == words.text("console.park.other")
    assert {notices.park_reason(each, words) for each in notices.PARK_REASONS} >= {words.text("console.park.papers")}
