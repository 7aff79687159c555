"""Whether an office's node is an old copy of itself: restored from an image, or a cloned disk.

Everything that a device hears from its node carries the node's (epoch, seq), and devices keep the highest they saw. A node that
has less than a device has seen was put back in time: its next numbers are already somebody's. It has no authority until it gets
a new epoch. Central finds the same out by the hash of the journal (sync.protocol.hello, *diverged*; sync.protocol.uplink,
*fork*), and a file outside the database by its last position.
"""

from __future__ import annotations

Seen = tuple[int, int]
"""(epoch, seq) as a witness saw it."""


def is_rolled_back(own: Seen, witnessed: Seen) -> bool:
    """Whether a witness saw more of this epoch than the node has itself. A later epoch is no roll-back, but a fence."""
    return witnessed[0] == own[0] and witnessed[1] > own[1]


def is_fenced(own_epoch: int, witnessed: Seen) -> bool:
    """Whether a witness has already heard of a later node of this office."""
    return witnessed[0] > own_epoch
