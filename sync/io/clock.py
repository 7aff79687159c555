"""The only place where a process reads its clocks. Everything else gets instants as arguments."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """A wall clock and a monotonic clock that run together."""

    boot_id: str

    def now(self) -> datetime:
        """The wall clock: an aware UTC instant truncated to milliseconds."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since an unnamed instant of this boot; never goes back."""


class SystemClock:
    """The machine's clocks.

    Args:
        rate: how many seconds pass per real second, for benches; a production build refuses anything but 1.
    """

    def __init__(self, rate: float = 1.0) -> None:
        self.boot_id = read_boot_id()
        self._rate = rate
        self._started_at = datetime.now(UTC)
        self._started_ns = time.monotonic_ns()

    def now(self) -> datetime:
        if self._rate == 1.0:
            return truncate(datetime.now(UTC))
        elapsed_s = (time.monotonic_ns() - self._started_ns) / 1e9
        return truncate(self._started_at + timedelta(seconds=elapsed_s * self._rate))

    def monotonic_ns(self) -> int:
        return time.monotonic_ns() if self._rate == 1.0 else int(time.monotonic_ns() * self._rate)


class ClockThatIsSet(SystemClock):
    """The machine's clocks, and a wall clock that somebody sets while we run: for tests of whole processes.

    Args:
        ahead_file: holds by how many seconds the wall clock is set; nothing while it is not there.
    """

    def __init__(self, ahead_file: Path, rate: float = 1.0) -> None:
        super().__init__(rate)
        self._ahead_file = ahead_file

    def now(self) -> datetime:
        try:
            ahead_s = float(self._ahead_file.read_text(encoding="ascii"))
        except FileNotFoundError:
            ahead_s = 0.0
        return truncate(super().now() + timedelta(seconds=ahead_s))


def truncate(at: datetime) -> datetime:
    """Cut an instant to milliseconds, the precision of every stored instant."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def read_boot_id() -> str:
    """The kernel's id of this boot; ``unknown`` where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"
