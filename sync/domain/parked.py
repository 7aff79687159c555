"""Parked tickets that time alone moves, and who must be told of them though nobody did anything just now.

One that was parked for so many minutes waits again when they are over, in its former place. Any other is due at its reminder,
without one after the policy's ``park_limit_min``. The clerk who parked it is told first; when nothing happens, or that clerk
works at no counter any more, the supervisors are. Pure: what the day holds, and the instant.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from sync.domain.office_day import OfficeDay
from sync.domain.ticket import Ticket
from sync.messages.facts import TicketResumed
from sync.messages.policy import Policy

TOLD_FOR = timedelta(minutes=5)
"""How long a clerk reads that somebody whom they had set aside is back."""


class ParkedAlert(msgspec.Struct, frozen=True, kw_only=True):
    """A parked ticket that somebody must look after.

    Args:
        parked_by: staff id of who set it aside.
        due_at: when that clerk was to be told.
        is_escalated: the supervisors are told too.
    """

    ticket_id: str
    label: str
    reason: str
    parked_by: str
    parked_at: datetime
    due_at: datetime
    is_escalated: bool


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that waits again because its time had come."""

    ticket_id: str
    label: str
    at: datetime


def returning(day: OfficeDay, now: datetime) -> tuple[TicketResumed, ...]:
    """The facts that let parked tickets whose time has come wait again, the longest due first; none of a day that is closed."""
    if not day.is_open:
        return ()
    due = [
        (t.returns_at, t.issue_seq, t.ticket_id) for t in day.tickets.values() if t.returns_at and t.state == "parked"
    ]
    return tuple(TicketResumed(ticket_id=ticket_id, automatic=True) for at, _, ticket_id in sorted(due) if at <= now)


def returned(day: OfficeDay, staff_id: str, now: datetime) -> tuple[Returned, ...]:
    """Who came back by themselves a moment ago and waits, of those that a clerk had set aside; the latest first."""
    found = [
        Returned(ticket_id=ticket.ticket_id, label=ticket.label, at=ticket.returned_at)
        for ticket in day.waiting.values()
        if ticket.returned_at is not None and ticket.returned_for == staff_id and now - ticket.returned_at < TOLD_FOR
    ]
    return tuple(sorted(found, key=lambda each: each.at, reverse=True))


def parked_alerts(day: OfficeDay, now: datetime) -> tuple[ParkedAlert, ...]:
    """All parked tickets that are due, the longest due first. Supervisors are told of those that are ``is_escalated``."""
    found = (_alert(day, ticket, now) for ticket in day.tickets.values())
    return tuple(sorted((alert for alert in found if alert is not None), key=lambda alert: alert.due_at))


def for_clerk(alerts: Iterable[ParkedAlert], staff_id: str, *, supervisor: bool) -> tuple[ParkedAlert, ...]:
    """Those that one of staff is told of at the own counter."""
    return tuple(alert for alert in alerts if alert.parked_by == staff_id or (supervisor and alert.is_escalated))


def next_alert_at(day: OfficeDay, now: datetime) -> datetime | None:
    """When the next parked ticket becomes due or a supervisor's matter; none while none will."""
    instants = (at for ticket in day.tickets.values() for at in _instants(ticket, day.policy) if at > now)
    return min(instants, default=None)


def _alert(day: OfficeDay, ticket: Ticket, now: datetime) -> ParkedAlert | None:
    instants = _instants(ticket, day.policy)
    if not instants or ticket.parked_at is None or now < instants[0]:
        return None
    due_at, escalated_at = instants
    is_there = any(session.staff_id == ticket.parked_by for session in day.sessions.values())
    return ParkedAlert(
        ticket_id=ticket.ticket_id,
        label=ticket.label,
        reason=ticket.parked_reason or "",
        parked_by=ticket.parked_by or "",
        parked_at=ticket.parked_at,
        due_at=due_at,
        is_escalated=not is_there or now >= escalated_at,
    )


def _instants(ticket: Ticket, policy: Policy) -> tuple[datetime, datetime] | tuple[()]:
    """When a parked ticket is due, and when the supervisors are told; nothing for one that is not parked, or that comes back
    before anybody need look after it.
    """
    if ticket.state != "parked" or ticket.parked_at is None:
        return ()
    if ticket.returns_at is not None and (ticket.remind_at is None or ticket.remind_at >= ticket.returns_at):
        return ()
    due_at = ticket.remind_at or ticket.parked_at + timedelta(minutes=policy.park_limit_min)
    return due_at, due_at + timedelta(minutes=policy.park_escalate_min)
