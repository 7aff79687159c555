"""A few power cuts and full disks; ``python -m tests.fault.power --trials 500`` is the long run."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from edge_node.database import open_writer
from tests.fault.power import recording
from tests.fault.power.__main__ import cut_power, failures, fill_disk
from tests.fault.power.workload import light_passwords

TRIALS = 30
STEPS = 120
FULL_DISKS = 20


@pytest.fixture(autouse=True)
def _light() -> Iterator[None]:
    with light_passwords():
        yield


@pytest.mark.slow
async def test_the_production_setting_loses_and_damages_nothing() -> None:
    line = await cut_power(TRIALS, 1, "FULL", steps=STEPS)
    assert line["trials"] == TRIALS
    assert line["acked_commits"] > 10 * TRIALS, "cuts must come when there is something to lose"
    assert not {name: line[name] for name in ("lost", "lost_answers", "corrupt", "noticed") if line[name]}


@pytest.mark.slow
async def test_without_an_fsync_per_commit_the_same_trials_lose_acts_and_the_node_notices() -> None:
    line = await cut_power(TRIALS, 1, "NORMAL", steps=STEPS)
    assert line["lost"] > 0
    assert line["lost_answers"] > 0
    assert line["noticed"] > 0, "the anchor has seen more than the journal"


@pytest.mark.slow
async def test_without_any_fsync_the_same_trials_damage_the_file() -> None:
    line = await cut_power(TRIALS, 1, "OFF", steps=200)  # long enough for SQLite to write into the database itself
    assert line["corrupt"] > 0


@pytest.mark.slow
async def test_a_full_disk_refuses_clearly_loses_nothing_and_goes_on() -> None:
    line = await fill_disk(FULL_DISKS, 1)
    assert line["hit"] > FULL_DISKS // 2
    assert line["refused"] > 0
    assert line["answered_while_full"] > 0, "who waits is served out of the ballast"
    wrong = ("lost", "lost_answers", "corrupt", "unclear", "stuck")
    assert not {name: line[name] for name in wrong if line[name]}


class Hasty:
    """A planted bug: COMMIT is said to be done and is done before the next transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._owed = False

    def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        if statement == "COMMIT":
            self._owed = True
            return self._connection.execute("SELECT 1")
        if statement == "BEGIN IMMEDIATE":
            self._pay()
        return self._connection.execute(statement, *parameters)

    def close(self) -> None:
        self._pay()
        self._connection.close()

    def _pay(self) -> None:
        if self._owed:
            self._connection.execute("COMMIT")
            self._owed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class Halving:
    """A planted bug: the facts of a batch and the rows that go with them are two transactions."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        if statement.startswith("INSERT INTO request"):
            self._connection.execute("COMMIT")
            self._connection.execute("BEGIN IMMEDIATE")
        return self._connection.execute(statement, *parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.mark.slow
@pytest.mark.parametrize("planted, seen", [(Hasty, "lost"), (Halving, "corrupt")])
async def test_a_planted_bug_is_found(
    planted: Callable[[sqlite3.Connection], object], seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "open_writer", lambda file: planted(open_writer(file)))
    line = await cut_power(TRIALS, 1, "FULL", steps=STEPS)
    assert line[seen] > 0


def test_the_verdict_is_no_when_production_loses_or_the_trials_prove_nothing() -> None:
    good = {
        "full": dict.fromkeys(("lost", "lost_answers", "corrupt", "noticed"), 0),
        "normal": {"lost": 3},
        "off": {"corrupt": 2},
        "disk_full": {
            **dict.fromkeys(("lost", "lost_answers", "corrupt", "unclear", "stuck"), 0),
            "answered_while_full": 1,
        },
    }
    assert failures(good) == []
    for part, name, value in (
        ("full", "lost", 1),
        ("full", "corrupt", 1),
        ("disk_full", "stuck", 1),
        ("normal", "lost", 0),
    ):
        assert len(failures({**good, part: {**good[part], name: value}})) == 1
