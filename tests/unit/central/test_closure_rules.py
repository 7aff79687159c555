"""Which place is proposed to whom: nearest, in the order of booking, never the same one twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from central.closures.rules import NOTICE, Affected, Place, Room, away, by_distance, propose

TEN = datetime(2026, 12, 7, 10, 0, tzinfo=UTC)
NOW = TEN - timedelta(days=7)
STEP = timedelta(minutes=10)


def one(n: int, start_at: datetime = TEN, service: str = "viaje") -> Affected:
    return Affected(
        appointment_id=f"{n:03}", version=1, locator="ACDEFG", office_id="centro", pool_id="todo", service_id=service,
        slot_start_at=start_at, duration_min=10, booked_at=NOW + timedelta(minutes=n), has_mail=True, has_phone=False,
    )  # fmt: skip


def room(office: str, *starts: datetime, seats: int = 1, minutes: int = 10) -> Room:
    services = frozenset({"viaje"})
    free = dict.fromkeys(starts, seats)
    return Room(
        office_id=office, pool_id="todo", slot_min=10, services=services, durations={"viaje": minutes}, free=free
    )  # fmt: skip


def places(*affected: Affected, rooms: list[Room], now: datetime = NOW) -> list[Place | None]:
    return [each.place for each in propose(affected, rooms, now)]


def test_who_booked_first_gets_the_nearest() -> None:
    free = room("centro", TEN + timedelta(days=1), TEN + timedelta(days=2))
    second, first = one(2), one(1)
    found = propose([second, first], [free], NOW)
    assert [(each.affected, each.place) for each in found] == [
        (first, Place("centro", TEN + timedelta(days=1))),
        (second, Place("centro", TEN + timedelta(days=2))),
    ]


def test_ones_own_office_unless_another_is_nearer_by_two_days() -> None:
    tomorrow, third = TEN + timedelta(days=1), TEN + timedelta(days=3)
    assert places(one(1), rooms=[room("centro", third - STEP), room("real", tomorrow)]) == [
        Place("centro", third - STEP)
    ]
    assert places(one(1), rooms=[room("centro", third + STEP), room("real", tomorrow)]) == [Place("real", tomorrow)]


def test_an_earlier_time_counts_double() -> None:
    before, after = TEN - timedelta(days=1), TEN + timedelta(days=1, hours=20)
    assert places(one(1), rooms=[room("centro", before, after)]) == [Place("centro", after)]
    assert away(TEN, before) == timedelta(days=2)


def test_nobody_is_moved_to_a_time_they_hear_of_too_late() -> None:
    now = TEN - timedelta(hours=3)
    assert places(one(1), rooms=[room("centro", TEN - STEP, TEN + STEP, TEN + timedelta(days=1))], now=now) == [
        Place("centro", TEN + timedelta(days=1))
    ]
    assert places(one(1), rooms=[room("centro", now + NOTICE - STEP)], now=now) == [None]


def test_a_long_service_needs_slots_in_a_row() -> None:
    starts = [TEN + n * STEP for n in (6, 12, 13)]
    assert places(one(1), rooms=[room("centro", *starts, minutes=20)]) == [Place("centro", TEN + 12 * STEP)]


@given(
    booked=st.lists(st.integers(0, 60), max_size=30),
    free=st.dictionaries(st.integers(-30, 90), st.integers(1, 3), max_size=30),
    minutes=st.sampled_from([10, 20]),
)
def test_a_seat_is_given_once_and_none_is_left_that_somebody_could_have(
    booked: list[int], free: dict[int, int], minutes: int
) -> None:
    rooms = [room("centro", minutes=minutes)]
    rooms = [
        Room(
            **{
                **{name: getattr(rooms[0], name) for name in rooms[0].__struct_fields__},
                "free": {TEN + n * STEP: seats for n, seats in free.items()},
            }
        )
    ]
    found = propose([one(n, TEN + at * STEP) for n, at in enumerate(booked)], rooms, NOW)
    used: dict[datetime, int] = {}
    for each in found:
        if each.place is not None:
            for slot in range(minutes // 10):
                used[each.place.start_at + slot * STEP] = used.get(each.place.start_at + slot * STEP, 0) + 1
    left = {start: seats - used.get(start, 0) for start, seats in rooms[0].free.items()}
    assert used.keys() <= rooms[0].free.keys()
    assert min(left.values(), default=0) >= 0
    if any(each.place is None for each in found):
        assert not [start for start in left if all(left.get(start + n * STEP, 0) > 0 for n in range(minutes // 10))]


def test_offices_on_the_map_come_by_distance() -> None:
    others = {"b": (None, None), "c": (35.30, -2.94), "d": (35.291, -2.941)}
    assert by_distance((35.29, -2.94), others) == ["d", "c", "b"]
    assert by_distance((None, None), others) == ["b", "c", "d"]
