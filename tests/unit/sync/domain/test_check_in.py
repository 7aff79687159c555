"""Which appointment a code stands for: every bad code has one clear answer, and a good one is believed when it should be."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.domain.check_in import Agenda, Arrival, Here, by_locator, by_scan, normalise_locator
from sync.messages.booking_token import BookingToken, minutes, write
from sync.messages.feed import Appointment
from sync.messages.refusals import Refusal
from tests.kit.office import DAY, ZONE, at, new_id

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
HERE = Here(office="centro", today=DAY, zone=ZONE)


def verify(kid: str, signed: bytes, signature: bytes) -> bool:
    try:
        KEY.public_key().verify(signature, signed)
    except InvalidSignature:
        return False
    return kid == "k1"


def row(**changes: object) -> Appointment:
    fields: dict[str, object] = {
        "id": new_id(),
        "version": 2,
        "locator": "K7MACX",
        "service_id": "a",
        "slot_start_at": at("10:20"),
        "duration_min": 10,
        "status": "booked",
        "display_name": "Fátima M.",
    }
    return Appointment(**{**fields, **changes})  # type: ignore[arg-type]


def scan(token: BookingToken, agenda: Agenda, key: Ed25519PrivateKey = KEY) -> Arrival | Refusal:
    return by_scan(write(token, key.sign), agenda, HERE, verify)


def token(**changes: object) -> BookingToken:
    fields: dict[str, object] = {
        "kid": "k1",
        "appointment_id": new_id(),
        "version": 1,
        "office_id": "centro",
        "service_id": "a",
        "slot_start_min": minutes(at("10:20")),
        "duration_min": 10,
        "locator": "K7MACX",
    }
    return BookingToken(**{**fields, **changes})  # type: ignore[arg-type]


def code(found: Arrival | Refusal) -> str:
    return found.code if isinstance(found, Refusal) else "arrived"


@pytest.mark.parametrize("typed", ["K7MACX", "k7m-acx", " k7m acx ", "K7M·ACX", "K7M\u00a0ACX\t"])
def test_a_typed_locator_is_found_however_it_is_written(typed: str) -> None:
    appointment = row()
    found = by_locator(typed, Agenda.of([appointment]), HERE)
    assert isinstance(found, Arrival)
    assert (found.appointment_id, found.to_verify) == (appointment.id, False)


@pytest.mark.parametrize("typed", ["", "K7M", "K7MACXX", "O0I1LB", "K7MAC!", "آجد-٣٤٥", "ＫＭＡＣＸＹ"])
def test_an_impossible_locator_is_answered_like_an_unknown_one(typed: str) -> None:
    assert normalise_locator(typed) is None
    assert code(by_locator(typed, Agenda.of([row()]), HERE)) == "booking_unknown"
    assert code(by_locator("AAAAAA", Agenda.of([row()]), HERE)) == "booking_unknown"


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "moved"}, "moved"),
        ({"slot_start_at": at("10:20") + timedelta(days=1)}, "wrong_day"),
        ({"slot_start_at": at("23:30")}, "arrived"),
        ({}, "arrived"),
    ],
)
def test_the_row_decides(changes: dict[str, object], expected: str) -> None:
    assert code(by_locator("K7MACX", Agenda.of([row(**changes)]), HERE)) == expected


def test_a_booked_row_wins_over_a_cancelled_one_of_the_same_locator() -> None:
    agenda = Agenda.of([row(status="cancelled", version=9), row()])
    assert code(by_locator("K7MACX", agenda, HERE)) == "arrived"


@pytest.mark.parametrize(
    "scanned, expected",
    [
        ("", "malformed"),
        ("https://example.org/", "malformed"),
        ("\x00\x1b[A", "malformed"),
        ("V1.AAAA.BBBB", "malformed"),
        ("V1." + "A" * 600 + ".AAAA", "malformed"),
        ("V2.AAAA.BBBB", "unsupported_version"),
        ("k7m-acx", "arrived"),
    ],
)
def test_scanned_texts(scanned: str, expected: str) -> None:
    assert code(by_scan(scanned, Agenda.of([row()]), HERE, verify)) == expected


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({}, "arrived"),
        ({"office_id": "real"}, "wrong_office"),
        ({"slot_start_min": minutes(at("10:20")) + 24 * 60}, "wrong_day"),
        ({"kid": "k9"}, "bad_signature"),
    ],
)
def test_a_token_of_an_unknown_booking_is_believed_on_its_signature(changes: dict[str, object], expected: str) -> None:
    found = scan(token(**changes), Agenda.of([]))
    assert code(found) == expected
    if isinstance(found, Arrival):
        assert found.to_verify


def test_a_token_signed_by_another_key_is_refused() -> None:
    assert code(scan(token(), Agenda.of([]), OTHER_KEY)) == "bad_signature"


@pytest.mark.parametrize("version, expected, to_verify", [(1, "cancelled", False), (3, "arrived", True)])
def test_the_greater_version_wins(version: int, expected: str, to_verify: bool) -> None:
    appointment = row(status="cancelled", version=2)
    found = scan(token(appointment_id=appointment.id, version=version), Agenda.of([appointment]))
    assert code(found) == expected
    if isinstance(found, Arrival):
        assert found.to_verify == to_verify


def test_support_needs_give_the_class_without_its_reason() -> None:
    found = by_locator("K7MACX", Agenda.of([row(needs=("wheelchair", "interpreter"))]), HERE)
    assert isinstance(found, Arrival)
    assert found.priority_class == "reduced_mobility"


@pytest.mark.parametrize("status", ["booked", "cancelled", "moved"])
def test_who_has_a_ticket_keeps_it_whatever_becomes_of_the_booking(status: str) -> None:
    appointment = row(status=status, version=3)
    agenda = Agenda.of([appointment])
    here = msgspec.structs.replace(HERE, ticket_of={appointment.id: "t1"}.get)
    expected = Refusal(code="already_checked_in", ticket_id="t1")
    assert by_locator("K7MACX", agenda, here) == expected
    assert by_scan(write(token(appointment_id=appointment.id), KEY.sign), agenda, here, verify) == expected
