"""The oracle agrees with the golden cases on its own, and notices a wrong call."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.kit.office import at
from tests.kit.oracle import Oracle, Pool, Slip


def view(name: str, n: int, arrives: str, slot: str | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "ticket_id": name,
        "label": name,
        "service": "a",
        "priority_class": "general",
        "arrived_at": at(arrives).isoformat(),
        "slot_start_at": at(slot).isoformat() if slot else None,
        "issue": [1, n],
        "called_how": "next",
        **changes,
    }


COUNTER = {"counter": "1", "primary": ["a"], "secondary": ["b"]}


def call(oracle: Oracle, seq: int, ticket: dict[str, Any], now: str) -> None:
    oracle.called("centro", {"seq": seq, "ticket": {**ticket, "called_at": at(now).isoformat()}}, COUNTER)


def test_it_knows_the_rule() -> None:
    oracle = Oracle()
    first, cita, second = view("W1", 1, "09:10"), view("C1", 3, "09:55", "10:00"), view("W2", 2, "09:20")
    for seq, (ticket, now) in enumerate([(first, "10:00"), (cita, "10:05"), (second, "10:10")], 10):
        call(oracle, seq, ticket, now)
    assert oracle.order_violations() == []


def test_it_notices_a_call_out_of_order() -> None:
    oracle = Oracle()
    call(oracle, 10, view("W2", 2, "09:20"), "10:00")
    call(oracle, 11, view("W1", 1, "09:10"), "10:05")
    assert oracle.order_violations() == ["centro seq 10: called W2, the rule says W1"]


def test_a_secondary_person_waits_for_the_threshold_unless_the_counter_is_idle() -> None:
    oracle = Oracle()
    other = view("B1", 1, "09:00", service="b")
    call(oracle, 10, view("A1", 2, "09:02"), "09:04")
    call(oracle, 11, other, "09:04")
    assert oracle.order_violations() == []


def test_a_transferred_person_keeps_the_place_and_a_returned_one_waits_again() -> None:
    oracle = Oracle()
    first, second = view("W1", 1, "09:00"), view("W2", 2, "09:01")
    call(oracle, 10, first, "09:02")
    oracle.moved({"seq": 11, "ticket": {**first, "service": "a", "counter": None}})
    call(oracle, 12, first, "09:03")
    oracle.ended({"seq": 13, "ticket": first})
    call(oracle, 14, second, "09:04")
    assert oracle.order_violations() == []


def test_two_codes_for_one_label_are_a_duplicate_and_the_same_paper_is_a_reprint() -> None:
    oracle = Oracle()
    now = at("09:00")
    oracle.printed(Slip("centro", "A1", "x", now))
    oracle.printed(Slip("centro", "A1", "x", now))
    oracle.printed(Slip("real", "A1", "y", now))
    assert (oracle.duplicates(), oracle.reprints()) == ([], 1)
    oracle.printed(Slip("centro", "A1", "z", now))
    assert oracle.duplicates() == ["centro A1: 2 codes"]


def test_an_appointment_is_booked_once_and_comes_once() -> None:
    oracle = Oracle()
    oracle.booked("ACDEFG", {"appointment_id": "1"})
    oracle.booked("ACDEFH", {"appointment_id": "2"})
    oracle.saw_ticket("centro", view("A1", 1, "09:00", "09:00", appointment_id="1"))
    oracle.saw_ticket("centro", view("W1", 2, "09:00"))
    oracle.saw_ticket("centro", view("W2", 3, "09:00"))
    assert oracle.duplicates() == []
    oracle.booked("ACDEFJ", {"appointment_id": "2"})
    oracle.saw_ticket("centro", view("A2", 4, "09:10", "09:00", appointment_id="1"))
    assert oracle.duplicates() == ["appointment 2: 2 bookings", "appointment 1: 2 tickets"]


def test_a_call_behind_what_central_has_is_lost() -> None:
    oracle = Oracle()
    call(oracle, 10, view("W1", 1, "09:00"), "09:02")
    assert oracle.lost_calls("centro", 10) == oracle.lost_calls("real", 0) == []
    assert oracle.lost_calls("centro", 9) == ["centro seq 10: the call of W1"]


def test_an_arrival_lies_between_the_touch_and_the_paper() -> None:
    oracle = Oracle()
    oracle.saw_ticket("centro", view("A1", 1, "09:00"))
    oracle.taken("centro", "A1", at("09:00"), at("09:00") + timedelta(seconds=1))
    assert oracle.arrivals_outside_their_windows() == []
    oracle.taken("centro", "A1", at("09:01"), at("09:02"))
    assert len(oracle.arrivals_outside_their_windows()) == 1
    oracle.windows.clear()
    assert oracle.arrivals_outside_their_windows() == ["centro A1 was asked for by nobody"]


def test_more_appointments_than_seats_are_a_seat_twice() -> None:
    oracle = Oracle({("centro", "a"): Pool("fast", 10, 1), ("centro", "b"): Pool("slow", 10, 2)})
    for n, (service, start, minutes) in enumerate([("a", "10:00", 20), ("b", "10:00", 10), ("b", "10:00", 10)]):
        booking = {"service_id": service, "slot_start_at": at(start).isoformat(), "duration_min": minutes}
        oracle.booked(f"L{n}", {**booking, "office": "centro", "appointment_id": f"a{n}"})
    assert oracle.duplicates() == []
    late = {"service_id": "a", "slot_start_at": at("10:10").isoformat(), "duration_min": 10}
    oracle.booked("L9", {**late, "office": "centro", "appointment_id": "a9"})
    assert len(oracle.duplicates()) == 1
