"""What every HTTP exchange of central gets: a refused body is read to its end, and never waited for when it has ended."""

import asyncio
from typing import Any

import pytest

from central.requests import observed


async def exchange(parts: list[bytes], read: int) -> tuple[int, int]:
    """The status of an app that reads some parts of a body and refuses it as too large; how many parts were left unread."""
    coming = [
        {"type": "http.request", "body": part, "more_body": n < len(parts)} for n, part in enumerate(parts, start=1)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return coming.pop(0) if coming else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        for _ in range(read):
            await receive()
        await send({"type": "http.response.start", "status": 413, "headers": []})

    scope: Any = {"type": "http", "method": "POST", "path": "/"}
    await observed(app)(scope, receive, send)
    return sent[0]["status"], len(coming)


@pytest.mark.parametrize("read", [1, 2, 3])
async def test_a_refused_body_is_read_to_its_end_and_no_further(read: int) -> None:
    async with asyncio.timeout(1):
        assert await exchange([b"a", b"b", b"c"], read) == (413, 0)
