"""Central was restored from a backup: what it forgot is asked of the offices before anything is sold again.

Theory
    A restore gives central a new ``gen``, a random id without order, and puts it into *recovery*: no booking, no lease, until
    every office has reported or a person has skipped it. An office reports when its cursors stand in the new gen (so it has
    the new snapshot and knows what central still knows) and its facts are up: the report says which leased seats it holds and
    which appointments only it knows. It is made after the switch and is refused with another gen, another epoch, or while
    facts are missing; so a message from before the restore can never be taken for one.

    Nothing is lost at the office in between: the snapshot's swap puts aside the rows of rights and appointments that the new
    gen does not have (``put_aside``), they go on counting there, and are dropped when the report was taken. Grants of tickets
    are put aside as well and are in no report: they stay until their day is over, since who accepts one tells of it in a fact.

    Taking a report claims; it never frees. A seat that somebody else has by then is answered with a seat above the capacity
    and an entry in the conflict inbox.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from sync.domain.leases import LeaseBook
from sync.messages import codec
from sync.messages.codec import MalformedMessage
from sync.messages.feed import Appointment, Lease, LeasedSeat, office_stream
from sync.messages.wire import HeldLease, KnownBooking, ReportReply, ReportRequest
from sync.protocol.hello import Node
from sync.protocol.rights import Conflict, LeaseState, RightsTx, Seat
from sync.protocol.store import Authority, EdgeStore

HISTORY = timedelta(days=1)
REPORTED = (Appointment.KIND, Lease.KIND)
"""Kinds of rows put aside that a report tells of."""

# ---------------------------------------------------------------------------------------------------------------- edge


async def next_report(
    store: EdgeStore, node: Node, request_id: str, book: LeaseBook, now: datetime
) -> ReportRequest | None:
    """The report of this office; None while its streams stand in different gens or facts are still to be sent.

    Args:
        book: what was done with leased seats, folded from the journal.
        now: appointments more than a day before it are history and stay out.
    """
    async with store.transaction() as tx:
        gens = {cursor.gen for cursor in (await tx.cursors()).values()}
        end = await tx.journal_end(node.epoch)
        acked = await tx.acked(node.epoch)
        rows = [*await tx.entities_of(Lease.KIND), *await tx.aside()]
    if len(gens) != 1 or acked != end:
        return None
    leases: dict[str, Lease] = {}
    bookings: dict[str, KnownBooking] = {}
    for row in rows:
        try:
            if row.kind == Lease.KIND:
                leases[row.entity_id] = codec.decode(bytes(row.body), Lease)
            elif row.kind == Appointment.KIND:
                booked = codec.decode(bytes(row.body), Appointment)
                if booked.status != "moved" and booked.slot_start_at > now - HISTORY:
                    bookings[row.entity_id] = KnownBooking(version=row.version, body=booked)
        except MalformedMessage:
            continue  # of a later build: it cannot be claimed by us
    held = [
        HeldLease(lease=lease, unsold=unsold)
        for lease in leases.values()
        if lease.fence == node.epoch and (unsold := tuple(seat.seat for seat in book.unsold(lease)))
    ]
    return ReportRequest(
        request_id=request_id,
        office=node.office,
        epoch=node.epoch,
        gen=gens.pop(),
        facts_seq=end.seq,
        leases=tuple(sorted(held, key=lambda held: held.lease.id)),
        bookings=tuple(bookings[key] for key in sorted(bookings)),
    )


async def on_report_reply(store: EdgeStore, request: ReportRequest, reply: ReportReply) -> bool:
    """Forget what was put aside and reported once central has it; whether it has. A refused report is made anew, later."""
    if reply.request_id != request.request_id or not reply.taken:
        return False
    async with store.transaction() as tx:
        await tx.clear_aside(REPORTED)
    return True


# ------------------------------------------------------------------------------------------------------------- central


class RecoveryTx(RightsTx, Protocol):
    """Central's transaction, as far as recovery needs it."""

    async def lock_authority(self, office: str) -> Authority | None:
        """As in ``CentralTx``."""

    async def gen(self) -> str:
        """As in ``CentralTx``."""

    async def awaited(self) -> frozenset[str]:
        """Offices whose report is still awaited; empty when central is open. Locked until the end."""

    async def set_awaited(self, offices: frozenset[str]) -> None:
        """Wait for these offices only; none: central opens."""


