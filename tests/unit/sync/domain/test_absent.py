"""Nobody waits for the absent, and who comes late is never refused: they fall in a band with a rank of its own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync.domain.outcomes import Accepted
from sync.messages import commands as c
from sync.messages.facts import Band
from sync.messages.policy import Policy
from sync.messages.refusals import Refusal
from tests.kit.office import TestOffice, at, catalogue, new_id

SLOT = at("10:00")
POLICY = Policy()


def an_office() -> tuple[TestOffice, str]:
    office = TestOffice(catalogue(("a",), policy=POLICY))
    return office, office.open("1", at("09:00"))


def test_a_booked_person_who_is_not_there_holds_up_nobody() -> None:
    office, session = an_office()
    walk_in = office.take("a", at("09:59"))
    assert office.call_next(session, SLOT) == walk_in, "at the very minute of somebody else's appointment"


def test_with_only_the_absent_to_come_a_counter_is_free() -> None:
    office, session = an_office()
    answer = office.do(c.CallNext(request_id=new_id(), session=session), SLOT)
    assert isinstance(answer, Refusal)
    assert answer.code == "nobody_waiting"


def test_who_is_called_and_does_not_come_gives_way_at_once() -> None:
    office, session = an_office()
    first, second = office.take("a", at("09:50")), office.take("a", at("09:51"))
    assert office.call_next(session, at("09:52")) == first
    missed = c.NoShow(request_id=new_id(), session=session, ticket_id=first)
    assert isinstance(office.do(missed, at("09:53")), Accepted)
    assert office.call_next(session, at("09:53")) == second


@pytest.mark.parametrize(
    "late_min, band, counts_from_min",
    [
        (POLICY.grace_min, "punctual", -POLICY.appointment_head_start_min),
        (POLICY.grace_min + 1, "late", 0),
        (POLICY.late_limit_min, "late", 0),
        (POLICY.late_limit_min + 1, "too_late", POLICY.late_limit_min + 1),
        (180, "too_late", 180),
    ],
)
def test_who_comes_late_falls_in_a_band_and_is_served(late_min: int, band: Band, counts_from_min: int) -> None:
    office, session = an_office()
    came_at = SLOT + timedelta(minutes=late_min)
    ticket = office.check_in("a", SLOT, came_at)
    stands = office.day.tickets[ticket]
    assert stands.band == band
    assert stands.due_at == SLOT + timedelta(minutes=counts_from_min), "minutes after the appointment's time"
    assert office.call_next(session, came_at) == ticket
