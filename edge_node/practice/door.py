"""Where practice parts from the real office: a browser that practises is shown its own invented office, at the same addresses.

The room's token is a cookie, so practice is the whole browser's, like signing in. A browser whose room is gone, or whose
member is another one by now, is told so and never falls through: what was pressed on a page of practice reaches no real queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any, Final, cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from edge_node.console.command_endpoint import cookies_of
from edge_node.console.routes import PRACTISED
from edge_node.node import EdgeNode
from edge_node.practice.rooms import Room, Rooms
from edge_node.practice.rules import practice_cookie

OVER: Final = "/practice?over=yes"
SHARED: Final = ("/static/", "/health/", "/metrics")
"""The same for everybody."""


class PracticeDoor:
    """Sends each request to the real office or to the practice that its browser is in.

    Args:
        practised: makes the application of practice. Not before somebody practises, since it costs a third of a node's start; on
            a thread, since the real office waits for nothing that is done here.
    """

    def __init__(self, node: EdgeNode, rooms: Rooms, real: ASGIApp, practised: Callable[[], ASGIApp]) -> None:
        self._node = node
        self._rooms = rooms
        self._real = real
        self._make_practised = practised
        self._practised: ASGIApp | None = None
        self._making = asyncio.Lock()
        self._cookie = room_cookie(node)
        self._mark = f"{self._cookie}=".encode("ascii")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != ScopeType.HTTP or scope["path"].startswith(SHARED):
            await self._real(scope, receive, send)
            return
        headers = dict(scope["headers"])
        header = headers.get(b"cookie", b"")
        if self._mark not in header:  # nearly all requests; commands wait for nothing more than this
            await self._real(scope, receive, send)
            return
        cookies = cookies_of(header)
        token = cookies.get(self._cookie, "")
        if (room := await self._room(token, cookies)) is not None:
            if scope["method"] == "POST":
                room.used()
            cast("dict[str, Any]", scope)[PRACTISED] = room.node
            await (await self._application())(scope, receive, send)
        elif scope["path"] == "/practice" and scope["method"] == "GET":
            await self._real(scope, receive, _without(self._cookie, send))
        else:
            await _send_away(scope, headers, send)

    async def _application(self) -> ASGIApp:
        async with self._making:
            if self._practised is None:
                self._practised = await asyncio.to_thread(self._make_practised)
            return self._practised

    async def _room(self, token: str, cookies: dict[str, str]) -> Room | None:
        """The practice of who is signed in; nobody's ends when its member has signed out."""
        member = self._node.sessions.member(cookies.get(self._node.cookie, ""))
        if member is None:
            await self._rooms.leave(token)
            return None
        return self._rooms.of(token, member.staff_id)


def room_cookie(node: EdgeNode) -> str:
    """Name of the cookie that holds the token of a practice."""
    return f"{practice_cookie(node.cookie)}_room"


async def _send_away(scope: HTTPScope, headers: dict[bytes, bytes], send: Send) -> None:
    """The practice is over: pages lead to where that is said, programs are not let in."""
    if scope["path"].startswith("/api/"):
        status, more = 401, []
    elif headers.get(b"hx-request") == b"true":
        status, more = 204, [(b"hx-redirect", OVER.encode())]
    else:
        status, more = 303, [(b"location", OVER.encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*more, (b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _without(cookie: str, send: Send) -> Send:
    """An answer that takes a cookie back."""
    gone: SimpleCookie = SimpleCookie({cookie: ""})
    gone[cookie].update({"path": "/", "max-age": "0"})
    header = (b"set-cookie", gone[cookie].OutputString().encode("latin-1"))

    async def send_and_forget(message: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), header]
        await send(message)

    return send_and_forget
