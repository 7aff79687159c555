"""Signing in with the account that a person has at the city's identity provider. These routes are there only with an issuer in
the settings; what the provider says is judged in ``sync.io.single_sign_on``.
"""

from __future__ import annotations

from typing import Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from central.portal.service import Portal
from central.portal.visit import Form, Incoming, Page, Visit
from central.problems import Problem
from central.staff.gate import ACCOUNT, ACCOUNT_RETURN, OVERVIEW, SIGN_IN, session_token
from central.staff.routes import answer
from central.staff.rules import Member, is_ours
from central.staff.sessions import NotSignedIn
from sync.domain.single_sign_on import NotProved
from sync.io.single_sign_on.browser import WayCookie, come_back, leave
from sync.io.single_sign_on.sign_on import SignOn

COOKIE: Final = "vt_central_account"


@get(ACCOUNT)
async def account_begin(request: Incoming, portal: NamedDependency[Portal], a: FromQuery[str] = OVERVIEW) -> Page:
    """To the provider; who is signed in goes on."""
    visit, leads_to = Visit(request, portal, staff=True), a if is_ours(a) else OVERVIEW
    if isinstance(await portal.staff.member(session_token(request)), Member):
        return visit.to(leads_to)
    departure = await _sign_on(portal).begin(leads_to, visit.locale)
    if isinstance(departure, NotProved):
        return await answer(visit, _going(leads_to), NotSignedIn(departure.code))
    return leave(departure, _cookie(portal))


@get(ACCOUNT_RETURN)
async def account_return(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """Back from the provider. Whatever comes of it, this return counts no second time."""
    visit, cookie = Visit(request, portal, staff=True), _cookie(portal)
    came = await come_back(request, _sign_on(portal), cookie)
    if isinstance(came, NotProved):
        page = await answer(visit, _going(came.leads_to), NotSignedIn(came.code))
    else:
        signed_in = await portal.staff.sign_in_with_account(came, visit.address)
        page = await answer(visit, _going(came.leads_to), signed_in)
    page.set_cookie(cookie.removed())
    return page


def _sign_on(portal: Portal) -> SignOn:
    if portal.sign_on is None:
        raise Problem(404, "not_found")
    return portal.sign_on


def _going(leads_to: str) -> Form:
    return Form({"leads_to": [leads_to]})


def _cookie(portal: Portal) -> WayCookie:
    return WayCookie(name=COOKIE, path=SIGN_IN, secure=portal.central.settings.http.secure_cookies)


ROUTES = (account_begin, account_return)
