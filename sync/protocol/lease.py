"""Central's part in leases: lend seats, settle what an office sold or gave back, take back by attestation.

Theory
    A seat names its holder, so lending is one change of its row and can never be done twice. Every seat of a lease ends in
    exactly one of: sold, returned, lapsed (its slot has begun), reclaimed; until then it is outstanding, whatever the clock
    says. Nothing here frees a seat by time.

        sold      leased by this lease            -> booked
                  free, or held by a web form     -> booked: central was restored to before the lease; a held seat is no promise
                  booked by this appointment      -> was settled before
                  anything else                   -> a seat above the capacity, both bookings stand, a person is told
        returned  leased by this lease            -> free
                  anything else                   -> nothing: sold, reclaimed or settled before
    A sale is final whoever reports it, also a node that was replaced: the citizen has the confirmation. But an office tells of
    its own seats only; a fact about those of another one moves nothing and is parked (``NotTheirs``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from sync.messages import codec
from sync.messages.facts import LeaseReturned, LeaseSold
from sync.messages.feed import Appointment, Lease, LeasedSeat, office_stream
from sync.messages.values import SeatRef
from sync.protocol.rights import Conflict, LeaseState, NotTheirs, Origin, RightsTx, Seat

LENDABLE_SHARE = 10
"""Of the seats of a slot at most one in so many is lent, but one where there are at least two."""


def may_lend(capacity: int, free: int, leased: int) -> bool:
    """Whether one more free seat of a slot may be lent: never its last free one, never more than the share."""
    return free >= 2 and leased < max(1, capacity // LENDABLE_SHARE)


async def grant(tx: RightsTx, office: str, lease: Lease) -> Lease | None:
    """Lend those of the lease's seats that are free; None when none is. Its id must be new."""
    lent: list[LeasedSeat] = []
    for wanted in sorted(lease.seats, key=lambda seat: (seat.start_at, seat.seat.slot_id, seat.seat.seat_no)):
        seat = await tx.seat(wanted.seat)
        if seat is not None and seat.state == "free":
            await tx.set_seat(wanted.seat, Seat(state="leased", lease_id=lease.id))
            lent.append(wanted)
    if not lent:
        return None
    granted = msgspec.structs.replace(lease, seats=tuple(lent))
    await tx.put_lease(LeaseState(lease=granted, office=office))
    await _tell(tx, office, granted)
    return granted


async def recall(tx: RightsTx, lease_id: str) -> bool:
    """Ask the holder for what it has not sold; False for an unknown lease. Nothing is free before it answers."""
    state = await tx.lease(lease_id)
    if state is None:
        return False
    if not state.lease.recalled:
        recalled = msgspec.structs.replace(state.lease, recalled=True)
        await tx.put_lease(msgspec.structs.replace(state, lease=recalled))
        await _tell(tx, state.office, recalled)
    return True


async def reclaim(tx: RightsTx, lease_id: str) -> tuple[SeatRef, ...]:
    """Take back what is outstanding because a person attests that the holder is gone for good; the seats that are free now.

    Should the holder come back with a sale of one of them, both bookings are honoured and a person is told.
    """
    state = await tx.lease(lease_id)
    if state is None or state.reclaimed:
        return ()
    freed = await _free(tx, lease_id, [seat.seat for seat in state.lease.seats])
    recalled = msgspec.structs.replace(state.lease, recalled=True)
    await tx.put_lease(msgspec.structs.replace(state, lease=recalled, reclaimed=True))
    await _tell(tx, state.office, recalled)
    return freed


async def on_sold(tx: RightsTx, origin: Origin, fact: LeaseSold) -> None:
    """Settle a sale: claim its seats and write the appointment, whatever has become of the lease.

    One that is here already came with a report to a restored central, and has its seats: what is still lent of those that the
    fact names is nobody's to sell any more.
    """
    await _require_own(tx, origin.office, fact.seats)
    if await tx.appointment_version(fact.appointment_id) is not None:
        await _free(tx, fact.lease_id, fact.seats)
        return
    appointment = _appointment(fact)
    seats = [await _claim(tx, origin, fact, ref) for ref in fact.seats]
    await tx.put_appointment(appointment, origin.office, [seat for seat in seats if seat is not None], "lease")
    await tx.emit_at_end(
        office_stream(origin.office),
        kind=Appointment.KIND,
        entity_id=appointment.id,
        version=appointment.version,
        op="put",
        body=codec.encode(appointment),
    )


