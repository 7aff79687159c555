"""What came down to an office, decoded: what its queue decides with beside its own journal."""

from __future__ import annotations

from collections.abc import Iterable

from sync.messages import codec
from sync.messages.feed import (
    ENTITIES,
    Appointment,
    Entity,
    Lease,
    NodeKey,
    NumberFloor,
    TicketClosed,
    TicketGrant,
    TicketTaken,
)
from sync.messages.wire import SnapshotRow
from tests.kit.memory_edge import MemoryEdgeStore


class Rows:
    """The entities of one process, by kind; each row is decoded once."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str], tuple[SnapshotRow, Entity]] = {}
        self.grants: list[TicketGrant] = []
        self.closed: list[TicketClosed] = []
        self.taken: list[TicketTaken] = []
        self.appointments: list[Appointment] = []
        """Those that stand."""
        self.leases: dict[str, Lease] = {}
        self.epochs: dict[str, int] = {}
        """The present epoch of each office."""
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
        read = self._read
        self._read = {
            key: read[key] if key in read and read[key][0] is row else (row, _entity(row)) for key, row in best.items()
        }
        entities = list(self.all())
        self.grants = [each for each in entities if isinstance(each, TicketGrant)]
        self.closed = [each for each in entities if isinstance(each, TicketClosed)]
        self.taken = [each for each in entities if isinstance(each, TicketTaken)]
        self.appointments = [e for e in entities if isinstance(e, Appointment) and e.status == "booked"]
        self.leases = {each.id: each for each in entities if isinstance(each, Lease)}
        self.epochs = {each.office: each.epoch for each in entities if isinstance(each, NodeKey)}

    def all(self) -> Iterable[Entity]:
        return (entity for _, entity in self._read.values())

    def floors(self, epoch: int) -> Iterable[NumberFloor]:
        """What central says of numbers to this life of the node."""
        return (each for each in self.all() if isinstance(each, NumberFloor) and each.epoch == epoch)


def _entity(row: SnapshotRow) -> Entity:
    return codec.decode(bytes(row.body), ENTITIES[row.kind])
