"""The simulator itself: production code survives it, a run can be repeated, and planted bugs do not survive."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.simulation.__main__ import main
from tests.simulation.ledger import KINDS
from tests.simulation.mutants import all_mutants, hunt, lone_defences
from tests.simulation.runs import Summary, minimal, percentile, run
from tests.simulation.swarm import FAULTS, Scenario
from tests.simulation.world import World

SEEDS = range(1, 21)
FIRST_OF_SLOW = {
    "activation_not_adopted": 34,
    "leases_inherited": 20,
    "no_epoch_check": 49,
    "no_row_hash": 17,
    "opens_before_its_snapshot": 222,
    "staging_kept": 71,
    "stale_release_routed": 59,
}
"""A mutant that few seeds kill starts here, so that the test stays short; the command line begins at 1."""


def test_the_production_code_keeps_every_invariant() -> None:
    summary = Summary()
    for seed in SEEDS:
        summary.add(run(Scenario(seed=seed)))
    figures = summary.figures(jobs=1)
    assert [(kind, figures[kind]) for kind in KINDS] == [(kind, 0) for kind in KINDS]
    faults = figures["faults"]
    assert isinstance(faults, dict)
    assert [fault for fault in FAULTS if not faults[fault]] == [], "every kind of fault must really happen"


def test_the_same_seed_is_the_same_run() -> None:
    assert run(Scenario(seed=7)) == run(Scenario(seed=7))
    assert run(Scenario(seed=7)).trace_hash != run(Scenario(seed=8)).trace_hash


def test_a_run_does_not_depend_on_the_process() -> None:
    """Neither on the order of hashing, nor on what ran before."""
    command = [sys.executable, "-m", "tests.simulation", "--seeds", "2", "--start", "31", "--jobs", "1"]
    traces = set()
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True
        )
        traces.add(json.loads(done.stdout.splitlines()[-1])["trace"])
    assert len(traces) == 1


@pytest.mark.parametrize("name", sorted(all_mutants()))
def test_every_planted_bug_is_found(name: str) -> None:
    start = FIRST_OF_SLOW.get(name, 1)
    killed = hunt(name, range(start, start + 20))
    assert killed is not None, f"{name} survived"
    assert killed.violated
    assert killed.story


@pytest.mark.parametrize("broken", sorted(lone_defences()))
def test_the_other_defence_of_a_pair_is_enough(broken: str) -> None:
    with lone_defences()[broken]:
        assert [run(Scenario(seed=seed)).violated for seed in range(1, 9)] == [None] * 8


def test_a_failure_is_made_small() -> None:
    killed = hunt("acked_when_sent", range(1, 10))
    assert killed is not None
    assert killed.scenario.steps <= 20
    assert len(killed.suffered) <= 2


def test_minimal_leaves_a_failure_that_needs_everything() -> None:
    with_all = run(Scenario(seed=1, steps=3))
    assert minimal(with_all, lambda scenario: World(scenario).run()) == with_all


def test_the_command_line_ends_with_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "2", "--start", "3", "--steps", "40", "--jobs", "1"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (figures["seeds"], figures["acked_lost"], figures["failed_seeds"]) == (2, 0, [])
    assert figures["convergence_s"]["max"] <= 60


def test_the_hunt_reports_survivors_by_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--mutants", "--only", "staging_kept", "--seeds", "1"]) == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["killed"] == 0
    assert main(["--mutants", "--only", "poison_blocks", "--seeds", "9"]) == 0


@pytest.mark.parametrize("share,expected", [(0.5, 2.0), (0.99, 4.0), (1.0, 4.0)])
def test_percentile(share: float, expected: float) -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], share) == expected
    assert percentile([], share) is None