async def take_report(tx: RecoveryTx, report: ReportRequest, now: datetime) -> ReportReply:
    """Claim what an office reports, once it has switched to this gen and its facts are here."""
    authority = await tx.lock_authority(report.office)
    gen = await tx.gen()
    fits = authority is not None and authority.epoch == report.epoch and authority.last.seq >= report.facts_seq
    if report.gen != gen or not fits:
        return ReportReply(request_id=report.request_id, taken=False, gen=gen)
    for held in report.leases:
        await _relend(tx, report.office, held)
    for known in report.bookings:
        if known.body.slot_start_at > now - HISTORY:
            await _rebook(tx, report.office, known)
    await tx.set_awaited(await tx.awaited() - {report.office})
    return ReportReply(request_id=report.request_id, taken=True, gen=gen)


async def skip(tx: RecoveryTx, office: str) -> bool:
    """A person decides not to wait for an office; False when it is not awaited. What it holds may be sold twice."""
    awaited = await tx.awaited()
    await tx.set_awaited(awaited - {office})
    return office in awaited


async def _relend(tx: RecoveryTx, office: str, held: HeldLease) -> None:
    """Give a lease its unsold seats back; those that are gone by now are the holder's to sell all the same, and told of."""
    known = await tx.lease(held.lease.id)
    if known is not None and known.reclaimed:
        return
    unsold = set(held.unsold)
    ours: list[LeasedSeat] = []
    for leased in held.lease.seats:
        if leased.seat not in unsold or await tx.slot_office(leased.seat.slot_id) != office:
            continue
        seat = await tx.seat(leased.seat)
        if seat is not None and seat.state in ("free", "held"):
            await tx.set_seat(leased.seat, Seat(state="leased", lease_id=held.lease.id))
            ours.append(leased)
        elif seat is not None and seat.lease_id == held.lease.id:
            ours.append(leased)
    if known is None and ours:
        lease = msgspec.structs.replace(held.lease, seats=tuple(ours))
        await tx.put_lease(LeaseState(lease=lease, office=office))
        await tx.emit_at_end(
            office_stream(office),
            kind=Lease.KIND,
            entity_id=lease.id,
            version=2 if lease.recalled else 1,
            op="put",
            body=codec.encode(lease),
        )


async def _rebook(tx: RecoveryTx, office: str, known: KnownBooking) -> None:
    """Write an appointment as only the office remembers it. A new person's data are gone here: somebody must ask for them.

    One that was cancelled must not come back; one that moved is told of by the office that it moved to.
    """
    version = await tx.appointment_version(known.body.id)
    if version is not None and version >= known.version:
        return
    await tx.release_seats(known.body.id)
    refs = await tx.seats_of(known.body, office) if known.body.status == "booked" else ()
    seats = []
    for ref in refs:
        seat = await tx.seat(ref)
        if seat is not None and (seat.state in ("free", "held") or seat.appointment_id == known.body.id):
            await tx.set_seat(ref, Seat(state="booked", appointment_id=known.body.id))
            seats.append(ref)
        elif (over := await tx.add_seat_over(ref.slot_id, known.body.id)) is not None:
            seats.append(over)
    await tx.put_appointment(known.body, office, seats, "recovered")
    if version is None:
        await tx.note_conflict(
            Conflict(
                key=f"recovered:{known.body.id}",
                kind="booking_recovered",
                office=office,
                subject_id=known.body.id,
                suggestion="check_contact",
            )
        )
    await tx.emit_at_end(
        office_stream(office),
        kind=Appointment.KIND,
        entity_id=known.body.id,
        version=known.body.version,
        op="put",
        body=codec.encode(known.body),
    )
