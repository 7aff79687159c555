"""The office day: a fold over facts, at the edge and at central alike.

There is no other record of a queue. The edge folds each fact as it decides it, and after an error by replaying its
journal; central folds the same facts as they arrive. Facts are never refused here: what already happened is recorded,
and a fact that does not fit the state (a late one of a replaced node) changes only what it can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import ClassVar

import msgspec

from sync.domain.due import due
from sync.domain.lines import Lines
from sync.domain.ticket import CounterSession, State, Ticket
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


class Durations(msgspec.Struct, kw_only=True):
    """Finished services of the day, for the estimate."""

    count: int = 0
    total_s: float = 0.0


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """A counter that was closed today, and what it served; it may be open again."""

    at: datetime
    primary: tuple[str, ...]
    secondary: tuple[str, ...]


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
        self._clear()

    def _clear(self) -> None:
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
        self.lines = Lines()
        self.announcements: list[Announcement] = []
        self.durations: dict[str, Durations] = {}

    def apply(self, header: FactHeader, fact: f.Fact) -> None:
        """Fold one fact. Facts come in journal order; an unknown one only moves the position."""
        self.epoch, self.seq, self.last_at = header.epoch, header.seq, header.occurred_at
        fold = self._folds.get(type(fact))
        if fold is not None:
            fold(self, header, fact)
            if ticket := self.tickets.get(getattr(fact, "ticket_id", "")):
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

    def _move(self, ticket: Ticket, state: State) -> None:
        ticket.state = state
        if state == "waiting":
            self.waiting[ticket.ticket_id] = ticket
        else:
            self.waiting.pop(ticket.ticket_id, None)
        if state not in ("called", "serving"):
            ticket.session = None

    def _announce(self, ticket: Ticket, counter: str, header: FactHeader) -> None:
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

    # one function per fact; the names are the facts' own

    def _day_opened(self, _header: FactHeader, fact: f.DayOpened) -> None:
        self._clear()
        self.service_date, self.is_open, self.policy = fact.service_date, True, fact.policy
        self.closed_at = None
        self.last_numbers.update(fact.floors)

    def _day_closed(self, header: FactHeader, fact: f.DayClosed) -> None:
        self.service_date, self.is_open = fact.service_date, False
        self.closed_at = self.closed_at or header.occurred_at

    def _counter_opened(self, header: FactHeader, fact: f.CounterOpened) -> None:
        self.sessions[fact.session] = CounterSession(
            session=fact.session,
            counter=fact.counter,
            staff_id=header.actor_id,
            primary=fact.primary,
            secondary=fact.secondary,
            opened_at=header.occurred_at,
        )
        self.session_at[fact.counter] = fact.session

    def _counter_closed(self, header: FactHeader, fact: f.CounterClosed) -> None:
        session = self.sessions.pop(fact.session, None)
        if session is not None and fact.reason == "closed":
            self.left[fact.counter] = Left(at=header.occurred_at, primary=session.primary, secondary=session.secondary)
        if self.session_at.get(fact.counter) == fact.session:
            del self.session_at[fact.counter]
            for ticket in self.tickets.values():  # parked ones too: they must not come back to a counter that is closed
                if ticket.counter == fact.counter:
                    ticket.counter = None
                    self.lines.keep(ticket)

    def _issued(self, header: FactHeader, fact: f.TicketIssued) -> None:
        ticket = Ticket(
            ticket_id=fact.ticket_id,
            label=fact.label,
            series=fact.series,
            number=fact.number,
            service=fact.service,
            origin=fact.origin,
            priority_class=fact.priority_class,
            arrived_at=fact.arrived_at,
            due_at=fact.due_at,
            callable_at=fact.callable_at,
            issue_seq=(header.epoch, header.seq),
            issued_at=header.occurred_at,
            follow_hash=fact.follow_hash,
            slot_start_at=fact.slot_start_at,
            duration_min=fact.duration_min,
            appointment_id=fact.appointment_id,
            band=fact.band,
            to_verify=fact.to_verify,
            expected_wait=fact.expected,
        )
        self._enter(ticket)

    def _enter(self, ticket: Ticket) -> None:
        self.tickets[ticket.ticket_id] = ticket
        self.waiting[ticket.ticket_id] = ticket
        self.by_follow_hash[ticket.follow_hash] = ticket.ticket_id
        if ticket.appointment_id:
            self.by_appointment[ticket.appointment_id] = ticket.ticket_id
        self.last_numbers[ticket.series] = max(ticket.number, self.last_numbers.get(ticket.series, 0))

    def _printed(self, _header: FactHeader, fact: f.TicketPrinted) -> None:
        if ticket := self.tickets.get(fact.ticket_id):
            ticket.print_state = "printed"

    def _print_failed(self, _header: FactHeader, fact: f.TicketPrintFailed) -> None:
        ticket = self.tickets.get(fact.ticket_id)
        if ticket and ticket.print_state != "printed":
            ticket.print_state = "failed"

    def _called(self, header: FactHeader, fact: f.TicketCalled) -> None:
        ticket = self.tickets.get(fact.ticket_id)
        if ticket is None:
            return
        self._move(ticket, "called")
        ticket.session, ticket.called_counter, ticket.counter = fact.session, fact.counter, None
        ticket.called_at, ticket.called_how, ticket.why = header.occurred_at, fact.how, fact.why
        ticket.recalls, ticket.started_at, ticket.shown_at = 0, None, None
        if session := self.sessions.get(fact.session):
            session.last_ticket_id = ticket.ticket_id
        self._announce(ticket, fact.counter, header)

    def _recalled(self, header: FactHeader, fact: f.TicketRecalled) -> None:
        if ticket := self.tickets.get(fact.ticket_id):
            ticket.recalls, ticket.shown_at = fact.recalls, None
            self._announce(ticket, fact.counter, header)

    def _shown(self, _header: FactHeader, fact: f.TicketShown) -> None:
        ticket = self.tickets.get(fact.ticket_id)
        if ticket and ticket.recalls == fact.recalls:
            ticket.shown_at = fact.shown_at

    def _started(self, header: FactHeader, fact: f.TicketStarted) -> None:
        if ticket := self.tickets.get(fact.ticket_id):
            self._move(ticket, "serving")
            ticket.started_at = header.occurred_at

    def _finished(self, header: FactHeader, fact: f.TicketFinished) -> None:
        ticket = self.tickets.get(fact.ticket_id)
        if ticket is None:
            return
        self._move(ticket, "finished")
        ticket.ended_at, ticket.outcome = header.occurred_at, fact.outcome
        if ticket.started_at:
            spent = self.durations.setdefault(ticket.service, Durations())
            spent.count += 1
            spent.total_s += max(0.0, (header.occurred_at - ticket.started_at).total_seconds())

    def _no_show(self, header: FactHeader, fact: f.TicketNoShow) -> None:
        if ticket := self.tickets.get(fact.ticket_id):
            self._move(ticket, "missed")
            ticket.missed_at = header.occurred_at

    def _reinstated(self, _header: FactHeader, fact: f.TicketReinstated) -> None:
        if ticket := self.tickets.get(fact.ticket_id):
            self._move(ticket, "waiting")
            ticket.reinstated += 1
            ticket.missed_at = None
            if fact.due_at > ticket.due_at:
                ticket.due_at = ticket.due_floor_at = fact.due_at

    def _transferred(self, _header: FactHeader, fact: f.TicketTransferred) -> None:
        if ticket := self.tickets.get(fact.ticket_id):
            self._move(ticket, "waiting")
            ticket.service, ticket.counter, ticket.started_at = fact.service, fact.counter, None

    def _reassigned(self, _header: FactHeader, fact: f.TicketReassigned) -> None:
        if ticket := self.tickets.get(fact.ticket_id):
            ticket.counter = fact.counter

    def _parked(self, _header: FactHeader, fact: f.TicketParked) -> None:
        if ticket := self.tickets.get(fact.ticket_id):
            self._move(ticket, "parked")

    def _resumed(self, _header: FactHeader, fact: f.TicketResumed) -> None:
        if ticket := self.tickets.get(fact.ticket_id):
            self._move(ticket, "waiting")

    def _abandoned(self, header: FactHeader, fact: f.TicketAbandoned) -> None:
        if ticket := self.tickets.get(fact.ticket_id):
            self._move(ticket, "abandoned")
            ticket.ended_at = header.occurred_at

    def _released(self, _header: FactHeader, fact: f.TicketReleased) -> None:
        if ticket := self.tickets.get(fact.ticket_id):
            self._move(ticket, "in_transit")
            ticket.released_to, ticket.counter = fact.to_office, None

    def _accepted(self, header: FactHeader, fact: f.TicketAccepted) -> None:
        """A ticket that was here before and left enters anew; one that is still here only has a new number."""
        known = self.tickets.get(fact.ticket_id)
        if known is not None and (known.is_open or known.tenure >= fact.tenure):
            known.tenure = max(known.tenure, fact.tenure)
            return
        ticket = Ticket(
            ticket_id=fact.ticket_id,
            label=fact.label,
            series=fact.series,
            number=fact.number,
            service=fact.service,
            origin=fact.origin,
            priority_class=fact.priority_class,
            arrived_at=fact.arrived_at,
            due_at=fact.due_at,
            callable_at=fact.callable_at,
            issue_seq=(header.epoch, header.seq),
            issued_at=header.occurred_at,
            follow_hash=fact.follow_hash,
            slot_start_at=fact.slot_start_at,
            duration_min=fact.duration_min,
            appointment_id=fact.appointment_id,
            tenure=fact.tenure,
            from_office=fact.from_office,
            expected=fact.via != "restored",
        )
        self._enter(ticket)

    def _arrived(self, header: FactHeader, fact: f.TicketArrived) -> None:
        if ticket := self.tickets.get(fact.ticket_id):
            ticket.expected = False
            ticket.callable_at = min(ticket.callable_at, header.occurred_at)

    def _relabelled(self, _header: FactHeader, fact: f.TicketRelabelled) -> None:
        if ticket := self.tickets.get(fact.ticket_id):
            ticket.label, ticket.series, ticket.number = fact.label, fact.series, fact.number
            self._raise({fact.series: fact.number})
            if fact.follow_hash is not None:
                self.by_follow_hash.pop(ticket.follow_hash, None)
                ticket.follow_hash = fact.follow_hash
                self.by_follow_hash[fact.follow_hash] = ticket.ticket_id

    def _reserve_granted(self, _header: FactHeader, fact: f.ReserveGranted) -> None:
        self.reserves[fact.device] = fact

    def _labels_skipped(self, _header: FactHeader, fact: f.LabelsSkipped) -> None:
        if fact.service_date == self.service_date:
            self._raise(fact.floors)

    def _raise(self, numbers: Mapping[str, int]) -> None:
        for series, number in numbers.items():
            self.last_numbers[series] = max(number, self.last_numbers.get(series, 0))

    def _config_applied(self, _header: FactHeader, fact: f.ConfigApplied) -> None:
        if fact.policy is not None:
            self.policy = fact.policy

    def _clock_stepped(self, _header: FactHeader, fact: f.ClockStepped) -> None:
        """Arrivals move with the clock, so that waiting stays what it was; slots do not, so ranks are computed anew."""
        delta = timedelta(milliseconds=fact.delta_ms)
        for ticket in self.tickets.values():
            if ticket.is_open:
                _shift(ticket, delta, self.policy)
                self.lines.keep(ticket)
        for session in self.sessions.values():
            session.opened_at += delta
        self.left = {k: msgspec.structs.replace(left, at=left.at + delta) for k, left in self.left.items()}
        if self.closed_at is not None:
            self.closed_at += delta
        self.announcements = [
            msgspec.structs.replace(a, announced_at=a.announced_at + delta) for a in self.announcements
        ]

    _folds: ClassVar[dict[type[f.Fact], Callable[..., None]]] = {
        f.DayOpened: _day_opened,
        f.DayClosed: _day_closed,
        f.CounterOpened: _counter_opened,
        f.CounterClosed: _counter_closed,
        f.TicketIssued: _issued,
        f.TicketPrinted: _printed,
        f.TicketPrintFailed: _print_failed,
        f.TicketCalled: _called,
        f.TicketRecalled: _recalled,
        f.TicketShown: _shown,
        f.TicketStarted: _started,
        f.TicketFinished: _finished,
        f.TicketNoShow: _no_show,
        f.TicketReinstated: _reinstated,
        f.TicketTransferred: _transferred,
        f.TicketReassigned: _reassigned,
        f.TicketParked: _parked,
        f.TicketResumed: _resumed,
        f.TicketAbandoned: _abandoned,
        f.TicketReleased: _released,
        f.TicketAccepted: _accepted,
        f.TicketArrived: _arrived,
        f.TicketRelabelled: _relabelled,
        f.ReserveGranted: _reserve_granted,
        f.LabelsSkipped: _labels_skipped,
        f.ConfigApplied: _config_applied,
        f.ClockStepped: _clock_stepped,
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
    for name in ("called_at", "announced_at", "started_at", "missed_at", "shown_at"):
        at: datetime | None = getattr(ticket, name)
        if at is not None:
            setattr(ticket, name, at + delta)
