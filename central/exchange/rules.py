"""The small decisions of the exchange, as pure functions over values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from sync.messages.feed import LeasedSeat
from sync.messages.values import SeatRef
from sync.protocol.lease import may_lend


class LendableSlot(msgspec.Struct, frozen=True, kw_only=True):
    """A slot of one day with its seats.

    Args:
        services: what can be booked in it.
        capacity: its seats, those above the capacity left out.
        free_numbers: its free seats, the last first.
    """

    slot_id: str
    start_at: datetime
    duration_min: int
    services: tuple[str, ...]
    capacity: int
    leased: int
    free_numbers: tuple[int, ...]


def seats_to_lend(slots: Iterable[LendableSlot], per_slot: int) -> list[LeasedSeat]:
    """The seats that may be lent now, so that each slot comes to ``per_slot`` lent ones where its free seats allow it."""
    return [
        LeasedSeat(
            seat=SeatRef(slot.slot_id, number),
            start_at=slot.start_at,
            duration_min=slot.duration_min,
            services=slot.services,
        )
        for slot in slots
        for number in _numbers(slot, per_slot)
    ]


def _numbers(slot: LendableSlot, per_slot: int) -> Sequence[int]:
    """The last free seats: bookings take the first ones, so the two seldom meet."""
    chosen = 0
    while slot.leased + chosen < per_slot and may_lend(
        slot.capacity, len(slot.free_numbers) - chosen, slot.leased + chosen
    ):
        chosen += 1
    return slot.free_numbers[:chosen]
