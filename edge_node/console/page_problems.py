"""Errors of pages: a sentence and a way back instead of a problem's JSON. The stable ``code`` stays in the logs and metrics."""

from __future__ import annotations

from typing import Any

import structlog
from litestar.exceptions import HTTPException, PermissionDeniedException
from litestar.response import Response

from edge_node.console.frame import frame_of, go
from edge_node.console.routes import AnyRequest, node_of
from edge_node.console.sentences import Said
from edge_node.problems import Problem, count_too_large, problem_response
from edge_node.queue.dispatcher import StateUnknown
from edge_node.writer import WriteFailed

log = structlog.get_logger()
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def _page(request: AnyRequest, status: int) -> Response[str]:
    values = {"office_name": node_of(request).dispatcher.state.configuration.catalogue.office.name}
    return frame_of(request).page(
        request, "console/problem.html", {**values, "status": status}, status=status, address="/"
    )


def _on_problem(request: AnyRequest, problem: Problem) -> Response[str]:
    return _page(request, problem.status)


def _on_http(request: AnyRequest, error: HTTPException) -> Response[str]:
    count_too_large(node_of(request).metrics, error.status_code)
    return _page(request, error.status_code)


def _on_disk(request: AnyRequest, _error: Exception) -> Response[str]:
    return _page(request, 503)


def _on_bug(request: AnyRequest, bug: Exception) -> Response[str]:
    log.error("page.failed", method=request.method, route=request.scope.get("path_template", ""), exc_info=bug)
    return _page(request, 500)


def on_denied(request: AnyRequest, error: PermissionDeniedException) -> Response[Any]:
    """A form that does not prove to be ours: most often its cookie is of an earlier installation. A fresh one is given, and
    the person presses again. Asked by a program, it is the same 403 as ever.
    """
    if not request.headers.get("content-type", "").startswith(FORMS):
        return problem_response(Problem(error.status_code, "forbidden"))
    reply = go(request, "/", Said(refused="retry"))
    reply.delete_cookie(f"{node_of(request).page_cookie}_csrf")
    return reply


PAGE_EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    Problem: _on_problem,
    HTTPException: _on_http,
    StateUnknown: _on_disk,
    WriteFailed: _on_disk,
    Exception: _on_bug,
}
"""For the pages' own routes."""
