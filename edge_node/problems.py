"""Errors over HTTP: ``application/problem+json`` with a stable ``code`` (RFC 9457), one map for the whole process.

Only ``code`` and the fields of a refusal are a contract; ``title`` and ``detail`` are for people who read logs.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from edge_node.metrics import Metrics
from edge_node.queue.dispatcher import StateUnknown
from edge_node.writer import WriteFailed
from sync.messages.codec import MalformedMessage
from sync.messages.refusals import Refusal

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
_CODES = {
    400: "malformed",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
}
_STATUS = {
    "malformed": 422,
    "unsupported_version": 422,
    "retry": 503,
    "request_reused": 422,
    "forbidden": 403,
    "ticket_unknown": 404,
    "booking_unknown": 404,
}


class Problem(Exception):
    """An answer that is not the wanted one.

    Args:
        status: the HTTP status.
        code: stable, snake_case.
        detail: one sentence for a developer; never personal data.
        more: further members of the body.
    """

    def __init__(self, status: int, code: str, detail: str = "", **more: Any) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.more = more


def problem_of(refusal: Refusal) -> Problem:
    """A refusal with its fields; 409 unless its code has a status of its own."""
    fields = {name: value for name, value in msgspec.structs.asdict(refusal).items() if value is not None}
    fields.pop("code")
    return Problem(_STATUS.get(refusal.code, 409), refusal.code, **fields)


def as_problem(error: Exception, metrics: Metrics, *, method: str, route: str) -> Problem:
    """How an error is told over HTTP.

    What could not even be read is counted here, refusals of the queue where they are decided; a fault of ours is logged.
    """
    match error:
        case Problem():
            problem = error
        case MalformedMessage():
            metrics.refused.labels("malformed").inc()
            return Problem(422, "malformed", error.detail)
        case HTTPException():
            problem = Problem(error.status_code, _CODES.get(error.status_code, "refused"))
        case StateUnknown() | WriteFailed():
            return Problem(503, "retry", wait_s=1)
        case _:
            log.error("request.failed", method=method, route=route, exc_info=error)
            return Problem(500, "internal")
    count_too_large(metrics, problem.status)
    return problem


def problem_body(problem: Problem) -> dict[str, Any]:
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(problem.status).phrase, "status": problem.status}
    if problem.detail:
        body["detail"] = problem.detail
    return {**body, "code": problem.code, **problem.more}


def problem_headers(problem: Problem) -> dict[str, str]:
    """Headers beside the content type."""
    if problem.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        return {"retry-after": str(problem.more.get("wait_s", 1))}
    return {}


def problem_response(problem: Problem) -> Response[dict[str, Any]]:
    return Response(
        problem_body(problem),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=problem_headers(problem),
    )


def count_too_large(metrics: Metrics, status: int) -> None:
    """Count a body that was not read."""
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        metrics.refused.labels("too_large").inc()


def _on_error(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    metrics: Metrics = request.app.state.node.metrics
    route = request.scope.get("path_template", "")
    return problem_response(as_problem(error, metrics, method=request.method, route=route))


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {HTTPException: _on_error, Exception: _on_error}
