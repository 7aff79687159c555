"""The demo's network really breaks, in both ways, and really heals."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from provisioning.demo.relay import Relay

pytestmark = pytest.mark.timeout(20)


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    _opened.append(writer)
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1024):
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    relay = Relay("127.0.0.1", 0, "127.0.0.1", server.sockets[0].getsockname()[1])
    await relay.start()
    yield relay
    await relay.stop()
    server.close()
    while _opened:
        writer = _opened.pop()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_opened: list[asyncio.StreamWriter] = []


async def _open(relay: Relay) -> Stream:
    stream = await asyncio.open_connection("127.0.0.1", relay.port)
    _opened.append(stream[1])
    return stream


async def _says(stream: Stream, word: bytes, wait_s: float = 1) -> bytes:
    reader, writer = stream
    writer.write(word)
    async with asyncio.timeout(wait_s):
        return await reader.read(100)


async def test_bytes_pass(relay: Relay) -> None:
    stream = await _open(relay)
    assert await _says(stream, b"hello") == b"hello"


async def test_a_cut_closes_open_streams_and_refuses_new_ones(relay: Relay) -> None:
    stream = await _open(relay)
    await _says(stream, b"before")
    port = relay.port
    await relay.cut()
    with pytest.raises((ConnectionError, OSError)):
        if await stream[0].read(1) == b"":
            raise ConnectionResetError
    with pytest.raises(ConnectionRefusedError):
        await _open(relay)
    await relay.heal()
    assert relay.port == port
    assert await _says(await _open(relay), b"after") == b"after"


async def test_a_silent_cut_closes_nothing_and_answers_nothing(relay: Relay) -> None:
    stream = await _open(relay)
    await _says(stream, b"before")
    await relay.cut(silent=True)
    with pytest.raises(TimeoutError):
        await _says(stream, b"lost", 0.3)
    newcomer = await _open(relay)
    with pytest.raises(TimeoutError):
        await _says(newcomer, b"unheard", 0.3)
    await relay.heal()
    with pytest.raises(TimeoutError):
        await _says(stream, b"half-open", 0.3)
    assert await _says(await _open(relay), b"after") == b"after"


async def test_a_stream_opened_in_the_silence_stays_dead_after_the_heal(relay: Relay) -> None:
    await relay.cut(silent=True)
    newcomer = await _open(relay)
    with pytest.raises(TimeoutError):
        await _says(newcomer, b"unheard", 0.2)
    await relay.heal()
    with pytest.raises(TimeoutError):
        await _says(newcomer, b"half-open", 0.3)
    await relay.cut()
    with contextlib.suppress(ConnectionError):
        assert await _says(newcomer, b"past the cut") == b""


async def test_many_heals_at_once_are_one(relay: Relay) -> None:
    await relay.cut()
    await asyncio.gather(*(relay.heal() for _ in range(3)), relay.cut(silent=True), relay.heal())
    assert relay.state == "up"
    assert await _says(await _open(relay), b"after") == b"after"


async def test_cutting_again_changes_the_kind(relay: Relay) -> None:
    await relay.cut(silent=True)
    await relay.cut()
    assert relay.state == "cut"
    with pytest.raises(ConnectionRefusedError):
        await _open(relay)


async def test_what_a_mute_office_says_arrives_late(relay: Relay) -> None:
    stream = await _open(relay)
    await relay.become("mute")
    with pytest.raises(TimeoutError):
        await _says(stream, b"held", 0.3)
    await relay.heal()
    async with asyncio.timeout(1):
        assert await stream[0].read(100) == b"held"


async def test_what_is_said_to_a_deaf_office_arrives_late(relay: Relay) -> None:
    stream = await _open(relay)
    await relay.become("deaf")
    newcomer = await _open(relay)
    for one in (stream, newcomer):
        with pytest.raises(TimeoutError):
            await _says(one, b"answered", 0.3)
    await relay.heal()
    async with asyncio.timeout(1):
        assert [await one[0].read(100) for one in (stream, newcomer)] == [b"answered", b"answered"]


async def test_a_slow_network_takes_its_time_and_loses_nothing(relay: Relay) -> None:
    stream, body = await _open(relay), bytes(range(256)) * 8
    await relay.become("slow")
    began = asyncio.get_running_loop().time()
    stream[1].write(body)
    assert await stream[0].readexactly(len(body)) == body
    assert asyncio.get_running_loop().time() - began > 0.3


async def test_a_torn_stream_breaks_in_the_middle_of_a_body(relay: Relay) -> None:
    stream, body = await _open(relay), bytes(8000)
    await relay.become("torn")
    stream[1].write(body)
    came = b""
    with contextlib.suppress(ConnectionError):
        while data := await stream[0].read(100_000):
            came += data
    assert len(came) < len(body)
    await relay.heal()
    assert await _says(await _open(relay), b"after") == b"after"
