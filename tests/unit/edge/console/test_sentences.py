"""What the console says: every refusal, every act and every reason, in both languages of staff."""

from datetime import UTC, datetime
from typing import get_args

import pytest

from edge_node.console.agenda_states import AgendaState
from edge_node.console.commands import STAFF_COMMANDS
from edge_node.console.notices import PARK_REASONS
from edge_node.console.panels import BASES, LANGUAGES, NEEDS, OUTCOMES, REASONS, SKIP_REASONS
from edge_node.console.sentences import Said, because, sentence, undo_text
from edge_node.console.tickets_view import Because
from edge_node.console.work_view import Undo
from sync.domain.folding import acts
from sync.messages.facts import NextRule, Outcome
from sync.messages.refusals import RefusalCode
from ui.catalog import Words, load_catalog
from ui.locales import STAFF_LOCALES

VERBS = {
    *(
        *STAFF_COMMANDS,
        "take_ticket",
        "serve_walk_in",
        "check_in",
        "print_again",
        "hand_over",
        "sell_lease",
        "sign_out",
    ),
}


@pytest.fixture(params=STAFF_LOCALES)
def words(request: pytest.FixtureRequest) -> Words:
    return load_catalog(strict=True).words(request.param)


@pytest.mark.parametrize("code", get_args(RefusalCode))
def test_every_refusal_has_a_sentence_of_its_own(code: RefusalCode, words: Words) -> None:
    said = sentence(Said(refused=code, code="K12", wait_s=7), words)
    assert said.endswith(".")
    assert "_" not in said, "words, not the code"
    others = {
        sentence(Said(refused=other, code="K12", wait_s=7), words) for other in get_args(RefusalCode) if other != code
    }
    assert said not in others


def test_a_refusal_says_what_it_knows(words: Words) -> None:
    assert "7" in sentence(Said(refused="recall_too_soon", wait_s=7), words)
    assert "K12" in sentence(Said(refused="already_checked_in", code="K12"), words)
    assert "{" not in sentence(Said(refused="already_checked_in"), words)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_act_is_told(verb: str, words: Words) -> None:
    said = sentence(Said(verb=verb, code="K12", outcome="resolved", target="Registro"), words)
    assert said
    assert "{" not in said


@pytest.mark.parametrize(
    "said, expected",
    [
        (Said(verb="call_next", code="K13"), "Llamado K13"),
        (
            Said(verb="call_next", code="K13", ended="K12", outcome="resolved"),
            "K12 finalizado (resuelto). Llamado K13",
        ),
        (
            Said(verb="call_next", ended="K12", outcome="missing_documents"),
            "K12 finalizado (falta documentación). No espera nadie",
        ),
    ],
)
def test_a_call_says_which_visit_it_ended(said: Said, expected: str) -> None:
    assert sentence(said, load_catalog(strict=True).words("es")) == expected


def test_a_skip_without_anybody_else_is_refused_in_its_own_words(words: Words) -> None:
    refused = sentence(Said(verb="skip", refused="nobody_waiting"), words)
    assert refused == words.text("console.refused.nobody_else") != sentence(Said(refused="nobody_waiting"), words)


def test_what_would_be_undone_is_said_in_order(words: Words) -> None:
    undo = Undo(act="1", steps=(("ticket.finished", "K12"), ("ticket.called", "K13")), left_s=40)
    said = undo_text(undo, words)
    assert said.index("K12") < said.index("K13")


@pytest.mark.parametrize("fact", sorted(fact.TYPE for fact in acts.REVERSIBLE))
def test_whatever_may_be_undone_has_words(fact: str, words: Words) -> None:
    assert "K12" in undo_text(Undo(act="1", steps=((fact, "K12"),), left_s=1), words)


def test_an_old_view_is_told(words: Words) -> None:
    assert sentence(Said(unchanged=True), words) == words.text("console.refused.moved_on")
    assert sentence(Said(), words) == ""


def test_every_choice_of_the_screens_has_its_words(words: Words) -> None:
    assert set(OUTCOMES) == set(get_args(Outcome))
    for key in (
        *(f"console.outcome.{each}" for each in OUTCOMES),
        *(f"console.reason.{each}" for each in REASONS),
        *(f"console.skipping.{each}" for each in SKIP_REASONS),
        *(f"console.park.{each}" for each in PARK_REASONS),
        *(f"console.basis.{each}" for each in BASES),
        *(f"console.need.{each}" for each in NEEDS),
        *(f"console.language.{each}" for each in LANGUAGES),
        *(f"console.agenda.{each}" for each in get_args(AgendaState)),
    ):
        assert key in words


def reasons(**changes: object) -> Because:
    values = {
        "rule": "primary",
        "origin": "walk_in",
        "arrived_at": datetime(2026, 11, 23, 9, 14, tzinfo=UTC),
        "due_at": datetime(2026, 11, 23, 8, 35, tzinfo=UTC),
        "slot_start_at": None,
        "priority": False,
        "late": False,
        "reinstated": False,
        "transferred": False,
        "walks_on": False,
        "kept_for": False,
        "is_first": False,
        "behind_at": None,
        "threshold_min": 5,
    }
    return Because(**{**values, **changes})  # type: ignore[arg-type]


SLOT = datetime(2026, 11, 23, 9, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({}, "sin cita, espera desde las 10:14"),
        ({"priority": True}, "sin cita, atención preferente; cuenta desde las 9:35"),
        ({"slot_start_at": SLOT}, "cita 10:20, llegó 10:14; cuenta desde las 9:35"),
        ({"slot_start_at": SLOT, "late": True}, "cita 10:20, llegó tarde, 10:14; cuenta desde las 9:35"),
        ({"slot_start_at": SLOT, "rule": "early"}, "cita 10:20, no hay nadie más que llamar"),
        ({"reinstated": True}, "reincorporado; cuenta desde las 9:35"),
        ({"transferred": True}, "derivado, mantiene su hora: cuenta desde las 9:35"),
        ({"transferred": True, "walks_on": True}, "sigue su recorrido, mantiene su hora: cuenta desde las 9:35"),
        ({"transferred": True, "kept_for": True}, "derivado a este puesto"),
        ({"transferred": True, "kept_for": True, "is_first": True}, "derivado o retomado para que vaya primero"),
        ({"transferred": True, "behind_at": SLOT}, "derivado al final: cuenta desde las 10:20"),
        (
            {"rule": "secondary"},
            "sin cita, espera desde las 10:14; otros trámites: su espera cuenta desde hace más de 5 minutos",
        ),
        (
            {"rule": "idle_secondary"},
            "sin cita, espera desde las 10:14; otros trámites: no hay nadie más para los suyos",
        ),
    ],
)
def test_next_because(changes: dict[str, object], expected: str) -> None:
    assert because(reasons(**changes), load_catalog(strict=True).words("es")) == expected


@pytest.mark.parametrize("rule", [rule for rule in get_args(NextRule) if rule != "chosen"])
def test_every_step_of_the_rule_is_told_in_both_languages(rule: NextRule, words: Words) -> None:
    assert because(reasons(rule=rule, slot_start_at=SLOT), words)
