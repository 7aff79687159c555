"""A browser's connections to a console, without the browser: kept HTTP connections, cookies, one event stream."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlencode

import msgspec

from tests.bench.console.plan import SECRET

_COOKIE = re.compile(rb"\r\nset-cookie: ([^=;\r]+)=([^;\r]*)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_LOCATION = re.compile(rb"\r\n(?:hx-redirect|location): ([^\r]+)", re.IGNORECASE)
ANSWER_S = 60.0
"""Past any patience: an overloaded node shall show as slow, not as an error of ours."""
SIGN_IN_TRIES = 60
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Reply(msgspec.Struct, frozen=True):
    status: int
    body: bytes
    leads_to: str = ""


class Wire:
    """One browser: as many connections as it needs, each used by one request at a time."""

    def __init__(self, office: str, port: int) -> None:
        self._port = port
        self._cookie = f"vt_edge_{office}"
        self._cookies: dict[str, str] = {}
        self._idle: list[Streams] = []
        self._open: list[asyncio.StreamWriter] = []

    @property
    def csrf_token(self) -> str:
        return self._cookies.get(f"{self._cookie}_csrf", "")

    async def sign_in(self, staff_id: str) -> None:
        """As staff do, who come again when the door is full: all of these browsers come from one place.

        Raises:
            ConnectionError: the node does not want us.
        """
        await self.ask("GET", "/api/v1/services")
        wanted = {"staff_id": staff_id, "secret": SECRET}
        reply = await self.command("/api/v1/sign-in", wanted)
        for _ in range(SIGN_IN_TRIES):
            if reply.status != 503:
                break
            await asyncio.sleep(msgspec.json.decode(reply.body)["wait_s"])
            reply = await self.command("/api/v1/sign-in", wanted)
        if reply.status != 200:
            raise ConnectionError(f"{staff_id} may not sign in: {reply.status} {reply.body.decode(errors='replace')}")

    async def page(self, address: str) -> Reply:
        """A page as the console's script asks for it."""
        return await self.ask("GET", address, "hx-request: true\r\naccept: text/html\r\n")

    async def form(self, address: str, fields: Mapping[str, str]) -> Reply:
        """A form as the console's script sends it."""
        body = urlencode({**fields, "_csrf_token": self.csrf_token}).encode()
        kind = "content-type: application/x-www-form-urlencoded\r\n"
        return await self.ask("POST", address, f"hx-request: true\r\naccept: text/html\r\n{kind}", body)

    async def command(self, address: str, fields: Mapping[str, object]) -> Reply:
        headers = f"content-type: application/json\r\nx-csrf-token: {self.csrf_token}\r\n"
        return await self.ask("POST", address, headers, msgspec.json.encode(fields))

    async def ask(self, method: str, address: str, headers: str = "", body: bytes = b"") -> Reply:
        """Send and wait for all of the answer.

        Raises:
            OSError, asyncio.IncompleteReadError, TimeoutError: the connection or the answer failed.
        """
        reader, writer = await self._free()
        length = f"content-length: {len(body)}\r\n" if method == "POST" else ""
        writer.write(f"{method} {address} HTTP/1.1\r\n{self._common()}{headers}{length}\r\n".encode() + body)
        async with asyncio.timeout(ANSWER_S):
            head = await reader.readuntil(b"\r\n\r\n")
            found = _LENGTH.search(head)
            answer = await reader.readexactly(int(found[1])) if found else b""
        self._cookies.update((name.decode(), value.decode()) for name, value in _COOKIE.findall(head))
        self._idle.append((reader, writer))
        to = _LOCATION.search(head)
        return Reply(int(head[9:12]), answer, to[1].decode() if to else "")

    async def events(self, address: str) -> AsyncIterator[tuple[str, int]]:
        """The stream's events: name, and journal sequence (-1 for news that is in no journal)."""
        reader, writer = await self._connect()
        writer.write(f"GET {address} HTTP/1.1\r\n{self._common()}accept: text/event-stream\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise ConnectionError(f"no stream: {head[:40]!r}")
        text = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            text += (await reader.readexactly(size + 2))[:size]
            *events, text = text.split(b"\n\n")
            for event in events:
                yield _named(event)

    def close(self) -> None:
        for writer in self._open:
            writer.close()

    async def _free(self) -> Streams:
        """An idle connection that the server has not closed meanwhile, else a new one; as browsers do."""
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await self._connect()

    async def _connect(self) -> Streams:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        self._open.append(writer)
        return reader, writer

    def _common(self) -> str:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        return f"host: 127.0.0.1\r\ncookie: {cookies}\r\naccept-language: es\r\n"


def _named(event: bytes) -> tuple[str, int]:
    name, seq = "", -1
    for line in event.split(b"\n"):
        if line.startswith(b"event: "):
            name = line[7:].decode()
        elif line.startswith(b"id: "):
            seq = int(line.rpartition(b"-")[2])
    return name, seq
