"""What is decided about devices.

Guessing locators at a kiosk: after five misses in a row the kiosk says to ask for help, at thirty an alarm goes off. A
kiosk is never blocked: a right locator always works, and ends the run of misses. So does a quiet quarter of an hour.

Prints for a kiosk: each is sent until its own ack comes, and not at all once it is for somebody who has gone.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from sync.messages.refusals import RefusalCode
from sync.messages.topics import PRINT_MAX_AGE_S

HELP_AFTER = 5
ALARM_AT = 30
FORGET_AFTER = timedelta(minutes=15)
PRINT_WITHIN = timedelta(seconds=PRINT_MAX_AGE_S)
NOT_NOW: frozenset[RefusalCode] = frozenset({"retry", "no_authority", "date_unconfirmed"})
"""Refusals of a report that will be taken later, in the end by whoever holds the office then."""


class Misses(msgspec.Struct, frozen=True):
    """Misses in a row at one kiosk, and when the last one was."""

    count: int = 0
    last_at: datetime | None = None

    def one_more(self, now: datetime) -> Misses:
        quiet = self.last_at is not None and now - self.last_at >= FORGET_AFTER
        return Misses(1 if quiet else self.count + 1, now)

    @property
    def wants_help(self) -> bool:
        """Whether the answer to this miss is to ask for help."""
        return self.count > HELP_AFTER

    @property
    def is_alarm(self) -> bool:
        """Whether this very miss is the one that sounds the alarm."""
        return self.count == ALARM_AT


def is_stale(asked_at: datetime, now: datetime) -> bool:
    """Whether nobody stands at the kiosk for this slip any more. A copy is as young as the wish for it."""
    return now - asked_at > PRINT_WITHIN
