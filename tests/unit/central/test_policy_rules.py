"""What a policy file may say and what it means in words; the comparison as table and picture."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from central.__main__ import main
from central.policy.chart import chart
from central.policy.commands import table
from central.policy.rules import PolicyError, cautions, preview, read_policy
from sync.domain.replays.compare import ReplayedDay, compare
from sync.domain.replays.recording import record
from sync.domain.replays.rerun import rerun
from sync.messages.policy import Policy
from tests.kit.office import DAY
from tests.kit.simulated_weeks import SimulatedDay
from ui.catalog import load_catalog

say = load_catalog(strict=True).words("es").text


def test_a_file_says_what_differs_from_the_defaults() -> None:
    assert read_policy("appointment_head_start_min = 30") == Policy(appointment_head_start_min=30)
    assert read_policy("[policy]\nreinstate = 'now'\n") == Policy(reinstate="now")


@pytest.mark.parametrize(
    "text, problem",
    [
        ("apointment_head_start_min = 30", "unknown field"),
        ("grace_min = -1", "grace_min: "),
        ("grace_min = 'ten'", "grace_min: "),
        ("reinstate = 'never'", "reinstate: "),
        ("grace_min = ", "is not TOML"),
        ("grace_min = 40", "late_limit_min: 30 is less than the grace of 40"),
        ("appointment_head_start_min = 400", "appointment_head_start_min: 400 is more than 120"),
        ("class_head_start_min = { general = 5 }", "is the class without a head start"),
        ("class_head_start_min = { pregnancy = 130 }", "class_head_start_min.pregnancy"),
        ("secondary_threshold_min = 600", "secondary_threshold_min: 600 is more than 60"),
        ("grace_min = 61\nlate_limit_min = 60", "grace_min: 61 is more than 60"),
        ("reinstate_within_min = 0", "lets nobody keep their place"),
    ],
)
def test_a_bad_file_is_explained(text: str, problem: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read_policy(text)
    assert problem in str(caught.value)


def test_the_recommended_policy_is_explained_without_a_caution() -> None:
    said = preview(Policy(), say)
    assert said[0].startswith("Quien tiene cita y llega a su hora cuenta como si hubiera llegado 45 minutos antes")
    assert said[-1].startswith("Garantía: pasados 55 minutos")
    assert cautions(Policy(), say) == []


def test_a_late_limit_that_makes_the_bound_is_told() -> None:
    said = cautions(Policy(appointment_head_start_min=10, class_head_start_min={}, late_limit_min=30), say)
    assert any("El límite de retraso (30)" in one and "30 minutos" in one for one in said)


@pytest.mark.parametrize("language, name", [("es", "movilidad reducida"), ("en", "reduced mobility")])
def test_a_class_that_weighs_more_than_an_appointment_is_told_by_its_name(language: str, name: str) -> None:
    words = load_catalog(strict=True).words(language).text
    said = " ".join(
        cautions(Policy(appointment_head_start_min=20, class_head_start_min={"reduced_mobility": 30}), words)
    )
    assert name in said
    assert "reduced_mobility" not in said


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("reinstate", ["keep", "behind_two", "now"])
def test_every_sentence_exists(language: str, reinstate: str) -> None:
    words = load_catalog(strict=True).words(language).text
    odd = Policy(
        appointment_head_start_min=0,
        class_head_start_min={"pregnancy": 20, "reduced_mobility": 30},
        idle_takes_secondary=False,
        secondary_threshold_min=40,
        reinstate=reinstate,  # type: ignore[arg-type]
    )
    assert len(preview(odd, words)) == 11
    assert len(cautions(odd, words)) >= 4


def test_a_comparison_is_a_table_and_a_picture() -> None:
    recording = record(SimulatedDay(2).office.journal)
    assert recording is not None
    day = ReplayedDay(DAY, rerun(recording), rerun(recording, Policy(appointment_head_start_min=0)))
    comparison = compare([day])
    assert (comparison.bound_before_min, comparison.bound_after_min) == (55, 40)
    assert (comparison.over_bound_before, comparison.over_bound_after) == (0, 0)
    assert comparison.earlier > 0
    assert comparison.later > 0
    kinds = {group.name: group for group in comparison.groups if group.by == "kind"}
    assert kinds["appointment"].after.p90_s >= kinds["appointment"].before.p90_s
    assert sum(group.people for group in kinds.values()) == len(day.before.tickets)
    assert any("bound: 55 min before, 40 after" in line for line in table(comparison, 0, say))
    picture = ET.fromstring(chart(comparison, say))
    assert len(picture.findall("{*}text")) == 2 + 3 * len(comparison.groups)


def test_the_same_policy_changes_nothing() -> None:
    recording = record(SimulatedDay(3).office.journal)
    assert recording is not None
    comparison = compare([ReplayedDay(DAY, rerun(recording), rerun(recording, recording.policy))])
    assert (comparison.earlier, comparison.later, comparison.shifts) == (0, 0, ())


@pytest.mark.parametrize(
    "content, exit_code, said",
    [
        ("appointment_head_start_min = 60\n", 0, "pasados 70 minutos"),
        ("grace_min = 50\n", 1, "less than the grace of 50"),
    ],
)
def test_a_preview_needs_no_database(tmp_path: Path, content: str, exit_code: int, said: str) -> None:
    file = tmp_path / "busy.toml"
    file.write_text(content, "utf-8")
    result = CliRunner().invoke(main, ["policy", "preview", "--policy", str(file)])
    assert (result.exit_code, said in result.output) == (exit_code, True), result.output
