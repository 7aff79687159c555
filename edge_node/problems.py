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


def problem_response(problem: Problem) -> Response[dict[str, Any]]:
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(problem.status).phrase, "status": problem.status}
    if problem.detail:
        body["detail"] = problem.detail
    headers = {"retry-after": str(problem.more.get("wait_s", 1))} if problem.status == 503 else {}
    return Response(
        {**body, "code": problem.code, **problem.more},
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def _on_problem(request: Request[Any, Any, Any], problem: Problem) -> Response[dict[str, Any]]:
    count_too_large(request, problem.status)
    return problem_response(problem)


def _on_malformed(request: Request[Any, Any, Any], error: MalformedMessage) -> Response[dict[str, Any]]:
    request.app.state.node.metrics.refused.labels("malformed").inc()
    return problem_response(Problem(422, "malformed", error.detail))


def _on_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    return _on_problem(request, Problem(error.status_code, _CODES.get(error.status_code, "refused")))


def count_too_large(request: Request[Any, Any, Any], status: int) -> None:
    """Count a body that was not read; refusals of the queue are counted where they are decided."""
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        request.app.state.node.metrics.refused.labels("too_large").inc()


def _on_disk(_: Request[Any, Any, Any], __: Exception) -> Response[dict[str, Any]]:
    return problem_response(Problem(503, "retry", wait_s=1))


def _on_bug(request: Request[Any, Any, Any], bug: Exception) -> Response[dict[str, Any]]:
    log.error("request.failed", method=request.method, route=request.scope.get("path_template", ""), exc_info=bug)
    return problem_response(Problem(500, "internal"))


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    Problem: _on_problem,
    MalformedMessage: _on_malformed,
    HTTPException: _on_http,
    StateUnknown: _on_disk,
    WriteFailed: _on_disk,
    Exception: _on_bug,
}
