"""Long-polls: woken by a moved head, also after a lost connection; ended by a stop, and when the other end goes away."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg
import pytest

from central.exchange.feed import emit
from central.exchange.service import repeat
from sync.messages import codec
from sync.messages.feed import GLOBAL, Counter, Cursor, office_stream
from sync.messages.wire import DownReply
from tests.integration.exchange.client import NodeClient
from tests.kit.central_server import CentralServer
from tests.kit.edge_end import until

pytestmark = pytest.mark.postgres
STREAM = office_stream("centro")


async def put(central: CentralServer, stream: str = STREAM, counter: str = "1") -> None:
    async with central.central.pool.acquire() as connection, connection.transaction():
        await emit(connection, stream, Counter(id=counter, zone="a", primary=()))


async def gen(central: CentralServer) -> str:
    return str(await central.central.pool.fetchval("SELECT gen::text FROM central_life"))


async def poll(node: NodeClient, gen: str, wait_s: int = 20, **changes: Any) -> tuple[DownReply, float]:
    began_s = time.perf_counter()
    response = await node.send("down", node.down(gen, wait_s=wait_s, **changes))
    assert response.status_code in (200, 410)
    return codec.decode(response.content, DownReply), time.perf_counter() - began_s


async def opened(central: CentralServer, node: NodeClient, **changes: Any) -> asyncio.Task[tuple[DownReply, float]]:
    """A long-poll that central is holding."""
    asking = asyncio.create_task(poll(node, await gen(central), **changes))
    await until(lambda: central.exchange.hearing.open_polls == 1)
    await asyncio.sleep(0.05)
    return asking


@pytest.mark.parametrize("stream", [GLOBAL, STREAM])
async def test_news_end_the_wait(central: CentralServer, node: NodeClient, stream: str) -> None:
    asking = await opened(central, node)
    began_s = time.perf_counter()
    await put(central, stream)
    reply, _ = await asking

    assert time.perf_counter() - began_s < 0.5
    assert [(part.stream, len(part.rows)) for part in reply.streams if part.rows] == [(stream, 1)]
    assert central.exchange.hearing.open_polls == 0


async def test_what_is_there_already_is_answered_at_once(central: CentralServer, node: NodeClient) -> None:
    for number in range(3):
        await put(central, counter=str(number))
    reply, took_s = await poll(node, await gen(central), max_rows=2)

    assert took_s < 1
    part = next(part for part in reply.streams if part.stream == STREAM)
    assert ([row.seq for row in part.rows], part.head) == ([1, 2], 3)


async def test_news_of_others_end_no_wait(central: CentralServer, node: NodeClient) -> None:
    asking = await opened(central, node, wait_s=1)
    await put(central, office_stream("real"))
    reply, took_s = await asking

    assert took_s >= 1
    assert not any(part.rows for part in reply.streams)


async def test_killed_connections_delay_news_by_about_a_second(central: CentralServer, node: NodeClient) -> None:
    asking = await opened(central, node)
    connection = await asyncpg.connect(central.central.settings.database.dsn)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    async with connection.transaction():
        await emit(connection, STREAM, Counter(id="1", zone="a", primary=()))
    await connection.close()
    began_s = time.perf_counter()
    reply, _ = await asking

    assert time.perf_counter() - began_s < 2.5
    assert any(part.rows for part in reply.streams)


async def test_a_stop_ends_every_wait_at_once(central: CentralServer) -> None:
    nodes = [NodeClient(central.url, office) for office in ("centro", "real", "victoria")]
    for each in nodes:
        await each.enrol(central.central.pool)
    for each in nodes:
        await each.look(central.central.pool)
    life = await gen(central)
    asking = [asyncio.create_task(poll(each, life)) for each in nodes]
    await until(lambda: central.exchange.hearing.open_polls == 3)
    began_s = time.perf_counter()
    await central.stop()
    replies = await asyncio.gather(*asking)

    assert time.perf_counter() - began_s < 2
    assert all(not any(part.rows for part in reply.streams) for reply, _ in replies)
    for each in nodes:
        await each.http.aclose()


async def test_an_edge_that_goes_away_holds_nothing(central: CentralServer, node: NodeClient) -> None:
    asking = await opened(central, node)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    assert await until(lambda: central.exchange.hearing.open_polls == 0, within_s=2) < 2
    assert central.exchange.streams.watched == []


@pytest.mark.parametrize("seq, hash_byte, other_gen", [(0, 0, True), (5, 0, False), (1, 9, False), (0, 9, False)])
async def test_a_cursor_that_proves_nothing_is_gone(
    central: CentralServer, node: NodeClient, seq: int, hash_byte: int, other_gen: bool
) -> None:
    await put(central)
    await put(central, counter="2")
    life = "00000000-0000-4000-8000-000000000009" if other_gen else await gen(central)
    cursor = Cursor(stream=STREAM, gen=life, seq=seq, hash=bytes([hash_byte] * 32))
    response = await node.send("down", node.down(life, cursors=(cursor,)))

    assert response.status_code == 410
    assert codec.decode(response.content, DownReply).resync == (STREAM,)


async def test_streams_of_others_are_not_answered(central: CentralServer, node: NodeClient) -> None:
    await put(central, office_stream("real"))
    life = await gen(central)
    cursor = Cursor(stream=office_stream("real"), gen=life, seq=0, hash=bytes(32))
    reply, _ = await poll(node, life, wait_s=0, cursors=(cursor,))

    assert (reply.streams, reply.resync) == ((), ())


async def test_background_work_outlives_every_error() -> None:
    runs: list[int] = []

    async def work() -> None:
        runs.append(1)
        if len(runs) < 3:
            raise asyncpg.InternalClientError("killed in the middle")

    repeating = asyncio.create_task(repeat(work, 0.001))
    await until(lambda: len(runs) >= 4)
    repeating.cancel()
    await asyncio.gather(repeating, return_exceptions=True)
    assert repeating.cancelled()
