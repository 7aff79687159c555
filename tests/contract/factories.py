"""Where a store registers itself for the contract suite.

A factory opens a *bed*: a fresh, empty store and what the suite needs beside the protocol. To plug in another store write
its bed and add a line to ``EDGE_STORES`` or ``CENTRAL_STORES``; the suite then runs on it. A factory gets pytest's
``request``, so that it may ask for fixtures (``request.getfixturevalue("postgres_database")``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Protocol

import msgspec
import pytest

from sync.messages.envelope import FactRecord
from sync.messages.wire import SnapshotRow
from sync.protocol.recovery import RecoveryTx
from sync.protocol.replacement import ReplacementTx
from sync.protocol.rights import Conflict
from sync.protocol.store import CentralTx, EdgeStore, OpenedFact, SnapshotReading
from tests.kit.memory import ProjectionFailed
from tests.kit.memory_central import MemoryCentralStore, MemoryCentralTx, Slot
from tests.kit.memory_edge import MemoryEdgeStore

POISON = "poison"
"""A fact by this actor must fail in the bed's projector, after it has written its trace."""


class EdgeBed(Protocol):
    """An empty edge store."""

    @property
    def store(self) -> EdgeStore: ...

    async def write_facts(self, records: Sequence[FactRecord]) -> None:
        """Append sealed facts to their epoch's journal, as the queue does."""

    async def entities(self) -> Sequence[SnapshotRow]:
        """All entities that the office works with, in any order."""


class WholeTx(CentralTx, RecoveryTx, ReplacementTx, Protocol):
    """All that any rule asks of central's transaction."""


class WholeStore(Protocol):
    """Central's database for all rules."""

    def transaction(self) -> AbstractAsyncContextManager[WholeTx]: ...

    def snapshot(self) -> AbstractAsyncContextManager[SnapshotReading]: ...


class CentralBed(Protocol):
    """A central store without offices, rows or facts. Its projector notes each fact's seq; see ``POISON``."""

    @property
    def store(self) -> WholeStore: ...

    @property
    def concurrent(self) -> bool:
        """Whether transactions may overlap, as in any real server."""

    async def add_office(self, office: str, epoch: int) -> None:
        """Register an office whose present epoch is ``epoch``."""

    async def raw_log(self, office: str, epoch: int) -> Sequence[FactRecord]:
        """The raw log in order of seq."""

    async def projected(self, office: str) -> Sequence[int]:
        """Seqs whose trace is in the projections, in order."""

    async def parked(self, office: str) -> Sequence[int]:
        """Seqs that are parked, in order."""

    async def prune(self, stream: str, oldest: int) -> None:
        """Delete the stream's rows before seq ``oldest``, as the retention job does."""

    async def add_slot(self, office: str, slot_id: str, start_at: datetime, seats: int) -> None:
        """Make a slot of ten minutes with free seats, for the service ``padron``."""

    async def conflicts(self) -> Sequence[Conflict]:
        """The conflict inbox, ordered by key."""


EdgeFactory = Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[EdgeBed]]
CentralFactory = Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[CentralBed]]


class Registered(msgspec.Struct, frozen=True):
    """A factory and the marks of the tests that run on it (``pytest.mark.postgres``)."""

    factory: EdgeFactory | CentralFactory
    marks: tuple[pytest.MarkDecorator, ...] = ()


# -------------------------------------------------------------------------------------------------------------- memory


class MemoryEdgeBed:
    def __init__(self) -> None:
        self.store = MemoryEdgeStore()

    async def write_facts(self, records: Sequence[FactRecord]) -> None:
        self.store.write_facts(records)

    async def entities(self) -> Sequence[SnapshotRow]:
        return list(self.store.entities.values())


class MemoryCentralBed:
    concurrent = False

    def __init__(self) -> None:
        self.store = MemoryCentralStore("00000000-0000-4000-8000-000000000001", project_seq)

    async def add_office(self, office: str, epoch: int) -> None:
        self.store.add_office(office, epoch)

    async def raw_log(self, office: str, epoch: int) -> Sequence[FactRecord]:
        return [fact.record for fact in self.store.log.get((office, epoch), [])]

    async def projected(self, office: str) -> Sequence[int]:
        return sorted(seq for seq, owner in self.store.projection.items() if owner == office and isinstance(seq, int))

    async def parked(self, office: str) -> Sequence[int]:
        return sorted(one.record.seq for one in self.store.parked if one.record.header.office == office)

    async def prune(self, stream: str, oldest: int) -> None:
        self.store.prune(stream, oldest)

    async def add_slot(self, office: str, slot_id: str, start_at: datetime, seats: int) -> None:
        self.store.add_slot(Slot(slot_id=slot_id, office=office, start_at=start_at), seats)

    async def conflicts(self) -> Sequence[Conflict]:
        return [self.store.conflicts[key] for key in sorted(self.store.conflicts)]


def project_seq(tx: MemoryCentralTx, opened: OpenedFact) -> None:
    """The projector of the bed: one trace per fact."""
    header = opened.record.header
    tx.undo.put(tx.store.projection, header.seq, header.office)
    if header.actor_id == POISON:
        raise ProjectionFailed("poison")


@asynccontextmanager
async def memory_edge(request: pytest.FixtureRequest) -> AsyncIterator[MemoryEdgeBed]:
    yield MemoryEdgeBed()


@asynccontextmanager
async def memory_central(request: pytest.FixtureRequest) -> AsyncIterator[MemoryCentralBed]:
    yield MemoryCentralBed()


# ---------------------------------------------------------------------------------------------------------- databases


def sqlite_edge(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[EdgeBed]:
    from tests.contract import sqlite_bed  # it imports this module

    return sqlite_bed.sqlite_edge(request)


def postgres_central(kind: str) -> CentralFactory:
    def bed(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[CentralBed]:
        from tests.contract import postgres_bed  # it imports this module

        return postgres_bed.postgres_central(request, kind)

    return bed


EDGE_STORES: dict[str, Registered] = {
    "memory": Registered(memory_edge),
    "sqlite": Registered(sqlite_edge),
}
CENTRAL_STORES: dict[str, Registered] = {
    "memory": Registered(memory_central),
    "postgres-wheel": Registered(postgres_central("wheel"), (pytest.mark.postgres,)),
    "postgres-installed": Registered(postgres_central("installed"), (pytest.mark.postgres,)),
}
