"""A clock that moves only when a test says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class ManualClock:
    """Wall and monotonic clock in one; ``step`` moves the wall alone, as a bad time server would."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 8, 0, tzinfo=UTC), boot_id: str = "boot-1") -> None:
        self.boot_id = boot_id
        self._now = now
        self._mono_ns = 1_000_000_000

    def now(self) -> datetime:
        return self._now

    def monotonic_ns(self) -> int:
        return self._mono_ns

    def advance(self, **delta: float) -> None:
        """Let time pass, on both clocks: ``advance(minutes=5)``."""
        passed = timedelta(**delta)
        self._now += passed
        self._mono_ns += passed // timedelta(microseconds=1) * 1000

    def step(self, **delta: float) -> None:
        """Move the wall clock alone."""
        self._now += timedelta(**delta)
