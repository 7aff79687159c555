"""Appointments that an office sold from a lease: their persons come later and apart from the facts.

A sale is final. So a document that cannot be right, or a person who has an appointment in the same family already, is noted for
somebody to look at and never refused.
"""

from __future__ import annotations

from typing import Any, Literal

import asyncpg
import msgspec

from central.booking.appointments import Booking
from central.booking.changes import queries
from central.booking.documents import Document, read_document
from central.booking.news import feed_body, letter_of
from central.booking.rules import DOCUMENT_END_LENGTH, person_hash
from central.context import Central
from central.exchange.projections import savepoint
from central.exchange.store import PostgresCentralTx, transaction_on
from sync.io.ids import new_id
from sync.messages.feed import Appointment, office_stream
from sync.messages.people import PersonRequest


async def take_person(central: Central, message: PersonRequest) -> Literal["taken", "not_yet"]:
    """Give a sold appointment its person, tell its office the name, and queue the confirmation."""
    async with central.pool.acquire() as connection, transaction_on(connection) as tx:
        row = await connection.fetchrow(queries.sold, message.appointment_id, office_stream(message.office))
        if row is None:
            return "not_yet"
        if row["channel"] == "lease" and row["full_name"] is None:
            await _name(central, tx, _booking(row), message)
    return "taken"


async def _name(central: Central, tx: PostgresCentralTx, booking: Booking, message: PersonRequest) -> None:
    document = read_document(message.document_kind, message.document)
    number = document.number if isinstance(document, Document) else message.document.strip().upper()
    named = msgspec.structs.replace(
        booking,
        version=booking.version + 1,
        full_name=" ".join(message.full_name.split()),
        document_end=number[-DOCUMENT_END_LENGTH:],
        email=message.email,
        language=message.language,
        needs=message.needs,
    )
    who = None
    if isinstance(document, Document):
        who = person_hash(central.keys.person, document.kind, document.number)
    else:
        await _note(tx, booking, "document_unclear", "check_contact")
    if not await _write(central, tx, named, message.phone, who):
        await _write(central, tx, named, message.phone, None)
        await _note(tx, booking, "second_appointment", "call_person")
    if booking.status != "booked":
        return
    if booking.fed_version is not None:
        await tx.emit_at_end(
            office_stream(booking.office_id),
            kind=Appointment.KIND,
            entity_id=booking.appointment_id,
            version=named.version,
            op="put",
            body=feed_body(named),
        )
    mail_id, letter = letter_of("confirmed", named, central.keys, new_id)
    if mail_id is not None:
        await tx.connection.execute(
            queries.queue_mail,
            mail_id,
            "confirmed",
            named.appointment_id,
            named.version,
            named.email,
            letter,
            central.clock.now(),
        )


async def _write(central: Central, tx: PostgresCentralTx, named: Booking, phone: str | None, who: bytes | None) -> bool:
    """False when this person has a booked appointment in the family already; nothing is written then."""
    try:
        async with savepoint(tx.connection):
            await tx.connection.execute(
                queries.name_person,
                named.appointment_id,
                named.version,
                central.clock.now(),
                named.full_name,
                named.document_end,
                named.email,
                phone,
                who,
                named.language,
                list(named.needs),
            )
    except asyncpg.UniqueViolationError:
        return False
    return True


async def _note(tx: PostgresCentralTx, booking: Booking, kind: str, suggestion: str) -> None:
    await tx.note(
        f"{kind}:{booking.appointment_id}",
        kind,
        office=booking.office_id,
        subject_id=booking.appointment_id,
        suggestion=suggestion,
        service=booking.service_id,
    )


def _booking(row: Any) -> Booking:
    return msgspec.convert({**row, "needs": tuple(row["needs"])}, Booking)
