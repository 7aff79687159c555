"""Central's clock as an office can know it: from hellos, over the monotonic clock, whatever the wall clock says.

A hello that was sent at monotonic s and answered at r carries central's time at some instant between the two, so the middle
is wrong by half the round trip at most. The best estimate wins; an old one loses worth by the drift that two clocks may have.
Waiting that travels between offices is counted with it. Nothing that must be safe depends on it.

Source: RFC 5905, 8 (on-wire protocol), with the clock filter reduced to its rule: the smallest delay is the best sample.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

DRIFT_PPM = 500


class CentralClock(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate: central's time at a monotonic reading, and how far off it may have been then (nanoseconds)."""

    at: datetime
    mono_ns: int
    error_ns: int

    def now(self, mono_ns: int) -> datetime:
        """Central's time at a monotonic reading of the same boot."""
        return self.at + timedelta(microseconds=(mono_ns - self.mono_ns) // 1000)

    def error_at(self, mono_ns: int) -> int:
        """How far off the estimate may be at a reading, in nanoseconds."""
        return self.error_ns + abs(mono_ns - self.mono_ns) * DRIFT_PPM // 1_000_000

    @staticmethod
    def heard(known: CentralClock | None, *, sent_ns: int, received_ns: int, server_at: datetime) -> CentralClock:
        """The better of what was known and what an exchange tells; the latter if the two cannot both be right, as when the
        machine slept or central's clock was set.
        """
        fresh = CentralClock(at=server_at, mono_ns=(sent_ns + received_ns) // 2, error_ns=(received_ns - sent_ns) // 2)
        if known is None:
            return fresh
        known_ns, fresh_ns = known.error_at(received_ns), fresh.error_at(received_ns)
        apart = abs(known.now(received_ns) - fresh.now(received_ns))
        contradict = apart > timedelta(microseconds=(known_ns + fresh_ns) // 1000)
        return fresh if contradict or fresh_ns <= known_ns else known
