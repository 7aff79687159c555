"""The service day itself, its configuration and its clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from sync.domain.due import due
from sync.domain.folding import acts
from sync.domain.ticket import Ticket
from sync.messages import facts as f
from sync.messages.envelope import FactHeader
from sync.messages.node_facts import ClockStepped, ConfigApplied
from sync.messages.policy import Policy

if TYPE_CHECKING:
    from sync.domain.office_day import OfficeDay


def day_opened(day: OfficeDay, _header: FactHeader, fact: f.DayOpened) -> None:
    day.clear()
    day.service_date, day.is_open, day.policy = fact.service_date, True, fact.policy
    day.closed_at = None
    day.last_numbers.update(fact.floors)


def day_closed(day: OfficeDay, header: FactHeader, fact: f.DayClosed) -> None:
    day.service_date, day.is_open = fact.service_date, False
    day.closed_at = day.closed_at or header.occurred_at


def reserve_granted(day: OfficeDay, _header: FactHeader, fact: f.ReserveGranted) -> None:
    day.reserves[fact.device] = fact


def labels_skipped(day: OfficeDay, _header: FactHeader, fact: f.LabelsSkipped) -> None:
    if fact.service_date == day.service_date:
        day.raise_numbers(fact.floors)


def config_applied(day: OfficeDay, _header: FactHeader, fact: ConfigApplied) -> None:
    if fact.policy is not None:
        day.policy = fact.policy


def clock_stepped(day: OfficeDay, _header: FactHeader, fact: ClockStepped) -> None:
    """Arrivals move with the clock, so that waiting stays what it was; slots do not, so ranks are computed anew."""
    delta = timedelta(milliseconds=fact.delta_ms)
    for ticket in day.tickets.values():
        if ticket.is_open:
            _shift(ticket, delta, day.policy)
            day.lines.keep(ticket)
        elif ticket.released_at is not None:
            ticket.released_at += delta
    for session in day.sessions.values():
        session.opened_at += delta
        if session.paused_at is not None:
            session.paused_at += delta
    for call in day.support.values():
        call.asked_at += delta
    for answer in day.support_answers.values():
        answer.answered_at += delta
    day.left = {k: msgspec.structs.replace(left, at=left.at + delta) for k, left in day.left.items()}
    acts.forget(day.sessions)
    if day.closed_at is not None:
        day.closed_at += delta
    day.announcements = [msgspec.structs.replace(a, announced_at=a.announced_at + delta) for a in day.announcements]


FOLDS: dict[type[f.Fact], Callable[..., None]] = {
    f.DayOpened: day_opened,
    f.DayClosed: day_closed,
    f.ReserveGranted: reserve_granted,
    f.LabelsSkipped: labels_skipped,
    ConfigApplied: config_applied,
    ClockStepped: clock_stepped,
}


def _shift(ticket: Ticket, delta: timedelta, policy: Policy) -> None:
    ticket.arrived_at += delta
    ticket.issued_at += delta
    if ticket.from_office is not None:  # its rank was not made here
        ticket.due_at += delta
        ticket.callable_at += delta
        _shift_instants(ticket, delta)
        return
    rank = due(ticket.arrived_at, ticket.slot_start_at, ticket.priority_class, policy)
    ticket.due_at, ticket.callable_at = rank.due_at, rank.callable_at
    if ticket.due_floor_at is not None:
        ticket.due_floor_at += delta
        ticket.due_at = max(ticket.due_at, ticket.due_floor_at)
    _shift_instants(ticket, delta)


def _shift_instants(ticket: Ticket, delta: timedelta) -> None:
    for name in (
        "called_at",
        "announced_at",
        "started_at",
        "missed_at",
        "shown_at",
        "behind_at",
        "remind_at",
        "returns_at",
        "returned_at",
        "parked_at",
    ):
        at: datetime | None = getattr(ticket, name)
        if at is not None:
            setattr(ticket, name, at + delta)
