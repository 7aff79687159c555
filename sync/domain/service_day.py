"""The service day: it turns at 04:00 local time, so that a late evening still belongs to its day.

"Today" always means the service date; it is what slots, tokens, labels and days use alike.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

TURN = time(4, 0)
"""Local time at which one service day ends and the next begins."""


def service_date(at: datetime, zone: tzinfo) -> date:
    """The service date of an instant: the local date of (instant - 4 h)."""
    return (at.astimezone(zone).replace(tzinfo=None) - timedelta(hours=TURN.hour)).date()


@lru_cache(maxsize=64)
def starts_at(day: date, zone: tzinfo) -> datetime:
    """The UTC instant at which a service day begins."""
    return datetime.combine(day, TURN, tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=64)
def ends_at(day: date, zone: tzinfo) -> datetime:
    """The UTC instant at which a service day ends, which is when the next begins."""
    return starts_at(day + timedelta(days=1), zone)
