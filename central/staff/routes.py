"""Signing in and out. A wrong office, id or password gets the same answer, after the same time; a code is asked for only behind a
right password.
"""

from __future__ import annotations

from typing import Final

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from central.portal.service import Portal
from central.portal.visit import Form, Incoming, Page, Visit
from central.requests import REFUSED
from central.staff.gate import (
    ENDED,
    KEPT,
    OVERVIEW,
    SIGN_IN,
    StaffVisit,
    offices_of,
    session_cookie,
    session_token,
    sign_in_page,
)
from central.staff.rules import Member, is_ours
from central.staff.sessions import NotSignedIn, SignedIn

NOT_SIGNED_IN: Final = {
    "sign_in_failed": (422, "central.signin.wrong"),
    "too_many_tries": (429, "central.signin.slow"),
    "retry": (503, "base.error.busy"),
    "not_here": (403, "central.signin.not_here"),
    "code_needed": (200, ""),
    "code_wrong": (422, "central.signin.code.wrong"),
    "code_late": (422, "central.signin.code.late"),
    "account_unknown": (403, "account.unknown"),
    "account_several": (403, "account.several"),
    "account_silent": (503, "account.silent"),
    "account_busy": (503, "account.busy"),
    "account_cancelled": (422, "account.cancelled"),
    "account_late": (422, "account.late"),
    "account_refused": (422, "account.refused"),
    "account_not_asked": (422, "account.not_asked"),
}
EMPTY: Final = "central.signin.empty"


@get(SIGN_IN)
async def sign_in(
    request: Incoming, portal: NamedDependency[Portal], a: FromQuery[str] = OVERVIEW, fin: FromQuery[str] = ""
) -> Page:
    """The form; who is signed in goes on."""
    visit, leads_to = Visit(request, portal, staff=True), a if is_ours(a) else OVERVIEW
    if isinstance(await portal.staff.member(session_token(request)), Member):
        return visit.to(leads_to)
    ended = {key: text for key, text in ENDED.items() if key == fin}
    return sign_in_page(
        visit, offices=await offices_of(portal), leads_to=leads_to, ended=next(iter(ended.values()), "")
    )


@post(SIGN_IN, status_code=200)
async def sign_in_form(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    visit = Visit(request, portal, staff=True)
    form = await visit.form()
    office, staff_id = form.get("office"), form.get("staff_id").lower()
    secret = str((await request.form()).get("password", ""))  # as it was typed: a password may end in a space
    if not staff_id or not secret:
        return await _again(visit, form, EMPTY)
    return await answer(visit, form, await portal.staff.sign_in(office, staff_id, secret, visit.address))


@post("/personal/codigo", status_code=200)
async def code_form(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """The second step."""
    visit = Visit(request, portal, staff=True)
    form = await visit.form()
    came = await portal.staff.confirm(session_token(request), form.get("code"), visit.address)
    return await answer(visit, form, came)


@post("/personal/salir", status_code=303)
async def sign_out(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    await portal.staff.sign_out(session_token(request))
    reply = Visit(request, portal, staff=True).to(SIGN_IN)
    reply.set_cookie(session_cookie(portal, ""))
    return reply


async def answer(visit: Visit, form: Form, came: SignedIn | NotSignedIn) -> Page:
    """What somebody gets who came with something that proves them, or does not; ``form`` says where they wanted to go."""
    portal = visit.portal
    if isinstance(came, SignedIn) or came.code == "code_needed":  # whoever had this browser before has it no more
        await portal.staff.sign_out(session_token(visit.request))
    if isinstance(came, SignedIn):
        reply = _go_on(visit, form, came.member)
        reply.set_cookie(session_cookie(portal, came.token))
        return reply
    if came.code != "code_needed":
        REFUSED.labels(came.code).inc()
    status, problem = NOT_SIGNED_IN[came.code]
    if not came.token:
        return await _again(visit, form, problem, status=status, wait_s=came.wait_s)
    values = {
        "problem": problem,
        "wait_s": came.wait_s,
        "leads_to": _leads_to(form),
        "kept": _kept(form),
        "here": "",
    }
    reply = visit.page("staff/code.html", values, status=status)
    reply.set_cookie(session_cookie(portal, came.token))
    return reply


def _go_on(visit: Visit, form: Form, member: Member) -> Page:
    """To where one wanted to go; a form that waited is sent on by its person, since a redirect cannot carry it."""
    if not _kept(form):
        return visit.to(_leads_to(form))
    values = {"leads_to": _leads_to(form), "kept": _kept(form), "here": ""}
    return StaffVisit(visit.request, visit.portal, member).page("staff/go_on.html", values)


async def _again(visit: Visit, form: Form, problem: str, *, status: int = 422, wait_s: int = 0) -> Page:
    return sign_in_page(
        visit,
        offices=await offices_of(visit.portal),
        leads_to=_leads_to(form),
        kept=_kept(form),
        office=form.get("office"),
        staff_id=form.get("staff_id"),
        problem=problem,
        wait_s=wait_s,
        status=status,
    )


def _leads_to(form: Form) -> str:
    wanted = form.get("leads_to")
    return wanted if is_ours(wanted) else OVERVIEW


def _kept(form: Form) -> list[tuple[str, str]]:
    """The fields of the form that waits, by their own names."""
    return [(name.removeprefix(KEPT), value) for name, value in form.items() if name.startswith(KEPT)]


ROUTES = (sign_in, sign_in_form, code_form, sign_out)
