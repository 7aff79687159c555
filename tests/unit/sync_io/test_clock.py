"""The wall clock that tests of whole processes set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sync.io.clock import ClockThatIsSet

SECOND = timedelta(seconds=1)


def test_a_clock_is_set_while_it_runs(tmp_path: Path) -> None:
    file = tmp_path / "ahead"
    clock = ClockThatIsSet(file)
    assert abs(clock.now() - datetime.now(UTC)) < SECOND
    before_ns = clock.monotonic_ns()
    for ahead in (timedelta(hours=1), timedelta(minutes=-20)):
        file.write_text(str(ahead.total_seconds()))
        assert abs(clock.now() - datetime.now(UTC) - ahead) < SECOND
    assert 0 <= clock.monotonic_ns() - before_ns < 1e9, "what is monotonic is not set"
