"""What ended is started again and told of; the file for the start page is always whole."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provisioning.demo.keeper import AGAIN, Keeper, Part, read_falls
from provisioning.demo.node_keys import ensure_node_key
from provisioning.launchers.broker import Broker
from provisioning.launchers.process import Child

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    with Child("sleeper", [sys.executable, "-c", "import time; time.sleep(60)"], log=tmp_path / "sleeper.log") as child:
        yield child


def test_a_killed_part_is_told_of_once_and_runs_again(child: Child, tmp_path: Path) -> None:
    told: list[str] = []
    keeper, file = Keeper(lambda: {"centro.edge": child}, tmp_path / "falls.json", told.append), tmp_path / "falls.json"
    keeper.look(NOW)
    assert (told, read_falls(file, NOW)) == ([], [])
    child.kill()
    keeper.look(NOW)
    keeper.look(NOW)
    [line] = told
    assert line.startswith("centro.edge has ended (signal 9) and is started again in 1 s")
    [fall] = read_falls(file, NOW)
    assert (fall.part, fall.back_at) == ("centro.edge", None)
    keeper.look(NOW + SECOND)
    assert child.is_running
    assert told[1:] == ["centro.edge is started again"]
    [fall] = read_falls(file, NOW)
    assert fall.back_at == NOW + SECOND
    keeper.look(NOW + timedelta(minutes=2))
    assert read_falls(file, NOW) == [], "forgotten"


def test_a_broker_is_a_part_too(tmp_path: Path) -> None:
    with Broker(tmp_path / "broker") as broker:
        parts: dict[str, Part] = {"centro.broker": broker}
        keeper = Keeper(lambda: parts, tmp_path / "falls.json", lambda _text: None)
        broker.kill()
        keeper.look(NOW)
        keeper.look(NOW + SECOND)
        assert broker.is_running


def test_one_that_never_comes_up_says_what_else_to_do(tmp_path: Path) -> None:
    told: list[str] = []
    child = Child("gone", [str(tmp_path / "no-such-program")], log=tmp_path / "gone.log")
    keeper = Keeper(lambda: {"gone": child}, tmp_path / "falls.json", told.append)
    now = NOW
    for _ in range(10):
        keeper.look(now)
        now += SECOND
    assert told.count(AGAIN) >= 1
    assert "not started" in told[1]


def test_a_node_key_half_made_by_an_earlier_start_is_finished(tmp_path: Path) -> None:
    private = tmp_path / "office" / "node.pem"
    public = ensure_node_key(private)
    first, known = private.read_bytes(), public.read_bytes()
    assert private.stat().st_mode & 0o777 == 0o600
    public.unlink()
    assert ensure_node_key(private).read_bytes() == known, "the public half is made anew"
    assert private.read_bytes() == first
    private.unlink()
    private.with_name("node.pem.new").write_bytes(b"")
    assert ensure_node_key(private).read_bytes() != known, "a new key has a new public half"
    assert private.stat().st_mode & 0o777 == 0o600
