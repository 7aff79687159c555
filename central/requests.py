"""What every HTTP exchange gets: a measured duration and one log line without personal data.

A path may hold a secret (a link, a follow code), so the log and the metrics name the route's template, never the path.
"""

import asyncio
from contextlib import suppress
from time import perf_counter
from typing import Any

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import Counter, Histogram

log = structlog.get_logger(__name__)

REFUSED = Counter("ventanilla_refused_total", "Requests understood and not carried out, by code", ["code"])
_DURATION = Histogram(
    "ventanilla_http_request_seconds",
    "Time to the last byte of a response",
    ["method", "route", "status"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 5, 30),
)
TOO_LARGE = 413
DRAIN_BYTES = 32 * 1024 * 1024
DRAIN_S = 5
HTTP_REQUEST_EVENT = "http.request"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = ("/health/", "/metrics", "/static/")


def observed(app: ASGIApp) -> ASGIApp:
    """Wrap an app so that each of its exchanges is measured and logged."""

    async def exchange(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        started_s = perf_counter()
        status = 500
        body_ended = False

        async def receive_body() -> Any:
            nonlocal body_ended
            message: Any = await receive()
            body_ended = not message.get("more_body", False)
            return message

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if status == TOO_LARGE and not body_ended:
                    await _drain(receive)
            await send(message)

        try:
            await app(scope, receive_body, send_counted)
        finally:
            _record(scope, status, perf_counter() - started_s)

    return exchange


async def _drain(receive: Receive) -> None:
    """Read what a client still sends of a body that was refused: closing on it would reset the connection before the answer
    is read. Bounded, for a client that never ends.
    """
    drained = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            while drained < DRAIN_BYTES:
                message = await receive()
                if message["type"] != HTTP_REQUEST_EVENT:
                    return
                body = message.get("body", b"")
                drained += len(body) if isinstance(body, bytes) else 0
                if not message.get("more_body", False):
                    return


def _record(scope: Scope, status: int, seconds: float) -> None:
    method = str(scope.get("method", ""))
    if method not in _METHODS:  # a series for each invented one would stay for ever
        method = "other"
    route = str(scope.get("path_template") or "unmatched")
    _DURATION.labels(method, route, str(status)).observe(seconds)
    if status >= 500:
        log.warning("request.done", method=method, route=route, status=status, ms=round(seconds * 1000, 1))
    elif not route.startswith(_QUIET):
        log.debug("request.done", method=method, route=route, status=status, ms=round(seconds * 1000, 1))
