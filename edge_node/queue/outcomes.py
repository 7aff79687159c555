"""From a decision to its reply, and to the rows that are committed beside its facts."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

import msgspec

from edge_node.leases.store import buyer_of
from edge_node.queue.journal import Batch, PendingPrint, Person, Remark
from edge_node.queue.replies import CommandReply, SoldView, last_ticket, view_session, view_sold, view_ticket
from edge_node.queue.state import OfficeState
from sync.domain.counters import unserved
from sync.domain.ordering import ahead_of
from sync.domain.outcomes import Accepted, Unchanged
from sync.domain.slips import slip_of
from sync.domain.ticket import CounterSession, Ticket
from sync.messages import codec
from sync.messages.commands import (
    Accept,
    AnyCommand,
    CallNext,
    CallTicket,
    CheckIn,
    CloseCounter,
    HandOver,
    NodeCommand,
    OpenCounter,
    PauseCounter,
    Reassign,
    ResumeCounter,
    SellLease,
    ServeWalkIn,
    SetNeeds,
    TakePrinted,
    TakeReserved,
    TakeTicket,
    TicketCommand,
    Transfer,
    Undo,
)
from sync.messages.desk_facts import TicketUndone
from sync.messages.facts import LeaseSold, TicketCalled, TicketFinished, TicketReleased, TicketTransferred
from sync.messages.handover_slip import Sign, write
from sync.messages.people import PersonRequest
from sync.messages.refusals import Refusal
from sync.messages.topics import PrintJob, Slip, progress_url


class Done(NamedTuple):
    """A command that was carried out: its reply, and the bytes that are stored and sent."""

    reply: CommandReply
    body: bytes

    @classmethod
    def of(cls, body: bytes) -> Done:
        return cls(codec.decode(body, CommandReply), body)


Answer = Done | Refusal


class Extras(msgspec.Struct, frozen=True, kw_only=True):
    """What comes with a command and is no part of the decision.

    Args:
        follow_code: 16 random bytes of a new ticket; its fact carries their SHA-256.
        language: of the slip.
        print_on: kiosk that shall print the slip, for a ticket given at the console.
        print_job_id: id of that print.
        public_url: central's address for citizens.
        with_slip: a ticket that was not issued now is to be printed all the same.
        sign: signs with the node's key; none: no slip of a handover can be made.
        central_at: now, by central's clock as it is known here.
        buyer: the person of an appointment that is sold from a lease.
    """

    follow_code: bytes | None = None
    language: str = "es"
    print_on: str | None = None
    print_job_id: str | None = None
    public_url: str = ""
    with_slip: bool = False
    sign: Sign | None = None
    central_at: datetime | None = None
    buyer: PersonRequest | None = None


def conclude(
    state: OfficeState,
    command: AnyCommand | NodeCommand,
    decision: Accepted | Unchanged,
    extras: Extras,
    *,
    actor_id: str,
    now: datetime,
    batch: Batch,
) -> Done:
    """The reply to a command whose facts are folded into the state; adds its other rows to the batch."""
    ticket = _ticket_of(state, command, decision)
    session = _session_of(state, command)
    slip = None
    if isinstance(command, TakeTicket) and decision == NOTHING_NEW and ticket is not None:
        slip = make_slip(state, ticket, extras.language, None, extras.public_url)  # its own code is on the first paper
    elif isinstance(command, (TakeReserved, TakePrinted)) and decision != NOTHING_NEW and ticket is not None:
        _keep_code(state, ticket, extras, batch)
    elif isinstance(command, Giving) and ticket is not None and isinstance(decision, Accepted):
        slip = _issued(state, command, ticket, extras, batch, now=now)
    elif extras.with_slip and ticket is not None:
        slip = _paper(state, ticket, extras, batch, now=now)
    if isinstance(command, SellLease) and extras.buyer is not None:
        state.buyers[command.request_id] = buyer_of(extras.buyer)
        batch.buyers.append(extras.buyer)
    if isinstance(command, Accept) and decision != NOTHING_NEW:
        _keep_person(state, command, batch)
    if isinstance(command, Chosen) and isinstance(decision, Accepted) and decision != NOTHING_NEW:
        _keep_language(state, command, batch)
    if isinstance(command, (Transfer, HandOver, SetNeeds)) and ticket is not None:
        _keep_remark(state, command, actor_id, batch)
    reply = CommandReply(
        request_id=command.request_id,
        outcome="unchanged" if isinstance(decision, Unchanged) else "done",
        epoch=state.tail.epoch,
        seq=state.tail.seq,
        at=now,
        ticket=view_ticket(ticket) if ticket else None,
        session=view_session(state.day, session, now) if session else None,
        slip=slip,
        print_job_id=extras.print_job_id if slip and extras.print_on else None,
        handover_slip=_handover_slip(state, command, decision, extras),
        sold=_sold(decision),
        unserved=unserved(state.day) if isinstance(command, (CloseCounter, PauseCounter, Reassign)) else (),
    )
    return Done(reply, codec.encode(reply))


NOTHING_NEW = Accepted(())
Chosen = TakeTicket | ServeWalkIn | TakeReserved
"""Commands of walk-ins, who chose a language for their ticket."""
SPEAKS = "speaks_"
"""A language that is not Spanish is one of the support needs: ``speaks_ar``."""
Giving = TakeTicket | CheckIn | ServeWalkIn
"""Commands that give a person a ticket."""


def _keep_person(state: OfficeState, command: Accept, batch: Batch) -> None:
    """The personal row of an appointment that came with its ticket from another office."""
    grant, service_date = state.configuration.grants.get(command.ticket_id), state.day.service_date
    appointment_id = command.card.appointment_id
    if grant is None or appointment_id is None or service_date is None:
        return
    person = Person(appointment_id, service_date, grant.display_name, grant.needs, grant.language)
    state.people[appointment_id] = person
    batch.people.append(person)


def _keep_language(state: OfficeState, command: Chosen, batch: Batch) -> None:
    """The language that a walk-in chose, told to who serves them like support they need; no fact has it."""
    service_date = state.day.service_date
    ticket_id = command.ticket_id if isinstance(command, TakeReserved) else command.request_id
    if command.language == "es" or service_date is None or ticket_id in state.remarks:
        return
    remark = Remark(ticket_id, service_date, needs=(f"{SPEAKS}{command.language}",))
    state.remarks[ticket_id] = remark
    batch.remarks.append(remark)


def _keep_remark(state: OfficeState, command: Transfer | HandOver | SetNeeds, actor_id: str, batch: Batch) -> None:
    """What a command says about a person beside its facts; the note before and the needs stay unless it says others."""
    service_date = state.day.service_date
    assert service_date is not None
    known = state.remarks.get(command.ticket_id) or Remark(command.ticket_id, service_date)
    if isinstance(command, SetNeeds):
        remark = known._replace(needs=command.needs)
    elif note := command.note.strip():
        remark = known._replace(note=note, noted_by=actor_id)
    else:
        return
    state.remarks[command.ticket_id] = remark
    batch.remarks.append(remark)


def make_slip(state: OfficeState, ticket: Ticket, language: str, follow_code: bytes | None, public_url: str) -> Slip:
    """What a ticket's paper says; without the follow code it has no address of a progress page."""
    catalogue = state.configuration.catalogue
    service = catalogue.services.get(ticket.service)
    return Slip(
        ticket_id=ticket.ticket_id,
        label=ticket.label,
        office_name=catalogue.office.name,
        zone=state.configuration.zone_of(ticket.service),
        service_names=service.names if service else {"es": ticket.service},
        issued_at=ticket.issued_at,
        language=language,
        people_ahead=ahead_of(state.day, ticket),
        wait=state.waits.get(ticket.service),
        follow_url=follow_url(public_url, follow_code),
        slot_start_at=ticket.slot_start_at,
        callable_at=ticket.callable_at if ticket.callable_at > ticket.issued_at else None,
        band=ticket.band,
        to_verify=ticket.to_verify,
        service=ticket.service,
        appointment_id=ticket.appointment_id,
    )


