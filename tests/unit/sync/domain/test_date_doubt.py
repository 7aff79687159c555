"""When a clock may open a day by itself, and who may say so instead."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from sync.domain.catalogue import Catalogue
from sync.domain.date_doubt import Doubt, confirm_date, doubt_of, latest_of
from sync.domain.office_day import OfficeDay
from sync.domain.outcomes import Accepted, refuse
from sync.messages.commands import Actor, ConfirmDate
from sync.messages.facts import DayOpened
from sync.messages.feed import Office
from tests.kit.facts import uuid_of

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
TODAY = date(2026, 11, 23)
BOSS = Actor(actor_id="boss", device_id="console-1", supervisor=True)


@pytest.mark.parametrize(
    "wall_at, behind, offset_s, doubt",
    [
        (NOW, None, None, None),
        (NOW, timedelta(minutes=5), None, None),
        (NOW, timedelta(minutes=5, milliseconds=1), None, "behind_journal"),
        (NOW, timedelta(hours=-9), 120, None),
        (NOW, None, 121, "off_central"),
        (NOW, None, -121, "off_central"),
        (NOW.replace(year=2025), None, None, "never_set"),
        (NOW.replace(year=1970), timedelta(days=1), 999, "never_set"),
        (NOW.replace(year=2036), None, None, None),
        (NOW, timedelta(days=-31), None, None),
        (NOW, timedelta(days=-32), None, "ahead_of_journal"),
        (NOW, timedelta(days=-32), 0, None),
    ],
)
def test_which_clocks_are_not_believed(
    wall_at: datetime, behind: timedelta | None, offset_s: int | None, doubt: Doubt | None
) -> None:
    latest_at = None if behind is None else wall_at + behind
    central_at = None if offset_s is None else wall_at + timedelta(seconds=offset_s)
    assert doubt_of(wall_at, latest_at, central_at) == doubt


def test_what_is_written_under_a_clock_that_jumped_vouches_for_no_time() -> None:
    ahead = NOW.replace(year=2036)
    assert latest_of(None, ahead, opens_day=False) == ahead
    assert latest_of(NOW, NOW + timedelta(hours=1), opens_day=False) == NOW + timedelta(hours=1)
    assert latest_of(NOW, NOW - timedelta(hours=1), opens_day=False) == NOW
    assert latest_of(NOW, ahead, opens_day=False) == NOW
    assert latest_of(NOW, ahead, opens_day=True) == ahead


def test_only_a_supervisor_confirms_and_only_the_date_that_the_clock_says() -> None:
    office = Office(id="centro", name="Centro", address="", time_zone="Africa/Ceuta", services=(), hours=())
    catalogue, day = Catalogue(office=office, services={}, counters={}), OfficeDay("centro")

    def confirm(actor: Actor, service_date: date) -> object:
        command = ConfirmDate(request_id=uuid_of(1), service_date=service_date)
        return confirm_date(day, command, actor, TODAY, catalogue=catalogue, floors={"A": 40})

    assert confirm(Actor(actor_id="ana", device_id="c"), TODAY) == refuse("forbidden")
    assert confirm(BOSS, date(2026, 11, 24)) == refuse("wrong_day", service_date="2026-11-23")
    opened = confirm(BOSS, TODAY)
    assert isinstance(opened, Accepted)
    (fact,) = opened.facts
    assert isinstance(fact, DayOpened)
    assert (fact.service_date, fact.floors) == (TODAY, {"A": 40})
