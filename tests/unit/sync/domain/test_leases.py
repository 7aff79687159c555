"""Seats lent to an office: sold once, by the right node, in time; and given back."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest

from sync.domain.leases import LeaseBook, Rights, give_back, sell, starts
from sync.domain.outcomes import Accepted, Decision
from sync.messages.commands import SellLease
from sync.messages.facts import LeaseReturned, LeaseSold
from sync.messages.feed import Lease, LeasedSeat
from sync.messages.refusals import Refusal
from sync.messages.values import SeatRef
from tests.kit.facts import MORNING, uuid_of
from tests.kit.office import new_id

LEASE = uuid_of(1)
NOON = MORNING + timedelta(hours=4)


def seat(number: int, *, services: tuple[str, ...] = ("padron",), seat_no: int = 1) -> LeasedSeat:
    """A seat of the ``number``-th ten minutes from noon."""
    start_at = MORNING + timedelta(hours=4, minutes=10 * number)
    return LeasedSeat(
        seat=SeatRef(uuid_of(100 + number), seat_no), start_at=start_at, duration_min=10, services=services
    )


def lease(*seats: LeasedSeat, **changes: object) -> Lease:
    lent = Lease(id=LEASE, fence=1, seats=seats, sell_until=MORNING + timedelta(days=1))
    return msgspec.structs.replace(lent, **changes)


def rights(*leases: Lease, book: LeaseBook | None = None, epoch: int = 1) -> Rights:
    return Rights(epoch, {each.id: each for each in leases}, book or LeaseBook())


def wish(start_at: datetime, duration_min: int = 10, service: str = "padron") -> SellLease:
    return SellLease(
        request_id=new_id(), service=service, slot_start_at=start_at, duration_min=duration_min, locator="ACDEFG"
    )


def sold(decision: Decision) -> LeaseSold:
    assert isinstance(decision, Accepted), decision
    (fact,) = decision.facts
    assert isinstance(fact, LeaseSold)
    return fact


def refused(decision: Decision) -> str:
    assert isinstance(decision, Refusal), decision
    return decision.code


def test_a_seat_is_sold_once() -> None:
    held = rights(lease(seat(0)))
    fact = sold(sell(held, wish(seat(0).start_at), MORNING))
    assert (fact.lease_id, fact.seats) == (LEASE, (seat(0).seat,))
    held.book.apply(fact)
    assert refused(sell(held, wish(seat(0).start_at), MORNING)) == "no_leased_seat"


def test_parallel_seats_of_a_slot_are_sold_one_after_the_other() -> None:
    held = rights(lease(seat(0), seat(0, seat_no=2)))
    first = sold(sell(held, wish(seat(0).start_at), MORNING))
    held.book.apply(first)
    second = sold(sell(held, wish(seat(0).start_at), MORNING))
    assert {first.seats[0].seat_no, second.seats[0].seat_no} == {1, 2}


def test_a_long_service_needs_all_its_consecutive_slots_of_one_lease() -> None:
    whole = rights(lease(seat(0), seat(1), seat(2)))
    assert sold(sell(whole, wish(seat(0).start_at, 30), MORNING)).seats == tuple(seat(n).seat for n in range(3))
    with_a_hole = rights(lease(seat(0), seat(2)))
    assert refused(sell(with_a_hole, wish(seat(0).start_at, 30), MORNING)) == "no_leased_seat"


@pytest.mark.parametrize(
    "changes,epoch,now",
    [
        ({"fence": 1}, 2, MORNING),
        ({"recalled": True}, 1, MORNING),
        ({"sell_until": MORNING}, 1, MORNING),
    ],
    ids=["another life of the node", "recalled", "too late"],
)
def test_what_may_not_be_sold(changes: dict[str, object], epoch: int, now: datetime) -> None:
    held = rights(lease(seat(0), **changes), epoch=epoch)
    assert refused(sell(held, wish(seat(0).start_at), now)) == "no_leased_seat"
    assert starts(held, "padron", 10, now) == []


def test_only_the_services_of_the_seat() -> None:
    held = rights(lease(seat(0, services=("registro",))))
    assert refused(sell(held, wish(seat(0).start_at), MORNING)) == "no_leased_seat"
    assert starts(held, "registro", 10, MORNING) == [seat(0).start_at]


def test_starts_are_those_in_the_future_that_fit() -> None:
    held = rights(lease(seat(0), seat(1), seat(3)))
    assert starts(held, "padron", 10, MORNING) == [seat(n).start_at for n in (0, 1, 3)]
    assert starts(held, "padron", 20, MORNING) == [seat(0).start_at]
    assert starts(held, "padron", 10, seat(0).start_at) == [seat(n).start_at for n in (1, 3)]


def test_a_recalled_lease_gives_back_what_is_unsold_and_only_once() -> None:
    recalled = lease(seat(0), seat(1), seat(2), recalled=True)
    held = rights(recalled)
    held.book.apply(sold(sell(rights(lease(seat(1))), wish(seat(1).start_at), MORNING)))
    (returned,) = give_back(held)
    assert returned == LeaseReturned(lease_id=LEASE, seats=(seat(0).seat, seat(2).seat))
    held.book.apply(returned)
    assert give_back(held) == []
    assert give_back(rights(recalled, epoch=2)) == []


def test_a_lease_that_comes_anew_brings_no_seat_back() -> None:
    """After a snapshot the row is whole again; the journal knows better."""
    held = rights(lease(seat(0), seat(1)))
    held.book.apply(sold(sell(held, wish(seat(0).start_at), MORNING)))
    held.book.apply(LeaseReturned(lease_id=LEASE, seats=(seat(1).seat,)))
    assert held.book.unsold(lease(seat(0), seat(1))) == []


def test_a_slot_that_has_begun_is_sold_no_more() -> None:
    held = rights(lease(seat(0)))
    assert isinstance(sell(held, wish(NOON), NOON - timedelta(minutes=1)), Accepted)
    assert isinstance(sell(held, wish(NOON), NOON), Refusal)
