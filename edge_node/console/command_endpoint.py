"""``POST /api/v1/commands/{verb}``: the one endpoint that the whole office waits for.

It speaks ASGI itself: for a request of a few hundred bytes a framework's request, dependency and response objects cost more
than deciding the command. What it does is what the other routes do: signed in, no other site's doing, a bounded body, and
problems by the same handlers.
"""

from __future__ import annotations

from functools import lru_cache
from hmac import compare_digest
from typing import Any

from litestar import asgi
from litestar.exceptions import PermissionDeniedException
from litestar.middleware.csrf import CSRF_SECRET_LENGTH, generate_csrf_hash
from litestar.types import Receive, Scope, Send

from edge_node.console.staff_sessions import Member
from edge_node.node import EdgeNode
from edge_node.problems import Problem, problem_of
from edge_node.queue.outcomes import Done
from sync.messages import codec
from sync.messages.refusals import Refusal

PATH = "/api/v1/commands"
MAX_BODY_BYTES = 64 * 1024
_HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


@asgi(PATH, is_mount=True, copy_scope=False)
async def commands(scope: Scope, receive: Receive, send: Send) -> None:
    """Carry out one command: its reply once it is durable, or a problem with the refusal's code and fields.

    Raises:
        Problem: 401 ``unauthenticated``, 404, 405, 413, or the refusal.
    """
    if scope.get("method") != "POST":
        raise Problem(405, "method_not_allowed")
    node: EdgeNode = scope["litestar_app"].state.node
    member = _member(node, dict(scope["headers"]))
    verb = str(scope["path"]).strip("/")  # below the mount
    answer = await node.staff_desk.carry_out(verb, await _body(receive), member)
    if answer is None:
        raise Problem(404, "not_found")
    if isinstance(answer, Refusal):
        raise problem_of(answer)
    body = answer.body if isinstance(answer, Done) else codec.encode(answer)
    length = (b"content-length", str(len(body)).encode("ascii"))
    await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS, length]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _member(node: EdgeNode, headers: dict[bytes, bytes]) -> Member:
    cookies = _cookies(headers.get(b"cookie", b""))
    token = headers.get(b"x-csrf-token", b"").decode("ascii", "replace")
    if token != cookies.get(f"{node.cookie}_csrf", "") or not _is_ours(token, node.identity.csrf_secret):
        raise PermissionDeniedException("CSRF token verification failed")
    member = node.sessions.member(cookies.get(node.cookie, ""))
    if member is None:
        raise Problem(401, "unauthenticated")
    return member


@lru_cache(maxsize=4096)
def _is_ours(token: str, secret: str) -> bool:
    """Whether this server made a cross-site token; the same check as for every other route."""
    stem, signature = token[:CSRF_SECRET_LENGTH], token[CSRF_SECRET_LENGTH:]
    return compare_digest(signature.encode(), generate_csrf_hash(stem, secret).encode())  # text would have to be ASCII


def _cookies(header: bytes) -> dict[str, str]:
    pairs = (pair.strip().partition("=") for pair in header.decode("latin-1").split(";"))
    return {name: value for name, _, value in pairs}


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(422, "malformed")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            raise Problem(413, "too_large")
        if not message.get("more_body", False):
            return b"".join(parts)
