"""What another policy would have changed on some past days: waits by kind of person and by service, who was called when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from sync.domain.due import bound
from sync.domain.replays.rerun import Outcome, Served
from sync.domain.waits.tables import quantile
from sync.messages.policy import GENERAL, Policy

NOTICED = timedelta(minutes=1)
"""A call so much earlier or later is counted."""
SHIFTS_SHOWN = 10


class ReplayedDay(NamedTuple):
    service_date: date
    before: Outcome
    after: Outcome


class Waits(msgspec.Struct, frozen=True):
    """Of some people: how many were called, and how long half and nine of ten waited at most, seconds."""

    called: int
    p50_s: int
    p90_s: int


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Some people. ``by``: ``kind``, ``service``, or ``lateness`` (after their slot, of appointments who came on time)."""

    by: str
    name: str
    people: int
    before: Waits
    after: Waits


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who would have been called at another time; ``by_s`` is negative when earlier."""

    service_date: date
    label: str
    kind: str
    by_s: int


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Some days under two policies. ``over_bound``: calls that broke the bound, which the rule never does."""

    days: int
    policy: Policy
    bound_before_min: int
    bound_after_min: int
    over_bound_before: int
    over_bound_after: int
    groups: tuple[Group, ...]
    earlier: int
    later: int
    uncalled_before: int
    uncalled_after: int
    shifts: tuple[Shift, ...]


def compare(days: Sequence[ReplayedDay]) -> Comparison:
    """Put days side by side; at least one."""
    pairs = [(day.service_date, *pair) for day in days for pair in _pairs(day)]
    shifts = [s for at, before, after in pairs if (s := _shift(at, before, after)) is not None]
    return Comparison(
        days=len(days),
        policy=days[-1].after.policy,
        bound_before_min=max(bound(day.before.policy) for day in days) // timedelta(minutes=1),
        bound_after_min=bound(days[-1].after.policy) // timedelta(minutes=1),
        over_bound_before=sum(day.before.over_bound for day in days),
        over_bound_after=sum(day.after.over_bound for day in days),
        groups=tuple(_groups([(before, after) for _, before, after in pairs])),
        earlier=sum(s.by_s <= -NOTICED.total_seconds() for s in shifts),
        later=sum(s.by_s >= NOTICED.total_seconds() for s in shifts),
        uncalled_before=sum(before.called_at is None for _, before, _ in pairs),
        uncalled_after=sum(after.called_at is None for _, _, after in pairs),
        shifts=tuple(sorted(shifts, key=lambda s: -abs(s.by_s))[:SHIFTS_SHOWN]),
    )


def kind_of(ticket: Served) -> str:
    """Walk-in, appointment, or the priority class, which counts first."""
    return ticket.origin if ticket.priority_class == GENERAL else ticket.priority_class


def _pairs(day: ReplayedDay) -> Iterable[tuple[Served, Served]]:
    after = {ticket.ticket_id: ticket for ticket in day.after.tickets}
    return ((ticket, after[ticket.ticket_id]) for ticket in day.before.tickets if ticket.ticket_id in after)


def _shift(service_date: date, before: Served, after: Served) -> Shift | None:
    if before.called_at is None or after.called_at is None:
        return None
    by_s = round((after.called_at - before.called_at).total_seconds())
    return Shift(service_date=service_date, label=before.label, kind=kind_of(before), by_s=by_s) if by_s else None


def _groups(pairs: list[tuple[Served, Served]]) -> Iterable[Group]:
    yield from _grouped("kind", pairs, kind_of, _wait_s)
    yield from _grouped("service", pairs, lambda t: t.service, _wait_s)
    on_time = [pair for pair in pairs if pair[0].slot_start_at and pair[0].arrived_at <= pair[0].slot_start_at]
    yield from _grouped("lateness", on_time, lambda _: "appointment", _lateness_s)


def _grouped(
    by: str,
    pairs: list[tuple[Served, Served]],
    name_of: Callable[[Served], str],
    measure: Callable[[Served], float | None],
) -> Iterable[Group]:
    for name in sorted({name_of(before) for before, _ in pairs}):
        own = [pair for pair in pairs if name_of(pair[0]) == name]
        before, after = (_waits([measure(pair[n]) for pair in own]) for n in (0, 1))
        yield Group(by=by, name=name, people=len(own), before=before, after=after)


def _waits(spans: list[float | None]) -> Waits:
    known = sorted(span for span in spans if span is not None)
    if not known:
        return Waits(0, 0, 0)
    return Waits(len(known), round(quantile(known, 0.5)), round(quantile(known, 0.9)))


def _wait_s(ticket: Served) -> float | None:
    return (ticket.called_at - ticket.arrived_at).total_seconds() if ticket.called_at else None


def _lateness_s(ticket: Served) -> float | None:
    if ticket.called_at is None or ticket.slot_start_at is None:
        return None
    return max(0.0, (ticket.called_at - ticket.slot_start_at).total_seconds())
