"""The door of the pages of the city's own people: who comes through, and what their pages share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Response
from litestar.datastructures import Cookie

from central.portal.service import Portal
from central.portal.visit import PRIVATE, Form, Incoming, Page, Visit
from central.problems import Problem, problem_response
from central.staff.rules import End, Member, is_ours, may_manage
from ui.catalog import Words
from ui.locales import STAFF_LOCALES

SESSION_COOKIE: Final = "vt_central_staff"
SIGN_IN: Final = "/personal/entrar"
ACCOUNT: Final = f"{SIGN_IN}/cuenta"
ACCOUNT_RETURN: Final = f"{SIGN_IN}/vuelta"
OVERVIEW: Final = "/oficinas-ahora"
OFFICE: Final = "/oficina-ahora"
POLICIES: Final = "/normas"
OVERRIDES: Final = "/cambios-de-orden"
ACCURACY: Final = "/previsiones"
CONFLICTS, LEASES, PARKED = "/incidencias", "/cupos-cedidos", "/hechos-apartados"
AUDIT, CLOSURES, RETENTION = "/registro", "/cierres", "/conservacion"

ENDED: Final[Mapping[End, str]] = {
    "access": "central.signin.ended.access",
    "password": "central.signin.ended.password",
    "expired": "central.signin.ended.expired",
    "idle": "central.signin.ended.idle",
}
KEPT: Final = "kept:"
"""Begins the names of fields that were sent to a page without a session, and go along through signing in."""
NOT_KEPT: Final = frozenset({"_csrf_token", "password", "code"})


class SignInNeeded(Exception):
    """Nobody is signed in at this browser (any more); ``answer`` leads to signing in, and from there back."""

    def __init__(self, answer: Response[Any]) -> None:
        super().__init__()
        self.answer = answer


class StaffVisit(Visit):
    """A request of somebody who is signed in."""

    def __init__(self, request: Incoming, portal: Portal, member: Member) -> None:
        super().__init__(request, portal, staff=True)
        self.member = member

    @property
    def token(self) -> str:
        return session_token(self.request)

    def page(
        self,
        template: str,
        values: Mapping[str, Any] | None = None,
        *,
        status: int = 200,
        headers: Mapping[str, str] = PRIVATE,
    ) -> Page:
        """Render a page with the head that all pages of staff have; ``tab`` among the values is the one it belongs to."""
        given = dict(values or {})
        frame = {
            "tabs": tabs_of(self.words, given.get("tab", ""), self.member),
            "person": self.member.display_name,
            "choice": (),
        }
        return super().page(template, {**frame, **given}, status=status, headers=headers)

    @staticmethod
    async def form_of(request: Incoming, portal: Portal) -> Form:
        """The form of a request that may turn out to be of nobody who is signed in."""
        return await Visit(request, portal, staff=True).form()

    def speak(self, language: str) -> None:
        """Go on in another language, which a form asked for."""
        if language in STAFF_LOCALES:
            self.locale, self._switched = language, True

    @property
    def of_office(self) -> str | None:
        """Whose it is what the person does on pages that are about no office: their own one's, or the city's."""
        return None if self.member.is_city_wide else self.member.office

    async def looked_at(self, act: str, subject: str, *, office: str | None) -> None:
        """Write down what the person looks at, and which office's it is; none: the city's."""
        await self.portal.staff.note_look(self.token, self.member, act, subject, office=office)


async def enter(request: Incoming, portal: Portal, *, is_input: bool = True, sent: Form | None = None) -> StaffVisit:
    """Let somebody in who is signed in.

    Args:
        is_input: a person asks, and not a page by itself.
        sent: the form that came with the request: it is not lost when somebody has to sign in first.

    Raises:
        SignInNeeded: nobody is.
    """
    found = await portal.staff.member(session_token(request), is_input=is_input)
    if not isinstance(found, Member):
        raise SignInNeeded(await _way_in(request, portal, found, sent) if is_input else _nobody())
    return StaffVisit(request, portal, found)


async def has_changed(visit: StaffVisit) -> bool:
    """Whether an open stream's person is signed in no more, or may do something else by now."""
    return await visit.portal.staff.member(visit.token, is_input=False) != visit.member


