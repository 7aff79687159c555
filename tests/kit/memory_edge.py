"""An office's store in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sync.messages.envelope import FactRecord, chain
from sync.messages.feed import Cursor
from sync.messages.values import GENESIS
from sync.messages.wire import SnapshotRow
from sync.protocol.store import (
    START,
    ChainedFact,
    Position,
)
from tests.kit.memory import EntityKey, MemoryStore, Transaction, UndoLog, count_by_kind, key_of


class MemoryEdgeStore(MemoryStore):
    """An office's database: journal, acknowledgement, entities with cursors, staging area."""

    def __init__(self) -> None:
        super().__init__()
        self.journal: dict[int, list[ChainedFact]] = {}
        self.acks: dict[int, Position] = {}
        self.places: dict[str, Cursor] = {}
        self.entities: dict[EntityKey, SnapshotRow] = {}
        self.staging: dict[EntityKey, SnapshotRow] = {}
        self.put_aside: dict[EntityKey, SnapshotRow] = {}
        self.fence: dict[str, int] = {}
        self.requests: dict[str, bool] = {}

    def transaction(self) -> Transaction[MemoryEdgeTx]:
        return Transaction(self, MemoryEdgeTx(self, self.begin()))

    def write_facts(self, records: Sequence[FactRecord]) -> None:
        """What the queue does: append sealed facts to their epoch's journal."""
        for record in records:
            facts = self.journal.setdefault(record.header.epoch, [])
            assert record.seq == len(facts) + 1, "a journal is dense"
            facts.append(ChainedFact(record=record, hash=chain(facts[-1].hash if facts else GENESIS, record)))

    def commit_act(self, records: Sequence[FactRecord], request_id: str | None) -> None:
        """What the queue's writer does: facts and the remembered request in one transaction.

        Raises:
            Crashed: on order, before or after the commit.
        """
        undo = self.begin()
        for record in records:
            facts = self.journal.setdefault(record.header.epoch, [])
            assert record.seq == len(facts) + 1, "a journal is dense"
            undo.add(facts, ChainedFact(record=record, hash=chain(facts[-1].hash if facts else GENESIS, record)))
        if request_id is not None:
            undo.put(self.requests, request_id, True)
        self.commit()

    def written(self, epoch: int) -> int:
        """How many facts the journal of an epoch has."""
        return len(self.journal.get(epoch, ()))

    def end(self, epoch: int) -> Position:
        facts = self.journal.get(epoch)
        return Position(len(facts), facts[-1].hash) if facts else START


class MemoryEdgeTx:
    def __init__(self, store: MemoryEdgeStore, undo: UndoLog) -> None:
        self._store = store
        self._undo = undo

    async def journal_end(self, epoch: int) -> Position:
        return self._store.end(epoch)

    async def journal_hash(self, epoch: int, seq: int) -> bytes | None:
        facts = self._store.journal.get(epoch, [])
        if seq == 0:
            return GENESIS
        return facts[seq - 1].hash if seq <= len(facts) else None

    async def facts_after(self, epoch: int, seq: int, limit: int) -> Sequence[FactRecord]:
        return [fact.record for fact in self._store.journal.get(epoch, [])[seq : seq + limit]]

    async def acked(self, epoch: int) -> Position:
        return self._store.acks.get(epoch, START)

    async def set_acked(self, epoch: int, position: Position) -> None:
        self._undo.put(self._store.acks, epoch, position)

    async def fenced_by(self) -> int:
        return self._store.fence.get("by", 0)

    async def set_fenced_by(self, epoch: int) -> None:
        self._undo.put(self._store.fence, "by", max(epoch, await self.fenced_by()))

    async def cursors(self) -> Mapping[str, Cursor]:
        return dict(self._store.places)

    async def set_cursor(self, cursor: Cursor) -> None:
        self._undo.put(self._store.places, cursor.stream, cursor)

    async def put_entity(self, row: SnapshotRow) -> None:
        self._undo.put(self._store.entities, key_of(row), row)

    async def delete_entity(self, stream: str, kind: str, entity_id: str) -> None:
        self._undo.drop(self._store.entities, (stream, kind, entity_id))

    async def clear_staging(self) -> None:
        for key in list(self._store.staging):
            self._undo.drop(self._store.staging, key)

    async def stage(self, rows: Sequence[SnapshotRow]) -> None:
        for row in rows:
            self._undo.put(self._store.staging, key_of(row), row)

    async def staged_counts(self) -> Mapping[str, int]:
        return count_by_kind(self._store.staging)

    async def swap_staged(self, cursors: Sequence[Cursor]) -> None:
        for key in list(self._store.entities):
            self._undo.drop(self._store.entities, key)
        for key, row in self._store.staging.items():
            self._undo.put(self._store.entities, key, row)
        await self.clear_staging()
        for stream in list(self._store.places):
            self._undo.drop(self._store.places, stream)
        for cursor in cursors:
            await self.set_cursor(cursor)

    async def put_aside(self, kinds: Sequence[str]) -> None:
        for key, row in self._store.entities.items():
            fresh, kept = self._store.staging.get(key), self._store.put_aside.get(key)
            is_lost = row.kind in kinds and (fresh is None or fresh.version < row.version)
            if is_lost and (kept is None or kept.version < row.version):
                self._undo.put(self._store.put_aside, key, row)

    async def aside(self) -> Sequence[SnapshotRow]:
        return [self._store.put_aside[key] for key in sorted(self._store.put_aside)]

    async def clear_aside(self, kinds: Sequence[str]) -> None:
        for key, row in list(self._store.put_aside.items()):
            if row.kind in kinds:
                self._undo.drop(self._store.put_aside, key)

    async def entities_of(self, kind: str) -> Sequence[SnapshotRow]:
        return [row for key, row in sorted(self._store.entities.items()) if row.kind == kind]
