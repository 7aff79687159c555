"""The edge end of sync over a real SQLite file, without a queue: facts are put into its journal by the test."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from prometheus_client import CollectorRegistry

from edge_node.migrations import migrate
from edge_node.uplink.link import LinkState
from edge_node.uplink.service import Uplink
from edge_node.uplink.steps import WriterStore
from edge_node.uplink.store import read_entities
from edge_node.writer import Writer
from sync.domain.leases import LeaseBook
from sync.io.clock import Clock, SystemClock
from sync.io.ids import new_id
from sync.messages.envelope import FactRecord, chain
from sync.messages.people import PersonRequest
from sync.messages.values import GENESIS
from sync.messages.wire import SnapshotRow
from sync.protocol.downlink import StreamRow
from sync.protocol.hello import Node
from sync.protocol.store import Position

INSERT_FACT = f"INSERT INTO fact VALUES ({', '.join('?' * 13)})"
"""In the order of the table: epoch, seq, office, then the rest of the header, body, hash."""


def write_facts(connection: sqlite3.Connection, records: Sequence[FactRecord]) -> None:
    """Append facts to their journal with the chain's hashes, as the queue does."""
    for record in records:
        office, epoch, seq, *rest = msgspec.to_builtins(record.header)
        row = connection.execute("SELECT hash FROM fact WHERE epoch = ? AND seq = ?", (epoch, seq - 1)).fetchone()
        hash_ = chain(row[0] if row else GENESIS, record)
        connection.execute(INSERT_FACT, (epoch, seq, office, *rest, bytes(record.body), hash_))


class EdgeEnd:
    """A node's database and uplink. ``news`` is what ``on_news`` was told, in order; ``people_asked`` counts the times
    that the uplink asked who is to be told of.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        *,
        office: str = "centro",
        epoch: int = 1,
        key: Ed25519PrivateKey | None = None,
        clock: Clock | None = None,
        wait_s: int = 25,
    ) -> None:
        self.folder = folder
        self.url = url
        self.key = key or Ed25519PrivateKey.generate()
        self.clock = clock or SystemClock()
        self.node = Node(office=office, node=f"edge-{office}", epoch=epoch, incarnation=new_id())
        self.news: list[Sequence[StreamRow] | None] = []
        self.deaf_once = False
        self.is_rolled_back = False
        self.people: list[PersonRequest] = []
        self.people_asked = 0
        self.states: list[LinkState] = []
        self.registry = CollectorRegistry()
        self._wait_s = wait_s
        self._running: asyncio.Task[None] | None = None
        self.writer: Writer
        self.uplink: Uplink

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    async def start(self) -> None:
        """Open the database and run the uplink."""
        migrate(self.folder / "edge.db")
        self.writer = Writer(self.folder / "edge.db")
        self.writer.start()
        self.registry = CollectorRegistry()
        self.uplink = Uplink(
            node=self.node,
            url=self.url,
            key=self.key,
            writer=self.writer,
            clock=self.clock,
            schema="0002_feed",
            folder=self.folder,
            on_news=self._told,
            book=LeaseBook,
            people=self,
            is_rolled_back=lambda: self.is_rolled_back,
            on_link=self.states.append,
            registry=self.registry,
            wait_s=self._wait_s,
        )
        self._running = asyncio.create_task(self.uplink.run())

    async def stop(self) -> None:
        if self._running is None:
            return
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        self._running = None
        await self.writer.close()

    async def commit(self, records: Sequence[FactRecord]) -> None:
        """Make facts durable and tell the uplink."""
        await self.writer.run(lambda connection: write_facts(connection, records))
        self.uplink.committed(records[-1].seq)

    async def pending_people(self) -> list[PersonRequest]:
        self.people_asked += 1
        return list(self.people)

    async def person_taken(self, appointment_id: str) -> None:
        self.people = [person for person in self.people if person.appointment_id != appointment_id]

    async def entities(self) -> list[SnapshotRow]:
        return await self.writer.run(read_entities)

    async def acked(self) -> Position:
        store = WriterStore(self.writer)

        async def read() -> Position:
            async with store.transaction() as tx:
                return await tx.acked(self.node.epoch)

        return await store.run(read())

    async def _told(self, rows: Sequence[StreamRow] | None, /) -> None:
        if self.deaf_once:
            self.deaf_once = False
            raise RuntimeError("whoever is told of rows has failed")
        self.news.append(rows)


@asynccontextmanager
async def running_edge(folder: Path, url: str, **more: Any) -> AsyncIterator[EdgeEnd]:
    """An edge end while inside; its node still has to be registered."""
    edge = EdgeEnd(folder, url, **more)
    await edge.start()
    try:
        yield edge
    finally:
        await edge.stop()


async def until(condition: Callable[[], Any], within_s: float = 10.0) -> float:
    """Wait for a condition; returns how many seconds it took.

    Raises:
        TimeoutError: it did not come.
    """
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return loop.time() - began_s
        if loop.time() - began_s > within_s:
            raise TimeoutError("the condition did not come")
        await asyncio.sleep(0.01)
