"""What came down to an office, decoded: what its queue decides with beside its own journal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sync.messages.feed import (
    ENTITIES,
    Appointment,
    Lease,
    NodeKey,
    NumberFloor,
    TicketClosed,
    TicketGrant,
    TicketTaken,
)
from sync.messages.wire import SnapshotRow
from tests.kit.memory_edge import MemoryEdgeStore
from tests.simulation.decoded import entity


class Rows:
    """The entities of one process, by kind."""

    def __init__(self) -> None:
        self.grants: list[TicketGrant] = []
        self.closed: list[TicketClosed] = []
        self.taken: list[TicketTaken] = []
        self.appointments: list[Appointment] = []
        """Those that stand."""
        self.leases: dict[str, Lease] = {}
        self.epochs: dict[str, int] = {}
        """The present epoch of each office."""
        self._floors: list[NumberFloor] = []
        self.looks = 0
        """Grows with each look."""

    def look(self, store: MemoryEdgeStore, lacks: frozenset[str]) -> None:
        """Read what the store has; rows put aside count as well, the higher version wins.

        Args:
            lacks: kinds that this build does not know.
        """
        self.looks += 1
        best: dict[tuple[str, str], SnapshotRow] = {}
        for row in (*store.put_aside.values(), *store.entities.values()):
            key = (row.kind, row.entity_id)
            if row.kind in ENTITIES and row.kind not in lacks and (key not in best or best[key].version < row.version):
                best[key] = row
        kinds: dict[type, list[Any]] = {}
        for row in best.values():
            known = entity(row)
            kinds.setdefault(type(known), []).append(known)
        self.grants = kinds.get(TicketGrant, [])
        self.closed = kinds.get(TicketClosed, [])
        self.taken = kinds.get(TicketTaken, [])
        self.appointments = [each for each in kinds.get(Appointment, []) if each.status == "booked"]
        self.leases = {each.id: each for each in kinds.get(Lease, [])}
        self.epochs = {each.office: each.epoch for each in kinds.get(NodeKey, [])}
        self._floors = kinds.get(NumberFloor, [])

    def floors(self, epoch: int) -> Iterable[NumberFloor]:
        """What central says of numbers to this life of the node."""
        return (each for each in self._floors if each.epoch == epoch)
