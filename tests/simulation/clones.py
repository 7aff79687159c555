"""A disk is copied, and both copies are live (sync.md 4.2): somebody has cloned an office's machine and started the spare.

The clone has no devices and nobody works at it. It speaks to central as the office's node, and writes what a node writes by
itself; so its facts may take numbers that the office's own node gives as well. Whoever comes second is found as a fork and has
no authority from then on; if that is the office's own node, a person gives the office another one.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from sync.messages.feed import Lease, TicketClosed, TicketGrant
from tests.kit.memory_central import MemoryCentralStore
from tests.kit.memory_edge import MemoryEdgeStore
from tests.simulation.ledger import Ledger
from tests.simulation.office import OfficeNode

IDLE = frozenset({Lease.KIND, TicketGrant.KIND, TicketClosed.KIND})
"""Nobody waits where a clone stands: it takes and gives up nothing."""
ACTS = 0.1
LONG_ENOUGH = 10


class Clones:
    """The clones of one run.

    Args:
        start: makes a node over a copy of the office's database.
    """

    def __init__(
        self, rng: Random, ledger: Ledger, central: MemoryCentralStore, start: Callable[[OfficeNode], OfficeNode]
    ) -> None:
        self._rng = rng
        self._ledger = ledger
        self._central = central
        self._start = start
        self._live: list[OfficeNode] = []

    def clone(self, node: OfficeNode) -> bool:
        """Copy the disk of a node and start the copy; not of one that is a copy itself."""
        is_whole = node.up and not node.is_copy and not node.store.fence
        if not is_whole or node.store.written(node.epoch) < LONG_ENOUGH:
            return False
        twin = self._start(node)
        node.is_copy = twin.is_copy = True
        twin.lacks = IDLE
        twin.refresh()
        self._ledger.copies.add(node.key)
        self._live.append(twin)
        return True

    def act(self) -> None:
        """Now and then a clone writes something by itself."""
        for twin in self._live:
            if twin.up and self._rng.random() < ACTS:
                twin.act_alone()

    def switch_off(self) -> None:
        """A person finds all of them; what they alone knew is lost with them."""
        for twin in self._live:
            self._ledger.note_disk_lost(twin.key, twin.store, self._central)
            twin.crash()
            twin.buried = True
        self._live.clear()


def copy_disk(source: MemoryEdgeStore, to: MemoryEdgeStore) -> None:
    """Make one database hold what the other holds."""
    to.journal = {epoch: list(facts) for epoch, facts in source.journal.items()}
    for table in ("acks", "places", "entities", "staging", "put_aside", "fence", "requests"):
        setattr(to, table, dict(getattr(source, table)))
