"""The office day: a fold over facts, at the edge and at central alike.

There is no other record of a queue. The edge folds each fact as it decides it, and after an error by replaying its
journal; central folds the same facts as they arrive. Facts are never refused here: what already happened is recorded,
and a fact that does not fit the state (a late one of a replaced node) changes only what it can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import ClassVar

import msgspec

from sync.domain.folding import acts, counters, days, entries, visits
from sync.domain.lines import Lines
from sync.domain.ticket import CounterSession, Durations, Left, State, SupportAnswer, SupportCall, Ticket
from sync.messages import facts as f
from sync.messages.envelope import FactHeader
from sync.messages.policy import Policy

RECENT_CALLS = 40
"""How many announcements are remembered for the screens."""


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """A call or recall, as screens announce it.

    Args:
        id: names the fact that made it, ``epoch.seq``; unlike its time it stays when the clock is set.
    """

    id: str
    ticket_id: str
    label: str
    counter: str
    announced_at: datetime
    recalls: int

    @property
    def position(self) -> tuple[int, int]:
        """(epoch, seq) of the fact that made it."""
        epoch, _, seq = self.id.partition(".")
        return int(epoch), int(seq)


class OfficeDay:
    """The state of an office's queue. ``apply`` is the only way to change it."""

    def __init__(self, office: str) -> None:
        self.office = office
        self.epoch = 0
        self.seq = 0
        self.last_at: datetime | None = None
        self.service_date: date | None = None
        self.is_open = False
        self.closed_at: datetime | None = None
        """When this day was closed first; whatever is told after that does not change it."""
        self.policy = Policy()
        self.clear()

    def clear(self) -> None:
        self.tickets: dict[str, Ticket] = {}
        self.waiting: dict[str, Ticket] = {}
        self.by_appointment: dict[str, str] = {}
        self.by_follow_hash: dict[bytes, str] = {}
        self.last_numbers: dict[str, int] = {}
        self.sessions: dict[str, CounterSession] = {}
        self.session_at: dict[str, str] = {}
        self.left: dict[str, Left] = {}
        """The last time that a counter's clerk closed it today, by counter."""
        self.reserves: dict[str, f.ReserveGranted] = {}
        """What each kiosk may give by itself today, by device."""
        self.support: dict[str, SupportCall] = {}
        """Calls for support that nobody takes care of yet."""
        self.support_answers: dict[str, SupportAnswer] = {}
        """Who took care of somebody's last call, by who asked."""
        self.lines = Lines()
        self.announcements: list[Announcement] = []
        self.durations: dict[str, Durations] = {}

    def apply(self, header: FactHeader, fact: f.Fact) -> None:
        """Fold one fact. Facts come in journal order; an unknown one only moves the position."""
        self.epoch, self.seq, self.last_at = header.epoch, header.seq, header.occurred_at
        kind = type(fact)
        fold = self._folds.get(kind)
        if fold is None:
            return
        if kind in acts.REVERSIBLE:
            acts.remember(self, header, fact)
        fold(self, header, fact)
        if ticket := self.tickets.get(getattr(fact, "ticket_id", "")):
            if kind not in acts.BESIDE_THE_STATE:
                ticket.changed = (header.epoch, header.seq)
            self.lines.keep(ticket)

    def visit_at(self, session: str) -> Ticket | None:
        """The ticket that a counter session has called or is serving."""
        at = self.sessions.get(session)
        last = self.tickets.get(at.last_ticket_id) if at and at.last_ticket_id else None
        return last if last and last.session == session else None

    def ticket_of(self, appointment_id: str) -> str | None:
        """The ticket of an appointment that was checked in; one that was given up counts no more."""
        ticket = self.tickets.get(self.by_appointment.get(appointment_id, ""))
        return ticket.ticket_id if ticket and ticket.state != "abandoned" else None

    def move(self, ticket: Ticket, state: State) -> None:
        ticket.state = state
        if state == "waiting":
            self.waiting[ticket.ticket_id] = ticket
        else:
            self.waiting.pop(ticket.ticket_id, None)
        if state not in ("called", "serving"):
            ticket.session = None

    def count(self, ticket: Ticket) -> None:
        """Count a finished visit for the estimate; one of several services says nothing about any of them."""
        if ticket.started_at and ticket.ended_at and not ticket.added:
            spent = self.durations.setdefault(ticket.service, Durations())
            spent.count += 1
            spent.total_s += max(0.0, (ticket.ended_at - ticket.started_at).total_seconds())

    def uncount(self, ticket: Ticket) -> None:
        """Take a visit out of the estimate again, as it is when its end is undone."""
        spent = self.durations.get(ticket.service)
        if spent and ticket.started_at and ticket.ended_at and not ticket.added:
            spent.count -= 1
            spent.total_s -= max(0.0, (ticket.ended_at - ticket.started_at).total_seconds())

    def announce(self, ticket: Ticket, counter: str, header: FactHeader) -> None:
        ticket.announcement, ticket.announced_at = f"{header.epoch}.{header.seq}", header.occurred_at
        self.announcements.append(
            Announcement(
                id=ticket.announcement,
                ticket_id=ticket.ticket_id,
                label=ticket.label,
                counter=counter,
                announced_at=header.occurred_at,
                recalls=ticket.recalls,
            )
        )
        del self.announcements[:-RECENT_CALLS]

    def enter(self, ticket: Ticket) -> None:
        self.tickets[ticket.ticket_id] = ticket
        self.waiting[ticket.ticket_id] = ticket
        self.by_follow_hash[ticket.follow_hash] = ticket.ticket_id
        if ticket.appointment_id:
            self.by_appointment[ticket.appointment_id] = ticket.ticket_id
        self.last_numbers[ticket.series] = max(ticket.number, self.last_numbers.get(ticket.series, 0))

    def raise_numbers(self, numbers: Mapping[str, int]) -> None:
        """Let labels go on behind these numbers, by series."""
        for series, number in numbers.items():
            self.last_numbers[series] = max(number, self.last_numbers.get(series, 0))

    _folds: ClassVar[dict[type[f.Fact], Callable[..., None]]] = {
        **acts.FOLDS,
        **days.FOLDS,
        **counters.FOLDS,
        **entries.FOLDS,
        **visits.FOLDS,
    }
