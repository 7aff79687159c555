"""The locked screen, and what is shown of a person while somebody sits there. Rules: ``presence`` and ``session_book``."""

from __future__ import annotations

from litestar import post
from litestar.response import Response

from edge_node.console.accounts import account_address
from edge_node.console.frame import frame_of, go, is_enhanced, member_or_none, session_token
from edge_node.console.panels import Panel
from edge_node.console.reveals import note_reveal
from edge_node.console.routes import AnyRequest, address_of, node_of
from edge_node.console.staff_sessions import Member
from edge_node.console.work_pages import work
from edge_node.console.work_view import session_of
from edge_node.queue.state import OfficeState
from sync.domain.ticket import Ticket

LOCKED = {
    "sign_in_failed": (422, "console.lock.wrong"),
    "too_many_tries": (429, "console.signin.slow"),
    "retry": (503, "base.error.busy"),
}


@post("/lock", status_code=303)
async def lock_form(request: AnyRequest) -> Response[None]:
    """Lock this browser's screen. The visit and the calls go on."""
    await node_of(request).sessions.lock(session_token(request))
    return go(request, "/sign-in")


@post("/unlock", status_code=200)
async def unlock_form(request: AnyRequest) -> Response[str] | Response[None]:
    node, token, form = node_of(request), session_token(request), await request.form()
    member = node.sessions.locked_member(token)
    if member is None:  # open already, or ended meanwhile: the next page says which
        return go(request, "/")
    wrong = await node.sessions.unlock_with(token, str(form.get("password", "")), address_of(request))
    if wrong is None:
        return go(request, "/")
    node.metrics.refused.labels(wrong.code).inc()
    return lock_page(request, member, wrong.code, wrong.wait_s)


def lock_page(request: AnyRequest, member: Member, code: str = "", wait_s: int = 0) -> Response[str]:
    """Nothing of the queue and nobody's data: who locked it, and how to go on."""
    node = node_of(request)
    status, problem = LOCKED[code] if code else (200, "")
    session = session_of(node.dispatcher.state, member.staff_id)
    values = {
        "office_name": node.dispatcher.state.configuration.catalogue.office.name,
        "who": member.display_name,
        "staff_id": member.staff_id,
        "counter": session.counter if session is not None else "",
        "problem": problem,
        "wait_s": wait_s,
        "unsent": "unsent" in request.query_params,
        "account": account_address(request),
    }
    reply = frame_of(request).page(request, "console/locked.html", values, status=status)
    if wait_s:
        reply.headers["retry-after"] = str(wait_s)
    return reply


@post("/presence", status_code=204)
async def presence(request: AnyRequest) -> Response[None]:
    """A page's script says that there was input, or that there was none for a minute."""
    sessions, token, form = node_of(request).sessions, session_token(request), await request.form()
    if sessions.member(token) is None:
        return Response(None, status_code=204, headers={"hx-redirect": "/sign-in"})
    if form.get("idle"):
        sessions.left(token)
    else:
        sessions.touch(token)
    return Response(None, status_code=204)


@post("/show-person", status_code=200)
async def show_person_form(request: AnyRequest) -> Response[str] | Response[None]:
    """Show the data of the own visit's person again; written down before they are shown."""
    node, member = node_of(request), member_or_none(request)
    if member is None:
        return go(request, "/sign-in")
    ticket = await node.dispatcher.read(lambda state: _own_visit(state, member))
    if ticket is not None:
        await note_reveal(node.writer, member, ticket.ticket_id, ticket.appointment_id, node.dispatcher.state.now())
        node.sessions.show(session_token(request), ticket.ticket_id)
    panel = Panel.at(str((await request.form()).get("here", "")))
    return await work(request, member, panel) if is_enhanced(request) else go(request, panel.address)


def _own_visit(state: OfficeState, member: Member) -> Ticket | None:
    session = session_of(state, member.staff_id)
    return state.day.visit_at(session.session) if session is not None else None
