"""One event to two hundred open streams of a Litestar server that does nothing else (goal G10), and the reader of such streams.

Run as ``python -m tests.bench.limits.sse_fanout PORT``: ``GET /live`` is a stream, ``POST /emit`` sends an event to all.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import suppress
from time import perf_counter
from typing import Self

import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar, Response, get, post
from litestar.response import Stream

from tests.bench.limits.figures import Figures, figures
from tests.bench.limits.http_load import post_request, read_response

WAIT_S = 20
PAUSE_S = 0.05
EVENT = b'id: 1-%d\nevent: ticket.called\ndata: {"pad": "' + b"x" * 180 + b'"}\n\n'


class Streams:
    """Readers of many streams of a server; each notes when an event with some number or a later one came.

    Args:
        headers: whole lines, as cookies.
    """

    def __init__(self, port: int, path: str, count: int, headers: str = "") -> None:
        self._request = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n{headers}\r\n".encode()
        self._port = port
        self._count = count
        self._wanted = sys.maxsize
        self._missing: set[int] = set()
        self._done = asyncio.Event()
        self._open = asyncio.Semaphore(0)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._read(number)) for number in range(self._count)]
        async with asyncio.timeout(WAIT_S * 3):
            for _ in self._tasks:
                await self._open.acquire()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def look_for(self, number: int) -> None:
        """From now on count the streams that have had this event or a later one."""
        self._missing = set(range(self._count))
        self._done.clear()
        self._wanted = number

    async def all_have(self) -> float:
        """The instant at which the last stream had it.

        Raises:
            TimeoutError: one did not.
        """
        async with asyncio.timeout(WAIT_S):
            await self._done.wait()
        return self._at

    async def _read(self, number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(self._request)
            await reader.readuntil(b"\r\n\r\n")
            self._open.release()
            while chunk := await reader.read(65536):
                self._heard(number, chunk)
        finally:
            writer.close()

    def _heard(self, number: int, chunk: bytes) -> None:
        at = chunk.rfind(b"id: ")
        if number not in self._missing or at < 0:
            return
        if int(chunk[at : chunk.index(b"\n", at)].rpartition(b"-")[2]) >= self._wanted:
            self._missing.discard(number)
            if not self._missing:
                self._at = perf_counter()
                self._done.set()


async def bare_fanout(port: int, count: int, events: int) -> Figures:
    """Each takes from the POST that causes it until the last stream has it."""
    durations: list[float] = []
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with Streams(port, "/live", count) as streams:
        for _ in range(events):
            await asyncio.sleep(PAUSE_S)
            streams.look_for(0)
            before = perf_counter()
            writer.write(post_request("/emit", b""))
            await read_response(reader)
            durations.append(await streams.all_have() - before)
    writer.close()
    return figures(durations, sum(durations))


class _Hub:
    """The open streams of the bare server."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[bytes]] = set()
        self._number = 0

    async def stream(self) -> AsyncGenerator[bytes, None]:
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield b"retry: 1000\n\n"
            while True:
                yield await queue.get()
        finally:
            self._queues.discard(queue)

    def emit(self) -> None:
        self._number += 1
        event = EVENT % self._number
        for queue in self._queues:
            queue.put_nowait(event)


def _app() -> Litestar:
    hub = _Hub()

    @get("/live", sync_to_thread=False)
    def live() -> Stream:
        return Stream(hub.stream(), media_type="text/event-stream")

    @post("/emit", status_code=200, sync_to_thread=False)
    def emit() -> Response[bytes]:
        hub.emit()
        return Response(b"{}", media_type="application/json")

    return Litestar([live, emit], openapi_config=None, logging_config=None)


async def serve(port: int) -> None:
    """Until SIGTERM."""
    server = Server(_app(), "127.0.0.1", port, interface=Interfaces.ASGINL, log_enabled=False, backlog=1024)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    serving = asyncio.create_task(server.serve())
    await stop.wait()
    server.stop()  # type: ignore[no-untyped-call]
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