def follow_url(public_url: str, code: bytes | None) -> str:
    """Address of a ticket's progress page; empty when its code is not known any more."""
    if code is None:
        return ""
    return progress_url(public_url, code)


def _issued(
    state: OfficeState,
    command: Giving,
    ticket: Ticket,
    extras: Extras,
    batch: Batch,
    *,
    now: datetime,
) -> Slip:
    service_date = _keep_code(state, ticket, extras, batch)
    if isinstance(command, CheckIn):
        row = state.agenda.by_id.get(command.appointment_id)
        if row is not None:
            person = Person(row.id, service_date, row.display_name, row.needs, row.language)
            state.people[row.id] = person
            batch.people.append(person)
    return _paper(state, ticket, extras, batch, now=now)


def _keep_code(state: OfficeState, ticket: Ticket, extras: Extras, batch: Batch) -> date:
    """Keep the code of a new paper, for another print of it; gives the day it is of."""
    service_date = state.day.service_date
    assert service_date is not None
    if extras.follow_code is not None:
        batch.follow_codes.append((ticket.ticket_id, extras.follow_code, service_date.isoformat()))
    return service_date


def _paper(state: OfficeState, ticket: Ticket, extras: Extras, batch: Batch, *, now: datetime) -> Slip:
    """A ticket's slip, and the print that was asked for with it."""
    slip = make_slip(state, ticket, extras.language, extras.follow_code, extras.public_url)
    if extras.print_on is not None and extras.print_job_id is not None:
        job = PrintJob(job_id=extras.print_job_id, slip=slip)
        message = codec.encode(job)
        batch.prints.append(PendingPrint(job.job_id, extras.print_on, ticket.ticket_id, message, asked_at=now))
    return slip


