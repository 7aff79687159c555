"""What a command is answered with, once it is durable: enough to show it, and to judge the order from outside.

A reply is encoded once, stored with the request and given again, byte for byte, to whoever repeats it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from sync.domain.counters import Unserved
from sync.domain.office_day import OfficeDay
from sync.domain.ticket import CounterSession, PrintState, State, Ticket
from sync.domain.undo import UNDO_S, undoable
from sync.messages.facts import Band, CalledHow, LeaseSold, Origin, Outcome, Why
from sync.messages.topics import Slip


class TicketView(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as staff see it.

    Args:
        issue: (epoch, seq) of its issue; breaks ties of ``due_at``.
        counter: the only counter that may serve it, or the one that called it.
        staff_id, zone: while waiting: the only clerk, the only zone that may serve it.
        is_first: staff sent it before all others that wait there.
        behind_at: staff sent it behind all who waited then.
        added: services that were added to its visit.
        services: what was really done.
        to_do: services of a planned visit that are not done, in order, the present one among them unless it is a detour.
        steps_done: how many steps of it were finished; people count from 1, so the present one is the next.
        parked_at, parked_by: while parked: since when, and the clerk who set it aside.
        remind_at: while parked: when its clerk wants to be told of it.
        returns_at: while parked: when it waits again by itself.
        sent_from, sent_by: the counter and the clerk that last sent it on.
        has_note: a note for who serves it next stands in the queue's ``remarks``.
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
    staff_id: str | None = None
    zone: str | None = None
    is_first: bool = False
    behind_at: datetime | None = None
    added: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    to_do: tuple[str, ...] = ()
    steps_done: int = 0
    parked_reason: str | None = None
    parked_at: datetime | None = None
    parked_by: str | None = None
    remind_at: datetime | None = None
    returns_at: datetime | None = None
    sent_from: str | None = None
    sent_by: str | None = None
    has_note: bool = False
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


class UndoView(msgspec.Struct, frozen=True, kw_only=True):
    """What a counter session may take back, and until when.

    Args:
        act: the request that ``undo`` must name.
        done: the tags of the facts that would be taken back; ``ticket.transferred.step`` for the end of a step of a route.
    """

    act: str
    done: tuple[str, ...]
    until_at: datetime


class SupportView(msgspec.Struct, frozen=True, kw_only=True):
    """A call for support that nobody takes care of yet."""

    support_id: str
    urgency: str
    staff_id: str
    counter: str | None
    asked_at: datetime


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A counter session and the services it serves.

    Args:
        console: the only browser that it may be worked from, if it was taken over.
        paused_reason, paused_at: while it is on pause.
        last_call: what the next call from here must name as ``after``.
        skipped: tickets that it passes over for its next call.
    """

    session: str
    counter: str
    staff_id: str
    primary: tuple[str, ...]
    secondary: tuple[str, ...]
    opened_at: datetime
    last_call: str | None = None
    last_ticket_id: str | None = None
    zone: str | None = None
    console: str = ""
    paused_reason: str | None = None
    paused_at: datetime | None = None
    skipped: tuple[str, ...] = ()
    undo: UndoView | None = None


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
        unserved: after a counter closed or paused: services that people wait for and that no counter serves now.
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
    unserved: tuple[Unserved, ...] = ()


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
        staff_id=ticket.staff_id,
        zone=ticket.zone,
        is_first=ticket.is_first,
        behind_at=ticket.behind_at,
        added=ticket.added,
        services=ticket.services,
        to_do=ticket.to_do,
        steps_done=ticket.steps_done,
        parked_reason=ticket.parked_reason,
        parked_at=ticket.parked_at,
        parked_by=ticket.parked_by,
        remind_at=ticket.remind_at,
        returns_at=ticket.returns_at,
        sent_from=ticket.sent_from,
        sent_by=ticket.sent_by,
        has_note=ticket.has_note,
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


def view_session(day: OfficeDay, session: CounterSession, now: datetime) -> SessionView:
    act = undoable(day, session, now)
    return SessionView(
        session=session.session,
        counter=session.counter,
        staff_id=session.staff_id,
        primary=session.primary,
        secondary=session.secondary,
        opened_at=session.opened_at,
        last_call=session.last_call,
        last_ticket_id=session.last_ticket_id,
        zone=session.zone,
        console=session.console,
        paused_reason=session.paused_reason,
        paused_at=session.paused_at,
        skipped=session.skipped,
        undo=UndoView(act=act.request_id, done=tuple(act.done.values()), until_at=act.at + timedelta(seconds=UNDO_S))
        if act is not None
        else None,
    )


def view_support(day: OfficeDay) -> tuple[SupportView, ...]:
    """Calls for support that wait, the first one first."""
    return tuple(
        SupportView(
            support_id=call.support_id,
            urgency=call.urgency,
            staff_id=call.staff_id,
            counter=call.counter,
            asked_at=call.asked_at,
        )
        for call in day.support.values()
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
