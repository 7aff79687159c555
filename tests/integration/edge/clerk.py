"""A clerk's browser without script, over plain HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from typing import Any

import httpx

from sync.io.ids import new_id
from tests.kit.console_server import Console
from tests.kit.edge import OFFICE, SECRET
from tests.kit.plain_http import NO_TLS

CSRF = f"vt_edge_{OFFICE}_csrf"


class Clerk:
    """A browser without script."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def post(self, path: str, fields: dict[str, Any], **options: Any) -> httpx.Response:
        token = self.http.cookies.get(CSRF, "")
        return await self.http.post(path, data={"_csrf_token": token, "request_id": new_id(), **fields}, **options)

    async def act(self, verb: str, **fields: Any) -> str:
        """Send a form and follow it; the text of the page that comes."""
        reply = await self.post(f"/act/{verb}", fields)
        return unescape((await self.http.get(reply.headers["location"])).text)

    async def page(self, path: str = "/") -> str:
        return unescape((await self.http.get(path)).text)

    async def sign_in(self, staff_id: str, counter: str = "") -> None:
        await self.http.get("/sign-in")
        await self.post("/sign-in", {"staff_id": staff_id, "password": SECRET})
        if counter:
            assert (await self.post("/counter", {"counter": counter})).headers["location"] == "/"


@asynccontextmanager
async def clerk_at(served: Console, staff_id: str = "", counter: str = "", **headers: str) -> AsyncIterator[Clerk]:
    async with httpx.AsyncClient(
        verify=NO_TLS, base_url=served.url, headers={"accept-language": "es", **headers}
    ) as http:
        clerk = Clerk(http)
        if staff_id:
            await clerk.sign_in(staff_id, counter)
        yield clerk


def session(served: Console) -> str:
    return next(iter(served.node.dispatcher.state.day.sessions))
