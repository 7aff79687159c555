"""What becomes of a part of the city that ended by itself: it is started again, as systemd would. Pure.

down, until its moment has come → back (or down again, for longer, if it does not start) → forgotten once it stayed up. A part
that ends over and over is left down twice as long each time, up to half a minute.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

FIRST_PAUSE_S = 1
LONGEST_PAUSE_S = 30
CALM = timedelta(minutes=1)
OFTEN = 3
"""So many times in a row are no accident: then people are told what else they can do."""


class Fall(msgspec.Struct, frozen=True, kw_only=True):
    """A part that ended by itself.

    Args:
        part: ``postgres``, ``central``, ``centro.edge``, …
        reason: how it ended, for the terminal.
        log: the file of what it said.
        times: how often in a row.
        ended_at: the last time.
        start_at: when it is started again.
        back_at: when it was; none while it is down.
    """

    part: str
    reason: str
    log: str
    times: int
    ended_at: datetime
    start_at: datetime
    back_at: datetime | None = None

    @property
    def pause_s(self) -> int:
        """How long it is left down, in seconds."""
        return int((self.start_at - self.ended_at).total_seconds())

    @property
    def is_often(self) -> bool:
        return self.times >= OFTEN

    def is_due(self, now: datetime) -> bool:
        """Whether it is to be started now."""
        return self.back_at is None and now >= self.start_at

    def is_over(self, now: datetime) -> bool:
        """Whether it has stayed up for long enough to be forgotten."""
        return self.back_at is not None and now - self.back_at >= CALM

    def back(self, now: datetime) -> Fall:
        """After it was started again."""
        return msgspec.structs.replace(self, back_at=now)


def fallen(before: Fall | None, part: str, reason: str, log: str, now: datetime) -> Fall:
    """After a part has ended, or was started and did not come up.

    Args:
        before: its last fall, if there was one.
    """
    times = 1 if before is None or before.is_over(now) else before.times + 1
    pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(times - 1, 10))
    start_at = now + timedelta(seconds=pause_s)
    return Fall(part=part, reason=reason, log=log, times=times, ended_at=now, start_at=start_at)


def how_ended(exit_code: int | None) -> str:
    """An exit code in words; a negative one is a signal's."""
    if exit_code is None:
        return "ended"
    return f"signal {-exit_code}" if exit_code < 0 else f"exit {exit_code}"
