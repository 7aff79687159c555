"""Signing in and out. A wrong id and a wrong password get the same answer, after the same time."""

from __future__ import annotations

from litestar import get, post
from litestar.response import Response

from edge_node.console.acts import close_own_counter
from edge_node.console.frame import desk_cookie, frame_of, go, member_or_none
from edge_node.console.routes import AnyRequest, node_of, session_cookie
from edge_node.console.sentences import Said

LONGEST_ID = 40


@get("/sign-in")
async def sign_in_page(request: AnyRequest) -> Response[str] | Response[None]:
    return go(request, "/") if member_or_none(request) else _page(request)


@post("/sign-in", status_code=200)
async def sign_in_form(request: AnyRequest) -> Response[str] | Response[None]:
    node, form = node_of(request), await request.form()
    staff_id, secret = str(form.get("staff_id", "")).strip().lower(), str(form.get("password", ""))
    if not staff_id or not secret:
        return _page(request, staff_id, "console.signin.empty")
    signed_in = await node.sessions.sign_in(staff_id, secret)
    if signed_in is None:
        node.metrics.refused.labels("sign_in_failed").inc()
        return _page(request, staff_id, "console.signin.wrong")
    token, _member = signed_in
    reply = go(request, "/")
    reply.set_cookie(session_cookie(node, token))
    return reply


@post("/sign-out", status_code=303)
async def sign_out_form(request: AnyRequest) -> Response[None]:
    """Ends the session, and closes the counter when nobody is being attended there; a visit waits for its clerk."""
    node, member = node_of(request), member_or_none(request)
    if member is not None:
        await close_own_counter(node, member)
    if token := request.cookies.get(node.cookie):
        await node.sessions.sign_out(token)
    reply = go(request, "/sign-in", Said(verb="sign_out"))
    reply.set_cookie(session_cookie(node, ""))
    reply.set_cookie(desk_cookie(node, ""))
    return reply


def _page(request: AnyRequest, staff_id: str = "", problem: str = "") -> Response[str]:
    node, frame = node_of(request), frame_of(request)
    values = {
        "office_name": node.dispatcher.state.configuration.catalogue.office.name,
        "staff_id": staff_id[:LONGEST_ID],
        "problem": problem,
    }
    return frame.page(request, "console/sign_in.html", values, status=422 if problem else 200)
