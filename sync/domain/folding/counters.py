"""Counters that open and close, and the tickets that are marked for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sync.domain.ticket import CounterSession
from sync.messages import facts as f
from sync.messages.envelope import FactHeader

if TYPE_CHECKING:
    from sync.domain.office_day import OfficeDay


def counter_opened(day: OfficeDay, header: FactHeader, fact: f.CounterOpened) -> None:
    day.sessions[fact.session] = CounterSession(
        session=fact.session,
        counter=fact.counter,
        staff_id=header.actor_id,
        primary=fact.primary,
        secondary=fact.secondary,
        opened_at=header.occurred_at,
    )
    day.session_at[fact.counter] = fact.session


def counter_closed(day: OfficeDay, _header: FactHeader, fact: f.CounterClosed) -> None:
    day.sessions.pop(fact.session, None)
    if day.session_at.get(fact.counter) == fact.session:
        del day.session_at[fact.counter]
        for ticket in day.tickets.values():  # parked ones too: they must not come back to a counter that is closed
            if ticket.counter == fact.counter:
                ticket.counter = None
                day.lines.keep(ticket)


FOLDS: dict[type[f.Fact], Callable[..., None]] = {
    f.CounterOpened: counter_opened,
    f.CounterClosed: counter_closed,
}
