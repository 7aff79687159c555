"""The right to erasure: one person's data, everywhere at central and at the offices, at once. What is left is statistics.

    the appointment     name, contact, document's end, what stands for the person: emptied; its links are worth nothing
    mails               recipient and text deleted, what is not sent yet is not sent
    an office's stream  the row is put again without a name, and old rows of the stream that named somebody are cut off with all
                        before them: an office that has not taken them takes a snapshot
    an office's node    told to delete what it keeps beside the row; a node that is cut off does so when it hears of it
    a half-made form    deleted when the document was typed in it, or when it became or moves one of the appointments

A person who still has appointments keeps them, or has them cancelled first: nobody is found at a desk without a name.
Backups keep what they have until they are deleted themselves.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from central.audit import Attested, note
from central.booking.appointments import Booking, Cancelled
from central.booking.news import feed_appointment
from central.booking.rules import person_hash
from central.booking.service import BookingService
from central.exchange.feed import emit
from central.retention.forms import documents, drop_forms
from central.retention.kinds import changed
from sync.domain.check_in import normalise_locator
from sync.io.sql import load
from sync.messages import codec
from sync.messages.feed import Appointment, PersonErased, TicketGrant, office_stream

queries = load("central.retention", "erasure.sql")

MAILS = ["confirmed", "moved", "cancelled", "offered"]

Refusal = Literal["malformed", "unknown", "several_people", "still_booked"]


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased: how many of each.

    Args:
        cancelled: of the appointments, those that were to come until now.
        left: appointments that still have the person, since somebody changed them meanwhile: erasing again finds them.
    """

    appointments: int
    cancelled: int
    mails: int
    drafts: int
    offices: tuple[str, ...]
    left: int = 0


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment that still has the person."""

    appointment_id: str
    locator: str
    person_hash: bytes | None
    status: str
    office_id: str


async def erase_person(
    booking: BookingService, who: Attested, *, document: str = "", locator: str = "", cancel: bool = False
) -> Erased | Refusal:
    """Erase a person, known by a document or by a locator.

    Args:
        cancel: also the appointments that are to come; else they are a reason to refuse.
    """
    pool, key = booking.central.pool, booking.central.keys.person
    typed = documents(document) if document else []
    if (document and not typed) or (not document and normalise_locator(locator) is None):
        return "malformed"
    people = {person_hash(key, one.kind, one.number) for one in typed}
    found = await _found(pool, queries.of_person, list(people)) if people else []
    if not document:
        rows = await _found(pool, queries.of_locator, normalise_locator(locator))
        hashes = {row.person_hash for row in rows}
        if len(hashes) > 1:
            return "several_people"
        people = {each for each in hashes if each is not None}
        found = await _found(pool, queries.of_person, list(people)) if people else rows
    booked = [row for row in found if row.status == "booked"]
    if booked and not cancel:
        return "still_booked"
    drafts = await drop_forms(pool, key, people, {row.appointment_id for row in found})
    if not found and not drafts:
        return "unknown"
    cancelled = [await _cancelled(booking, row.appointment_id) for row in booked]
    mails: list[int] = []
    offices = set()
    for row in found:
        async with pool.acquire() as connection, connection.transaction():
            emptied = await _erase(connection, row, who)
        if emptied is not None:
            mails.append(emptied)
            offices.add(row.office_id)
    await pool.execute(queries.drop_tries, [row.locator for row in found])
    left = await pool.fetchval(queries.still_named, [row.appointment_id for row in found])
    return Erased(
        appointments=len(mails),
        cancelled=sum(cancelled),
        mails=sum(mails),
        drafts=drafts,
        offices=tuple(sorted(offices)),
        left=left,
    )


async def _cancelled(booking: BookingService, appointment_id: str) -> bool:
    """Whether an appointment was cancelled now; one that somebody came to meanwhile, or that is gone, was not."""
    standing = await booking.changes.by_id(appointment_id)
    if standing is None or standing.status != "booked":
        return False
    return isinstance(await booking.changes.cancel(standing), Cancelled)


async def _erase(connection: Any, found: Found, who: Attested) -> int | None:
    """One appointment's person, in a transaction: the row, its mails, the streams.

    Returns:
        how many mails were emptied; none: it was booked again, or is gone, since it was looked at.
    """
    row = await connection.fetchrow(queries.erase, found.appointment_id, who.at)
    if row is None:
        return None
    booking: Booking = msgspec.convert({**row, "needs": tuple(row["needs"])}, Booking)
    mails = changed(await connection.execute(queries.drop_mails, MAILS, booking.appointment_id, who.at))
    await note(connection, who, "person.erased", booking.appointment_id, office=booking.office_id, mails=mails)
    await _tell_offices(connection, booking)
    return mails


async def _tell_offices(connection: Any, booking: Booking) -> None:
    """Put what stands on streams again without a name, tell their nodes, and cut off the rows that have one."""
    cuts = await connection.fetch(queries.streams_with, booking.appointment_id)
    told = {office_stream(booking.office_id), *(row["stream"] for row in cuts)}
    entities = await connection.fetch(queries.entities_of, booking.appointment_id)
    for stream in sorted(told | {row["stream"] for row in entities}):
        for row in (each for each in entities if each["stream"] == stream):
            await _put_nameless(connection, booking, row)
        await emit(connection, stream, PersonErased(id=booking.appointment_id, service_date=booking.service_date))
    for row in cuts:
        await connection.execute(queries.cut_stream, row["stream"], row["last_seq"])


async def _put_nameless(connection: Any, booking: Booking, row: Any) -> None:
    if row["kind"] == TicketGrant.KIND:
        grant = codec.decode(row["body"], TicketGrant)
        body = codec.encode(msgspec.structs.replace(grant, display_name="", needs=()))
        await connection.execute(queries.token_of, grant.id, body)
        await connection.fetchrow(queries.put, row["stream"], row["kind"], row["entity_id"], row["version"], body)
        return
    before = codec.decode(row["body"], Appointment)
    after = feed_appointment(booking, before.status)
    after = msgspec.structs.replace(after, slot_start_at=before.slot_start_at, duration_min=before.duration_min)
    await emit(connection, row["stream"], after)


async def _found(pool: Any, statement: str, sought: object) -> list[Found]:
    return [msgspec.convert(dict(row), Found) for row in await pool.fetch(statement, sought)]
