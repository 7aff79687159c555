"""``POST /api/v1/commands/{verb}``: the one endpoint that the whole office waits for.

It stands in front of the framework and speaks ASGI itself: for a request of a few hundred bytes a framework's routing,
middleware, request and response objects cost more than deciding the command. What it does is what the other routes do:
signed in, no other site's doing, a bounded body, the same problems, the same headers.
"""

from __future__ import annotations

from functools import lru_cache
from hmac import compare_digest
from typing import Any

from litestar.enums import ScopeType
from litestar.middleware.csrf import CSRF_SECRET_LENGTH, generate_csrf_hash
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from edge_node.console.routes import PRACTISED
from edge_node.console.staff_sessions import Member
from edge_node.node import EdgeNode
from edge_node.problems import MEDIA_TYPE, Problem, as_problem, problem_body, problem_headers, problem_of
from edge_node.queue.outcomes import Done
from sync.messages import codec
from sync.messages.refusals import Refusal
from ui.headers import PAGE_HEADERS

PREFIX = "/api/v1/commands/"
MAX_BODY_BYTES = 64 * 1024
Headers = list[tuple[bytes, bytes]]


class CommandEndpoint:
    """Answers commands, and leaves everything else to the application behind it."""

    def __init__(self, node: EdgeNode, behind: ASGIApp) -> None:
        self._node = node
        self._behind = behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request: its reply once it is durable, or a problem with the refusal's code and fields."""
        if scope["type"] != ScopeType.HTTP or not scope["path"].startswith(PREFIX):
            await self._behind(scope, receive, send)
            return
        try:
            status, headers, body = 200, _HEADERS, await self._carry_out(scope, receive)
        except Exception as error:  # noqa: BLE001 - the outermost shell: everything has its answer
            problem = as_problem(error, self._node.metrics, method=scope["method"], route=PREFIX)
            headers = _encoded({"content-type": MEDIA_TYPE, **problem_headers(problem)})
            status, body = problem.status, codec.encode(problem_body(problem))
        length = (b"content-length", b"%d" % len(body))
        await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _carry_out(self, scope: HTTPScope, receive: Receive) -> bytes:
        if scope["method"] != "POST":
            raise Problem(405, "method_not_allowed")
        node: EdgeNode = scope.get(PRACTISED) or self._node  # type: ignore[assignment]
        member = self._member(node, dict(scope["headers"]))
        verb = str(scope["path"])[len(PREFIX) :].rstrip("/")
        answer = await node.staff_desk.carry_out(verb, await _body(receive), member)
        if answer is None:
            raise Problem(404, "not_found")
        if isinstance(answer, Refusal):
            raise problem_of(answer)
        return answer.body if isinstance(answer, Done) else codec.encode(answer)

    def _member(self, node: EdgeNode, headers: dict[bytes, bytes]) -> Member:
        cookies = cookies_of(headers.get(b"cookie", b""))
        token = headers.get(b"x-csrf-token", b"").decode("ascii", "replace")
        if token != cookies.get(f"{node.page_cookie}_csrf", "") or not _is_ours(token, self._node.identity.csrf_secret):
            raise Problem(403, "forbidden")
        member = node.sessions.member(cookies.get(node.cookie, ""))
        if member is None:
            raise Problem(401, "unauthenticated")
        node.sessions.touch(cookies.get(node.cookie, ""))
        return member


@lru_cache(maxsize=4096)
def _is_ours(token: str, secret: str) -> bool:
    """Whether this server made a cross-site token; the same check as for every other route."""
    stem, signature = token[:CSRF_SECRET_LENGTH], token[CSRF_SECRET_LENGTH:]
    return compare_digest(signature.encode(), generate_csrf_hash(stem, secret).encode())  # text would have to be ASCII


def cookies_of(header: bytes) -> dict[str, str]:
    """The cookies of a request's header, by name."""
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


def _encoded(headers: dict[str, str]) -> Headers:
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in {**headers, **PAGE_HEADERS}.items()]


_HEADERS = _encoded({"content-type": "application/json", "cache-control": "no-store"})
