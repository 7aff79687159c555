"""A board shows the waits that it is given, and the longest of them."""

from sync.domain.board import board
from sync.messages.topics import WaitRange
from tests.kit.office import TestOffice, at


def test_waits_are_taken_as_they_are() -> None:
    office = TestOffice()
    session = office.open("1", at("08:00"))
    for _ in range(5):
        office.take("a", at("09:00"))
    office.call_next(session, at("09:01"))
    short, long = WaitRange(low_min=5, high_min=10), WaitRange(low_min=20, high_min=35)
    shown = board(office.day, "a", office.catalogue, at("09:02"), waits={"a": long, "b": short})
    assert {each.service: each.wait for each in shown.services} == {"a": long, "b": short}
    assert (shown.wait, shown.waiting) == (long, 4)
    assert board(office.day, "a", office.catalogue, at("09:02"), waits={}).wait is None