def _sold(decision: Accepted | Unchanged) -> SoldView | None:
    facts = decision.facts if isinstance(decision, Accepted) else ()
    sold = next((fact for fact in facts if isinstance(fact, LeaseSold)), None)
    return view_sold(sold) if sold is not None else None


def _handover_slip(
    state: OfficeState, command: AnyCommand | NodeCommand, decision: Accepted | Unchanged, extras: Extras
) -> str | None:
    """The signed text that the person takes along, if it was asked for and this node has a key."""
    if not isinstance(command, HandOver) or not command.slip or extras.sign is None or extras.central_at is None:
        return None
    assert isinstance(decision, Accepted)
    released = next(fact for fact in decision.facts if isinstance(fact, TicketReleased))
    return write(slip_of(released, state.office, state.tail.epoch, extras.central_at), extras.sign)


def _ticket_of(state: OfficeState, command: AnyCommand | NodeCommand, decision: Accepted | Unchanged) -> Ticket | None:
    day = state.day
    if isinstance(decision, Unchanged):
        return last_ticket(day, _session_of(state, command))
    if isinstance(command, Giving):
        return day.tickets.get(command.request_id)
    if isinstance(
        command, (CallNext, Undo)
    ):  # who was called, or the visit that ended because nobody was; what came back
        about = (TicketCalled, TicketFinished, TicketTransferred, TicketUndone)
        told = [fact.ticket_id for fact in decision.facts if isinstance(fact, about)]
        return day.tickets.get(told[-1]) if told else None
    ticket_id: str | None = getattr(command, "ticket_id", None)
    return day.tickets.get(ticket_id) if ticket_id else None


def _session_of(state: OfficeState, command: AnyCommand | NodeCommand) -> CounterSession | None:
    match command:
        case OpenCounter():
            return state.day.sessions.get(state.day.session_at.get(command.counter, ""))
        case CallNext() | CallTicket() | ServeWalkIn() | CloseCounter() | PauseCounter() | ResumeCounter() | Undo():
            return state.day.sessions.get(command.session)
        case TicketCommand():
            return state.day.sessions.get(command.session)
        case _:
            return None
