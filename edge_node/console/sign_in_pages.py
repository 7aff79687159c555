"""Signing in and out. A wrong id and a wrong password get the same answer, after the same time; a code is asked for only behind
a right password. A browser whose screen is locked finds the lock here (``lock_pages``), since it is nobody's until it is opened.
"""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.response import Response

from edge_node.console.accounts import ACCOUNT, account_address
from edge_node.console.acts import close_own_counter, take_along
from edge_node.console.frame import desk_cookie, frame_of, go, left_by, member_or_none, session_token
from edge_node.console.lock_pages import lock_page
from edge_node.console.routes import AnyRequest, address_of, node_of, session_cookie
from edge_node.console.sentences import Said
from edge_node.console.staff_sessions import MAX_ID_CHARS, NotSignedIn, SignedIn

NOT_SIGNED_IN = {
    "sign_in_failed": (422, "console.signin.wrong"),
    "too_many_tries": (429, "console.signin.slow"),
    "retry": (503, "base.error.busy"),
    "code_needed": (200, ""),
    "code_wrong": (422, "console.signin.code.wrong"),
    "code_late": (422, "console.signin.code.late"),
    "too_old": (422, "console.signin.too_old"),
    "account_unknown": (403, "account.unknown"),
    "account_silent": (503, "account.silent"),
    "account_busy": (503, "account.busy"),
    "account_cancelled": (422, "account.cancelled"),
    "account_late": (422, "account.late"),
    "account_refused": (422, "account.refused"),
    "account_not_asked": (422, "account.not_asked"),
}
ENDED = {
    "access": "console.signin.ended.access",
    "password": "console.signin.ended.password",
    "expired": "console.signin.ended.expired",
    "idle": "console.signin.ended.idle",
    "everywhere": "console.signin.ended.everywhere",
}


@get("/sign-in")
async def sign_in_page(request: AnyRequest) -> Response[str] | Response[None]:
    """Who works here: the lock of a locked screen, unless somebody else wants to sign in."""
    if member_or_none(request):
        return go(request, "/")
    locked = node_of(request).sessions.locked_member(session_token(request))
    if locked is not None and "other" not in request.query_params:
        return lock_page(request, locked)
    return _page(request)


@post("/sign-in", status_code=200)
async def sign_in_form(request: AnyRequest) -> Response[str] | Response[None]:
    node, form = node_of(request), await request.form()
    staff_id, secret = str(form.get("staff_id", "")).strip().lower(), str(form.get("password", ""))
    if not staff_id or not secret:
        return _page(request, staff_id, "console.signin.empty")
    return await answer(request, await node.sessions.sign_in(staff_id, secret, address_of(request)), staff_id)


@post("/sign-in/code", status_code=200)
async def code_form(request: AnyRequest) -> Response[str] | Response[None]:
    """The second step."""
    node, form = node_of(request), await request.form()
    pending, code = str(form.get("pending", "")), str(form.get("code", ""))[:MAX_ID_CHARS]
    return await answer(request, await node.sessions.confirm(pending, code, address_of(request)), "")


@post("/sign-out", status_code=303)
async def sign_out_form(request: AnyRequest) -> Response[None]:
    """Ends the session, and closes the counter when nobody is being attended there; a visit waits for its clerk."""
    node, member = node_of(request), member_or_none(request)
    if member is not None:
        await close_own_counter(node, member)
    await node.sessions.sign_out(session_token(request))
    return signed_out(request)


def signed_out(request: AnyRequest) -> Response[None]:
    """The way out, without the cookies of a session."""
    node = node_of(request)
    reply = go(request, "/sign-in", Said(verb="sign_out"))
    reply.set_cookie(session_cookie(node, ""))
    reply.set_cookie(desk_cookie(node, ""))
    return reply


async def answer(
    request: AnyRequest, came: SignedIn | NotSignedIn, staff_id: str = ""
) -> Response[str] | Response[None]:
    """What somebody gets who came with something that proves them, or does not."""
    node = node_of(request)
    if isinstance(came, NotSignedIn):
        if came.code != "code_needed":
            node.metrics.refused.labels(came.code).inc()
        status, problem = NOT_SIGNED_IN[came.code]
        return _page(request, staff_id, problem, status=status, wait_s=came.wait_s, pending=came.pending)
    await node.sessions.sign_out(session_token(request))  # whoever had this browser before does not have it any more
    counter = await take_along(node, came.member)
    reply = go(request, "/", Said(verb="take_over", target=counter) if counter else None)
    reply.set_cookie(session_cookie(node, came.token))
    return reply


def _page(
    request: AnyRequest, staff_id: str = "", problem: str = "", *, status: int = 422, wait_s: int = 0, pending: str = ""
) -> Response[str]:
    node, frame = node_of(request), frame_of(request)
    is_back = request.url.path.startswith(ACCOUNT)  # that address holds a code, and no page
    ended = node.sessions.why_ended(session_token(request))
    values: dict[str, Any] = {
        "office_name": node.dispatcher.state.configuration.catalogue.office.name,
        "staff_id": staff_id[:MAX_ID_CHARS],
        "problem": problem,
        "wait_s": wait_s,
        "pending": pending,
        "ended": ENDED[ended] if ended and not left_by(request) else "",
        "unsent": "unsent" in request.query_params,
        "account": account_address(request),
    }
    reply = frame.page(
        request,
        "console/sign_in.html",
        values,
        status=status if problem else 200,
        address="/sign-in" if is_back else "",
    )
    if wait_s:
        reply.headers["retry-after"] = str(wait_s)
    return reply
