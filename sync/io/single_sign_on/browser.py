"""What a browser on its way to the provider and back is given and brings, at every server alike."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import Cookie
from litestar.response import Response

from sync.domain.single_sign_on import NotProved, Proved, Return
from sync.io.single_sign_on.sign_on import COOKIE_S, Departure, SignOn


class WayCookie(msgspec.Struct, frozen=True, kw_only=True):
    """The cookie that keeps what was begun. Lax, since the way back comes from another site.

    Args:
        path: under which the return lies.
        secure: browsers reach this server by https.
    """

    name: str
    path: str
    secure: bool

    def kept(self, value: str) -> Cookie:
        return self._with(value, COOKIE_S)

    def removed(self) -> Cookie:
        return self._with("", 0)

    def _with(self, value: str, max_age: int) -> Cookie:
        return Cookie(
            key=self.name,
            value=value,
            path=self.path,
            httponly=True,
            samesite="lax",
            secure=self.secure,
            max_age=max_age,
        )


def leave(departure: Departure, cookie: WayCookie) -> Response[Any]:
    """To the provider."""
    return Response(
        None,
        status_code=303,
        headers={"location": departure.address, "cache-control": "no-store"},
        cookies=[cookie.kept(departure.cookie)],
    )


async def come_back(request: Request[Any, Any, Any], sign_on: SignOn, cookie: WayCookie) -> Proved | NotProved:
    """Who came back from the provider. The answer to the browser has to remove the cookie: a return counts once."""
    said = request.query_params.get
    came = Return(said("code", ""), said("state", ""), said("error", ""), said("iss", ""))
    return await sign_on.finish(request.cookies.get(cookie.name, ""), came)
