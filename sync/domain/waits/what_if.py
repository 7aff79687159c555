"""What a change at one counter would do to the waits: the same replay twice, with the counters as they are and as they would be.

Both runs start from the same seed. What is compared is the wait of somebody who comes now, by service, in whole minutes of the
median: a supervisor decides by "about 14 or about 8", not by ranges. A visit at a counter that would be closed is not counted
among those who wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from sync.domain.ticket import CounterSession
from sync.domain.waits.outlook import Outlook, at_level

PATHS = 200
"""Futures of each run: a preview may take longer than what is published every second."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What would be done at an open counter; no primary services: it would close."""

    session: str
    primary: tuple[str, ...] = ()
    secondary: tuple[str, ...] = ()


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """The expected wait of a service in minutes, before and after; none: no counter would serve it in the foreseeable time."""

    service: str
    before_min: int | None
    after_min: int | None


def sessions_after(sessions: Mapping[str, CounterSession], change: Change) -> dict[str, CounterSession]:
    """The open counters as they would be."""
    after = dict(sessions)
    session = after.pop(change.session, None)
    if session is not None and change.primary:
        after[change.session] = msgspec.structs.replace(session, primary=change.primary, secondary=change.secondary)
    return after


def effects(before: Outlook, after: Outlook, services: Iterable[str]) -> tuple[Effect, ...]:
    """What changes for each of some services."""
    return tuple(
        Effect(service=service, before_min=_median_min(before, service), after_min=_median_min(after, service))
        for service in services
    )


def _median_min(ahead: Outlook, service: str) -> int | None:
    wait = ahead.services.get(service)
    return None if wait is None else round(at_level(wait, 50) / 60)
