"""What is shown of a wait that is estimated anew all the time: worse at once, better only when it stays better."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from sync.messages.topics import WaitRange

BETTER_FOR = timedelta(seconds=60)


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A range on the screens. ``better_since``: since when estimates have been better without a break."""

    wait: WaitRange | None = None
    better_since: datetime | None = None


def steadied(shown: Mapping[str, Shown], fresh: Mapping[str, WaitRange | None], now: datetime) -> dict[str, Shown]:
    """What is shown from now on, by service."""
    return {service: steady(shown.get(service, Shown()), wait, now) for service, wait in fresh.items()}


def steady(shown: Shown, fresh: WaitRange | None, now: datetime) -> Shown:
    """What is shown after one more estimate."""
    if fresh is None or shown.wait is None or _key(fresh) >= _key(shown.wait):
        return Shown(wait=fresh)
    since = shown.better_since
    if since is None or now < since:  # a clock that went back begins anew
        return Shown(wait=shown.wait, better_since=now)
    return Shown(wait=fresh) if now - since >= BETTER_FOR else shown


def _key(wait: WaitRange) -> tuple[int, int]:
    return wait.high_min, wait.low_min
