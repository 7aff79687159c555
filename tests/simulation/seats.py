"""Seats, leases and appointments at each commit of central: I-6, I-7, and I-5 and I-18 as far as central's tables tell.

Only what a commit touched is looked at, so that every commit can be. Commits that were undone (a failover, a restore) leave a
state that nobody committed: then all of it is looked at anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from sync.messages.values import SeatRef
from tests.kit.memory import UndoLog
from tests.kit.memory_central import MemoryCentralStore
from tests.simulation.ledger import Ledger, Violated

HONOURED = ("lease", "recovered")
"""Sources of appointments that may have a seat above the capacity: somebody had promised them, and a person is told."""


class SeatWatch:
    """Remembers what the slots were made with, and who had each seat last."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._numbers: dict[str, int] = {}
        self._owners: dict[SeatRef, str | None] = {}
        self._lent: defaultdict[SeatRef, set[str]] = defaultdict(set)

    def opened(self, store: MemoryCentralStore) -> None:
        """Every slot is made: so many seats each has from now on."""
        for ref in store.seats:
            self._ledger.capacity[ref.slot_id] = max(ref.seat_no, self._ledger.capacity.get(ref.slot_id, 0))
        self._numbers = dict(self._ledger.capacity)

    def look(self, store: MemoryCentralStore, undo: UndoLog) -> None:
        """Judge what one commit has done."""
        seats, leases = undo.keys_of(store.seats), undo.keys_of(store.leases)
        appointments = undo.keys_of(store.appointments)
        if not (seats or leases or appointments):
            return
        for lease_id in leases:
            if lease_id in store.leases:
                for leased in store.leases[lease_id].lease.seats:
                    self._lent[leased.seat].add(lease_id)
        self._check_appointments(store, appointments)
        self._check_owners(store, seats)
        for slot_id in dict.fromkeys(ref.slot_id for ref in seats):
            self._count(store, slot_id)
        touched = dict.fromkeys([*leases, *(each for ref in seats for each in sorted(self._lent.get(ref, ())))])
        for lease_id in touched:
            check_account(store, self._ledger, lease_id)

    def again(self, store: MemoryCentralStore) -> None:
        """Commits are gone: judge what is there now."""
        self._owners.clear()
        self._check_owners(store, store.seats)
        self._check_appointments(store, store.appointments)
        for slot_id in self._ledger.capacity:
            self._count(store, slot_id)

    def _check_appointments(self, store: MemoryCentralStore, touched: Iterable[str]) -> None:
        for appointment_id in touched:
            booked = store.appointments.get(appointment_id)
            if booked is None:
                continue
            if booked.body.status != "booked":
                self._ledger.perhaps_cancelled.add(appointment_id)
                continue
            if appointment_id in self._ledger.cancelled and not self._ledger.is_restored:
                raise Violated("I-18", "bookings_revived", f"{appointment_id} was cancelled and is booked")
            for ref in booked.seats:
                if (seat := store.seats.get(ref)) is None or seat.appointment_id != appointment_id:
                    raise Violated("I-5", "oversold", f"{appointment_id} is booked on {ref}, which is {seat}")

    def _check_owners(self, store: MemoryCentralStore, touched: Collection[SeatRef]) -> None:
        """A seat is one appointment's, which knows it; whoever had it before does not have it any more."""
        for ref in touched:
            seat, before = store.seats.get(ref), self._owners.get(ref)
            if seat is None:  # a seat above the capacity whose commit is gone
                self._owners.pop(ref, None)
                continue
            booked = store.appointments.get(seat.appointment_id or "")
            if seat.state == "booked" and (booked is None or ref not in booked.seats):
                raise Violated("I-6", "seats_miscounted", f"{ref} is {seat}, and its appointment has it not")
            if seat.state == "leased" and seat.lease_id not in store.leases:
                raise Violated("I-6", "seats_miscounted", f"{ref} is lent in no lease")
            if seat.state == "free" and (seat.appointment_id or seat.lease_id):
                raise Violated("I-6", "seats_miscounted", f"{ref} is free and somebody's")
            other = store.appointments.get(before or "")
            if before != seat.appointment_id and other and other.body.status == "booked" and ref in other.seats:
                raise Violated("I-5", "oversold", f"{ref} was taken from {before}, whose it is: {seat}")
            self._owners[ref] = seat.appointment_id if seat.state == "booked" else None
            self._numbers[ref.slot_id] = max(ref.seat_no, self._numbers[ref.slot_id])

    def _count(self, store: MemoryCentralStore, slot_id: str) -> None:
        """Sold, lent and held are within the capacity, but for who was promised a seat that central did not know of."""
        capacity = self._ledger.capacity[slot_id]
        rows = [(n, store.seats.get(SeatRef(slot_id, n))) for n in range(1, self._numbers[slot_id] + 1)]
        if any(seat is None for number, seat in rows if number <= capacity):
            raise Violated("I-6", "seats_miscounted", f"{slot_id} has lost a seat of its {capacity}")
        for number, seat in rows[capacity:]:
            if seat is None or seat.state == "free":
                continue
            booked = store.appointments.get(seat.appointment_id or "")
            if booked is None or booked.source not in HONOURED:
                raise Violated("I-6", "seats_miscounted", f"{slot_id}: seat {number} of {capacity} is {seat}")


def check_account(central: MemoryCentralStore, ledger: Ledger, lease_id: str) -> None:
    """I-7: every lent seat is sold, given back, reclaimed or outstanding, and in exactly one of them."""
    state = central.leases.get(lease_id)
    if state is None or state.reclaimed or state.lease.fence != central.authorities[state.office].epoch:
        return
    if ledger.is_restored:  # what was sold and given back is told again
        return
    for leased in state.lease.seats:
        seat, place = central.seats[leased.seat], (lease_id, leased.seat)
        outstanding = seat.state == "leased" and seat.lease_id == lease_id
        sold = any(a in central.appointments for a in ledger.sold.get(place, ()))
        returned = place in ledger.returned and not outstanding
        if outstanding + sold + (returned and not sold) != 1:
            raise Violated("I-7", "seats_miscounted", f"{place}: {seat}, sold {sold}, returned {returned}")
