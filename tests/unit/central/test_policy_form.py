"""A policy as a form: what was typed, what is wrong with it, what changes, and what it means for people of an invented morning."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from central.policy import telling
from central.policy.examples import SLOT, people, punctual, ranked
from central.policy.fields import (
    CLASS,
    all_fields,
    changes,
    classes_of,
    file_of,
    read_start,
    read_typed,
    typed_of,
)
from central.policy.rules import LIMITS, Fault, in_force, next_after, read_policy
from central.policy.store import SetPolicy
from sync.domain.due import due
from sync.messages.policy import GENERAL, Policy
from ui.catalog import load_catalog

RM = "reduced_mobility"
FIRST = date(2026, 11, 24)
ODD = Policy(
    appointment_head_start_min=0,
    class_head_start_min={RM: 20, "pregnancy": 15},
    idle_takes_secondary=False,
    reinstate="behind_two",
    recall_gap_s=45,
)
say = load_catalog(strict=True).words("es").text


def typed(**other: str) -> dict[str, str]:
    return typed_of(Policy(), (RM,)) | {name.replace("__", ":"): value for name, value in other.items()}


@pytest.mark.parametrize("policy", [Policy(), ODD, Policy(reinstate="now", reinstate_within_min=0)])
def test_what_is_typed_is_read_again(policy: Policy) -> None:
    classes = classes_of(policy)
    assert read_typed(typed_of(policy, classes), classes) == policy
    assert read_policy(file_of(policy)) == policy, "the command line reads the same"


def test_every_parameter_of_a_policy_has_a_field() -> None:
    asked = {field.parameter for field in all_fields((RM,))}
    assert asked == {field.name for field in msgspec.structs.fields(Policy)} - {"version"}
    assert asked == set(telling.LABELS) == set(telling.HINTS)
    assert {field.parameter for field in all_fields((RM,)) if field.kind == "number"} == set(LIMITS)


@pytest.mark.parametrize(
    "other, field, code",
    [
        ({"grace_min": ""}, "grace_min", "empty"),
        ({"grace_min": "diez"}, "grace_min", "no_number"),
        ({"grace_min": "-1"}, "grace_min", "no_number"),
        ({"grace_min": "7,5"}, "grace_min", "no_number"),
        ({"grace_min": "٧"}, "grace_min", "no_number"),
        ({"grace_min": "1" * 400}, "grace_min", "no_number"),
        ({"grace_min": "61"}, "grace_min", "out_of_range"),
        ({"appointment_head_start_min": "121"}, "appointment_head_start_min", "out_of_range"),
        ({f"{CLASS}__{RM}": "121"}, f"{CLASS}:{RM}", "out_of_range"),
        ({f"{CLASS}__{RM}": ""}, f"{CLASS}:{RM}", "empty"),
        ({"late_limit_min": "9"}, "late_limit_min", "late_under_grace"),
        ({"reinstate_within_min": "0"}, "reinstate_within_min", "keep_without_time"),
        ({"reinstate": "never"}, "reinstate", "empty"),
        ({"idle_takes_secondary": ""}, "idle_takes_secondary", "empty"),
    ],
)
def test_what_is_wrong_is_said_once_at_its_field(other: dict[str, str], field: str, code: str) -> None:
    found = read_typed(typed(**other), (RM,))
    assert isinstance(found, tuple)
    assert [(one.field, one.code) for one in found] == [(field, code)]
    for language in ("es", "en"):
        words = load_catalog(strict=True).words(language).text
        told = telling.errors_of(found, all_fields((RM,)), words, "")
        assert list(told) == [field]
        assert "{" not in told[field]


def test_errors_stand_in_the_order_of_the_form() -> None:
    found = read_typed(typed(recall_gap_s="x", appointment_head_start_min="x", late_limit_min="x"), (RM,))
    assert isinstance(found, tuple)
    told = telling.errors_of((*reversed(found), Fault("start", "no_day")), all_fields((RM,)), say)
    assert list(told) == ["appointment_head_start_min", "late_limit_min", "recall_gap_s", "start"]


@pytest.mark.parametrize(
    "text, result",
    [
        ("2026-11-24", FIRST),
        ("2027-11-25", date(2027, 11, 25)),
        ("2026-11-23", Fault("start", "too_early")),
        ("2027-11-26", Fault("start", "too_far")),
        ("", Fault("start", "no_day")),
        ("24/11/2026", Fault("start", "no_day")),
        ("9999-99-99", Fault("start", "no_day")),
    ],
)
def test_a_day_is_tomorrow_at_the_earliest_and_within_a_year(text: str, result: object) -> None:
    assert read_start(text, FIRST) == result


def test_changes_are_told_in_words_with_their_units() -> None:
    told = telling.told_changes(changes(Policy(), ODD), say)
    assert told[0] == "Ventaja de la cita: antes 45 minutos, ahora 0 minutos."
    assert "Ventaja de la prioridad pregnancy: antes 0 minutos, ahora 15 minutos." in told
    assert "Tiempo entre dos llamadas: antes 20 segundos, ahora 45 segundos." in told
    assert len(told) == 6
    assert changes(Policy(version=1), Policy(version=2)) == ()


def test_a_class_without_head_start_is_the_same_as_none() -> None:
    assert changes(Policy(class_head_start_min={}), Policy(class_head_start_min={RM: 0})) == ()


@pytest.mark.parametrize(
    "policy, sentence",
    [
        (Policy(), "cuenta desde las 9:35"),
        (Policy(appointment_head_start_min=30), "cuenta desde las 9:50"),
        (Policy(appointment_head_start_min=0), "cuenta desde las 10:15"),
    ],
)
def test_an_appointment_is_told_as_the_office_ranks_it(policy: Policy, sentence: str) -> None:
    assert sentence in telling.meaning(policy, say)[0]
    assert punctual(policy) == due(punctual(policy).callable_at, SLOT, GENERAL, policy)


def test_the_guarantee_says_where_it_comes_from() -> None:
    assert "Los 55 minutos" in telling.meaning(Policy(), say)[-1]
    assert "45 + 10" in telling.meaning(Policy(), say)[-1]
    late = Policy(appointment_head_start_min=5, class_head_start_min={}, late_limit_min=40)
    assert "Los 40 minutos" in telling.meaning(late, say)[-1]


def test_the_same_people_before_and_after() -> None:
    rows = telling.told_examples(Policy(), Policy(appointment_head_start_min=0), say)
    told = {row.who: row for row in rows}
    punctual_one = told["Cita a las 10:20, llega a las 10:15"]
    assert (punctual_one.before, punctual_one.after) == ("cuenta desde las 9:35", "cuenta desde las 10:15")
    assert (punctual_one.place_before, punctual_one.place_after) == (3, 4)
    early = told["Cita a las 10:20, llega a las 9:20"]
    assert early.before == "cuenta desde las 9:20; se puede llamar desde las 10:15"
    assert not told["Cita a las 10:20, llega a las 11:05"].is_changed
    assert [sorted(getattr(row, name) for row in rows) for name in ("place_before", "place_after")] == [
        [1, 2, 3, 4, 5, 6]
    ] * 2


def test_places_are_by_rank_and_then_by_arrival() -> None:
    policy = Policy(class_head_start_min={RM: 10})  # due at 9:50 like the walk-in who came before
    places: dict[Any, int] = {
        one.person.arrived_at.strftime("%H:%M"): one.place for one in ranked(policy, people((RM,)))
    }
    assert places["09:50"] < places["10:00"]


@pytest.mark.parametrize("day, version", [(22, 1), (23, 1), (24, 2), (25, 2), (26, 3)])
def test_the_newest_that_has_begun_is_in_force(day: int, version: int) -> None:
    known = [
        SetPolicy(effective_from=date(2026, 11, start), policy=Policy(version=n))
        for n, start in ((1, 23), (2, 24), (3, 26))
    ]
    assert in_force(known, date(2026, 11, day)).policy.version == version
    coming = next_after(known, date(2026, 11, day))
    assert (coming is None) == (day == 26)


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_word_of_the_form_exists(language: str) -> None:
    words = load_catalog(strict=True).words(language).text
    for policy in (Policy(), ODD):
        classes = classes_of(policy)
        groups = telling.form_of(typed_of(policy, classes), classes, {}, words)
        assert [len(fields) for _, fields in groups] == [4 + len(classes), 2, 4, 3]
        assert telling.told_examples(Policy(), policy, words)
        assert len(telling.meaning(policy, words)) >= 10
        telling.told_cautions(msgspec.structs.replace(policy, grace_min=0), words)
    assert telling.told_changes(changes(Policy(), ODD), words)
