"""What people get when a page cannot be shown: the reason in their language and a way on. Programs get problem JSON."""

from typing import Any, Final

import structlog
from asyncpg import TooManyConnectionsError
from litestar import Response
from litestar.exceptions import HTTPException

from central.portal.service import Portal
from central.portal.visit import Incoming, Visit
from central.problems import EXCEPTION_HANDLERS, Problem
from central.requests import REFUSED

log = structlog.get_logger(__name__)

MACHINE_PATHS: Final = ("/api/", "/sync/", "/health/", "/metrics", "/static/")


def wants_page(request: Incoming) -> bool:
    """Whether a person asks: any path that is not for programs, unless the request wants JSON."""
    return not request.url.path.startswith(MACHINE_PATHS) and "application/json" not in request.headers.get(
        "accept", ""
    )


def handlers() -> dict[int | type[Exception], Any]:
    """The whole map of the process: the same problems, as pages for people."""
    return {error: _for_people(handler) for error, handler in EXCEPTION_HANDLERS.items()}


def _for_people(handler: Any) -> Any:
    def answer(request: Incoming, error: Exception) -> Response[Any]:
        reply: Response[Any] = handler(request, error)
        portal: Portal | None = getattr(request.app.state, "portal", None)
        if portal is None or not wants_page(request):
            return reply
        try:
            return _page(Visit(request, portal), reply.status_code or 500, error)
        except Exception:
            log.exception("error_page.failed")
            return reply

    return answer


def _page(visit: Visit, status: int, error: Exception) -> Response[Any]:
    heading, text = _words(visit, status, error)
    here = visit.here if visit.request.method == "GET" else "/"
    return visit.page("portal/error.html", {"heading": heading, "text": text, "here": here}, status=status)


def _words(visit: Visit, status: int, error: Exception) -> tuple[str, str]:
    words = visit.words
    if status == 403 and isinstance(error, HTTPException):
        REFUSED.labels("form_expired").inc()
        return words.text("base.error.title"), words.text("base.error.form_expired")
    if status in {404, 405}:
        return words.text("base.error.404.title"), words.text("base.error.404.text")
    if isinstance(error, Problem) and error.code == "recovering":
        return words.text("portal.recovering.title"), words.text("portal.recovering.text", phone=visit.phone)
    if status == 429 or isinstance(error, TooManyConnectionsError):
        wait_s = error.retry_after_s if isinstance(error, Problem) and error.retry_after_s else 5
        return words.text("base.error.title"), words.text("base.error.busy", n=wait_s)
    if status == 503:  # nobody else is to blame for it, and seconds will not mend it
        return words.text("portal.unavailable.title"), words.text("portal.unavailable.text", phone=visit.phone)
    if 400 <= status < 500:
        return words.text("base.error.title"), words.text("portal.err.block", phone=visit.phone)
    return words.text("base.error.500.title"), words.text("base.error.500.text", phone=visit.phone)
