"""The console's bench runs as its users start it, and judges what it did. Its figures are none of a test's business."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from provisioning.launchers.broker import available
from tests.bench.console.plan import Json
from tests.kit.services import require

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def bench(folder: Path, *parts: str) -> Json:
    """The last line of a quick run."""
    require(list(available()), "there is no MQTT broker here")
    chosen = [word for part in parts for word in ("--part", part)]
    command = [sys.executable, "-m", "tests.bench.console", "--quick", "--dir", str(folder), *chosen]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(msgspec.json.decode(done.stdout.splitlines()[-1]))


def test_an_office_works_and_five_hundred_nexts_at_once_call_each_person_once(tmp_path: Path) -> None:
    line = bench(tmp_path, "office", "race")
    assert line["staff"] == 3
    assert line["office"]["actions"] > 0
    assert line["own_screen_ms_p99"] > 0
    assert line["other_screens_ms_p50"] >= 80, "the page's script waits that long before it looks"
    assert line["simultaneous_next"]["calls"] == 2 * 10
    assert [line[name] for name in ("double_calls", "skipped", "order_violations")] == [0, 0, 0]
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"
