"""What kiosks and the console ask of the queue, in their words: give a ticket, check somebody in, send somebody to another
office, take somebody who comes from one, print it again.

Makes what a decision may not: random follow codes, ids, the way from a scanned code to a booking.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime

import msgspec

from edge_node.metrics import Metrics
from edge_node.queue.arrivals import Shown, arrival_of, shown_slip
from edge_node.queue.asked import asked
from edge_node.queue.dispatcher import Dispatcher
from edge_node.queue.journal import SQL, PendingPrint
from edge_node.queue.outcomes import Answer, Extras, make_slip
from edge_node.queue.state import OfficeState
from edge_node.writer import Writer
from sync.domain import slips
from sync.domain.check_in import Arrival
from sync.domain.outcomes import refuse
from sync.io.ids import new_id
from sync.messages import codec
from sync.messages.commands import Accept, Actor, CheckIn, HandOver, MarkArrived, TakeReserved, TakeTicket
from sync.messages.handover_slip import Sign
from sync.messages.policy import GENERAL
from sync.messages.refusals import Refusal
from sync.messages.topics import FOLLOW_CODE_BYTES, KioskTellReserved, PrintJob, Slip, VisitState


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """How a new ticket is wanted: the slip's language, the kiosk that prints it (none: whoever asked), the class.

    Args:
        language_chosen: the person chose the language; else that of the appointment goes first (ux KIO-27).
    """

    language: str = "es"
    language_chosen: bool = True
    print_on: str | None = None
    priority_class: str | None = None


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

    async def take_ticket(self, request_id: str, service: str, actor: Actor, wish: Wish) -> Answer:
        """A walk-in's ticket."""
        extras, follow_hash = self._extras(wish)
        command = TakeTicket(
            request_id=request_id,
            service=service,
            priority_class=wish.priority_class or GENERAL,
            language=wish.language,
            follow_hash=follow_hash,
        )
        return await self.dispatcher.submit(command, actor, extras, asked=asked(actor, "take_ticket", service, wish))

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

    async def take_over(self, request_id: str, scanned: str, actor: Actor, wish: Wish) -> Answer:
        """The ticket of a person who comes from another office with a slip; its paper has no address of a progress page."""
        content = asked(actor, "take_over", scanned, wish)
        if (answer := await self.dispatcher.answered(request_id, content)) is not None:
            return answer

        def find(state: OfficeState) -> Accept | MarkArrived | Refusal:
            slip = shown_slip(state, scanned, state.now())
            if isinstance(slip, Refusal):
                return slip
            return slips.command_of(state.day, slip, request_id, self.central_now())

        command = await self.dispatcher.read(find)
        if isinstance(command, Refusal):
            return self.refused(command)
        extras = msgspec.structs.replace(self._extras(wish)[0], follow_code=None, with_slip=True)
        return await self.dispatcher.submit(command, actor, extras, asked=content)

    async def take_reserved(self, told: KioskTellReserved, actor: Actor) -> Answer:
        """A ticket that a kiosk gave by itself; its printed code leads to it from now on."""
        command = TakeReserved(
            request_id=told.request_id,
            ticket_id=told.ticket_id,
            service=told.service,
            service_date=told.service_date,
            series=told.series,
            number=told.number,
            elapsed_ms=told.elapsed_ms,
            follow_hash=hashlib.sha256(told.follow_code).digest(),
            language=told.language,
        )
        return await self.dispatcher.submit(command, actor, Extras(follow_code=told.follow_code))

    async def slip_again(self, ticket_id: str, wish: Wish) -> Slip | Refusal:
        """The slip of a ticket of today, once more, in the language that is wished for."""
        found = await self._writer.run(
            lambda connection: connection.execute(SQL.find_follow_code, {"ticket_id": ticket_id}).fetchone()
        )
        code = bytes(found[0]) if found else None

        def make(state: OfficeState) -> Slip | Refusal:
            ticket = state.day.tickets.get(ticket_id)
            if ticket is None:
                return refuse("ticket_unknown")
            language = language_of(state, ticket.appointment_id, wish)
            return make_slip(state, ticket, language, code, self.public_url)

        slip = await self.dispatcher.read(make)
        return self.refused(slip) if isinstance(slip, Refusal) else slip

    async def visit_of(self, ticket_id: str) -> VisitState:
        """Whether somebody with this ticket of today is still to be served."""

        def find(state: OfficeState) -> VisitState:
            ticket = state.day.tickets.get(ticket_id)
            return ticket.state if ticket and ticket.state in ("missed", "finished") else "open"

        return await self.dispatcher.read(find)

    async def print_again(self, ticket_id: str, device: str, language: str) -> PrintJob | Refusal:
        """Send a ticket's slip to a kiosk once more."""
        slip = await self.slip_again(ticket_id, Wish(language=language))
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


def language_of(state: OfficeState, appointment_id: str | None, wish: Wish) -> str:
    """The language of a slip: what was chosen, else that of the appointment, as far as it is known here."""
    row = state.agenda.by_id.get(appointment_id) if appointment_id is not None else None
    return wish.language if wish.language_chosen or row is None else row.language
