"""A board with waits that are known already says what one that works them out says."""

from sync.domain.board import board
from sync.domain.estimate import wait_of_newcomer
from tests.kit.office import TestOffice, at


def test_known_waits_are_taken_as_they_are() -> None:
    office = TestOffice()
    session = office.open("1", at("08:00"))
    for _ in range(5):
        office.take("a", at("09:00"))
    office.call_next(session, at("09:01"))
    now = at("09:02")
    waits = {s: wait_of_newcomer(office.day, s, office.catalogue, now) for s in office.catalogue.services}
    worked_out = board(office.day, "a", office.catalogue, now)
    assert board(office.day, "a", office.catalogue, now, waits=waits) == worked_out
    assert worked_out.waiting == 4
    assert board(office.day, "a", office.catalogue, now, waits={}).wait is None
