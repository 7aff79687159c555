"""Signing in and out. A wrong id and a wrong password get the same answer, after the same time."""

from __future__ import annotations

from litestar import get, post
from litestar.response import Response

from edge_node.console.acts import close_own_counter
from edge_node.console.frame import desk_cookie, frame_of, go, member_or_none
from edge_node.console.routes import AnyRequest, address_of, node_of, session_cookie
from edge_node.console.sentences import Said
from edge_node.console.staff_sessions import MAX_ID_CHARS, NotSignedIn

_NOT_SIGNED_IN = {
    "sign_in_failed": (422, "console.signin.wrong"),
    "too_many_tries": (429, "console.signin.slow"),
    "retry": (503, "base.error.busy"),
}


@get("/sign-in")
async def sign_in_page(request: AnyRequest) -> Response[str] | Response[None]:
    return go(request, "/") if member_or_none(request) else _page(request)


@post("/sign-in", status_code=200)
async def sign_in_form(request: AnyRequest) -> Response[str] | Response[None]:
    node, form = node_of(request), await request.form()
    staff_id, secret = str(form.get("staff_id", "")).strip().lower(), str(form.get("password", ""))
    if not staff_id or not secret:
        return _page(request, staff_id, "console.signin.empty")
    came = await node.sessions.sign_in(staff_id, secret, address_of(request))
    if isinstance(came, NotSignedIn):
        node.metrics.refused.labels(came.code).inc()
        status, problem = _NOT_SIGNED_IN[came.code]
        return _page(request, staff_id, problem, status=status, wait_s=came.wait_s)
    reply = go(request, "/")
    reply.set_cookie(session_cookie(node, came.token))
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


def _page(
    request: AnyRequest, staff_id: str = "", problem: str = "", *, status: int = 422, wait_s: int = 0
) -> Response[str]:
    node, frame = node_of(request), frame_of(request)
    values = {
        "office_name": node.dispatcher.state.configuration.catalogue.office.name,
        "staff_id": staff_id[:MAX_ID_CHARS],
        "problem": problem,
        "wait_s": wait_s,
    }
    reply = frame.page(request, "console/sign_in.html", values, status=status if problem else 200)
    if wait_s:
        reply.headers["retry-after"] = str(wait_s)
    return reply
