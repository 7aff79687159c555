"""The wide-area network between an office and central, as a TCP relay that can be cut and healed.

The product knows nothing of it: an edge node is told that central stands at this address. States:

- ``up``: streams are relayed, byte for byte;
- ``cut``: open streams are closed and new ones are refused, as when a cable is pulled next to the router;
- ``silent``: nothing is closed and nothing arrives any more, in both directions, and new streams are accepted and never
  answered, as when packets vanish far away. Streams of before stay dead after the heal: half-open, until somebody times out.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Literal

State = Literal["up", "cut", "silent"]
CHUNK_BYTES = 64 * 1024
CONNECT_TIMEOUT_S = 5.0


class _Stream:
    """One connection of an office and its twin towards central."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._office = (reader, writer)
        self._writers = [writer]
        self._pumps: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()
        self._forgotten = False

    async def run(self, target: tuple[str, int], passing: asyncio.Event) -> None:
        """Relay until one side closes, or until told otherwise."""
        await passing.wait()
        if self._forgotten:  # it came while nothing passed: to both ends it is half-open like the others
            await self._over.wait()
            return
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            central_reader, central_writer = await asyncio.open_connection(*target)
        self._writers.append(central_writer)
        reader, writer = self._office
        self._pumps = [
            asyncio.create_task(self._pump(reader, central_writer, passing)),
            asyncio.create_task(self._pump(central_reader, writer, passing)),
        ]
        await self._over.wait()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passing: asyncio.Event) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                await passing.wait()
                writer.write(data)
                await writer.drain()
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
        self._passing = asyncio.Event()
        self._changing = asyncio.Lock()

    async def start(self) -> None:
        """Listen and relay. ``port`` 0 becomes the one that was taken."""
        self._passing.set()
        await self._listen()

    async def cut(self, *, silent: bool = False) -> None:
        """Cut the network, with closed connections or silently."""
        async with self._changing:
            await self._heal()
            self.state, self.since = ("silent" if silent else "cut"), datetime.now(UTC)
            if silent:
                self._passing.clear()
                return
            await self._stop_listening()
            await self._close(self._streams)
            await self._close(self._forgotten)

    async def heal(self) -> None:
        """Let the network work again. Streams that were silenced stay dead: new ones must be made."""
        async with self._changing:
            await self._heal()

    async def _heal(self) -> None:
        if self.state == "silent":
            for stream in self._streams:
                stream.forget()
            self._forgotten |= self._streams
            self._streams.clear()
            self._passing.set()
        elif self.state == "cut":
            await self._listen()
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
        stream = _Stream(reader, writer)
        self._streams.add(stream)
        with contextlib.suppress(OSError, TimeoutError):
            await stream.run(self._target, self._passing)
        if stream in self._streams:  # else it is half-open, or somebody closes it already
            self._streams.discard(stream)
            await stream.close()
