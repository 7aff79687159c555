"""The small decisions of the exchange, as pure functions over values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

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


class KnownAppointment(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment as central knows it when an office says that its person is there.

    Args:
        attended_office: where the person came before.
        was_told: the office that says so was told of the appointment once: it is, or was, that office's.
    """

    status: str
    office: str
    slot_start_at: datetime
    attended_office: str | None
    was_told: bool


Presence = Literal["plain", "known", "after_cancel", "other_slot", "second_office", "not_theirs"]


def presence(known: KnownAppointment, office: str, slot_start_at: datetime | None) -> Presence:
    """What it means that a ticket was issued for an appointment; facts are never refused, so each meaning has its way.

    ``after_cancel`` and ``other_slot``: central changed it while the office could not hear, and presence wins. In
    ``second_office`` and ``not_theirs`` the office gave a ticket for an appointment that was not its own: the appointment
    stays as it is.

    Args:
        slot_start_at: as the office knew it; none when it did not say.
    """
    if known.attended_office is not None:
        return "known" if known.attended_office == office else "second_office"
    if known.office != office and not known.was_told:
        return "not_theirs"
    if known.status == "cancelled":
        return "after_cancel"
    has_moved = known.office != office or (slot_start_at is not None and slot_start_at != known.slot_start_at)
    return "other_slot" if has_moved else "plain"


BACKLOG_BATCH = 50
"""A smaller batch is what happens in the office now; a larger one is a backlog, which may wait."""
SLOW_BATCH = 100
"""The size of a backlog's batches while it is held back: small enough that others get in between."""
LONGEST_WAIT_S = 30


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How many facts come at once, and how many a second after that."""

    burst: float
    per_s: float


class Bucket(msgspec.Struct, frozen=True):
    """Facts that may still come at once, at an instant of the monotonic clock; negative: what was taken in advance."""

    facts: float
    at_s: float


def pour(bucket: Bucket | None, pace: Pace, count: int, now_s: float) -> Bucket:
    """Take ``count`` facts out of a bucket that fills with time. They are here already: it may end below zero."""
    facts = pace.burst if bucket is None else min(pace.burst, bucket.facts + (now_s - bucket.at_s) * pace.per_s)
    return Bucket(facts - count, now_s)


def hold_back(count: int, buckets: Iterable[tuple[Bucket, Pace]]) -> tuple[int, int] | None:
    """After how many seconds a sender of a batch of ``count`` facts should send the next one, and how large; None: at once."""
    owed_s = max((-bucket.facts / pace.per_s for bucket, pace in buckets), default=0.0)
    if count < BACKLOG_BATCH or owed_s <= 0:
        return None
    return min(LONGEST_WAIT_S, math.ceil(owed_s)), SLOW_BATCH
