"""Codes, names and slots of booking."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.booking import rules
from central.booking.documents import Document, read_document
from sync.domain.check_in import LOCATOR_ALPHABET

KEY = bytes(range(32))
ID = "01a202b8-bfed-7537-979f-0b494b054856"
AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def test_locators_use_the_whole_alphabet_and_nothing_else() -> None:
    drawn = iter(range(25))
    made = [rules.new_locator(lambda n: next(drawn) % n) for _ in range(4)]
    assert "".join(made) == LOCATOR_ALPHABET[:24]
    assert rules.shown_locator("ACDE34") == "ACD-E34"


def test_a_secret_link_is_the_golden_one() -> None:
    link = rules.secret_link(KEY, ID, 1)
    assert link == "AaICuL_tdTeXnwtJSwVIVgwglgs2umQkdCpPW9JY-48g"


@given(st.uuids(), st.integers(1, 1000), st.integers(1, 1000))
def test_a_link_proves_its_own_version_only(appointment: UUID, version: int, other: int) -> None:
    read = rules.read_secret_link(rules.secret_link(KEY, str(appointment), version))
    assert read is not None
    claimed, proof = read
    assert claimed == str(appointment)
    assert rules.proves(proof, KEY, claimed, version)
    assert rules.proves(proof, KEY, claimed, other) == (other == version)
    assert not rules.proves(proof, bytes(32), claimed, version)


@given(st.text(max_size=60))
def test_garbage_is_no_link(text: str) -> None:
    read = rules.read_secret_link(text)
    assert read is None or len(text.strip("=")) >= 42


@pytest.mark.parametrize(
    "full,shown",
    [
        ("Fátima Mohamed Haddu", "Fátima M."),
        ("  Ana   de la Vega ", "Ana D."),
        ("Yusra", "Yusra"),
        ("", ""),
        ("فاطمة محمد", "فاطمة م."),
    ],
)
def test_an_office_sees_a_first_name_and_a_letter(full: str, shown: str) -> None:
    assert rules.display_name(full) == shown


@pytest.mark.parametrize("duration,slot,slots", [(5, 10, 1), (10, 10, 1), (11, 10, 2), (20, 10, 2), (45, 15, 3)])
def test_a_duration_takes_whole_slots(duration: int, slot: int, slots: int) -> None:
    starts = rules.starts_needed(AT, duration, slot)
    assert starts == tuple(AT + timedelta(minutes=slot * n) for n in range(slots))


@given(st.lists(st.integers(0, 2), min_size=1, max_size=30), st.integers(1, 60))
def test_a_start_is_bookable_when_each_of_its_slots_has_a_seat(seats: list[int], duration: int) -> None:
    free = [(AT + timedelta(minutes=10 * n), count) for n, count in enumerate(seats)]
    found = rules.bookable_starts(free, duration, 10)
    need = -(-duration // 10)
    expected = [n for n in range(len(seats)) if n + need <= len(seats) and all(seats[n : n + need])]
    assert list(found) == [AT + timedelta(minutes=10 * n) for n in expected]


def test_a_gap_in_opening_hours_is_not_bridged() -> None:
    free = [(AT, 1), (AT + timedelta(minutes=20), 1)]
    assert rules.bookable_starts(free, 20, 10) == ()


def test_alternatives_are_the_nearest_in_time_order() -> None:
    starts = [AT + timedelta(minutes=m) for m in (-60, -10, 20, 30, 300)]
    assert rules.nearest(AT, starts) == tuple(AT + timedelta(minutes=m) for m in (-10, 20, 30))
    assert rules.nearest(AT, []) == ()


@given(st.sets(st.integers(-50, 50)), st.integers(-60, 60))
def test_no_start_is_nearer_than_the_alternatives(minutes: set[int], wanted: int) -> None:
    starts = [AT + timedelta(minutes=minute) for minute in sorted(minutes)]
    at = AT + timedelta(minutes=wanted)
    found = rules.nearest(at, starts)
    assert list(found) == sorted(sorted(starts, key=lambda start: (abs(start - at), start))[:3])


@pytest.mark.parametrize("ahead,fed", [(-1, False), (0, True), (7, True), (8, False)])
def test_an_office_knows_today_and_seven_days(ahead: int, fed: bool) -> None:
    today = date(2026, 11, 23)
    assert rules.is_fed(today + timedelta(days=ahead), today, 7) is fed


def test_a_person_is_a_keyed_hash_of_kind_and_number() -> None:
    one = rules.person_hash(KEY, "dni", "12345678Z")
    assert len(one) == 32
    assert one != rules.person_hash(KEY, "passport", "12345678Z")
    assert one != rules.person_hash(bytes(32), "dni", "12345678Z")
    assert one == rules.person_hash(KEY, "dni", "12345678Z")


@pytest.mark.parametrize(
    "kind,typed,read",
    [
        ("dni", "12345678Z", Document("dni", "12345678Z")),
        ("dni", " 12.345.678-z ", Document("dni", "12345678Z")),
        ("dni", "1234567L", Document("dni", "01234567L")),
        ("dni", "12345678A", "document_letter"),
        ("dni", "X1234567L", "document_form"),
        ("dni", "1234", "document_form"),
        ("dni", "  ", "document_missing"),
        ("nie", "x-1234567-l", Document("nie", "X1234567L")),
        ("nie", "X1234567A", "document_letter"),
        ("nie", "12345678Z", "document_form"),
        ("passport", "ab 123456", Document("passport", "AB123456")),
        ("passport", "AB#12", "document_form"),
        ("other", "٣٤٥٦٧٨", "document_form"),
    ],
)
def test_documents(kind: str, typed: str, read: object) -> None:
    assert read_document(kind, typed) == read  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("203.0.113.7", "203.0.113.8", False),
        ("203.0.113.7", "::ffff:203.0.113.7", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
    ],
)
def test_a_holder_is_an_address_or_the_network_of_one_connection(one: str, other: str, *, same: bool) -> None:
    assert (rules.holder_hash(b"k", one) == rules.holder_hash(b"k", other)) is same
    assert rules.holder_hash(b"k", one) != rules.holder_hash(b"another key", one)
    assert rules.holder_hash(b"k", "") is None
