"""A short storm over a real city; ``python -m tests.fault.processes`` is the long one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

KINDS = 9


@pytest.mark.city
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_storm_loses_doubles_and_reorders_nothing() -> None:
    command = [sys.executable, "-m", "tests.fault.processes", "--seconds", "35", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    figures = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
    assert done.returncode == 0, f"{figures}\n{done.stderr[-4000:]}"
    assert (figures["lost"], figures["duplicates"], figures["order_violations"]) == (0, 0, 0)
    assert len(figures["faults"]) == KINDS, "every kind of fault must really happen"
    assert figures["while_cut"]["commands"] > 20
