"""Signing in with the account that a person has at the city's identity provider. These routes are there only with an issuer in
the settings; what the provider says is judged in ``sync.io.single_sign_on``.
"""

from __future__ import annotations

from typing import Any

from litestar import Router, get
from litestar.datastructures import Cookie
from litestar.response import Response

from edge_node.console.accounts import ACCOUNT, ACCOUNT_RETURN, accounts_of
from edge_node.console.frame import go, locale_of, member_or_none
from edge_node.console.page_problems import PAGE_EXCEPTION_HANDLERS
from edge_node.console.routes import AnyRequest, address_of, node_of
from edge_node.console.sign_in_pages import answer
from edge_node.console.staff_sessions import NotSignedIn
from edge_node.node import EdgeNode
from edge_node.problems import Problem
from sync.domain.single_sign_on import NotProved, Return
from sync.io.single_sign_on.sign_on import COOKIE_S, SignOn


@get(ACCOUNT)
async def account_begin(request: AnyRequest) -> Response[Any]:
    """To the provider; who is signed in at an open screen goes on."""
    if member_or_none(request):
        return go(request, "/")
    begun = await _accounts(request).begin("/", locale_of(request))
    if isinstance(begun, NotProved):
        return await answer(request, NotSignedIn(begun.code))
    reply: Response[Any] = Response(
        None, status_code=303, headers={"location": begun.address, "cache-control": "no-store"}
    )
    reply.set_cookie(_cookie(node_of(request), begun.cookie))
    return reply


@get(ACCOUNT_RETURN)
async def account_return(request: AnyRequest) -> Response[Any]:
    """Back from the provider. Whatever comes of it, this return counts no second time."""
    node, said = node_of(request), request.query_params.get
    answered = Return(said("code", ""), said("state", ""), said("error", ""), said("iss", ""))
    came = await _accounts(request).finish(request.cookies.get(_cookie_name(node), ""), answered)
    if isinstance(came, NotProved):
        reply = await answer(request, NotSignedIn(came.code))
    else:
        reply = await answer(request, await node.sessions.sign_in_with_account(came, address_of(request)))
    reply.set_cookie(_cookie(node, ""))
    return reply


def _accounts(request: AnyRequest) -> SignOn:
    accounts = accounts_of(request)
    if accounts is None:
        raise Problem(404, "not_found")
    return accounts


def _cookie_name(node: EdgeNode) -> str:
    return f"{node.cookie}_account"


def _cookie(node: EdgeNode, value: str) -> Cookie:
    """What is kept of a way that was begun; empty: removed. Lax, since the way back comes from another site."""
    return Cookie(
        key=_cookie_name(node),
        value=value,
        path=ACCOUNT,
        httponly=True,
        samesite="lax",
        secure=node.settings.http.secure_cookies,
        max_age=COOKIE_S if value else 0,
    )


PAGES = Router(path="/", route_handlers=[account_begin, account_return], exception_handlers=PAGE_EXCEPTION_HANDLERS)
