"""What must be true, as checks with the names of the protocol's invariants, judged against a ledger of their own.

The ledger is written when central commits and when an edge believes an acknowledgement; it never asks the stores what they
think they hold.

* I-1  what an edge was told is safe is in central's raw log exactly once, with the same hash
* I-3  an office's raw log is 1..n, without gap, with an intact chain
* I-4  an edge's entities of a stream are what the prefix up to its cursor leaves
* I-19 after the faults end everything agrees within 60 s, and every committed fact took effect once
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sync.messages.envelope import chain
from sync.messages.values import GENESIS
from sync.protocol.store import ChainedRow, Position
from tests.kit.memory_store import EntityKey, MemoryCentralStore, MemoryEdgeStore
from tests.simulation.stories import OfficeStory

EPOCH = 1
CONVERGED_WITHIN_MS = 60_000

Kind = Literal["acked_lost", "gaps", "chain_breaks", "feed_skewed", "unconverged", "halted"]
KINDS: tuple[Kind, ...] = ("acked_lost", "gaps", "chain_breaks", "feed_skewed", "unconverged", "halted")


class Violated(Exception):
    """An invariant does not hold. ``kind`` is the figure it counts under."""

    def __init__(self, invariant: str, kind: Kind, detail: str) -> None:
        super().__init__(f"{invariant} {kind}: {detail}")
        self.kind = kind


StreamContent = Mapping[tuple[str, str], tuple[int, bytes]]
"""A stream's entities by (kind, id): version and body."""


class Ledger:
    """Every state that a stream ever committed to, by hash, and the highest acknowledgement each edge believed."""

    def __init__(self) -> None:
        self._contents: dict[tuple[str, bytes], tuple[int, StreamContent]] = {}
        self._ends: dict[str, Position] = {}
        self._told: dict[str, Position] = {}
        self._verified: dict[str, int] = {}

    # central's commits

    def note_stream(self, store: MemoryCentralStore, stream: str) -> None:
        """Remember what each new row of a stream leaves."""
        behind = self._ends.get(stream, Position())
        for seq in range(behind.seq + 1, store.states[stream].last.seq + 1):
            behind = Position(seq, self._note_row(stream, behind.hash, store.feed[stream, seq]))
        self._ends[stream] = behind

    def branch(self, store: MemoryCentralStore) -> None:
        """After a failover streams go on from an earlier end, and logs are read again from the start."""
        self._ends = {stream: state.last for stream, state in store.states.items()}
        self._verified.clear()

    def _note_row(self, stream: str, behind: bytes, chained: ChainedRow) -> bytes:
        _, before = self._contents.get((stream, behind), (0, {}))
        after, row = dict(before), chained.row
        if row.op == "del":
            after.pop((row.kind, row.entity_id), None)
        else:
            after[row.kind, row.entity_id] = (row.version, bytes(row.body))
        self._contents[stream, chained.hash] = (row.seq, after)
        return chained.hash

    def check_raw_log(self, store: MemoryCentralStore, office: str) -> None:
        """I-3, for what was appended since the last check."""
        log = store.log.get((office, EPOCH), [])
        verified = min(self._verified.get(office, 0), len(log))
        running = log[verified - 1].hash if verified else GENESIS
        for index in range(verified, len(log)):
            fact = log[index]
            if fact.record.seq != index + 1:
                raise Violated("I-3", "gaps", f"{office}: place {index + 1} holds seq {fact.record.seq}")
            running = chain(running, fact.record)
            if fact.hash != running:
                raise Violated("I-3", "chain_breaks", f"{office}: seq {index + 1}")
        self._verified[office] = len(log)

    # the edges' commits

    def note_told(self, office: str, edge: MemoryEdgeStore) -> None:
        """Remember how far the edge believes that its facts are safe."""
        acked = edge.acks.get(EPOCH, Position())
        if acked.seq > self._told.get(office, Position()).seq:
            self._told[office] = acked

    def check_told(self, store: MemoryCentralStore, office: str) -> None:
        """I-1, for the furthest fact; the chain and I-3 speak for those before it."""
        told = self._told.get(office, Position())
        if told.seq == 0:
            return
        log = store.log.get((office, EPOCH), [])
        if len(log) < told.seq or log[told.seq - 1].hash != told.hash:
            raise Violated(
                "I-1", "acked_lost", f"{office}: told that {told.seq} is safe, central's log ends at {len(log)}"
            )

    def check_prefix(self, office: str, edge: MemoryEdgeStore) -> None:
        """I-4, for every stream of an edge."""
        mine: dict[str, dict[tuple[str, str], tuple[int, bytes]]] = {stream: {} for stream in edge.places}
        for (stream, kind, entity_id), row in edge.entities.items():
            if stream not in mine:
                raise Violated("I-4", "feed_skewed", f"{office}: {kind} of {stream} without a cursor")
            mine[stream][kind, entity_id] = (row.version, bytes(row.body))
        for stream, cursor in edge.places.items():
            seq, content = self._contents.get((stream, cursor.hash), (0, {}))
            if cursor.hash != GENESIS and (stream, cursor.hash) not in self._contents:
                raise Violated(
                    "I-4", "feed_skewed", f"{office}: no prefix of {stream} has the cursor's hash at {cursor.seq}"
                )
            if seq != cursor.seq or mine[stream] != content:
                raise Violated(
                    "I-4", "feed_skewed", f"{office}: {stream} at {cursor.seq} is not the prefix up to there"
                )


# ------------------------------------------------------------------------------------------------- after the faults end


def disagreements(edges: Mapping[str, MemoryEdgeStore], central: MemoryCentralStore) -> list[str]:
    """I-19: what still differs between the ends, in words; empty when all agree."""
    found: list[str] = []
    for office, edge in edges.items():
        end = edge.end(EPOCH)
        if edge.acks.get(EPOCH, Position()) != end:
            found.append(f"{office}: acked {edge.acks.get(EPOCH, Position()).seq} of {end.seq}")
        for stream, state in central.states.items():
            cursor = edge.places.get(stream)
            if stream in {"global", f"office:{office}"} and (cursor is None or cursor.hash != state.last.hash):
                found.append(f"{office}: {stream} at {cursor.seq if cursor else None} of {state.last.seq}")
    return found


def check_effects(
    edges: Mapping[str, MemoryEdgeStore], central: MemoryCentralStore, stories: Mapping[str, OfficeStory]
) -> None:
    """Every committed fact took effect exactly once, poison was parked, and no entity is at the wrong office."""
    for office, edge in edges.items():
        raw = [(fact.record.header, bytes(fact.record.body)) for fact in central.log.get((office, EPOCH), [])]
        ours = [(fact.record.header, bytes(fact.record.body)) for fact in edge.journal.get(EPOCH, [])]
        if raw != ours:
            raise Violated("I-1", "acked_lost", f"{office}: central's raw log is not the journal")
        parked = sum(one.record.header.office == office for one in central.parked)
        if parked != stories[office].poisoned:
            raise Violated("I-21", "unconverged", f"{office}: {parked} parked of {stories[office].poisoned} poisoned")
        seen = sum(key[0] == office for key in central.projection if isinstance(key, tuple))
        if seen + parked != len(ours):
            raise Violated("I-19", "unconverged", f"{office}: {seen} facts took effect of {len(ours) - parked}")
        live = {key: row for key, row in central.live.items() if key[0] in edge.places}
        if _contents(edge.entities) != _contents(live):
            raise Violated("I-4", "feed_skewed", f"{office}: entities differ from central's")


def _contents(rows: Mapping[EntityKey, object]) -> dict[EntityKey, object]:
    return dict(rows)
