"""Whether a life of an office's node may act for its office, and a supervisor's word that it shall although a witness says no.

A node has authority until central names a later epoch (fenced), or a witness has seen more of this epoch than the node has
itself (rolled back: an old image, a cloned disk). The first is for ever. The second may meet an office with nobody at hand to
replace the node: then a supervisor may break the glass. That is a fact, and it answers the evidence of that moment and no later.
"""

from __future__ import annotations

import msgspec

from sync.domain.outcomes import Accepted, Decision, refuse
from sync.domain.witness import Seen
from sync.messages.commands import Actor
from sync.messages.node_facts import NodeBreakGlass


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What speaks for and against a node.

    Args:
        epoch: this life's.
        fenced_by: the highest epoch of the office that central has named, if ever a later one.
        witnessed: the highest (epoch, seq) that somebody saw and this journal does not have.
        answered: the evidence that a supervisor has answered for.
    """

    epoch: int
    fenced_by: int = 0
    witnessed: Seen | None = None
    answered: Seen | None = None

    @property
    def is_fenced(self) -> bool:
        return self.fenced_by > self.epoch

    @property
    def is_rolled_back(self) -> bool:
        return self.witnessed is not None and (self.answered is None or self.witnessed > self.answered)

    @property
    def has_authority(self) -> bool:
        return not self.is_fenced and not self.is_rolled_back

    def fenced(self, epoch: int) -> Standing:
        """After central has named an epoch."""
        return msgspec.structs.replace(self, fenced_by=max(epoch, self.fenced_by))

    def contradicted(self, seen: Seen) -> Standing:
        """After a witness has told of a place that this journal does not have; the highest stays."""
        return msgspec.structs.replace(self, witnessed=max(seen, self.witnessed or seen))

    def vouched(self, fact: NodeBreakGlass) -> Standing:
        """After a supervisor has broken the glass."""
        return msgspec.structs.replace(self, answered=(fact.seen_epoch, fact.seen_seq))


def break_glass(standing: Standing, actor: Actor) -> Decision:
    """Go on with this journal although somebody saw more of it. A fenced node does not: another one holds the office."""
    if not actor.supervisor:
        return refuse("forbidden")
    if standing.is_fenced:
        return refuse("no_authority")
    if standing.witnessed is None or not standing.is_rolled_back:
        return Accepted(())
    epoch, seq = standing.witnessed
    return Accepted((NodeBreakGlass(seen_epoch=epoch, seen_seq=seq),))
