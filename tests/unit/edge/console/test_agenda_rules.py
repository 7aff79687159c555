"""What is typed for an appointment, and when the office is open."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest

from edge_node.console.agenda_days import hours_of
from edge_node.console.agenda_rules import (
    Wanted,
    day_or_none,
    document_problem,
    instant,
    name_of,
    problems_of,
    wanted_of,
)
from sync.domain.names import folded, initials
from sync.messages import feed as f

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
GOOD: dict[str, Any] = {"at": "2026-11-24T08:00:00+00:00", "full_name": "Ana Ruiz", "document": "12345678Z"}


@pytest.mark.parametrize(
    "kind, typed, problem",
    [
        ("dni", "12345678Z", ""),
        ("dni", "12.345.678-z", ""),
        ("dni", "1R", ""),
        ("dni", "12345678A", "letter"),
        ("dni", "X1234567L", "form"),
        ("dni", "123456789Z", "form"),
        ("dni", "", "missing"),
        ("nie", "X1234567L", ""),
        ("nie", "Y1234567X", ""),
        ("nie", "X1234567A", "letter"),
        ("nie", "12345678Z", "form"),
        ("passport", "AB123456", ""),
        ("passport", "AB1", "form"),
        ("passport", "ÑÑÑÑÑÑ", "form"),
    ],
)
def test_a_document_is_checked_so_far_as_that_needs_no_central(kind: str, typed: str, problem: str) -> None:
    assert document_problem(kind, typed).rpartition("console.book.problem.document.")[2] == problem


@pytest.mark.parametrize(
    "changes, fields",
    [
        ({}, []),
        ({"at": ""}, ["at"]),
        ({"full_name": "123"}, ["full_name"]),
        ({"full_name": "Ana\u202eRuiz"}, ["full_name"]),
        ({"document": ""}, ["document"]),
        ({"email": "a@b"}, ["email"]),
        ({"email": "a@example.org"}, []),
        ({"phone": "600 000 000"}, []),
        ({"phone": "0"}, ["phone"]),
        ({"same_person": True, "full_name": "", "document": ""}, []),
        (
            {"at": "", "full_name": "", "document": "", "email": "x", "phone": "x"},
            ["at", "full_name", "document", "email", "phone"],
        ),
    ],
)
def test_problems_stand_in_the_order_of_the_form(changes: dict[str, Any], fields: list[str]) -> None:
    assert list(problems_of(Wanted(**(GOOD | changes)))) == fields


def test_a_form_keeps_what_is_one_of_a_list_and_forgets_what_is_not() -> None:
    wanted = wanted_of(
        [
            ("request_id", "1"),
            ("office", "../real"),
            ("service", "viaje"),
            ("ticket", "x"),
            ("full_name", "  Ana   Ruiz "),
            ("document_kind", "cédula"),
            ("language", "de"),
            ("needs", "signs"),
            ("needs", "gold"),
            ("same_person", "on"),
            ("upload", b"\x00"),
        ]
    )
    assert wanted == Wanted(service="viaje", full_name="Ana Ruiz", needs=("signs",))


@pytest.mark.parametrize(
    "typed", ["", "now", "2026-11-24", "2026-11-24T09:00:00", "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59Z"]
)
def test_only_plausible_instants_are_times(typed: str) -> None:
    assert instant(typed) is None


@pytest.mark.parametrize("typed", ["", "hoy", "2026-02-30", "0001-01-01", "9999-12-31"])
def test_only_plausible_dates_are_days(typed: str) -> None:
    assert day_or_none(typed) is None


def test_a_name_for_paper_is_one_line() -> None:
    assert name_of(" Ana\r\n\tRuiz\u2028 ") == "Ana Ruiz"
    assert len(name_of("x" * 10_000)) == 120


def test_names_are_folded_as_the_statements_fold_them() -> None:
    assert folded("ÁÑÜ Ç") == "anu c"
    assert initials("Fátima Mohamed Haddu") == "F. M."
    assert initials("") == initials("1 2") == ""


def office(*exceptions: f.DatedHours) -> f.Office:
    week = (
        f.OpeningHours(weekday=0, opens=time(9), closes=time(14)),
        f.OpeningHours(weekday=0, opens=time(16), closes=time(18, 30)),
    )
    return f.Office(
        id="centro", name="Centro", address="", time_zone="Africa/Ceuta", services=(), hours=week, exceptions=exceptions
    )


def test_the_weeks_hours_hold_unless_something_else_is_known() -> None:
    assert hours_of(office(), {}, MONDAY).times == (("9:00", "14:00"), ("16:00", "18:30"))
    assert hours_of(office(), {}, TUESDAY).opening == "not_weekly"


@pytest.mark.parametrize(
    "dated, opening, times",
    [
        (f.DatedHours(service_date=MONDAY, open=False, note="Obras"), "closed", ()),
        (f.DatedHours(service_date=MONDAY, open=True, note="Obras"), "always", ()),
        (
            f.DatedHours(service_date=MONDAY, open=True, opens=time(10), closes=time(12), note="Obras"),
            "open",
            (("10:00", "12:00"),),
        ),
    ],
)
def test_a_dated_exception_goes_first_and_says_why(dated: f.DatedHours, opening: str, times: Any) -> None:
    holiday = f.Holiday(day=MONDAY, names={"es": "Fiesta"})
    hours = hours_of(office(dated), {MONDAY: holiday}, MONDAY)
    assert (hours.opening, hours.times, hours.reason, hours.special) == (opening, times, "Obras", True)


@pytest.mark.parametrize("confirmed, opening", [(True, "holiday"), (False, "unsure")])
def test_a_holiday_closes_once_it_is_confirmed(confirmed: bool, opening: str) -> None:
    holiday = f.Holiday(day=MONDAY, names={"es": "Fiesta", "en": "Feast"}, confirmed=confirmed)
    hours = hours_of(office(), {MONDAY: holiday}, MONDAY, "en")
    assert (hours.opening, hours.reason, hours.is_closed) == (opening, "Feast", confirmed)
