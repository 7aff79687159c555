"""A short storm over a real city; ``python -m tests.fault.processes`` is the long one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from provisioning.failpoints import POINTS
from tests.fault.processes.__main__ import exit_code

KINDS = 15 + len(POINTS)
"""Kinds of faults of processes, network and machines, and a death at each named point."""


@pytest.mark.parametrize(
    "changes, timed, untimed",
    [
        ({}, 0, 0),
        ({"p99_ms": 200.1}, 1, 0),
        ({"p99_ms": None}, 1, 0),
        ({"errors": 1}, 1, 1),
        ({"lost": 1}, 1, 1),
        ({"converged_s": None}, 1, 1),
    ],
)
def test_a_run_is_judged_by_its_figures(changes: dict[str, Any], timed: int, untimed: int) -> None:
    cut = {"errors": 0, "p99_ms": 200.0, "p99_goal_ms": 200.0}
    line = {"lost": 0, "duplicates": 0, "order_violations": 0, "converged_s": 2.5, "while_cut": cut}
    for name, value in changes.items():
        (cut if name in cut else line)[name] = value
    assert (exit_code(line, is_timed=True), exit_code(line, is_timed=False)) == (timed, untimed)


@pytest.mark.city
@pytest.mark.slow
@pytest.mark.timeout(480)
def test_a_storm_loses_doubles_and_reorders_nothing() -> None:
    command = [sys.executable, "-m", "tests.fault.processes", "--seconds", "45", "--seed", "1", "--untimed"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    figures = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
    assert done.returncode == 0, f"{figures}\n{done.stderr[-4000:]}"
    assert (figures["lost"], figures["duplicates"], figures["order_violations"]) == (0, 0, 0)
    assert figures["faults_missing"] == [], "every kind of fault must really happen"
    assert len(figures["faults"]) + len(figures["faults_skipped"]) == KINDS
    assert figures["faults_skipped"] == [] or os.geteuid() != 0, "root can do all of them"
    assert figures["while_cut"]["commands"] > 20
