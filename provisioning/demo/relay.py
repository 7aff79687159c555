"""The wide-area network between an office and central, as a TCP relay that can be cut and healed.

The product knows nothing of it: an edge node is told that central stands at this address. States:

- ``up``: streams are relayed, byte for byte;
- ``cut``: open streams are closed and new ones are refused, as when a cable is pulled next to the router;
- ``silent``: nothing is closed and nothing arrives any more, in both directions, and new streams are accepted and never
  answered, as when packets vanish far away. Streams of before stay dead after the heal: half-open, until somebody times out;
- ``mute``, ``deaf``: one direction only is held: what the office says does not arrive, or what is said to it. What was held
  arrives after the heal, late, as what TCP sends again does;
- ``slow``: a few kilobytes a second, each way;
- ``torn``: every stream breaks after some hundred or thousand bytes, in the middle of whatever was being said.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Literal

State = Literal["up", "cut", "silent", "mute", "deaf", "slow", "torn"]
CHUNK_BYTES = 64 * 1024
SLOW_BYTES_PER_S = 4096
SLOW_PIECE_S = 0.05
TORN_STEP_BYTES = 397
TORN_MOST_BYTES = 6000
CONNECT_TIMEOUT_S = 5.0


class _Way:
    """One direction of the network, as it is now."""

    def __init__(self) -> None:
        self.passing = asyncio.Event()
        self.passing.set()
        self.is_slow = False
        self.tears = False

    async def carry(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        """Write on what was read, when and as fast as this way lets it pass."""
        while data:
            await self.passing.wait()
            size = int(SLOW_BYTES_PER_S * SLOW_PIECE_S) if self.is_slow else len(data)
            writer.write(data[:size])
            await writer.drain()
            data = data[size:]
            if self.is_slow:
                await asyncio.sleep(SLOW_PIECE_S)


class _Stream:
    """One connection of an office and its twin towards central.

    Args:
        tears_after: how many bytes either way pass while streams are torn.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tears_after: int) -> None:
        self._tears_after = tears_after
        self._office = (reader, writer)
        self._writers = [writer]
        self._pumps: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()
        self._forgotten = False

    async def run(self, target: tuple[str, int], up: _Way, down: _Way) -> None:
        """Relay until one side closes, or until told otherwise."""
        if not down.passing.is_set():
            await up.passing.wait()
        if self._forgotten:  # it came while nothing passed: to both ends it is half-open like the others
            await self._over.wait()
            return
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            central_reader, central_writer = await asyncio.open_connection(*target)
        self._writers.append(central_writer)
        reader, writer = self._office
        self._pumps = [
            asyncio.create_task(self._pump(reader, central_writer, up)),
            asyncio.create_task(self._pump(central_reader, writer, down)),
        ]
        await self._over.wait()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: _Way) -> None:
        left = self._tears_after
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                if way.tears:
                    data, left = data[:left], left - len(data)
                await way.carry(data, writer)
                if left <= 0:
                    break
        self._over.set()

    def forget(self) -> None:
        """Relay nothing any more and close nothing: both ends believe in a connection that is gone."""
        self._forgotten = True
        for pump in self._pumps:
            pump.cancel()

    async def close(self) -> None:
        """Close both ends at once, with nothing more said."""
        self.forget()
        self._over.set()
        for writer in self._writers:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


class Relay:
    """One relay: listens on its own port and connects to central's."""

    def __init__(self, host: str, port: int, target_host: str, target_port: int) -> None:
        self.host = host
        self.port = port
        self.state: State = "up"
        self.since: datetime | None = None
        self._target = (target_host, target_port)
        self._server: asyncio.Server | None = None
        self._streams: set[_Stream] = set()
        self._forgotten: set[_Stream] = set()
        self._up, self._down = _Way(), _Way()
        self._accepted = 0
        self._changing = asyncio.Lock()

    async def start(self) -> None:
        """Listen and relay. ``port`` 0 becomes the one that was taken."""
        await self._listen()

    async def cut(self, *, silent: bool = False) -> None:
        """Cut the network, with closed connections or silently."""
        await self.become("silent" if silent else "cut")

    async def become(self, state: State) -> None:
        """Put the network into a state, whatever it was in."""
        async with self._changing:
            await self._heal()
            if state == "up":
                return
            self.state, self.since = state, datetime.now(UTC)
            if state in ("silent", "mute"):
                self._up.passing.clear()
            if state in ("silent", "deaf"):
                self._down.passing.clear()
            for way in (self._up, self._down):
                way.is_slow, way.tears = state == "slow", state == "torn"
            if state == "cut":
                await self._stop_listening()
                await self._close(self._streams)
                await self._close(self._forgotten)

    async def heal(self) -> None:
        """Let the network work again. Streams that were silenced stay dead: new ones must be made."""
        await self.become("up")

    async def _heal(self) -> None:
        if self.state == "silent":
            for stream in self._streams:
                stream.forget()
            self._forgotten |= self._streams
            self._streams.clear()
        elif self.state == "cut":
            await self._listen()
        for way in (self._up, self._down):
            way.is_slow = way.tears = False
            way.passing.set()
        self.state, self.since = "up", None

    async def stop(self) -> None:
        """Close everything."""
        async with self._changing:
            await self._stop_listening()
            await self._close(self._streams)
            await self._close(self._forgotten)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _close(self, streams: set[_Stream]) -> None:
        closing = list(streams)
        streams.clear()
        for stream in closing:
            await stream.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._accepted += 1
        stream = _Stream(reader, writer, self._accepted * TORN_STEP_BYTES % TORN_MOST_BYTES)
        self._streams.add(stream)
        with contextlib.suppress(OSError, TimeoutError):
            await stream.run(self._target, self._up, self._down)
        if stream in self._streams:  # else it is half-open, or somebody closes it already
            self._streams.discard(stream)
            await stream.close()
