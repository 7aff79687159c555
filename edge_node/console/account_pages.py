"""Signing in with the account that a person has at the city's identity provider. These routes are there only with an issuer in
the settings; what the provider says is judged in ``sync.io.single_sign_on``.
"""

from __future__ import annotations

from typing import Any

from litestar import Router, get
from litestar.response import Response

from edge_node.console.accounts import ACCOUNT, ACCOUNT_RETURN, sign_on_of
from edge_node.console.frame import go, locale_of, member_or_none
from edge_node.console.page_problems import PAGE_EXCEPTION_HANDLERS
from edge_node.console.routes import AnyRequest, address_of, node_of
from edge_node.console.sign_in_pages import answer
from edge_node.console.staff_sessions import NotSignedIn
from edge_node.node import EdgeNode
from edge_node.problems import Problem
from sync.domain.single_sign_on import NotProved
from sync.io.single_sign_on.browser import WayCookie, come_back, leave
from sync.io.single_sign_on.sign_on import SignOn


@get(ACCOUNT)
async def account_begin(request: AnyRequest) -> Response[Any]:
    """To the provider; who is signed in at an open screen goes on."""
    if member_or_none(request):
        return go(request, "/")
    departure = await _sign_on(request).begin("/", locale_of(request))
    if isinstance(departure, NotProved):
        return await answer(request, NotSignedIn(departure.code))
    return leave(departure, _cookie(node_of(request)))


@get(ACCOUNT_RETURN)
async def account_return(request: AnyRequest) -> Response[Any]:
    """Back from the provider. Whatever comes of it, this return counts no second time."""
    node, cookie = node_of(request), _cookie(node_of(request))
    came = await come_back(request, _sign_on(request), cookie)
    if isinstance(came, NotProved):
        reply = await answer(request, NotSignedIn(came.code))
    else:
        reply = await answer(request, await node.sessions.sign_in_with_account(came, address_of(request)))
    reply.set_cookie(cookie.removed())
    return reply


def _sign_on(request: AnyRequest) -> SignOn:
    sign_on = sign_on_of(request)
    if sign_on is None:
        raise Problem(404, "not_found")
    return sign_on


def _cookie(node: EdgeNode) -> WayCookie:
    return WayCookie(name=f"{node.cookie}_account", path=ACCOUNT, secure=node.settings.http.secure_cookies)


PAGES = Router(path="/", route_handlers=[account_begin, account_return], exception_handlers=PAGE_EXCEPTION_HANDLERS)
