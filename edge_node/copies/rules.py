"""When a copy or a check is due, and which copies go. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta, tzinfo

CHECK_AT = time(4, 30)
"""Local time of the nightly check: the service day has turned, nobody is served."""
_NAME = re.compile(r"edge-(\d{8}T\d{6})Z\.db")


def name_of(at: datetime) -> str:
    """The file name of a copy that is made at an instant."""
    return f"edge-{at.astimezone(UTC):%Y%m%dT%H%M%S}Z.db"


def made_at(name: str) -> datetime | None:
    """When a copy of this name was made; none for another file's name."""
    found = _NAME.fullmatch(name)
    return datetime.strptime(f"{found[1]}+0000", "%Y%m%dT%H%M%S%z") if found else None


def copy_due(latest: datetime | None, every: timedelta, now: datetime) -> bool:
    """Whether a copy is to be made."""
    return latest is None or now - latest >= every


def too_many(names: Iterable[str], keep: int, now: datetime) -> list[str]:
    """The copies that go: those from the future, since the clock that named them was wrong and they would outlive all
    others, and the oldest beyond the number that is kept. Files of other names stay.
    """
    dated = sorted((at, name) for name in names if (at := made_at(name)) is not None)
    ours = [name for at, name in dated if at <= now]
    return [*ours[: max(0, len(ours) - keep)], *(name for at, name in dated if at > now)]


def check_due(last: datetime, now: datetime, zone: tzinfo) -> bool:
    """Whether the night's check has not been made since its last hour."""
    local = now.astimezone(zone)
    hour = datetime.combine(local.date(), CHECK_AT, zone)
    return last < (hour if hour <= local else hour - timedelta(days=1))
