"""What a command is answered with, once it is durable: enough to show it, and to judge the order from outside.

A reply is encoded once, stored with the request and given again, byte for byte, to whoever repeats it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from sync.domain.office_day import OfficeDay
from sync.domain.ticket import CounterSession, PrintState, State, Ticket
from sync.messages.facts import Band, CalledHow, LeaseSold, Origin, Outcome, Why
from sync.messages.topics import Slip


class TicketView(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as staff see it.

    Args:
        issue: (epoch, seq) of its issue; breaks ties of ``due_at``.
        counter: the only counter that may serve it, or the one that called it.
        why: why it was the next one; none until it was called.
        tenure: the number of its holder; 1 where it was issued.
        from_office: the office that gave it up for this one.
        released_to: the office that this one gave it up for.
        expected: its person was sent here and has not been seen yet.
    """

    ticket_id: str
    label: str
    service: str
    state: State
    origin: Origin
    priority_class: str
    arrived_at: datetime
    due_at: datetime
    callable_at: datetime
    issued_at: datetime
    issue: tuple[int, int]
    slot_start_at: datetime | None = None
    duration_min: int | None = None
    appointment_id: str | None = None
    band: Band | None = None
    to_verify: bool = False
    counter: str | None = None
    session: str | None = None
    called_at: datetime | None = None
    called_how: CalledHow | None = None
    announced_at: datetime | None = None
    recalls: int = 0
    why: Why | None = None
    shown_at: datetime | None = None
    started_at: datetime | None = None
    missed_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    print_state: PrintState = "unknown"
    tenure: int = 1
    from_office: str | None = None
    released_to: str | None = None
    expected: bool = False


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A counter session and the services it serves."""

    session: str
    counter: str
    staff_id: str
    primary: tuple[str, ...]
    secondary: tuple[str, ...]
    opened_at: datetime
    last_ticket_id: str | None = None


class SoldView(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment that was sold from a lease: what the person is told."""

    appointment_id: str
    locator: str
    service: str
    slot_start_at: datetime
    duration_min: int


class CommandReply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an accepted command.

    Args:
        outcome: ``done``, or ``unchanged`` when the sender's view was old: then this is the present state.
        seq: the journal's position behind this command; every act up to there is durable.
        at: office clock when it was decided.
        ticket: the ticket it was about; for ``unchanged`` the counter's last one.
        slip: what a ticket's paper says, for a ticket that was just issued.
        print_job_id: the print that was asked for with it.
        handover_slip: the signed text that a person takes to the office that they were sent to; a QR on paper.
    """

    request_id: str
    outcome: Literal["done", "unchanged"]
    epoch: int
    seq: int
    at: datetime
    ticket: TicketView | None = None
    session: SessionView | None = None
    slip: Slip | None = None
    print_job_id: str | None = None
    handover_slip: str | None = None
    sold: SoldView | None = None


def view_ticket(ticket: Ticket) -> TicketView:
    return TicketView(
        ticket_id=ticket.ticket_id,
        label=ticket.label,
        service=ticket.service,
        state=ticket.state,
        origin=ticket.origin,
        priority_class=ticket.priority_class,
        arrived_at=ticket.arrived_at,
        due_at=ticket.due_at,
        callable_at=ticket.callable_at,
        issued_at=ticket.issued_at,
        issue=ticket.issue_seq,
        slot_start_at=ticket.slot_start_at,
        duration_min=ticket.duration_min,
        appointment_id=ticket.appointment_id,
        band=ticket.band,
        to_verify=ticket.to_verify,
        counter=ticket.counter if ticket.state == "waiting" else ticket.called_counter,
        session=ticket.session,
        called_at=ticket.called_at,
        called_how=ticket.called_how,
        announced_at=ticket.announced_at,
        recalls=ticket.recalls,
        why=ticket.why,
        shown_at=ticket.shown_at,
        started_at=ticket.started_at,
        missed_at=ticket.missed_at,
        ended_at=ticket.ended_at,
        outcome=ticket.outcome,
        print_state=ticket.print_state,
        tenure=ticket.tenure,
        from_office=ticket.from_office,
        released_to=ticket.released_to,
        expected=ticket.expected,
    )


def view_session(session: CounterSession) -> SessionView:
    return SessionView(
        session=session.session,
        counter=session.counter,
        staff_id=session.staff_id,
        primary=session.primary,
        secondary=session.secondary,
        opened_at=session.opened_at,
        last_ticket_id=session.last_ticket_id,
    )


def view_sold(fact: LeaseSold) -> SoldView:
    return SoldView(
        appointment_id=fact.appointment_id,
        locator=fact.locator,
        service=fact.service,
        slot_start_at=fact.slot_start_at,
        duration_min=fact.duration_min,
    )


def last_ticket(day: OfficeDay, session: CounterSession | None) -> Ticket | None:
    """The last ticket called at a counter session, open or not."""
    return day.tickets.get(session.last_ticket_id) if session and session.last_ticket_id else None
