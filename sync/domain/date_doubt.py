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
AHEAD_MAX: Final = timedelta(days=31)
"""No office is closed for longer without anybody there to look at a calendar. A day that was opened years ahead is never over."""

Doubt = Literal["never_set", "behind_journal", "off_central", "ahead_of_journal"]


def doubt_of(at: datetime, latest_at: datetime | None, central_at: datetime | None) -> Doubt | None:
    """Why a clock is not believed; none when it is. A day is opened when neither the wall clock nor the office clock is
    doubted: the one may have been set and the other not have followed yet.

    Args:
        at: what the clock says.
        latest_at: the latest instant of a fact since the last day was opened (``latest_of``); none: there is none.
        central_at: central's time at that instant, by its own word over the monotonic clock; none: central was not heard in
            this run.
    """
    if at.year < BUILD_YEAR:
        return "never_set"
    if latest_at is not None and at < latest_at - BEHIND_MAX:
        return "behind_journal"
    if central_at is not None and abs(central_at - at) > OFFSET_MAX:
        return "off_central"
    if central_at is None and latest_at is not None and at > latest_at + AHEAD_MAX:
        return "ahead_of_journal"
    return None


def latest_of(latest_at: datetime | None, fact_at: datetime, *, opens_day: bool) -> datetime:
    """The latest instant that a journal vouches for, after one more fact. What a clock writes that has jumped ahead vouches for
    nothing until a day was opened under it.
    """
    if latest_at is None or opens_day or latest_at < fact_at <= latest_at + AHEAD_MAX:
        return fact_at
    return latest_at


def confirm_date(
    day: OfficeDay, command: ConfirmDate, actor: Actor, today: date, *, catalogue: Catalogue, floors: Mapping[str, int]
) -> Decision:
    """Open the day that the clock says, because a supervisor says so too; the facts carry who did."""
    if not actor.supervisor:
        return refuse("forbidden")
    if command.service_date != today:
        return refuse("wrong_day", service_date=today.isoformat())
    return Accepted(turn_day(day, today, catalogue, floors))
