"""Every page of the console, and its static files."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get
from litestar.params import FromPath, FromQuery

from edge_node.console.agenda_booking import new_form, new_page
from edge_node.console.agenda_move import move_form, move_page
from edge_node.console.agenda_pages import agenda_page, cancel_form, check_in_form, reveal_form, search_form
from edge_node.console.agenda_slip import slip_page
from edge_node.console.attendance import attendance_form, attendance_page
from edge_node.console.counter_pages import counter_page, open_counter_form
from edge_node.console.day_pages import ROUTES as DAY
from edge_node.console.frame import frame_of
from edge_node.console.lock_pages import lock_form, presence, show_person_form, unlock_form
from edge_node.console.offline_pages import offline_page
from edge_node.console.own_pages import keys_form, own_page, sign_out_everywhere_form
from edge_node.console.page_problems import PAGE_EXCEPTION_HANDLERS
from edge_node.console.routes import AnyRequest
from edge_node.console.sending_pages import sent_paper
from edge_node.console.sign_in_pages import code_form, sign_in_form, sign_in_page, sign_out_form
from edge_node.console.supervise_pages import supervise_page
from edge_node.console.widget_pages import widget_page
from edge_node.console.work_pages import act_form, work_page
from edge_node.practice.pages import ROUTES as LEARNING
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
        code_form,
        sign_out_form,
        lock_form,
        unlock_form,
        presence,
        show_person_form,
        own_page,
        keys_form,
        sign_out_everywhere_form,
        counter_page,
        open_counter_form,
        work_page,
        widget_page,
        act_form,
        supervise_page,
        agenda_page,
        search_form,
        reveal_form,
        check_in_form,
        cancel_form,
        new_page,
        new_form,
        move_page,
        move_form,
        slip_page,
        attendance_page,
        attendance_form,
        sent_paper,
        *DAY,
        offline_page,
        *LEARNING,
        nowhere,
    ],
    exception_handlers=PAGE_EXCEPTION_HANDLERS,
)
ROUTES = (PAGES, static_file)
