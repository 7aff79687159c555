"""How fast forms may come: first at once, then slower and slower, then not for now. Pure.

A bucket per visitor holds tokens; each form takes one and they come back with time. An empty bucket makes the answer wait, and
only who does not slow down at all is told to come back later. Shared networks (a library, an operator's gateway) are only
ever slowed: nobody is locked out for their neighbours.
"""

from typing import Literal

import msgspec


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast is too fast.

    Args:
        burst: forms at once.
        per_s: forms in a second, for long.
        longest_delay_s: more than this is never waited.
        deny_below: tokens owed at which a form is refused; none = never.
    """

    burst: float
    per_s: float
    longest_delay_s: float = 3.0
    deny_below: float | None = None


VISITOR = Pace(burst=20, per_s=0.5, deny_below=-10)
ADDRESS = Pace(burst=300, per_s=10)


class Bucket(msgspec.Struct, frozen=True):
    """Tokens at an instant, in seconds of the monotonic clock."""

    tokens: float
    at_s: float


class Verdict(msgspec.Struct, frozen=True):
    """What happens to a form: answered after `delay_s`, or refused until `delay_s` have passed."""

    kind: Literal["answer", "refuse"]
    delay_s: float


def take(bucket: Bucket | None, pace: Pace, now_s: float) -> tuple[Bucket, Verdict]:
    """Take a token for one form."""
    tokens = pace.burst if bucket is None else min(pace.burst, bucket.tokens + (now_s - bucket.at_s) * pace.per_s)
    if pace.deny_below is not None and tokens - 1 < pace.deny_below:
        return Bucket(tokens, now_s), Verdict("refuse", -tokens / pace.per_s)
    after = max(tokens - 1, -pace.longest_delay_s * pace.per_s) if pace.deny_below is None else tokens - 1
    delay_s = min(pace.longest_delay_s, max(0.0, -after / pace.per_s))
    return Bucket(after, now_s), Verdict("answer", delay_s)
