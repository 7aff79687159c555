"""What a missed call costs: the due_at with which a missed ticket waits again. It never falls."""

from __future__ import annotations

from datetime import datetime, timedelta

from sync.domain.office_day import OfficeDay
from sync.domain.ordering import in_order
from sync.domain.ticket import Ticket

_JUST_AFTER = timedelta(milliseconds=1)


def due_again(day: OfficeDay, ticket: Ticket, now: datetime) -> datetime:
    """The due_at of a ticket that is reinstated now.

    ``keep``: its own, the first time and within the limit counted from the no-show; ``behind_two``: just after the
    second person waiting for its service; else, and for ``now``: now.
    """
    policy = day.policy
    if policy.reinstate == "behind_two":
        return _behind_two(day, ticket)
    in_time = ticket.missed_at is not None and now - ticket.missed_at <= timedelta(minutes=policy.reinstate_within_min)
    if policy.reinstate == "keep" and in_time and ticket.reinstated == 0:
        return ticket.due_at
    return max(ticket.due_at, now)


def _behind_two(day: OfficeDay, ticket: Ticket) -> datetime:
    same_service = in_order(t for t in day.waiting.values() if t.service == ticket.service)
    if not same_service:
        return ticket.due_at
    return max(ticket.due_at, same_service[:2][-1].ranks_at + _JUST_AFTER)
