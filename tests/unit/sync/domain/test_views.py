"""What people are told: boards, estimates, labels, the office clock and the service day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from sync.domain.board import board
from sync.domain.clock import OfficeClock, step_ms
from sync.domain.estimate import wait_of, wait_of_newcomer
from sync.domain.numbering import next_label
from sync.domain.service_day import ends_at, service_date, starts_at
from sync.domain.ticket import Durations
from sync.messages import commands as c
from sync.messages.feed import Counter
from tests.kit.office import ZONE, TestOffice, at, catalogue, new_id


def two_zones() -> TestOffice:
    return TestOffice(
        catalogue(("a", "b"), (Counter(id="1", zone="a", primary=("a",)), Counter(id="9", zone="b", primary=("b",))))
    )


def test_a_board_shows_its_own_zone_newest_first() -> None:
    office = two_zones()
    one, nine = office.open("1", at("09:00"), "ana"), office.open("9", at("09:00"), "luis")
    tickets = [office.take("a", at("09:00")) for _ in range(3)]
    office.take("b", at("09:00"))
    office.call_next(nine, at("09:01"), "luis")
    office.call_next(one, at("09:01"))
    office.do(c.Start(request_id=new_id(), session=one, ticket_id=tickets[0]), at("09:02"))
    office.do(c.Finish(request_id=new_id(), session=one, ticket_id=tickets[0]), at("09:03"))
    office.call_next(one, at("09:04"))
    shown = board(office.day, "a", office.catalogue, at("09:04"))
    assert [call.label for call in shown.calls] == ["A2"]
    assert [call.label for call in shown.recent] == ["A1"]
    assert shown.waiting == 1
    assert [call.label for call in board(office.day, "b", office.catalogue, at("09:04")).calls] == ["B1"]


def test_a_recall_is_announced_again_and_shown_once() -> None:
    office = two_zones()
    session = office.open("1", at("09:00"))
    ticket = office.take("a", at("09:00"))
    office.call_next(session, at("09:01"))
    office.do(c.Recall(request_id=new_id(), session=session, ticket_id=ticket), at("09:02"))
    (call,) = board(office.day, "a", office.catalogue, at("09:02")).calls
    assert (call.recalls, call.called_at) == (1, at("09:02"))


def test_no_estimate_without_an_open_counter() -> None:
    office = two_zones()
    ticket = office.take("a", at("09:00"))
    assert wait_of(office.day, office.day.tickets[ticket], office.catalogue) is None
    assert wait_of_newcomer(office.day, "a", office.catalogue, at("09:00")) is None


def test_the_range_grows_with_the_people_ahead_and_says_its_basis() -> None:
    office = two_zones()
    office.open("1", at("09:00"))
    ranges = []
    for _ in range(6):
        wait = wait_of_newcomer(office.day, "a", office.catalogue, at("09:00"))
        assert wait is not None
        ranges.append((wait.low_min, wait.high_min))
        office.take("a", at("09:00"))
    assert ranges[0] == (0, 5)
    assert ranges == sorted(ranges)
    assert ranges[5] == (45, 70)
    office.day.durations["a"] = Durations(count=20, total_s=20 * 60.0)
    fast = wait_of_newcomer(office.day, "a", office.catalogue, at("09:00"))
    assert fast is not None
    assert (fast.basis, fast.high_min) == ("today", 10)


def test_labels_are_dense_and_end_in_the_spare_series() -> None:
    first = next_label("K", "Z", {})
    spare = next_label("K", "Z", {"K": 999, "Z": 4})
    assert first is not None
    assert spare is not None
    assert (first.label, spare.label) == ("K1", "Z5")
    assert next_label("K", "Z", {"K": 999, "Z": 999}) is None


def test_the_office_clock_never_goes_back_until_a_step_is_written() -> None:
    start = datetime(2026, 11, 23, 9, tzinfo=UTC)
    clock = OfficeClock(anchor_at=start, anchor_mono_ns=0).after_fact(start + timedelta(minutes=5))
    assert clock.now(60 * 10**9) == start + timedelta(minutes=5)
    assert clock.now(600 * 10**9) == start + timedelta(minutes=10)
    back = start - timedelta(hours=1)
    assert clock.anchored(back, 600 * 10**9).now(601 * 10**9) == back + timedelta(seconds=1)


@pytest.mark.parametrize("delta_s, expected", [(2, None), (-2, None), (2.5, 2500), (-3600, -3_600_000)])
def test_a_step_is_written_from_two_seconds_on(delta_s: float, expected: int | None) -> None:
    office_at = datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert step_ms(office_at, office_at + timedelta(seconds=delta_s)) == expected


@pytest.mark.parametrize(
    "instant, expected",
    [
        (datetime(2026, 11, 23, 2, 59, tzinfo=UTC), date(2026, 11, 22)),
        (datetime(2026, 11, 23, 3, 0, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 3, 29, 1, 59, tzinfo=UTC), date(2026, 3, 28)),
        (datetime(2026, 3, 29, 2, 0, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 10, 25, 2, 59, tzinfo=UTC), date(2026, 10, 24)),
        (datetime(2026, 10, 25, 3, 0, tzinfo=UTC), date(2026, 10, 25)),
    ],
)
def test_the_service_day_turns_at_four_local(instant: datetime, expected: date) -> None:
    assert service_date(instant, ZONE) == expected


def test_service_days_are_23_and_25_hours_long_when_the_clocks_change() -> None:
    lengths = [ends_at(day, ZONE) - starts_at(day, ZONE) for day in (date(2026, 3, 28), date(2026, 10, 24))]
    assert lengths == [timedelta(hours=23), timedelta(hours=25)]
