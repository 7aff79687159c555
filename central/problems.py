"""Errors over HTTP: `application/problem+json` with a stable `code` (RFC 9457), one map for the whole process.

Only `code` is a contract; `title` and `detail` are for people who read logs. Pages show their own words for the code.
"""

from http import HTTPStatus
from typing import Any

import structlog
from asyncpg import InterfaceError, PostgresConnectionError, TooManyConnectionsError
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from central.requests import REFUSED
from sync.messages.codec import MalformedMessage

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

_CODES = {
    400: "malformed",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    500: "internal",
    503: "retry",
}
_BAD_BODIES = {"malformed", "too_large"}


class Problem(Exception):
    """An answer that is not the wanted one.

    Args:
        status: the HTTP status.
        code: stable, snake_case.
        detail: one sentence for a developer; never personal data.
        retry_after_s: seconds after which the same request may succeed.
        more: further members of the body.
    """

    def __init__(
        self, status: int, code: str, detail: str = "", *, retry_after_s: int | None = None, **more: Any
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.more = more


def problem_response(problem: Problem) -> Response[dict[str, Any]]:
    """The response for a problem."""
    body = {"type": "about:blank", "title": HTTPStatus(problem.status).phrase, "status": problem.status}
    if problem.detail:
        body["detail"] = problem.detail
    headers = {"retry-after": str(problem.retry_after_s)} if problem.retry_after_s is not None else {}
    return Response(
        {**body, "code": problem.code, **problem.more},
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def _on_problem(_: Request[Any, Any, Any], problem: Problem) -> Response[dict[str, Any]]:
    return problem_response(problem)


def _on_malformed(_: Request[Any, Any, Any], error: MalformedMessage) -> Response[dict[str, Any]]:
    REFUSED.labels("malformed").inc()
    return problem_response(Problem(400, "malformed", error.detail))


def _on_http(_: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    detail = error.detail if isinstance(error, ValidationException) else ""
    code = _CODES.get(error.status_code, "refused")
    if code in _BAD_BODIES:  # a `Problem` is counted where it is decided; these are the framework's
        REFUSED.labels(code).inc()
    return problem_response(Problem(error.status_code, code, detail))


def _on_no_database(_: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    log.warning("database.unavailable", error=type(error).__name__)
    return problem_response(Problem(503, "retry", "the database does not answer", retry_after_s=2))


def _on_bug(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    log.error("request.failed", exc_info=error, method=request.method, route=request.scope.get("path_template", ""))
    return problem_response(Problem(500, "internal"))


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    Problem: _on_problem,
    MalformedMessage: _on_malformed,
    HTTPException: _on_http,
    PostgresConnectionError: _on_no_database,
    TooManyConnectionsError: _on_no_database,
    InterfaceError: _on_no_database,
    ConnectionError: _on_no_database,
    TimeoutError: _on_no_database,
    Exception: _on_bug,
}
