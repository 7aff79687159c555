"""Seats lent to an office: what may be sold out of them while central cannot be asked, and what goes back.

Theory
    A lease names its seats, the one life of the node that may sell them (``fence``) and an end. What was sold or given back
    is in the journal and nowhere else, so a snapshot that brings the lease anew brings no seat back. A seat is sold once,
    never after it was given back, never by another epoch, never after ``sell_until``. Time stops the holder early; it frees
    nothing: a seat is central's again when the office has given it back, or when its slot has begun.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from sync.domain.outcomes import Accepted, Decision, refuse
from sync.messages.commands import SellLease
from sync.messages.facts import Fact, LeaseReturned, LeaseSold
from sync.messages.feed import Lease, LeasedSeat
from sync.messages.values import SeatRef


class LeaseBook:
    """What this office did with leased seats: a fold over its whole journal, across days."""

    def __init__(self) -> None:
        self.sold: dict[tuple[str, SeatRef], str] = {}
        """The appointment by lease and seat."""
        self.returned: set[tuple[str, SeatRef]] = set()

    def apply(self, fact: Fact) -> None:
        """Fold one fact; all but two kinds change nothing."""
        if isinstance(fact, LeaseSold):
            self.sold.update({(fact.lease_id, seat): fact.appointment_id for seat in fact.seats})
        elif isinstance(fact, LeaseReturned):
            self.returned.update((fact.lease_id, seat) for seat in fact.seats)

    def unsold(self, lease: Lease) -> list[LeasedSeat]:
        """The seats of a lease that are neither sold nor given back, in its own order."""
        return [seat for seat in lease.seats if self._is_left(lease.id, seat.seat)]

    def _is_left(self, lease_id: str, seat: SeatRef) -> bool:
        return (lease_id, seat) not in self.sold and (lease_id, seat) not in self.returned


class Rights(msgspec.Struct, frozen=True):
    """What a decision about leased seats reads: this life of the node, its leases by id, and the book."""

    epoch: int
    leases: Mapping[str, Lease]
    book: LeaseBook


NO_RIGHTS = Rights(0, {}, LeaseBook())


def sell(rights: Rights, command: SellLease, now: datetime) -> Decision:
    """Book out of the first lease with free seats in all consecutive slots that the duration needs; a slot that has begun has
    lapsed.
    """
    if command.slot_start_at <= now:
        return refuse("no_leased_seat")
    for lease in _usable(rights, now):
        run = _run(rights.book.unsold(lease), command)
        if run:
            sold = LeaseSold(
                lease_id=lease.id,
                seats=tuple(seat.seat for seat in run),
                appointment_id=command.request_id,
                locator=command.locator,
                service=command.service,
                slot_start_at=command.slot_start_at,
                duration_min=command.duration_min,
            )
            return Accepted((sold,))
    return refuse("no_leased_seat")


def starts(rights: Rights, service: str, duration_min: int, now: datetime) -> list[datetime]:
    """The instants at which an appointment can still be booked out of leases, ascending."""
    found: set[datetime] = set()
    for lease in _usable(rights, now):
        unsold = rights.book.unsold(lease)
        for seat in unsold:
            wish = SellLease(
                request_id="", service=service, slot_start_at=seat.start_at, duration_min=duration_min, locator=""
            )
            if seat.start_at > now and _run(unsold, wish):
                found.add(seat.start_at)
    return sorted(found)


def left(rights: Rights, now: datetime) -> dict[SeatRef, datetime]:
    """The seats that can still be sold, each with the instant until which."""
    return {
        seat.seat: min(lease.sell_until, seat.start_at)
        for lease in _usable(rights, now)
        for seat in rights.book.unsold(lease)
        if seat.start_at > now
    }


def give_back(rights: Rights) -> list[LeaseReturned]:
    """What recalled leases of this life still hold, as the facts that give it back."""
    going = [
        LeaseReturned(lease_id=lease.id, seats=tuple(seat.seat for seat in unsold))
        for lease in rights.leases.values()
        if lease.recalled and lease.fence == rights.epoch and (unsold := rights.book.unsold(lease))
    ]
    return sorted(going, key=lambda fact: fact.lease_id)


def _usable(rights: Rights, now: datetime) -> Iterator[Lease]:
    for lease in sorted(rights.leases.values(), key=lambda lease: lease.id):
        if lease.fence == rights.epoch and not lease.recalled and now < lease.sell_until:
            yield lease


def _run(unsold: Iterable[LeasedSeat], command: SellLease) -> list[LeasedSeat]:
    """One seat in each consecutive slot from the wanted start until the duration is covered; empty when there is not."""
    by_start = {seat.start_at: seat for seat in unsold if command.service in seat.services}
    run: list[LeasedSeat] = []
    at, covered = command.slot_start_at, 0
    while covered < command.duration_min:
        seat = by_start.get(at)
        if seat is None:
            return []
        run.append(seat)
        covered += seat.duration_min
        at = ends_at(seat)
    return run


def ends_at(seat: LeasedSeat) -> datetime:
    """When a leased seat's slot is over."""
    return seat.start_at + timedelta(minutes=seat.duration_min)
