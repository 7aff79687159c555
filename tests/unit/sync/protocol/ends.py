"""Both ends over memory, for the tests of the sessions."""

from __future__ import annotations

import msgspec

from sync.messages.feed import GLOBAL, Cursor, Op, office_stream
from sync.messages.wire import DownReply, DownRequest, SnapshotRequest
from sync.protocol.downlink import DownlinkSession, DownOutcome, rows_after
from sync.protocol.hello import Node
from sync.protocol.snapshot import SnapshotApplied, write_snapshot
from sync.protocol.store import START
from tests.kit.facts import uuid_of
from tests.kit.memory_central import MemoryCentralStore
from tests.kit.memory_edge import MemoryEdgeStore

CENTRO = office_stream("centro")
NODE = Node(office="centro", node="edge-centro", epoch=1, incarnation=uuid_of(99))


def new_central(*, gen: int = 1, epoch: int = 1) -> MemoryCentralStore:
    store = MemoryCentralStore(uuid_of(gen))
    store.add_office("centro", epoch)
    return store


async def emit(
    store: MemoryCentralStore, entity_id: str, *, stream: str = CENTRO, op: Op = "put", body: bytes = b'{"a":1}'
) -> None:
    async with store.transaction() as tx:
        await tx.emit(stream, kind="counter", entity_id=entity_id, version=1, op=op, body=body)


async def snapshot_of(store: MemoryCentralStore, request: SnapshotRequest) -> bytes:
    lines: list[bytes] = []
    await write_snapshot(store, request, lines.append)
    return b"".join(lines)


async def started(edge: MemoryEdgeStore, central: MemoryCentralStore) -> DownlinkSession:
    """A downlink that has its first snapshot."""
    session = DownlinkSession(edge, "centro")
    request = await session.next_request(uuid_of(1000))
    assert isinstance(request, SnapshotRequest)
    await session.on_snapshot_data(request.request_id, await snapshot_of(central, request))
    assert isinstance(await session.on_snapshot_end(request.request_id), SnapshotApplied)
    return session


async def ask(session: DownlinkSession, number: int) -> DownRequest:
    request = await session.next_request(uuid_of(number))
    assert isinstance(request, DownRequest)
    return request


async def turn(session: DownlinkSession, central: MemoryCentralStore, number: int) -> DownOutcome:
    """One request and its reply."""
    return await session.on_rows(await rows_after(central, await ask(session, number)))


def altered(reply: DownReply, **changes: object) -> DownReply:
    """The reply with its office's part changed."""
    parts = tuple(msgspec.structs.replace(part, **changes) if part.stream == CENTRO else part for part in reply.streams)
    return msgspec.structs.replace(reply, streams=parts)


def cursor(seq: int = 0, *, stream: str = CENTRO, gen: int = 1, proof: bytes = START.hash) -> Cursor:
    return Cursor(stream=stream, gen=uuid_of(gen), seq=seq, hash=proof)


def ids(edge: MemoryEdgeStore) -> list[str]:
    return sorted(entity_id for stream, _, entity_id in edge.entities if stream in {GLOBAL, CENTRO})
