"""Whether a clock may open a service day by itself, and a supervisor's word for the date when it may not.

A day that is opened under a wrong date gives numbers, closes tickets and drops appointments of the wrong day, so an office
with a doubtful clock waits for somebody who can look at a calendar. Nothing else waits: an open day goes on under any clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final, Literal

from sync.domain.catalogue import Catalogue
from sync.domain.decide import turn_day
from sync.domain.office_day import OfficeDay
from sync.domain.outcomes import Accepted, Decision, refuse
from sync.messages.commands import Actor, ConfirmDate

BUILD_YEAR: Final = 2026
"""A clock that says less has never been set."""
BEHIND_MAX: Final = timedelta(minutes=5)
OFFSET_MAX: Final = timedelta(seconds=120)

Doubt = Literal["never_set", "behind_journal", "off_central"]


def doubt_of(wall_at: datetime, latest_at: datetime | None, central_offset: timedelta | None) -> Doubt | None:
    """Why a wall clock is not believed; none when it is.

    Args:
        latest_at: the latest instant of a fact since the last day was opened; none: there is none.
        central_offset: central's clock minus the wall clock; none: central was not heard in this run.
    """
    if wall_at.year < BUILD_YEAR:
        return "never_set"
    if latest_at is not None and wall_at < latest_at - BEHIND_MAX:
        return "behind_journal"
    if central_offset is not None and abs(central_offset) > OFFSET_MAX:
        return "off_central"
    return None


def confirm_date(
    day: OfficeDay, command: ConfirmDate, actor: Actor, today: date, *, catalogue: Catalogue, floors: Mapping[str, int]
) -> Decision:
    """Open the day that the clock says, because a supervisor says so too; the facts carry who did."""
    if not actor.supervisor:
        return refuse("forbidden")
    if command.service_date != today:
        return refuse("wrong_day", service_date=today.isoformat())
    return Accepted(turn_day(day, today, catalogue, floors))
