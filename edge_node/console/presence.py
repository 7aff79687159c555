"""Whether somebody sits at a browser: what a session may show and do after a while without input. Pure.

An unbroken *stay* is input with no gap of a minute in it. What was called during the present stay is shown with its person's
data; after a gap a new stay begins and shows nothing of before until somebody asks for it, so a screen that was left never
lights up again by itself, whatever comes from it or to it. Gaps are counted in monotonic seconds: no clock that is set
opens or locks a screen.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

HIDE_AFTER_S = 60


class Presence(msgspec.Struct, frozen=True):
    """The last input of a session (monotonic seconds), since when the stay lasts (office clock), and whose data were asked for
    in it (a ticket).
    """

    last_s: float
    since: datetime
    shown: str = ""

    def seen(self, now_s: float, now: datetime) -> Presence:
        """There was input."""
        if self.idle_s(now_s) >= HIDE_AFTER_S:
            return Presence(now_s, now)
        return msgspec.structs.replace(self, last_s=now_s)

    def left(self, now_s: float) -> Presence:
        """Its browser says that a minute has passed without input."""
        return msgspec.structs.replace(self, last_s=min(self.last_s, now_s - HIDE_AFTER_S))

    def showing(self, ticket_id: str) -> Presence:
        """The data of a visit are wanted on the screen."""
        return msgspec.structs.replace(self, shown=ticket_id)

    def idle_s(self, now_s: float) -> float:
        return now_s - self.last_s

    def shows(self, ticket_id: str, called_at: datetime, now_s: float) -> bool:
        """Whether the data of a visit's person may be sent now."""
        if self.idle_s(now_s) >= HIDE_AFTER_S:
            return False
        return self.shown == ticket_id or called_at >= self.since
