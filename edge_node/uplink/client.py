"""HTTP to central: signed, compressed, with deadlines; what cannot be had comes back as a value.

Every request is a POST that is signed with the node's key over the bytes as sent. A 401 about time carries central's clock:
the difference is kept and the request signed anew, once. The wall clock itself is never touched.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.io.clock import Clock
from sync.io.http import BodyError, Problem, Unpacker, pack
from sync.io.node_token import sign
from sync.messages import codec
from sync.messages.agenda import AgendaRequest
from sync.messages.codec import MalformedMessage
from sync.messages.people import PersonReply, PersonRequest
from sync.messages.values import is_plausible
from sync.messages.wire import (
    MAX_INFLATED_BYTES,
    DownReply,
    DownRequest,
    HelloReply,
    HelloRequest,
    ReportReply,
    ReportRequest,
    SnapshotRequest,
    UpRefusal,
    UpReply,
    UpRequest,
)
from sync.protocol.backoff import LONGEST_S
from sync.protocol.hello import Node

CONNECT_S: Final = 3.0
HELLO_S: Final = 3.0
"""Short: hello is also how a silent cut is noticed."""
REPLY_S: Final = 10.0
AGENDA_S: Final = 2.5
"""All that a clerk and a citizen at the desk wait for central; the page is made in what is left of three seconds."""
POLL_MARGIN_S: Final = 5.0
"""How much longer than the asked wait a long-poll may take before its connection counts as dead."""

MAX_SNAPSHOT_BYTES: Final = 64 * 1024 * 1024
"""Most bytes of a snapshot, inflated: many times what an office has to know."""

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_TIME_FAULTS = {"token_expired", "token_not_yet"}


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """No usable answer came: the outcome at central is unknown.

    Args:
        unreachable: nothing came from central at all: no connection, a cut, silence.
        code: ``unreachable``, central's problem code, ``http_{status}``, ``malformed_reply``,
            ``reply_too_large`` or ``wrong_reply``.
        retry_after_s: how long central, or whatever stands before it, asks to wait; never longer than our own longest pause.
    """

    code: str
    unreachable: bool = False
    retry_after_s: float = 0.0


class CentralClient:
    """The HTTP connections to central. Close with ``close``.

    Args:
        url: central's address, without a path.
        trusted: who may be central, instead of whom the system trusts.
    """

    def __init__(
        self,
        url: str,
        *,
        node: Node,
        key: Ed25519PrivateKey,
        clock: Clock,
        trusted: ssl.SSLContext | None = None,
        offset: timedelta = timedelta(),
    ) -> None:
        self._node = node
        self._key = key
        self._clock = clock
        self.offset = offset
        self._http = httpx.AsyncClient(
            base_url=url,
            verify=trusted or True,
            timeout=httpx.Timeout(REPLY_S, connect=CONNECT_S),
            headers={"accept-encoding": "gzip"},
            # A proxy of the administration is for the way out, never for this machine.
            trust_env=urlsplit(url).hostname not in _LOOPBACK,
        )

    async def hello(self, request: HelloRequest) -> HelloReply | Failure:
        """Say hello; learns how far central's clock is from ours (half the round trip is taken off)."""
        sent_at = self._clock.now()
        reply: HelloReply | Failure = await self._call("/sync/v1/hello", request, {200: HelloReply}, HELLO_S)
        if isinstance(reply, HelloReply) and not is_plausible(reply.server_at):
            return Failure(code="malformed_reply")
        if isinstance(reply, HelloReply):
            self.offset = reply.server_at - (sent_at + (self._clock.now() - sent_at) / 2)
        return reply

    async def up(self, request: UpRequest) -> UpReply | UpRefusal | Failure:
        """Send facts."""
        reply: UpReply | UpRefusal | Failure = await self._call("/sync/v1/up", request, {200: UpReply, 409: UpRefusal})
        return reply

    async def down(self, request: DownRequest) -> DownReply | Failure:
        """Ask for rows; central may take ``request.wait_s`` to answer."""
        read_s = request.wait_s + POLL_MARGIN_S
        reply: DownReply | Failure = await self._call(
            "/sync/v1/down", request, {200: DownReply, 410: DownReply}, read_s
        )
        return reply

    async def snapshot(self, request: SnapshotRequest, receive: Callable[[bytes], Awaitable[bool]]) -> Failure | None:
        """Hand the inflated bytes of a snapshot to ``receive`` as they come, as long as it wants more of them; None when the
        last one was handed over.
        """
        body, headers = self._signed(codec.encode(request))
        try:
            async with self._http.stream("POST", "/sync/v1/snapshot", content=body, headers=headers) as response:
                if response.status_code != 200:
                    return self._failure(response, await _content(response))
                unpacker = Unpacker(response.headers.get("content-encoding"), cap_bytes=MAX_SNAPSHOT_BYTES)
                async for data in response.aiter_raw():
                    for piece in unpacker.pieces(data):
                        if not await receive(piece):
                            return None
                unpacker.end()
        except (httpx.HTTPError, BodyError) as error:
            return _unusable(error)
        return None

    async def report(self, request: ReportRequest) -> ReportReply | Failure:
        """Tell a restored central what this office knows."""
        reply: ReportReply | Failure = await self._call("/sync/v1/report", request, {200: ReportReply})
        return reply

    async def person(self, request: PersonRequest) -> PersonReply | Failure:
        """Tell central who an appointment is for that was sold here."""
        reply: PersonReply | Failure = await self._call("/sync/v1/people", request, {200: PersonReply})
        return reply

    async def agenda(self, act: str, request: AgendaRequest, shape: type[Any]) -> Any:
        """Ask what staff want to know or have done of appointments; silence counts after ``AGENDA_S``, for somebody waits."""
        try:
            async with asyncio.timeout(AGENDA_S):
                return await self._call(f"/sync/v1/agenda/{act}", request, {200: shape}, AGENDA_S)
        except TimeoutError:
            return Failure(code="unreachable", unreachable=True)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _call(
        self,
        path: str,
        request: msgspec.Struct,
        shapes: Mapping[int, type[Any]],
        read_s: float = REPLY_S,
    ) -> Any:
        """POST a message; the reply's shape goes by its status. Signs anew, once, if central says our time is off."""
        message = codec.encode(request)
        timeout = httpx.Timeout(REPLY_S, connect=CONNECT_S, read=read_s)
        failure = Failure(code="unreachable", unreachable=True)
        for _ in range(2):
            body, headers = self._signed(message)
            try:
                async with self._http.stream("POST", path, content=body, headers=headers, timeout=timeout) as response:
                    content = await _content(response)
            except (httpx.HTTPError, BodyError) as error:
                return _unusable(error)
            if shape := shapes.get(response.status_code):
                return _decode(content, shape)
            failure = self._failure(response, content)
            if failure.code not in _TIME_FAULTS:
                break
        return failure

    def _signed(self, message: bytes) -> tuple[bytes, dict[str, str]]:
        body, headers = pack(message)
        node = self._node
        token = sign(
            self._key,
            node_id=node.node,
            office=node.office,
            epoch=node.epoch,
            body=body,
            now=self._clock.now() + self.offset,
        )
        return body, headers | {"authorization": f"Bearer {token}"}

    def _failure(self, response: httpx.Response, content: bytes) -> Failure:
        """What central said instead; takes its clock along when it says that ours is off."""
        try:
            problem = codec.decode(content, Problem)
            if problem.code in _TIME_FAULTS:
                server_at = msgspec.convert(problem.server_time, datetime)
                if is_plausible(server_at):  # else no request could be signed any more
                    self.offset = server_at - self._clock.now()
        except (MalformedMessage, msgspec.ValidationError, TypeError):
            problem = Problem(status=response.status_code, code=f"http_{response.status_code}")
        retry_after = response.headers.get("retry-after", "")
        wait_s = float(retry_after) if retry_after.isdecimal() else 0.0
        return Failure(code=problem.code, retry_after_s=min(LONGEST_S, wait_s))


def _decode(content: bytes, shape: type[Any]) -> Any:
    try:
        return codec.decode(content, shape)
    except MalformedMessage:
        return Failure(code="malformed_reply")


async def _content(response: httpx.Response) -> bytes:
    """The whole of a reply, inflated.

    Raises:
        BodyError: it is damaged, or larger than any that central sends.
    """
    unpacker = Unpacker(response.headers.get("content-encoding"), cap_bytes=MAX_INFLATED_BYTES)
    content = bytearray()
    async for data in response.aiter_raw():
        for piece in unpacker.pieces(data):
            content += piece
    unpacker.end()
    return bytes(content)


def _unusable(error: httpx.HTTPError | BodyError) -> Failure:
    """Damaged content is somebody's answer; everything else is silence or a cut."""
    if isinstance(error, BodyError):
        return Failure(code="reply_too_large" if error.code == "body_too_large" else "malformed_reply")
    return Failure(code="unreachable", unreachable=True)
