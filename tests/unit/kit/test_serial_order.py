"""The judge of concurrent bookings believes what can be and nothing else."""

from __future__ import annotations

from tests.integration.booking.serial_order import Asked, City, has_serial_order

ONE_SEAT = City(1, {})


def asked(number: int, *slots: int, request: str = "", person: int | None = None, hold: str | None = None) -> Asked:
    return Asked(request or f"r{number}", slots, (number if person is None else person, "viaje"), hold)


def test_one_of_two_gets_the_only_seat() -> None:
    both = [asked(1, 0), asked(2, 0)]
    assert has_serial_order(ONE_SEAT, both, ["taken", "booked"])
    assert not has_serial_order(ONE_SEAT, both, ["booked", "booked"])
    assert not has_serial_order(ONE_SEAT, both, ["taken", "taken"])


def test_who_needs_two_slots_loses_to_either() -> None:
    three = [asked(1, 0, 1), asked(2, 0), asked(3, 1)]
    assert has_serial_order(ONE_SEAT, three, ["taken", "booked", "booked"])
    assert has_serial_order(ONE_SEAT, three, ["booked", "taken", "taken"])
    assert not has_serial_order(ONE_SEAT, three, ["taken", "taken", "booked"])


def test_a_repeated_request_and_a_second_appointment() -> None:
    twice = [asked(1, 0, request="r"), asked(1, 0, request="r"), asked(2, 1, request="r"), asked(3, 1, person=1)]
    assert has_serial_order(ONE_SEAT, twice, ["again", "booked", "reused", "limit"])
    assert not has_serial_order(ONE_SEAT, twice, ["booked", "booked", "reused", "limit"])
    assert not has_serial_order(ONE_SEAT, twice, ["again", "booked", "reused", "booked"])


def test_a_limit_is_told_only_while_there_is_a_seat() -> None:
    before_the_last_seat_went = [asked(1, 0), asked(2, 1, person=1), asked(3, 1)]
    assert has_serial_order(ONE_SEAT, before_the_last_seat_went, ["booked", "limit", "booked"])
    same_slot = [asked(1, 0), asked(2, 0, person=1)]
    assert not has_serial_order(ONE_SEAT, same_slot, ["booked", "limit"])


def test_a_held_seat_is_for_its_hold_once() -> None:
    city = City(1, {"h": (0,)})
    assert has_serial_order(city, [asked(1, 0, hold="h"), asked(2, 0)], ["booked", "taken"])
    assert not has_serial_order(city, [asked(1, 0, hold="h"), asked(2, 0)], ["taken", "booked"])
    assert has_serial_order(city, [asked(1, 0, hold="h"), asked(2, 0, hold="h")], ["taken", "booked"])
