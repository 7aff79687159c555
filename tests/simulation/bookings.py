"""What central does with seats by itself: it books, cancels, lends, recalls and reclaims.

Booking and cancelling stand for the statements of central's booking feature, which have tests of their own; lending and
everything that follows from it are the production's rules.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import msgspec

from sync.messages import codec
from sync.messages.feed import Appointment, Lease, LeasedSeat, office_stream
from sync.messages.values import SeatRef
from sync.protocol import lease
from sync.protocol.rights import Seat
from tests.kit.facts import uuid_of
from tests.kit.memory_central import MemoryCentralStore, MemoryCentralTx, Slot
from tests.simulation.people import LOCATORS, SERVICES

SLOTS = 18
SLOT_MIN = 10
SEATS = 3
LENT_AT_ONCE = 4


class Bookings:
    """The booking business of central, step by step, each one transaction."""

    def __init__(self, rng: Random, offices: tuple[str, ...]) -> None:
        self._rng = rng
        self._offices = offices

    def prepare(self, store: MemoryCentralStore, began_at: datetime) -> None:
        """Make every office's slots of the next three hours."""
        for office in self._offices:
            for number in range(SLOTS):
                start_at = began_at + timedelta(minutes=SLOT_MIN * number)
                store.add_slot(Slot(slot_id=self._id(), office=office, start_at=start_at, duration_min=SLOT_MIN), SEATS)

    async def book(self, store: MemoryCentralStore, now: datetime) -> Appointment | None:
        """Book a free seat for somebody; the confirmed appointment, or None when there was none or central is recovering."""
        async with store.transaction() as tx:
            if await tx.awaited():
                return None
            free = self._free(store, now)
            if not free:
                return None
            ref = self._rng.choice(free)
            slot = store.slots[ref.slot_id]
            booked = Appointment(
                id=self._id(),
                version=1,
                locator="".join(self._rng.choices(LOCATORS, k=6)),
                service_id=self._rng.choice(SERVICES),
                slot_start_at=slot.start_at,
                duration_min=slot.duration_min,
                status="booked",
                display_name="Fátima M.",
            )
            await tx.set_seat(ref, Seat(state="booked", appointment_id=booked.id))
            await tx.put_appointment(booked, slot.office, [ref], "portal")
            await _tell(tx, slot.office, booked)
        return booked

    async def cancel(self, store: MemoryCentralStore) -> Appointment | None:
        """Cancel a booked appointment."""
        async with store.transaction() as tx:
            booked = [b for b in store.appointments.values() if b.body.status == "booked"]
            if not booked or await tx.awaited():
                return None
            chosen = self._rng.choice(booked)
            gone = msgspec.structs.replace(
                chosen.body, version=chosen.body.version + 1, status="cancelled", display_name=""
            )
            await tx.release_seats(gone.id)
            await tx.put_appointment(gone, chosen.office, (), chosen.source)
            await _tell(tx, chosen.office, gone)
        return gone

    async def lend(self, store: MemoryCentralStore, now: datetime) -> Lease | None:
        """Lend an office some seats, within what may be lent."""
        office = self._rng.choice(self._offices)
        async with store.transaction() as tx:
            authority = await tx.lock_authority(office)
            wanted = self._lendable(store, office, now)
            if authority is None or not wanted or await tx.awaited():
                return None
            minutes = self._rng.choice((2, 60, 600))
            return await lease.grant(
                tx,
                office,
                Lease(
                    id=self._id(),
                    fence=authority.epoch,
                    seats=tuple(wanted[:LENT_AT_ONCE]),
                    sell_until=now + timedelta(minutes=minutes),
                ),
            )

    async def recall(self, store: MemoryCentralStore) -> bool:
        """Ask for a lease back."""
        async with store.transaction() as tx:
            known = sorted(store.leases)
            return bool(known) and await lease.recall(tx, self._rng.choice(known))

    async def reclaim(self, store: MemoryCentralStore, office: str, dead_epochs: frozenset[int]) -> int:
        """Take back what nodes hold that somebody saw destroyed; how many seats were freed."""
        freed = 0
        async with store.transaction() as tx:
            for lease_id, state in sorted(store.leases.items()):
                if state.office == office and state.lease.fence in dead_epochs:
                    freed += len(await lease.reclaim(tx, lease_id))
        return freed

    def _free(self, store: MemoryCentralStore, now: datetime) -> list[SeatRef]:
        later = {slot.slot_id for slot in store.slots.values() if slot.start_at > now}
        return [ref for ref, seat in store.seats.items() if ref.slot_id in later and _is_for_sale(ref, seat)]

    def _lendable(self, store: MemoryCentralStore, office: str, now: datetime) -> list[LeasedSeat]:
        chosen: list[LeasedSeat] = []
        slots = [s for s in store.slots.values() if s.office == office and s.start_at > now + timedelta(minutes=20)]
        for slot in self._rng.sample(slots, min(len(slots), LENT_AT_ONCE)):
            seats = {ref: seat for ref, seat in store.seats.items() if ref.slot_id == slot.slot_id}
            free = sorted((ref for ref, seat in seats.items() if _is_for_sale(ref, seat)), key=lambda ref: ref.seat_no)
            leased = sum(seat.state == "leased" for seat in seats.values())
            if lease.may_lend(len(seats), len(free), leased):
                chosen.append(
                    LeasedSeat(seat=free[-1], start_at=slot.start_at, duration_min=slot.duration_min, services=SERVICES)
                )
        return chosen

    def _id(self) -> str:
        return uuid_of(self._rng.getrandbits(128))


def _is_for_sale(ref: SeatRef, seat: Seat) -> bool:
    """A seat above the capacity is nobody's to sell once it is free again."""
    return seat.state == "free" and ref.seat_no <= SEATS


async def _tell(tx: MemoryCentralTx, office: str, appointment: Appointment) -> None:
    await tx.emit_at_end(
        office_stream(office),
        kind=Appointment.KIND,
        entity_id=appointment.id,
        version=appointment.version,
        op="put",
        body=codec.encode(appointment),
    )
