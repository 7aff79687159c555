"""A snapshot over HTTP: whole, of one moment, with its own proof; for its office only."""

from __future__ import annotations

import asyncio
import gzip
import hashlib

import httpx
import pytest

from central.exchange.feed import emit
from sync.messages import codec
from sync.messages.feed import GLOBAL, Counter, office_stream
from sync.messages.wire import SnapshotManifest, SnapshotRequest, SnapshotRow, SnapshotTrailer
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


async def raw(node: NodeClient, request: SnapshotRequest, **headers: str) -> httpx.Response:
    """The bytes as they were sent, still packed."""
    body = codec.encode(request)
    sent = {"authorization": f"Bearer {node.token(body)}"} | {name.replace("_", "-"): v for name, v in headers.items()}
    async with node.http.stream("POST", "/sync/v1/snapshot", content=body, headers=sent) as response:
        packed = b"".join([chunk async for chunk in response.aiter_raw()])
    return httpx.Response(
        response.status_code, headers=dict(response.headers) | {"content-encoding": ""}, content=packed
    )


async def test_a_cut_line_goes_on_where_it_was(central: CentralServer, node: NodeClient) -> None:
    await fill(central, GLOBAL, 300)
    request = node.snapshot()
    whole = await raw(node, request)
    await fill(central, office_stream("centro"), 3)  # news do not change what was asked for
    half, etag = len(whole.content) // 2, whole.headers["etag"]
    rest = await raw(node, request, range=f"bytes={half}-", if_range=etag)

    assert (whole.status_code, rest.status_code) == (200, 206)
    assert rest.headers["content-range"] == f"bytes {half}-{len(whole.content) - 1}/{len(whole.content)}"
    assert whole.content[:half] + rest.content == whole.content
    lines = gzip.decompress(whole.content[:half] + rest.content).splitlines()
    assert codec.decode(lines[0], SnapshotManifest).snapshot_id == request.request_id
    assert len(lines) == 302


async def test_a_part_of_other_bytes_is_never_continued(central: CentralServer, node: NodeClient) -> None:
    await fill(central, GLOBAL, 30)
    request = node.snapshot()
    whole = await raw(node, request)
    etag = whole.headers["etag"]
    for headers in (
        {"range": "bytes=9-"},
        {"range": "bytes=9-", "if_range": '"other"'},
        {"range": "lines=9-", "if_range": etag},
    ):
        again = await raw(node, request, **headers)
        assert (again.status_code, again.content) == (200, whole.content)
    beyond = await raw(node, request, range=f"bytes={len(whole.content)}-", if_range=etag)
    assert beyond.status_code == 416
    newer = await raw(node, node.snapshot(), range="bytes=9-", if_range=etag)
    assert newer.status_code == 200
    assert newer.headers["etag"] != etag


async def test_one_file_per_office_and_none_after_the_end(central: CentralServer, node: NodeClient) -> None:
    folder = central.exchange.snapshots._folder
    for _ in range(3):
        await raw(node, node.snapshot())
    assert len(list(folder.iterdir())) == 1
    await central.stop()
    assert not folder.exists()
