"""Who sends a request of the sync protocol, and what it says: checked in this order, each step cheaper than the next.

Header, key look-up, body within its limit, signature over the body as sent, inflating up to a cap, shape, and at last whether
the message is about the office (node, epoch) that signed it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

import msgspec
from litestar import Request

from central.context import Central
from central.exchange.activations import trusts
from central.exchange.nodes import AuthFault, Claimant, bearer, find_claimant, present_epoch, verify
from central.problems import Problem
from central.requests import REFUSED
from sync.io import node_token
from sync.io.http import BodyError, unpack
from sync.io.node_token import NodeClaims
from sync.messages import codec
from sync.messages.codec import MalformedMessage
from sync.messages.wire import MAX_INFLATED_BYTES, HelloRequest

MAX_BODY_BYTES: Final = MAX_INFLATED_BYTES
"""Most bytes of a body as sent; inflated it may have no more either."""

STRANGERS_BYTES: Final = 64 * 1024
"""Most bytes, sent or inflated, of a hello by a node that is not registered: anybody can send one."""

DRAINED_BYTES: Final = 32 * 1024 * 1024
DRAIN_S: Final = 5.0

_STATUS = {"body_too_large": 413, "body_encoding": 400, "body_truncated": 400}

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Signed(Generic[T]):
    """A message, and who signed it."""

    message: T
    claims: NodeClaims


async def signed(request: Request[Any, Any, Any], central: Central, shape: type[T]) -> Signed[T]:
    """The message of a request that a known node signed for its own office.

    A hello is also believed of a node that central has forgotten, if it shows central's own activation of a later epoch.

    Raises:
        Problem: 401 with ``server_time`` (no or bad signature), 400 (damaged body), 413 (too large), 403 (another office).
    """
    claimant = await find_claimant(central.pool, request.headers.get("authorization"))
    if claimant == "node_unknown" and shape is HelloRequest:
        body = await read_body(request, STRANGERS_BYTES)
        claimant = "node_unknown" if body is None else await _forgotten(request, body, central)
    elif isinstance(claimant, Claimant):
        body = await read_body(request, MAX_BODY_BYTES)
    else:
        body = None
    if not isinstance(claimant, Claimant):
        raise unauthenticated(claimant, central.clock.now())
    if body is None:
        raise refused(413, "too_large")
    claims = verify(claimant, body=body, now=central.clock.now())
    if not isinstance(claims, NodeClaims):
        raise unauthenticated(claims, central.clock.now())
    message = _decode(body, request.headers.get("content-encoding"), shape)
    if not _is_own(message, claims):
        raise refused(403, "wrong_office", "the message is not about the office, node and epoch that signed it")
    return Signed(message, claims)


async def _forgotten(request: Request[Any, Any, Any], body: bytes, central: Central) -> Claimant | AuthFault:
    """The node of a hello by its activation."""
    token = bearer(request.headers.get("authorization"))
    claims = node_token.claimed(token) if token else None
    if not isinstance(claims, NodeClaims):
        return "node_unknown"
    try:
        data = unpack(body, request.headers.get("content-encoding"), cap_bytes=STRANGERS_BYTES)
        shown = codec.decode(data, HelloRequest).activation
    except (BodyError, MalformedMessage):
        return "node_unknown"
    is_own = shown is not None and (shown.office, shown.node, shown.epoch) == (
        claims.office,
        claims.node_id,
        claims.epoch,
    )
    if shown is None or not is_own or not trusts(central.keys, shown):
        return "node_unknown"
    is_news = await present_epoch(central.pool, claims.office) < claims.epoch
    return Claimant(token=token, public_key=shown.public_key) if is_news else "node_unknown"


async def read_body(request: Request[Any, Any, Any], most_bytes: int) -> bytes | None:
    """The body as sent; none if it is larger than that. No more of it is ever kept than that and one chunk.

    Raises:
        Problem: 400, the sender hung up.
    """
    chunks: list[bytes] = []
    size, is_more = 0, True
    while is_more and size <= most_bytes:
        message = await request.receive()
        if message["type"] != "http.request":
            raise refused(400, "body_truncated")
        chunks.append(message.get("body", b""))
        size, is_more = size + len(chunks[-1]), message.get("more_body", False)
    if size <= most_bytes:
        return b"".join(chunks)
    chunks.clear()
    if is_more:
        await _drain(request)
    return None


async def _drain(request: Request[Any, Any, Any]) -> None:
    """Read on for a while: a sender that is cut off while it still sends never sees the answer."""
    left = DRAINED_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            while left > 0:
                message = await request.receive()
                left -= len(body) if isinstance(body := message.get("body"), bytes) else 0
                if message["type"] != "http.request" or not message.get("more_body"):
                    return


def unauthenticated(fault: AuthFault, now: datetime) -> Problem:
    """401. ``server_time`` lets an honest node with a wrong clock correct itself."""
    return refused(401, fault, server_time=msgspec.to_builtins(now))


def refused(status: int, code: str, detail: str = "", **more: Any) -> Problem:
    """A problem that counts as a refusal."""
    REFUSED.labels(code).inc()
    return Problem(status, code, detail, **more)


def _decode(body: bytes, encoding: str | None, shape: type[T]) -> T:
    try:
        return codec.decode(unpack(body, encoding), shape)
    except BodyError as error:
        raise refused(_STATUS[error.code], error.code) from None
    except MalformedMessage as error:
        raise refused(400, "malformed", error.detail) from None


def _is_own(message: msgspec.Struct, claims: NodeClaims) -> bool:
    """Every message names its office; hello and up also the node and the epoch. Epoch 0 is "not told"."""
    said = (
        getattr(message, "office", None),
        getattr(message, "node", claims.node_id),
        getattr(message, "epoch", 0) or claims.epoch,
    )
    return said == (claims.office, claims.node_id, claims.epoch)
