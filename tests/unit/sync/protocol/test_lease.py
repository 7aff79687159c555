"""Central's part in lent seats: each row of the table in lease.py."""

from __future__ import annotations

import pytest

from sync.messages.facts import (
    LeaseReturned,
)
from sync.messages.values import SeatRef
from sync.protocol import lease
from sync.protocol.rights import NotTheirs, Seat
from tests.kit.facts import uuid_of
from tests.unit.sync.protocol.rights_city import (
    APPOINTMENT,
    BOOKED,
    LEASE,
    SEAT,
    SLOT,
    city,
    in_tx,
    lent,
    sale,
    tell,
)


def test_lending_takes_only_what_is_free() -> None:
    store = city()
    assert in_tx(store, lambda tx: lease.grant(tx, "centro", lent())) == lent()
    assert store.seats[SEAT] == Seat(state="leased", lease_id=LEASE)
    assert in_tx(store, lambda tx: lease.grant(tx, "centro", lent(id=uuid_of(33)))) is None


@pytest.mark.parametrize(
    "seat,left,conflict",
    [
        (Seat(state="leased", lease_id=LEASE), "booked", None),
        (Seat(state="free"), "booked", None),
        (Seat(state="held"), "booked", None),
        (Seat(state="booked", appointment_id=uuid_of(50)), "booked", "lease_conflict"),
        (Seat(state="leased", lease_id=uuid_of(51)), "leased", "lease_conflict"),
    ],
    ids=["lent", "forgotten by a restore", "held by a web form", "booked by somebody", "lent to somebody else"],
)
def test_a_sale_always_ends_in_an_appointment(seat: Seat, left: str, conflict: str | None) -> None:
    store = city()
    store.seats[SEAT] = seat
    tell(store, "centro", sale())
    tell(store, "centro", sale())
    assert store.seats[SEAT].state == left
    booked = store.appointments[APPOINTMENT]
    assert len(booked.seats) == 1
    assert store.seats[booked.seats[0]].appointment_id == APPOINTMENT
    assert [c.kind for c in store.conflicts.values()] == ([conflict] if conflict else [])


def test_a_sale_that_is_known_leaves_no_seat_lent() -> None:
    store = city()
    in_tx(store, lambda tx: lease.grant(tx, "centro", lent()))
    other = SeatRef(SLOT, 2)
    store.seats[other] = Seat(state="booked", appointment_id=APPOINTMENT)
    in_tx(store, lambda tx: tx.put_appointment(BOOKED, "centro", [other], "recovered"))
    tell(store, "centro", sale())
    assert store.seats[SEAT] == Seat(state="free")
    assert store.seats[other].appointment_id == APPOINTMENT


def test_a_sale_after_a_reclaim_is_honoured_and_told() -> None:
    store = city()
    in_tx(store, lambda tx: lease.grant(tx, "centro", lent()))
    assert in_tx(store, lambda tx: lease.reclaim(tx, LEASE)) == (SEAT,)
    store.seats[SEAT] = Seat(state="booked", appointment_id=uuid_of(60))
    tell(store, "centro", sale())
    assert store.appointments[APPOINTMENT].seats == (SeatRef(SLOT, 2),)
    assert [c.kind for c in store.conflicts.values()] == ["lease_reclaimed_sale"]


def test_what_is_given_back_is_free_and_what_was_sold_is_not() -> None:
    store = city()
    in_tx(store, lambda tx: lease.grant(tx, "centro", lent()))
    assert in_tx(store, lambda tx: lease.recall(tx, LEASE))
    assert store.seats[SEAT].state == "leased", "a recall alone frees nothing"
    tell(store, "centro", LeaseReturned(lease_id=LEASE, seats=(SEAT,)))
    assert store.seats[SEAT] == Seat(state="free")
    tell(store, "centro", sale())
    tell(store, "centro", LeaseReturned(lease_id=LEASE, seats=(SEAT,)))
    assert store.seats[SEAT].state == "booked"


@pytest.mark.parametrize("known", [False, True], ids=["a sale that is new", "a sale that is known"])
def test_nobody_moves_the_seats_of_another_office(known: bool) -> None:
    store = city()
    in_tx(store, lambda tx: lease.grant(tx, "centro", lent()))
    if known:
        in_tx(store, lambda tx: tx.put_appointment(BOOKED, "real", [], "recovered"))
    with pytest.raises(NotTheirs):
        tell(store, "real", sale())
    with pytest.raises(NotTheirs):
        tell(store, "real", LeaseReturned(lease_id=LEASE, seats=(SEAT,)))
    assert store.seats[SEAT] == Seat(state="leased", lease_id=LEASE)
    assert len(store.appointments) == known


@pytest.mark.parametrize(
    "capacity,free,leased,may",
    [(1, 1, 0, False), (2, 2, 0, True), (2, 1, 0, False), (30, 9, 2, True), (30, 9, 3, False)],
)
def test_how_much_may_be_lent(capacity: int, free: int, leased: int, may: bool) -> None:
    assert lease.may_lend(capacity, free, leased) is may
