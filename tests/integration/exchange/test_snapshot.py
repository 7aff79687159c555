"""A snapshot over HTTP: whole, of one moment, with its own proof; for its office only."""

from __future__ import annotations

import asyncio
import gzip
import hashlib

import pytest

from central.exchange.feed import emit
from sync.messages import codec
from sync.messages.feed import GLOBAL, Counter, office_stream
from sync.messages.wire import SnapshotManifest, SnapshotRow, SnapshotTrailer
from tests.integration.exchange.client import NodeClient
from tests.kit.central_server import CentralServer

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
async def nothing_told_yet(central: CentralServer, node: NodeClient) -> None:
    """Enrolling told the offices the node's key."""
    await central.central.pool.execute("TRUNCATE feed, feed_entity, stream_head")


async def fill(central: CentralServer, stream: str, count: int) -> None:
    async with central.central.pool.acquire() as connection, connection.transaction():
        for number in range(count):
            await emit(connection, stream, Counter(id=f"{number:05}", zone="a", primary=()))


async def test_a_snapshot_is_whole_and_proves_it(central: CentralServer, node: NodeClient) -> None:
    await fill(central, GLOBAL, 3)
    await fill(central, office_stream("centro"), 1200)
    await fill(central, office_stream("real"), 5)
    request = node.snapshot()
    response = await node.send("snapshot", request)

    assert response.headers["content-encoding"] == "gzip"
    *lines, last, rest = response.content.split(b"\n")
    manifest = codec.decode(lines[0], SnapshotManifest)
    rows = [codec.decode(line, SnapshotRow) for line in lines[1:]]
    trailer = codec.decode(last, SnapshotTrailer)
    assert rest == b""
    assert trailer.sha256 == hashlib.sha256(b"".join(line + b"\n" for line in lines)).digest()
    assert manifest.snapshot_id == request.request_id
    assert manifest.counts == {"counter": len(rows)} == {"counter": 1203}
    assert [(head.stream, head.seq) for head in manifest.heads] == [(GLOBAL, 3), ("office:centro", 1200)]
    assert {row.stream for row in rows} == {GLOBAL, "office:centro"}


async def test_a_snapshot_of_nothing_is_whole(node: NodeClient) -> None:
    response = await node.send("snapshot", node.snapshot())
    manifest = codec.decode(response.content.split(b"\n")[0], SnapshotManifest)

    assert [(head.seq, head.hash) for head in manifest.heads] == [(0, bytes(32))] * 2


async def test_many_at_once_wait_for_each_other(central: CentralServer, node: NodeClient) -> None:
    await fill(central, GLOBAL, 300)
    responses = await asyncio.gather(*(node.send("snapshot", node.snapshot()) for _ in range(12)))

    assert [response.status_code for response in responses] == [200] * 12
    assert all(len(response.content.splitlines()) == 302 for response in responses)


async def test_the_packed_bytes_are_one_gzip_member(central: CentralServer, node: NodeClient) -> None:
    await fill(central, GLOBAL, 1)
    body = codec.encode(node.snapshot())
    headers = {"authorization": f"Bearer {node.token(body)}"}
    async with node.http.stream("POST", "/sync/v1/snapshot", content=body, headers=headers) as response:
        raw = b"".join([chunk async for chunk in response.aiter_raw()])

    assert len(gzip.decompress(raw).splitlines()) == 3
