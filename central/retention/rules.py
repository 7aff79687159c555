"""The list: each kind of data that central keeps, how long, and since when too long. Pure; why is told in the catalogues.

A kind without a limit is kept on purpose: it has no personal data of citizens, and statistics or proof need it.
"""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

EVERY = timedelta(days=1)
"""A run is recorded so often also when nothing was to be deleted: that, too, is proof."""
SLACK = timedelta(hours=26)
"""So much later than its limit something may still be there: rules run every hour, days turn at 4:00."""

State = Literal["kept", "in_time", "late", "never_run"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The settings that rules are made of; units as in `central.settings.Retention` and `Booking`."""

    people_days: int
    unsent_days: int
    mails_days: int
    replies_h: int
    feed_days: int
    tokens_days: int
    reports_days: int
    closures_days: int
    runs_days: int
    streams_days: int
    lookup_window_min: int


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """How long a kind of data is kept.

    Args:
        keep: after its end (the day of an appointment, the end of a draft …); none: it is kept.
        personal: it has personal data, or may have.
    """

    kind: str
    keep: timedelta | None
    personal: bool = False

    def before(self, now: datetime) -> datetime:
        """What ended before is to go."""
        assert self.keep is not None
        return now - self.keep


class LastRun(msgspec.Struct, frozen=True, kw_only=True):
    """The last time that a rule was carried out."""

    began_at: datetime
    ended_at: datetime | None
    gone: int
    oldest_left: datetime | None
    older_than: datetime


def rules_of(limits: Limits) -> tuple[Rule, ...]:
    """All rules, in the order in which they are carried out and shown."""
    days, hours, at_once = _days, timedelta(hours=limits.replies_h), timedelta(0)
    return (
        Rule(kind="people", keep=days(limits.people_days), personal=True),
        Rule(kind="streams", keep=days(limits.streams_days), personal=True),
        Rule(kind="feed", keep=days(limits.feed_days), personal=True),
        Rule(kind="drafts", keep=at_once, personal=True),
        Rule(kind="unsent", keep=days(limits.unsent_days), personal=True),
        Rule(kind="holds", keep=at_once, personal=True),
        Rule(kind="sessions", keep=at_once, personal=True),
        Rule(kind="mails", keep=days(limits.mails_days)),
        Rule(kind="replies", keep=hours),
        Rule(kind="lookups", keep=timedelta(minutes=limits.lookup_window_min)),
        Rule(kind="tokens", keep=days(limits.tokens_days)),
        Rule(kind="reports", keep=days(limits.reports_days)),
        Rule(kind="closures", keep=days(limits.closures_days)),
        Rule(kind="runs", keep=days(limits.runs_days)),
        Rule(kind="conflicts", keep=None),
        Rule(kind="parked", keep=None),
        Rule(kind="leases", keep=None),
        Rule(kind="policies", keep=None),
        Rule(kind="facts", keep=None),
        Rule(kind="audit", keep=None),
        Rule(kind="appointments", keep=None),
    )


def is_due(last: LastRun | None, now: datetime) -> bool:
    """Whether a run is recorded even if it finds nothing."""
    return last is None or last.ended_at is None or now - last.began_at >= EVERY


def state_of(rule: Rule, last: LastRun | None, oldest: datetime | None, now: datetime) -> State:
    """Whether a rule holds now.

    Args:
        oldest: when the oldest of the kind ended that is there now.
    """
    if rule.keep is None:
        return "kept"
    if last is None:
        return "never_run"
    return "late" if oldest is not None and oldest < rule.before(now) - SLACK else "in_time"


def _days(n: int) -> timedelta:
    return timedelta(days=n)
