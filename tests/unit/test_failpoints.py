"""Points at which tests let a process die: known by name, passed in the code, armed by the environment alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from provisioning.failpoints import POINTS, VARIABLE, armed, failpoint, require_none
from provisioning.settings import SettingsError

ROOT = Path(__file__).parents[2]
CALL = re.compile(r'^ +failpoint\("([a-z._]+)"\)', re.MULTILINE)


def test_every_point_is_passed_in_one_place_of_the_code() -> None:
    found: list[str] = []
    for part in ("edge_node", "central"):
        for file in (ROOT / part).rglob("*.py"):
            found += CALL.findall(file.read_text(encoding="utf-8"))
    assert sorted(found) == sorted(POINTS)


def test_nothing_is_armed_in_a_process_without_the_variable() -> None:
    assert failpoint is armed({}, pytest.fail)


def test_a_process_dies_at_its_point_at_the_asked_passage() -> None:
    deaths: list[str] = []
    passed = armed({VARIABLE: "edge.committed:3"}, lambda: deaths.append("died"))
    for expected in (0, 0, 1, 1):
        passed("edge.decided")
        passed("edge.committed")
        assert len(deaths) == expected


def test_death_is_the_signal_that_leaves_no_time() -> None:
    code = "from provisioning.failpoints import failpoint as f; f('edge.decided'); print('alive')"
    done = subprocess.run(
        [sys.executable, "-c", code], env={VARIABLE: "edge.decided"}, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (-9, b"")


@pytest.mark.parametrize("wanted", ["edge.nowhere", "edge.committed:0", "edge.committed:soon"])
def test_a_point_that_is_none_is_named(wanted: str) -> None:
    with pytest.raises(SettingsError, match=VARIABLE):
        armed({VARIABLE: wanted}, pytest.fail)


def test_a_node_that_serves_people_does_not_start_with_one() -> None:
    require_none({})
    with pytest.raises(SettingsError, match="for tests only"):
        require_none({VARIABLE: "edge.committed"})
