"""The office clock: the time that decisions and facts use.

It is max(time of the last fact since the last ``clock.stepped``, anchor wall time + monotonic time since), so it never
goes back while the wall clock is being corrected. When wall and office clock part by more than two seconds the
difference is written down as a fact, ``clock.stepped``, and the office clock is anchored anew; tickets keep their
waiting (``OfficeDay`` shifts them). Safety never depends on this clock: order is (due_at, issue sequence), both
written.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

TOLERANCE = timedelta(seconds=2)
CHECK_EVERY_S = 5


class OfficeClock(msgspec.Struct, frozen=True, kw_only=True):
    """The clock's anchor: a wall instant, the monotonic reading taken with it, and the floor set by facts."""

    anchor_at: datetime
    anchor_mono_ns: int
    floor_at: datetime | None = None

    def now(self, mono_ns: int) -> datetime:
        """The office's time at a monotonic reading of the same boot, in whole milliseconds."""
        running_at = self.anchor_at + timedelta(milliseconds=(mono_ns - self.anchor_mono_ns) // 1_000_000)
        return max(running_at, self.floor_at) if self.floor_at else running_at

    def after_fact(self, occurred_at: datetime) -> OfficeClock:
        """Raise the floor to the time of a written fact."""
        if self.floor_at is not None and occurred_at <= self.floor_at:
            return self
        return msgspec.structs.replace(self, floor_at=occurred_at)

    def anchored(self, wall_at: datetime, mono_ns: int) -> OfficeClock:
        """The clock after a step: it runs from the wall's time, whatever facts said before."""
        return OfficeClock(anchor_at=wall_at, anchor_mono_ns=mono_ns)


def step_ms(office_at: datetime, wall_at: datetime) -> int | None:
    """Milliseconds by which the wall clock has left the office clock (negative: back); none within the tolerance."""
    delta = wall_at - office_at
    if abs(delta) <= TOLERANCE:
        return None
    return delta // timedelta(milliseconds=1)
