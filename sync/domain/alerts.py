"""What a supervisor should look at now: calls for support, people set aside too long, counters on pause too long, services that
nobody serves. What is too long says the office's policy. Pure: read from the day, at an instant.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from sync.domain.counters import unserved
from sync.domain.office_day import OfficeDay
from sync.domain.parked import parked_alerts
from sync.domain.support import calls

Kind = Literal["panic", "support", "unserved", "parked", "paused"]
_RANK: dict[Kind, int] = {"panic": 0, "support": 1, "unserved": 2, "parked": 3, "paused": 4}


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something that waits for a supervisor.

    Args:
        subject: id of the call, the service, the ticket or the counter session.
        who: the clerk it is about, where there is one; counter: where.
        since: from when; none for a service, whose number of people counts.
        waiting: how many people wait for a service that nobody serves.
    """

    kind: Kind
    subject: str
    who: str = ""
    counter: str = ""
    since: datetime | None = None
    waiting: int = 0


def alerts(day: OfficeDay, now: datetime) -> tuple[Alert, ...]:
    """All that is open, the most urgent first, then the oldest."""
    found = [*_calls(day), *_services(day), *_parked(day, now), *_paused(day, now)]
    return tuple(sorted(found, key=lambda a: (_RANK[a.kind], a.since or now, a.subject)))


def _calls(day: OfficeDay) -> list[Alert]:
    return [
        Alert(
            kind="panic" if call.urgency == "panic" else "support",
            subject=call.support_id,
            who=call.staff_id,
            counter=call.counter or "",
            since=call.asked_at,
        )
        for call in calls(day)
    ]


def _services(day: OfficeDay) -> list[Alert]:
    if not day.sessions:
        return []  # before the office opens and after it closes nobody is missing at a counter
    return [Alert(kind="unserved", subject=each.service, waiting=each.waiting) for each in unserved(day)]


def _parked(day: OfficeDay, now: datetime) -> list[Alert]:
    return [
        Alert(kind="parked", subject=parked.ticket_id, who=parked.parked_by, since=parked.parked_at)
        for parked in parked_alerts(day, now)
        if parked.is_escalated
    ]


def _paused(day: OfficeDay, now: datetime) -> list[Alert]:
    limit = timedelta(minutes=day.policy.pause_limit_min)
    return [
        Alert(kind="paused", subject=s.session, who=s.staff_id, counter=s.counter, since=s.paused_at)
        for s in day.sessions.values()
        if s.paused_at is not None and now - s.paused_at >= limit
    ]
