"""The console's JSON interface but for commands: signing in, the queue, live news. Pages build on the same functions."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromQuery
from litestar.response import Stream

from edge_node.console.agenda_news import agenda_stream
from edge_node.console.live import BYE
from edge_node.console.masking import masked, masked_queue
from edge_node.console.queue_view import view_agenda
from edge_node.console.staff_sessions import Member, NotSignedIn
from edge_node.node import EdgeNode
from edge_node.problems import Problem
from edge_node.queue.state import OfficeState
from sync.messages import codec
from sync.messages.feed import Service
from sync.messages.values import Slug

JSON = "application/json"
EVENT_STREAM = "text/event-stream"
STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}

SIGN_IN_STATUS = {"too_many_tries": 429, "retry": 503, "too_old": 403}

AnyRequest = Request[Any, Any, Any]


class SignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    staff_id: Slug
    secret: str
    code: str = ""


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in."""

    staff_id: str
    display_name: str
    roles: tuple[str, ...]
    office: str


PRACTISED = "ventanilla.practised"
"""Where a request's scope names the invented office that it is for."""


def node_of(request: AnyRequest) -> EdgeNode:
    """The node that answers this request."""
    practised: Any = request.scope.get(PRACTISED)
    node: EdgeNode = practised or request.app.state.node
    return node


def member_of(request: AnyRequest) -> Member:
    """Who asks.

    Raises:
        Problem: 401 ``unauthenticated``.
    """
    node = node_of(request)
    token = request.cookies.get(node.cookie)
    member = node.sessions.member(token) if token else None
    if member is None:
        raise Problem(401, "unauthenticated")
    return member


def session_cookie(node: EdgeNode, token: str) -> Cookie:
    """The cookie of a session; an empty token removes it."""
    return Cookie(
        key=node.cookie,
        value=token,
        path="/",
        httponly=True,
        samesite="lax",
        secure=node.settings.http.secure_cookies,
        max_age=None if token else 0,
    )


def address_of(request: AnyRequest) -> str:
    """Where a request comes from: nothing stands between the node and its office's browsers."""
    return request.client.host if request.client is not None else ""


@post("/api/v1/sign-in", status_code=200)
async def sign_in(request: AnyRequest) -> Response[Me]:
    """401 ``sign_in_failed`` says the same for an unknown id and a wrong secret, ``code_needed`` and ``code_wrong`` come behind a
    right one; 429 and 503 say when to come again.
    """
    node = node_of(request)
    asked = codec.decode(await request.body(), SignIn)
    came = await node.sessions.sign_in(asked.staff_id, asked.secret, address_of(request), asked.code)
    if isinstance(came, NotSignedIn):
        node.metrics.refused.labels(came.code).inc()
        more: dict[str, Any] = {"wait_s": came.wait_s} if came.wait_s else {}
        raise Problem(SIGN_IN_STATUS.get(came.code, 401), came.code, **more)
    return Response(_me(came.member, node), cookies=[session_cookie(node, came.token)])


@post("/api/v1/sign-out", status_code=204)
async def sign_out(request: AnyRequest) -> Response[None]:
    node = node_of(request)
    if token := request.cookies.get(node.cookie):
        await node.sessions.sign_out(token)
    return Response(None, status_code=204, cookies=[session_cookie(node, "")])


@get("/api/v1/me")
async def me(request: AnyRequest) -> Me:
    return _me(member_of(request), node_of(request))


@get("/api/v1/queue")
async def queue(request: AnyRequest) -> Response[bytes]:
    """Everything the console shows, at one position of the journal. Names are initials but of the asker's own visit."""
    member, node = member_of(request), node_of(request)
    view = masked_queue(
        await node.view_queue(), await node.dispatcher.read(lambda state: _shown(request, state, member))
    )
    return Response(codec.encode(view), media_type=JSON, headers={"cache-control": "no-store"})


@get("/api/v1/services")
async def services(request: AnyRequest) -> list[Service]:
    """What this office offers; no personal data, so nobody need sign in."""
    state = node_of(request).dispatcher.state
    return sorted(state.configuration.catalogue.services.values(), key=lambda service: service.id)


@get("/api/v1/agenda")
async def agenda(request: AnyRequest) -> Response[bytes] | Stream:
    """Today's appointments; as a stream for ``Accept: text/event-stream``: all of them, then each as it comes."""
    member_of(request)
    node = node_of(request)
    if EVENT_STREAM not in request.headers.get("accept", ""):
        body = codec.encode([masked(line) for line in await node.dispatcher.read(view_agenda)])
        return Response(body, media_type=JSON, headers={"cache-control": "no-store"})
    return Stream(
        _while_signed_in(request, agenda_stream(node.live, node.dispatcher)),
        media_type=EVENT_STREAM,
        headers=STREAM_HEADERS,
    )


@get("/api/v1/lent")
async def lent(request: AnyRequest, service: FromQuery[Slug]) -> Response[bytes]:
    """When an appointment of a service could be sold out of seats lent to this office, and whether that may be done now."""
    member_of(request)
    found = await node_of(request).sales.lent(service)
    return Response(codec.encode(found), media_type=JSON, headers={"cache-control": "no-store"})


@get("/api/v1/live")
async def live(request: AnyRequest) -> Stream:
    """One event per change, from ``Last-Event-ID`` (or ``?last_event_id=``) on."""
    member_of(request)
    stream = node_of(request).live.stream(last_event_id(request))
    return Stream(_while_signed_in(request, stream), media_type=EVENT_STREAM, headers=STREAM_HEADERS)


async def _while_signed_in(request: AnyRequest, stream: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """A stream until its session ends; looked at with everything sent, at the latest with the next sign of life."""
    node = node_of(request)
    token = request.cookies.get(node.cookie, "")
    async with aclosing(stream):
        async for chunk in stream:
            if node.sessions.member(token) is None:
                yield BYE.sse
                return
            yield chunk


def _shown(request: AnyRequest, state: OfficeState, member: Member) -> str | None:
    """The visit whose person's name this browser may read now."""
    sessions, day = node_of(request).sessions, state.day
    own = next((each for each in day.sessions.values() if each.staff_id == member.staff_id), None)
    visit = day.visit_at(own.session) if own is not None else None
    if visit is None or visit.called_at is None:
        return None
    token = request.cookies.get(node_of(request).cookie, "")
    return visit.ticket_id if sessions.shows(token, visit.ticket_id, visit.called_at) else None


def last_event_id(request: AnyRequest) -> str | None:
    """Where a stream that comes back left off."""
    asked: str | None = request.query_params.get("last_event_id") or request.headers.get("last-event-id")
    return asked


def _me(member: Member, node: EdgeNode) -> Me:
    return Me(
        staff_id=member.staff_id,
        display_name=member.display_name,
        roles=member.roles,
        office=node.settings.office.id,
    )


ROUTES = (sign_in, sign_out, me, queue, services, agenda, lent, live)
