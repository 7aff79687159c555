"""How full a disk is, and how much of the journal may be forgotten. Pure.

Levels: *fine*; *high* from 90 % on: facts that central has had for 35 days go; *full* from 97 % on, or when SQLite finds no room:
the ballast is given up, nobody new is taken in, and who waits is served out of that room. A level is left two points below where
it began, so that it does not flap.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Final, Literal

from sync.messages.facts import Fact, LeaseReturned, LeaseSold

Level = Literal["fine", "high", "full"]
HIGH: Final = 0.90
FULL: Final = 0.97
SLACK: Final = 0.02
ENOUGH_BYTES: Final = 2 * 1024**3
"""With so much room a disk is never full, however large it is: an office writes less than a megabyte a day."""
KEEP_FACTS: Final = timedelta(days=35)
"""Facts are central's second backup for so long."""


def level_of(total_bytes: int, free_bytes: int, before: Level) -> Level:
    """The level of a disk.

    Args:
        free_bytes: what would be free with the ballast in its place, so that giving it up does not end the level that it was
            given up for.
        before: the level at the last look.
    """
    used = 1.0 - free_bytes / total_bytes if total_bytes else 1.0
    if free_bytes < ENOUGH_BYTES and (used >= FULL or (before == "full" and used >= FULL - SLACK)):
        return "full"
    if used >= HIGH or (before != "fine" and used >= HIGH - SLACK):
        return "high"
    return "fine"


def prune_before(
    *, opened_seq: int | None, acked_seq: int, beyond: Iterable[tuple[int, Fact]], leases: Collection[str]
) -> int:
    """The first fact that has to stay; what lies before it may go.

    Args:
        opened_seq: the last ``day.opened`` that is older than ``KEEP_FACTS``; none: nothing is that old.
        acked_seq: central has every fact up to this one; it stays, as the proof of that.
        beyond: facts that outlive their day, by seq.
        leases: ids of leases that this office still knows: what was done with them is in the journal and nowhere else.
    """
    if opened_seq is None:
        return 0
    first = min(opened_seq, acked_seq)
    for seq, fact in beyond:
        if not isinstance(fact, (LeaseSold, LeaseReturned)) or fact.lease_id in leases:
            first = min(first, seq)
    return first