async def on_returned(tx: RightsTx, origin: Origin, fact: LeaseReturned) -> None:
    """Free what an office gave back."""
    await _require_own(tx, origin.office, fact.seats)
    await _free(tx, fact.lease_id, fact.seats)


async def settle_over(tx: RightsTx, lease_id: str, now: datetime) -> bool:
    """Take a lease off its office's stream when none of its seats is outstanding any more; whether that is so."""
    state = await tx.lease(lease_id)
    if state is None:
        return True
    for leased in state.lease.seats:
        seat = await tx.seat(leased.seat)
        is_ours = seat is not None and seat.state == "leased" and seat.lease_id == lease_id
        if is_ours and leased.start_at > now:
            return False
    await tx.emit_at_end(
        office_stream(state.office),
        kind=Lease.KIND,
        entity_id=lease_id,
        version=_version(state.lease),
        op="del",
        body=b"{}",
    )
    return True


async def _require_own(tx: RightsTx, office: str, refs: Sequence[SeatRef]) -> None:
    """Raises ``NotTheirs`` for a seat of another office. A slot that is not here any more is nobody's."""
    for slot_id in sorted({ref.slot_id for ref in refs}):
        if await tx.slot_office(slot_id) not in (office, None):
            raise NotTheirs


async def _free(tx: RightsTx, lease_id: str, refs: Sequence[SeatRef]) -> tuple[SeatRef, ...]:
    freed: list[SeatRef] = []
    for ref in refs:
        seat = await tx.seat(ref)
        if seat is not None and seat.state == "leased" and seat.lease_id == lease_id:
            await tx.set_seat(ref, Seat(state="free"))
            freed.append(ref)
    return tuple(freed)


async def _claim(tx: RightsTx, origin: Origin, fact: LeaseSold, ref: SeatRef) -> SeatRef | None:
    """The seat that the sale has now: the leased one, or one above the capacity."""
    seat = await tx.seat(ref)
    lent = seat is not None and (seat.state in ("free", "held") or seat.lease_id == fact.lease_id)
    if lent and seat is not None and seat.state != "booked":
        await tx.set_seat(ref, Seat(state="booked", appointment_id=fact.appointment_id, lease_id=fact.lease_id))
        return ref
    over = await tx.add_seat_over(ref.slot_id, fact.appointment_id)
    state = await tx.lease(fact.lease_id)
    reclaimed = state is not None and state.reclaimed
    await tx.note_conflict(
        Conflict(
            key=f"lease:{fact.lease_id}:{ref.slot_id}:{ref.seat_no}",
            kind="lease_reclaimed_sale" if reclaimed else ("lease_conflict" if over else "seat_gone"),
            office=origin.office,
            subject_id=fact.appointment_id,
            suggestion="call_person",
            detail={"lease_id": fact.lease_id, "slot_id": ref.slot_id},
        )
    )
    return over


def _appointment(fact: LeaseSold) -> Appointment:
    return Appointment(
        id=fact.appointment_id,
        version=1,
        locator=fact.locator,
        service_id=fact.service,
        slot_start_at=fact.slot_start_at,
        duration_min=fact.duration_min,
        status="booked",
    )


async def _tell(tx: RightsTx, office: str, lease: Lease) -> None:
    await tx.emit_at_end(
        office_stream(office),
        kind=Lease.KIND,
        entity_id=lease.id,
        version=_version(lease),
        op="put",
        body=codec.encode(lease),
    )


def _version(lease: Lease) -> int:
    """Granted, then recalled: a lease never changes otherwise."""
    return 2 if lease.recalled else 1
