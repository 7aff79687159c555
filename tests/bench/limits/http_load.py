"""Closed-loop HTTP/1.1 load on a loopback server: each caller sends, waits for the answer, sends again (keep-alive)."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable

import msgspec

from tests.bench.limits.figures import Figures, figures


class Load(msgspec.Struct, frozen=True):
    figures: Figures
    statuses: dict[int, int]
    bodies: list[bytes]


async def load(port: int, callers: int, seconds: float, make: Callable[[], bytes]) -> Load:
    """Drive a server on 127.0.0.1.

    Args:
        make: gives the bytes of the next request, head and body.
    """
    durations: list[float] = []
    statuses: Counter[int] = Counter()
    bodies: list[bytes] = []
    end = time.perf_counter() + seconds

    async def call() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (before := time.perf_counter()) < end:
            writer.write(make())
            status, body = await read_response(reader)
            durations.append(time.perf_counter() - before)
            statuses[status] += 1
            bodies.append(body)
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(callers)))
    return Load(figures(durations, time.perf_counter() - started), dict(statuses), bodies)


def post_request(path: str, body: bytes, headers: str = "") -> bytes:
    """The bytes of a JSON POST; ``headers`` are whole lines, each with its line end."""
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n{headers}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def read_response(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of the next response of a kept connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    at = head.lower().find(b"content-length: ")
    if at < 0:
        raise ValueError("a response without content-length")
    length = int(head[at + 16 : head.index(b"\r\n", at)])
    return status, await reader.readexactly(length)
