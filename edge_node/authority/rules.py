"""The anchor: how far the journal went, remembered outside the database. Pure.

A database that was put back from an image has less than its anchor says, or another fact under the same number. The anchor never
goes back by itself: what it names stays named until the journal has passed it.
"""

from __future__ import annotations

import msgspec

from sync.domain.witness import Seen


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """A place of the journal that was durable, or that a witness saw.

    Args:
        hash: the chain's hash there; empty when only its number is known.
        central_offset_ms: central's clock minus the wall clock, as last known.
    """

    epoch: int
    seq: int
    hash: bytes = b""
    central_offset_ms: int = 0

    @property
    def place(self) -> Seen:
        return self.epoch, self.seq


def contradiction(anchor: Anchor, own: Seen, hash_there: bytes | None) -> Seen | None:
    """What the anchor has that the journal has not; none when they agree, or the anchor is of an earlier life.

    Args:
        own: the end of the journal.
        hash_there: the journal's hash at the anchor's place; none when it has no such fact.
    """
    if anchor.epoch < own[0]:
        return None
    if anchor.place > own:
        return anchor.place
    return anchor.place if anchor.hash and anchor.hash != hash_there else None


def raised(known: Anchor | None, fresh: Anchor) -> Anchor:
    """The anchor to keep: the further of the two, with the newest offset."""
    if known is None or fresh.place >= known.place:
        return fresh
    return msgspec.structs.replace(known, central_offset_ms=fresh.central_offset_ms)
