"""A bad central: stands before the real one, passes on what an edge asks, and changes what it is told as a test wants."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from tests.kit.plain_http import NO_TLS

HOP_BY_HOP = {"content-length", "transfer-encoding", "connection", "date", "server", "content-encoding"}


@dataclass(frozen=True)
class Said:
    """An answer of central: its JSON or NDJSON, inflated."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sent:
    """What goes to the edge instead, as the bytes of its body; ``gzip`` says that they are packed."""

    pieces: Iterable[bytes]
    is_gzip: bool = False
    status: int = 200


Meddle = Callable[[Said], Sent]


class Meddler:
    """Listens where the edge believes central to be.

    Attributes:
        meddle: by the last part of the path, how its answers are changed; others pass.
        meddled: how often that was done.
        sent_bytes: how much of changed bodies was sent, packed as they were.
    """

    def __init__(self, central_url: str) -> None:
        self.port = 0
        self.meddle: dict[str, Meddle] = {}
        self.meddled = 0
        self.sent_bytes = 0
        self._http = httpx.AsyncClient(verify=NO_TLS, base_url=central_url, timeout=60, trust_env=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request per connection."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, httpx.HTTPError):
            line, *fields = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(_header(one) for one in fields if one)
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            path = line.split(" ")[1]
            asked = {
                name: headers[name] for name in ("authorization", "content-type", "content-encoding") if name in headers
            }
            reply = await self._http.post(path, content=body, headers=asked | {"accept-encoding": "identity"})
            said = Said(
                reply.status_code, reply.content, {k: v for k, v in reply.headers.items() if k not in HOP_BY_HOP}
            )
            await self._answer(writer, path.rpartition("/")[2], said)
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, leaf: str, said: Said) -> None:
        meddle = self.meddle.get(leaf)
        sent = meddle(said) if meddle else Sent([said.body], status=said.status)
        self.meddled += meddle is not None
        head = [f"HTTP/1.1 {sent.status} Said", "connection: close", *(f"{k}: {v}" for k, v in said.headers.items())]
        head += ["content-encoding: gzip"] if sent.is_gzip else []
        writer.write("\r\n".join([*head, "", ""]).encode("latin-1"))
        for piece in sent.pieces:
            self.sent_bytes += len(piece) if meddle else 0
            writer.write(piece)
            await writer.drain()

    async def close(self) -> None:
        await self._http.aclose()


@asynccontextmanager
async def meddling(central_url: str) -> AsyncIterator[Meddler]:
    """A meddler that changes nothing yet."""
    meddler = Meddler(central_url)
    server = await asyncio.start_server(meddler.serve, "127.0.0.1", 0)
    meddler.port = server.sockets[0].getsockname()[1]
    try:
        yield meddler
    finally:
        server.close()
        await meddler.close()


def bomb(size: int, start: bytes = b"") -> Iterator[bytes]:
    """A gzip body that inflates to ``start`` and ``size`` bytes of blanks, about a thousand times what it weighs."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    yield packer.compress(start)
    for _ in range(size // 1_000_000):
        yield packer.compress(b" " * 1_000_000)
    yield packer.flush()


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.lower(), value.strip()
