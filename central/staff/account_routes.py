"""Signing in with the account that a person has at the city's identity provider. These routes are there only with an issuer in
the settings; what the provider says is judged in ``sync.io.single_sign_on``.
"""

from __future__ import annotations

from typing import Final

from litestar import get
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromQuery

from central.portal.service import Portal
from central.portal.visit import Form, Incoming, Page, Visit
from central.problems import Problem
from central.staff.accounts import ACCOUNT, ACCOUNT_RETURN
from central.staff.gate import OVERVIEW, SIGN_IN, session_token
from central.staff.routes import answer
from central.staff.rules import Member, is_ours
from central.staff.sessions import NotSignedIn
from sync.domain.single_sign_on import NotProved, Return
from sync.io.single_sign_on.sign_on import COOKIE_S, SignOn

COOKIE: Final = "vt_central_account"


@get(ACCOUNT)
async def account_begin(request: Incoming, portal: NamedDependency[Portal], a: FromQuery[str] = OVERVIEW) -> Page:
    """To the provider; who is signed in goes on."""
    visit, leads_to = Visit(request, portal, staff=True), a if is_ours(a) else OVERVIEW
    if isinstance(await portal.staff.member(session_token(request)), Member):
        return visit.to(leads_to)
    begun = await _accounts(portal).begin(leads_to, visit.locale)
    if isinstance(begun, NotProved):
        return await answer(visit, _going(leads_to), NotSignedIn(begun.code))
    page = visit.to(begun.address)
    page.set_cookie(_cookie(portal, begun.cookie))
    return page


@get(ACCOUNT_RETURN)
async def account_return(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """Back from the provider. Whatever comes of it, this return counts no second time."""
    visit, said = Visit(request, portal, staff=True), request.query_params.get
    answered = Return(said("code", ""), said("state", ""), said("error", ""), said("iss", ""))
    came = await _accounts(portal).finish(request.cookies.get(COOKIE, ""), answered)
    if isinstance(came, NotProved):
        page = await answer(visit, _going(came.leads_to), NotSignedIn(came.code))
    else:
        signed_in = await portal.staff.sign_in_with_account(came, visit.address)
        page = await answer(visit, _going(came.leads_to), signed_in)
    page.set_cookie(_cookie(portal, ""))
    return page


def _accounts(portal: Portal) -> SignOn:
    if portal.accounts is None:
        raise Problem(404, "not_found")
    return portal.accounts


def _going(leads_to: str) -> Form:
    return Form({"leads_to": [leads_to]})


def _cookie(portal: Portal, value: str) -> Cookie:
    """What is kept of a way that was begun; empty: removed. Lax, since the way back comes from another site."""
    return Cookie(
        key=COOKIE,
        value=value,
        path=SIGN_IN,
        httponly=True,
        samesite="lax",
        secure=portal.central.settings.http.secure_cookies,
        max_age=COOKIE_S if value else 0,
    )


ROUTES = (account_begin, account_return)