def refused(visit: StaffVisit, office: str) -> Page | None:
    """The page for who does not manage an office; none for who does."""
    if may_manage(visit.member, office):
        return None
    return visit.page("staff/refused.html", {"tab": ""}, status=403)


def session_token(request: Incoming) -> str:
    return request.cookies.get(SESSION_COOKIE, "")


def session_cookie(portal: Portal, token: str) -> Cookie:
    """The cookie of a session; an empty token removes it."""
    secure = portal.central.settings.http.secure_cookies
    return Cookie(
        key=SESSION_COOKIE,
        value=token,
        path="/",
        httponly=True,
        samesite="lax",
        secure=secure,
        max_age=None if token else 0,
    )


def tabs_of(words: Words, here: str, member: Member) -> list[tuple[str, str, bool]]:
    """The pages that are for somebody of the city's own people."""
    pages = (
        (OVERVIEW, words.text("central.tab.now")),
        (OVERRIDES, words.text("insight.tab.overrides")),
        (ACCURACY, words.text("insight.tab.accuracy")),
        (POLICIES, words.text("central.tab.policy")),
        (CONFLICTS, words.text("central.tab.conflicts")),
        (LEASES, words.text("central.tab.leases")),
        (PARKED, words.text("central.tab.parked")),
        (CLOSURES, words.text("city.tab.closures")),
        (AUDIT, words.text("city.tab.audit")),
        *(((RETENTION, words.text("city.tab.retention")),) if member.is_city_wide else ()),
    )
    return [(text, path, path == here) for path, text in pages]


async def offices_of(portal: Portal) -> list[tuple[str, str]]:
    """All offices, id and name, as people choose among them."""
    return [(one.id, one.name) for one in (await portal.booking.catalogue.current()).offices.values()]


def on_sign_in_needed(_request: Incoming, needed: SignInNeeded) -> Response[Any]:
    return needed.answer


def _nobody() -> Response[Any]:
    """For what a page asks by itself."""
    return problem_response(Problem(401, "unauthenticated"))


async def _way_in(request: Incoming, portal: Portal, ended: End | None, sent: Form | None) -> Response[Any]:
    visit = Visit(request, portal, staff=True)
    if sent is None:
        language = {"lang": visit.locale} if visit.is_switched else {}
        return visit.to(f"{SIGN_IN}?{urlencode({'a': visit.here, **({'fin': ended} if ended else {}), **language})}")
    return sign_in_page(
        visit,
        offices=await offices_of(portal),
        leads_to=request.url.path,
        kept=[(name, value) for name, value in sent.items() if name not in NOT_KEPT],
        ended="central.signin.unsent",
        status=401,
    )


def sign_in_page(
    visit: Visit,
    *,
    offices: Sequence[tuple[str, str]],
    leads_to: str,
    kept: Sequence[tuple[str, str]] = (),
    office: str = "",
    staff_id: str = "",
    problem: str = "",
    wait_s: int = 0,
    ended: str = "",
    status: int = 200,
) -> Page:
    """Who comes, and whereto.

    Args:
        leads_to: the path that signing in leads to.
        kept: fields of a form that was sent to it.
        problem: key of what was wrong.
        ended: key of why one has to sign in again.
    """
    values = {
        "offices": offices,
        "office": office,
        "staff_id": staff_id,
        "problem": problem,
        "ended": ended,
        "wait_s": wait_s,
        "leads_to": leads_to if is_ours(leads_to) else OVERVIEW,
        "kept": kept,
        "account": f"{ACCOUNT}?{urlencode({'a': leads_to})}" if visit.portal.sign_on is not None else "",
        "here": f"{SIGN_IN}?{urlencode({'a': leads_to})}",
    }
    page = visit.page("staff/sign_in.html", values, status=status)
    if wait_s:
        page.headers["retry-after"] = str(wait_s)
    return page
