"""The pages of learning: the first-use guide, and the way into practice and out of it."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from litestar import get, post
from litestar.datastructures import Cookie
from litestar.response import Response

from edge_node.console.frame import YEAR_S, frame_of, go, locale_of, member_or_none
from edge_node.console.routes import PRACTISED, AnyRequest, node_of
from edge_node.console.work_view import session_of
from edge_node.node import EdgeNode
from edge_node.practice.door import room_cookie
from edge_node.practice.rooms import Rooms
from edge_node.practice.rules import STEPS

READERS_MAX = 40
"""People of one PC whose reading is remembered; of more, those who have not sat here for longest are asked anew."""


@get("/guide")
async def guide_page(request: AnyRequest) -> Response[str] | Response[None]:
    """The five basic verbs on one page. Who has opened it is offered it no more at this browser."""
    member = member_or_none(request)
    if member is None:
        return go(request, "/sign-in")
    values = await _around(request, member.staff_id)
    reply = frame_of(request).page(request, "practice/guide.html", {**values, "steps": STEPS, "me": member})
    reply.set_cookie(readers_cookie(request, member.staff_id))
    return reply


@post("/guide/dismiss", status_code=303)
async def dismiss_guide(request: AnyRequest) -> Response[None]:
    """Not now, and not again by itself; help leads to it."""
    member = member_or_none(request)
    reply = go(request, "/")
    if member is not None:
        reply.set_cookie(readers_cookie(request, member.staff_id))
    return reply


@get("/practice")
async def practice_page(request: AnyRequest) -> Response[str] | Response[None]:
    """What practice is, and its beginning; who practises already is led there."""
    member = member_or_none(request)
    if member is None:
        return go(request, "/sign-in")
    if is_practised(request):
        return go(request, "/")
    return await _page(request, over=bool(request.query_params.get("over")))


@post("/practice", status_code=200)
async def begin_practice(request: AnyRequest) -> Response[str] | Response[None]:
    """A fresh invented office. Who has a counter open closes it first: people are called there."""
    node, member = node_of(request), member_or_none(request)
    if member is None:
        return go(request, "/sign-in")
    if is_practised(request):
        return go(request, "/")
    if await node.dispatcher.read(lambda state: session_of(state, member.staff_id)):
        return await _page(request, status=409)
    token = await rooms_of(request).enter(member, locale_of(request))
    if token is None:
        return await _page(request, full=True, status=503)
    reply = go(request, "/")
    reply.set_cookie(_room_cookie(node, token))
    return reply


@post("/practice/leave", status_code=303)
async def leave_practice(request: AnyRequest) -> Response[None]:
    node = node_of(request)
    await rooms_of(request).leave(request.cookies.get(room_cookie(node), ""))
    reply = go(request, "/")
    reply.set_cookie(_room_cookie(node, ""))
    return reply


def is_practised(request: AnyRequest) -> bool:
    """Whether a request is for an invented office."""
    return request.scope.get(PRACTISED) is not None


def rooms_of(request: AnyRequest) -> Rooms:
    rooms: Rooms = request.app.state.rooms
    return rooms


def has_read(request: AnyRequest, staff_id: str) -> bool:
    """Whether a member has seen the guide, or put it away, at this browser."""
    return _mark(staff_id) in _readers(request)


def readers_cookie(request: AnyRequest, staff_id: str) -> Cookie:
    """Who has read the guide at this browser, a member more."""
    mark = _mark(staff_id)
    readers = [*(each for each in _readers(request) if each != mark), mark][-READERS_MAX:]
    name = _readers_name(node_of(request))
    return Cookie(name, value=".".join(readers), max_age=YEAR_S, samesite="lax", path="/", httponly=True)


async def _page(request: AnyRequest, *, over: bool = False, full: bool = False, status: int = 200) -> Response[str]:
    member = member_or_none(request)
    assert member is not None
    values = await _around(request, member.staff_id)
    values |= {"over": over, "full": full, "me": member}
    return frame_of(request).page(request, "practice/practice.html", values, status=status)


async def _around(request: AnyRequest, staff_id: str) -> dict[str, Any]:
    """What both pages say of the office: its name, and whether the member has a counter open."""
    node = node_of(request)
    at_counter = await node.dispatcher.read(lambda state: session_of(state, staff_id) is not None)
    return {"office_name": node.dispatcher.state.configuration.catalogue.office.name, "at_counter": at_counter}


def _readers(request: AnyRequest) -> list[str]:
    return request.cookies.get(_readers_name(node_of(request)), "").split(".")


def _readers_name(node: EdgeNode) -> str:
    return f"{node.cookie}_guide"


def _mark(staff_id: str) -> str:
    """A member in the cookie: short, and not to be read by who sits here next."""
    return sha256(staff_id.encode()).hexdigest()[:8]


def _room_cookie(node: EdgeNode, token: str) -> Cookie:
    return Cookie(
        room_cookie(node),
        value=token,
        path="/",
        httponly=True,
        samesite="lax",
        secure=node.settings.http.secure_cookies,
        max_age=None if token else 0,
    )


ROUTES = (guide_page, dismiss_guide, practice_page, begin_practice, leave_practice)
