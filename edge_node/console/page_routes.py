"""Every page of the console, and its static files."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get
from litestar.params import FromPath, FromQuery

from edge_node.console.counter_pages import counter_page, open_counter_form
from edge_node.console.frame import frame_of
from edge_node.console.page_problems import PAGE_EXCEPTION_HANDLERS
from edge_node.console.routes import AnyRequest
from edge_node.console.sign_in_pages import sign_in_form, sign_in_page, sign_out_form
from edge_node.console.supervise_pages import supervise_page
from edge_node.console.work_pages import act_form, work_page
from edge_node.problems import Problem, problem_response


@get("/static/{name:path}", sync_to_thread=False)
def static_file(name: FromPath[str], request: AnyRequest, v: FromQuery[str | None] = None) -> Response[bytes]:
    reply = frame_of(request).assets.reply(
        name,
        version=v,
        accept_encoding=request.headers.get("accept-encoding", ""),
        if_none_match=request.headers.get("if-none-match"),
    )
    return Response(
        reply.body, status_code=reply.status, headers=reply.headers, media_type=reply.headers["content-type"]
    )


@get("/{path:path}", sync_to_thread=False)
def nowhere(path: FromPath[str]) -> Response[dict[str, Any]]:
    """Whatever stands nowhere else: a page for people, the usual problem for programs."""
    problem = Problem(404, "not_found")
    if path.startswith("/api/"):
        return problem_response(problem)
    raise problem


PAGES = Router(
    path="/",
    route_handlers=[
        sign_in_page,
        sign_in_form,
        sign_out_form,
        counter_page,
        open_counter_form,
        work_page,
        act_form,
        supervise_page,
        nowhere,
    ],
    exception_handlers=PAGE_EXCEPTION_HANDLERS,
)
ROUTES = (PAGES, static_file)
