"""What kiosks and the console ask of the queue, in their words: give a ticket, check somebody in, send somebody to another
office, take somebody who comes from one, print it again.

Makes what a decision may not: random follow codes, ids, the way from a scanned code to a booking.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import msgspec

from edge_node.metrics import Metrics
from edge_node.queue.arrivals import Shown, arrival_of, shown_slip
from edge_node.queue.asked import asked
from edge_node.queue.dispatcher import Dispatcher
from edge_node.queue.journal import SQL, PendingPrint, written
from edge_node.queue.outcomes import Answer, Extras, make_slip
from edge_node.queue.state import OfficeState
from edge_node.writer import Writer
from sync.domain import reserve, retold, slips
from sync.domain.check_in import Arrival
from sync.domain.outcomes import refuse
from sync.io.ids import new_id
from sync.messages import codec
from sync.messages.commands import (
    Accept,
    Actor,
    CheckIn,
    HandOver,
    MarkArrived,
    PriorityBasis,
    ServeWalkIn,
    TakePrinted,
    TakeTicket,
)
from sync.messages.handover_slip import Sign, write
from sync.messages.policy import GENERAL
from sync.messages.refusals import Refusal
from sync.messages.topics import FOLLOW_CODE_BYTES, KioskTellPrinted, KioskTellReserved, PrintJob, Slip, VisitState


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """How a new ticket is wanted: the slip's language, the kiosk that prints it (none: whoever asked), the class.

    Args:
        language_chosen: the person chose the language; else that of the appointment goes first (ux KIO-27).
    """

    language: str = "es"
    language_chosen: bool = True
    print_on: str | None = None
    priority_class: str | None = None


class Seat(NamedTuple):
    """The counter session that acts, and the ticket that its clerk saw there last."""

    session: str
    after: str | None


class Standing(NamedTuple):
    """Whether somebody is still to be served, and where they are called to or served at now."""

    visit: VisitState
    counter: str | None = None
    is_served: bool = False


class Desk:
    """Issues tickets.

    Args:
        public_url: central's address for citizens, for the slips' QR.
    """

    def __init__(self, dispatcher: Dispatcher, writer: Writer, metrics: Metrics, public_url: str) -> None:
        self.dispatcher = dispatcher
        self._writer = writer
        self._metrics = metrics
        self.public_url = public_url.rstrip("/")
        self.on_print: Callable[[PendingPrint], None] = lambda _job: None
        """Called with a print that was asked for outside a command (a reprint), once it is durable."""
        self.sign: Sign | None = None
        """Signs handover slips with the node's key; none: this node has no key."""
        self.central_now: Callable[[], datetime] = dispatcher.state.now
        """Central's clock as it is known here: the only one that two offices can count a person's way by."""

    async def take_ticket(
        self, request_id: str, service: str, actor: Actor, wish: Wish, *, basis: PriorityBasis | None = None
    ) -> Answer:
        """A walk-in's ticket."""
        extras, follow_hash = self._extras(wish)
        command = TakeTicket(
            request_id=request_id,
            service=service,
            priority_class=wish.priority_class or GENERAL,
            basis=basis,
            language=wish.language,
            follow_hash=follow_hash,
        )
        content = asked(actor, "take_ticket", service, wish, *_said(basis))
        return await self.dispatcher.submit(command, actor, extras, asked=content)

    async def serve_walk_in(
        self,
        request_id: str,
        service: str,
        at: Seat,
        actor: Actor,
        wish: Wish,
        *,
        basis: PriorityBasis | None = None,
    ) -> Answer:
        """Somebody who stands at a counter is served there now; printed only if that is asked for."""
        extras, follow_hash = self._extras(wish)
        command = ServeWalkIn(
            request_id=request_id,
            session=at.session,
            service=service,
            priority_class=wish.priority_class or GENERAL,
            basis=basis,
            language=wish.language,
            follow_hash=follow_hash,
            after=at.after,
        )
        content = asked(actor, "serve_walk_in", service, at, wish, *_said(basis))
        return await self.dispatcher.submit(command, actor, extras, asked=content)

    async def check_in(self, request_id: str, shown: Shown, actor: Actor, wish: Wish) -> Answer:
        """The ticket of an appointment.

        A repeated request gets its ticket even if the booking was cancelled or moved since.
        """
        content = asked(actor, "check_in", shown, wish)
        if (answer := await self.dispatcher.answered(request_id, content)) is not None:
            return answer

        def look(state: OfficeState) -> tuple[Arrival, str] | Refusal:
            found = arrival_of(state, shown, state.now())
            return found if isinstance(found, Refusal) else (found, language_of(state, found.appointment_id, wish))

        found = await self.dispatcher.read(look)
        if isinstance(found, Refusal):
            return self.refused(found)
        arrival, language = found
        extras, follow_hash = self._extras(msgspec.structs.replace(wish, language=language))
        command = CheckIn(
            request_id=request_id,
            appointment_id=arrival.appointment_id,
            service=arrival.service,
            slot_start_at=arrival.slot_start_at,
            duration_min=arrival.duration_min,
            priority_class=wish.priority_class or arrival.priority_class,
            to_verify=arrival.to_verify,
            follow_hash=follow_hash,
        )
        return await self.dispatcher.submit(command, actor, extras, asked=content)

    async def hand_over(self, command: HandOver, actor: Actor) -> Answer:
        """Send a person to another office, with a signed slip if it was asked for."""
        return await self.dispatcher.submit(command, actor, Extras(sign=self.sign, central_at=self.central_now()))

    async def slip_of_sent(self, ticket_id: str) -> str | None:
        """The signed slip of a person who was sent to another office, once more; none when there is nobody or no key."""

        def make(state: OfficeState) -> str | None:
            ticket = state.day.tickets.get(ticket_id)
            if self.sign is None or ticket is None or ticket.state != "in_transit":
                return None
            if ticket.released is None or ticket.released_at is None:
                return None
            at = self.central_now() - (state.now() - ticket.released_at)
            return write(slips.slip_of(ticket.released, state.office, state.tail.epoch, at), self.sign)

        return await self.dispatcher.read(make)

    async def take_over(self, request_id: str, scanned: str, actor: Actor, wish: Wish) -> Answer:
        """The ticket of a person who comes from another office with a slip; its paper has no address of a progress page."""
        content = asked(actor, "take_over", scanned, wish)
        if (answer := await self.dispatcher.answered(request_id, content)) is not None:
            return answer

        def find(state: OfficeState) -> Accept | MarkArrived | Refusal:
            slip = shown_slip(state, scanned)
            if isinstance(slip, Refusal):
                return slip
            return slips.command_of(state.day, slip, state.here(state.now()), request_id, self.central_now())

        command = await self.dispatcher.read(find)
        if isinstance(command, Refusal):
            return self.refused(command)
        extras = msgspec.structs.replace(self._extras(wish)[0], follow_code=None, with_slip=True)
        return await self.dispatcher.submit(command, actor, extras, asked=content)

    async def take_reserved(self, told: KioskTellReserved, actor: Actor) -> Answer:
        """A ticket that a kiosk gave by itself; its printed code leads to it from now on."""
        command = reserve.command_of(told)
        return await self.dispatcher.submit(command, actor, Extras(follow_code=told.follow_code))

    async def take_printed(self, told: KioskTellPrinted, actor: Actor) -> Answer:
        """A ticket that an earlier life of the node gave and a kiosk has printed."""
        code = told.follow_code if told.follow_code is not None else secrets.token_bytes(FOLLOW_CODE_BYTES)

        def make(state: OfficeState) -> TakePrinted:
            return retold.command_of(
                told,
                code,
                floor=state.floor(told.service_date),
                is_moved=state.is_moved(told.ticket_id),
                up_to=state.believed_up_to(told.series),
                booked=state.agenda.by_id.get(told.appointment_id or ""),
            )

        content = asked(actor, "take_printed", told.ticket_id)
        return await self.dispatcher.submit(
            await self.dispatcher.read(make), actor, Extras(follow_code=code), asked=content
        )

    async def slip_again(self, ticket_id: str, wish: Wish, device: str | None = None) -> Slip | Refusal:
        """The slip of a ticket of today, once more, in the language that is wished for; for a device, or a screen."""
        given = device, ticket_id, written(self.dispatcher.state.now())

        def write(connection: sqlite3.Connection) -> bytes | None:
            if device is not None:
                connection.execute(SQL.insert_slip_given, given)
            found = connection.execute(SQL.find_follow_code, {"ticket_id": ticket_id}).fetchone()
            return bytes(found[0]) if found else None

        code = await self._writer.run(write)

        def make(state: OfficeState) -> Slip | Refusal:
            ticket = state.day.tickets.get(ticket_id)
            if ticket is None:
                return refuse("ticket_unknown")
            language = language_of(state, ticket.appointment_id, wish)
            return make_slip(state, ticket, language, code, self.public_url)

        slip = await self.dispatcher.read(make)
        return self.refused(slip) if isinstance(slip, Refusal) else slip

    async def has_slip(self, ticket_id: str, device: str) -> bool:
        """Whether a device can know of a ticket's paper: the ticket was asked for there, or its slip was sent there.

        Nobody remembers that of a ticket that came with a replacement of the node.
        """
        ticket = await self.dispatcher.read(lambda state: state.day.tickets.get(ticket_id))
        if ticket is None or ticket.given_by in ("", device):
            return True
        asked = {"device": device, "ticket_id": ticket_id}
        return bool(await self._writer.run(lambda db: db.execute(SQL.has_slip, asked).fetchone()[0]))

    async def visit_of(self, ticket_id: str) -> Standing:
        """How a ticket of today stands for its person."""

        def find(state: OfficeState) -> Standing:
            ticket = state.day.tickets.get(ticket_id)
            if ticket is None:
                return Standing("open")
            if ticket.state in ("missed", "finished"):
                return Standing(ticket.state)
            is_at_counter = ticket.state in ("called", "serving")
            return Standing("open", ticket.called_counter if is_at_counter else None, ticket.state == "serving")

        return await self.dispatcher.read(find)

    async def print_again(self, ticket_id: str, device: str, language: str) -> PrintJob | Refusal:
        """Send a ticket's slip to a kiosk once more."""
        slip = await self.slip_again(ticket_id, Wish(language=language), device)
        if isinstance(slip, Refusal):
            return slip
        job = PrintJob(job_id=new_id(), slip=slip, reprint=True)
        now = self.dispatcher.state.now()
        pending = PendingPrint(job.job_id, device, ticket_id, codec.encode(job), asked_at=now)
        await self._writer.run(lambda connection: connection.execute(SQL.insert_print_job, pending.row).rowcount)
        self.on_print(pending)
        return job

    def refused(self, refusal: Refusal) -> Refusal:
        """Count a refusal that was not the dispatcher's."""
        self._metrics.refused.labels(refusal.code).inc()
        return refusal

    def _extras(self, wish: Wish) -> tuple[Extras, bytes]:
        code = secrets.token_bytes(FOLLOW_CODE_BYTES)
        extras = Extras(
            follow_code=code,
            language=wish.language,
            print_on=wish.print_on,
            print_job_id=new_id() if wish.print_on else None,
            public_url=self.public_url,
        )
        return extras, hashlib.sha256(code).digest()


def _said(basis: PriorityBasis | None) -> tuple[PriorityBasis, ...]:
    """Only what was said counts to what was asked, so that requests of kiosks have the digests of older builds."""
    return () if basis is None else (basis,)


def language_of(state: OfficeState, appointment_id: str | None, wish: Wish) -> str:
    """The language of a slip: what was chosen, else that of the appointment, as far as it is known here."""
    row = state.agenda.by_id.get(appointment_id) if appointment_id is not None else None
    return wish.language if wish.language_chosen or row is None else row.language
