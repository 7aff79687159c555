"""One request for a page: in which language, with which form, and how it is answered."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar import MediaType, Request, Response
from litestar.datastructures import Cookie, UploadFile
from litestar.utils.scope.state import ScopeState

from central.booking.drafts import new_visitor
from central.portal.draft import Draft
from central.portal.draft_key import DraftKey, asked_key, read_key
from central.portal.service import Portal
from central.problems import Problem
from central.requests import REFUSED
from ui.catalog import Words
from ui.locales import CITIZEN_LOCALES, STAFF_LOCALES, choose_locale
from ui.site import Site

Incoming = Request[Any, Any, Any]
Page = Response[str]

LANGUAGE_COOKIE: Final = "vt_central_lang"
DRAFT_COOKIE: Final = "vt_portal"
DRAFT_PARAMETER: Final = "reserva"
DRAFT_FIELD: Final = "request_id"
CSRF_COOKIE: Final = "vt_central_csrf"
YEAR_S: Final = 365 * 24 * 3600
FIELD_MAX: Final = 300
PRIVATE: Final = {"cache-control": "no-store"}
SECRET: Final = {"cache-control": "no-store", "x-robots-tag": "noindex, nofollow"}
"""Pages behind a secret address are in no search engine and in no cache."""

SITE: Final = Site()
"""What the frame of every page points at; central serves all of it itself."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


class Form:
    """The fields of a posted form: text only, without control characters, each cut to a sane length."""

    def __init__(self, values: Mapping[str, list[str]]) -> None:
        self._values = values

    def get(self, name: str) -> str:
        """The first value, trimmed; empty when missing."""
        return next(iter(self._values.get(name, ())), "")

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(self._values.get(name, ()))

    def has(self, name: str) -> bool:
        return name in self._values

    def items(self) -> list[tuple[str, str]]:
        """Every field with each of its values."""
        return [(name, value) for name, values in self._values.items() for value in values]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A draft as it was found and as it was left."""

    before: Draft
    after: Draft


class Visit:
    """A request with everything that answering it needs.

    Args:
        here: path and query of the page that is shown, for the language navigation; the request's own unless given.
    """

    def __init__(self, request: Incoming, portal: Portal, *, staff: bool = False) -> None:
        self.request = request
        self.portal = portal
        self._pages = portal.staff_pages if staff else portal.pages
        asked = request.query_params.get("lang")
        offered = STAFF_LOCALES if staff else CITIZEN_LOCALES
        accept = request.headers.get("accept-language")
        self.locale = choose_locale(asked, request.cookies.get(LANGUAGE_COOKIE), accept, offered)
        self._switched = asked == self.locale
        self._current = read_key(request.cookies.get(DRAFT_COOKIE))
        self._key = asked_key(self._current, request.query_params.get(DRAFT_PARAMETER))
        self._stored: bytes | None = None

    @property
    def is_switched(self) -> bool:
        """Whether the request itself asks for the language, which is then remembered."""
        return self._switched

    @property
    def words(self) -> Words:
        return self._pages.words(self.locale)

    @property
    def phone(self) -> str:
        """The number that helps when a page cannot."""
        return SITE.phone

    @property
    def here(self) -> str:
        kept = [(name, value) for name, value in parse_qsl(self.request.url.query) if name != "lang"]
        return self.request.url.path + (f"?{urlencode(kept)}" if kept else "")

    @property
    def address(self) -> str:
        """Where the request comes from, behind the proxies that are trusted; empty when nobody knows."""
        return self.request.client.host if self.request.client else ""

    @property
    def csrf_token(self) -> str:
        token = ScopeState.from_scope(self.request.scope).csrf_token
        return token if isinstance(token, str) else ""

    def page(
        self,
        template: str,
        values: Mapping[str, Any] | None = None,
        *,
        status: int = 200,
        headers: Mapping[str, str] = PRIVATE,
    ) -> Page:
        """Render a page in the visitor's language."""
        shown = {"here": self.here, "csrf_token": self.csrf_token, **(values or {})}
        html = self._pages.render(template, self.locale, shown)
        return Response(
            html, status_code=status, media_type=MediaType.HTML, headers=dict(headers), cookies=self._cookies()
        )

    def fragment(self, template: str, block: str, values: Mapping[str, Any]) -> str:
        """One block of a page."""
        return self._pages.render_block(template, block, self.locale, values)

    def to(self, path: str) -> Page:
        """Go on to another page with GET; what was posted is done."""
        return Response("", status_code=303, headers={"location": path, **PRIVATE}, cookies=self._draft_cookies())

    async def form(self) -> Form:
        """The posted form. From here on the draft is the one that it names, whatever was begun in another tab meanwhile.

        Raises:
            Problem: 429 for who sends forms much faster than a person can.
        """
        verdict = await self.portal.throttle.pass_one(
            self._current.visitor if self._current else None, self.address, self.portal.central.clock
        )
        if verdict.kind == "refuse":
            REFUSED.labels("too_many_requests").inc()
            raise Problem(429, "too_many_requests", retry_after_s=max(1, round(verdict.delay_s)))
        values: dict[str, list[str]] = {}
        for name, value in (await self.request.form()).multi_items():
            if not isinstance(value, UploadFile):
                values.setdefault(name, []).append(clean(str(value)))
        form = Form(values)
        self._key = asked_key(self._current, form.get(DRAFT_FIELD))
        return form

    async def draft(self) -> Draft | None:
        """The half-made booking of this visitor that the request is about."""
        self._stored = await self.portal.booking.drafts.get(self._key.text) if self._key else None
        if self._stored is None:
            return None
        try:
            return msgspec.json.decode(self._stored, type=Draft)
        except msgspec.MsgspecError:
            return None  # written by another build

    async def begin(self, draft: Draft) -> None:
        """Store a new draft beside those that the visitor has in other tabs."""
        self._key = DraftKey(self._current.visitor if self._current else new_visitor(), draft.request_id)
        self._stored = msgspec.json.encode(draft)
        await self.portal.booking.drafts.begin(self._key.text, self._stored)

    async def change(self, draft: Draft, step: Callable[[Draft], Draft]) -> Change:
        """Take a step on the draft that was read; if it is another by now, on that one.

        Args:
            draft: as `draft()` or an earlier change left it.

        Raises:
            Problem: 410, the draft's time ended in this moment.
        """
        while self._key is not None and self._stored is not None:  # ends: whoever was faster has taken a step
            after = step(draft)
            body = msgspec.json.encode(after)
            if await self.portal.booking.drafts.change(self._key.text, self._stored, body):
                self._stored = body
                return Change(before=draft, after=after)
            draft = await self.draft() or draft
        raise Problem(410, "draft_gone")

    def _draft_cookies(self) -> list[Cookie]:
        """The cookie that opens drafts; it ends with the browser, a draft half an hour after its last step.

        For all paths: a change of an appointment begins under `/cita`.
        """
        if self._key is None or self._stored is None or self._key == self._current:
            return []
        secure = self.portal.central.settings.http.secure_cookies
        return [
            Cookie(key=DRAFT_COOKIE, value=self._key.text, path="/", httponly=True, samesite="lax", secure=secure),
        ]

    def _cookies(self) -> list[Cookie]:
        if not self._switched:
            return self._draft_cookies()
        language = Cookie(key=LANGUAGE_COOKIE, value=self.locale, path="/", samesite="lax", max_age=YEAR_S)
        return [language, *self._draft_cookies()]


def clean(value: str) -> str:
    """What somebody typed, without control characters, trimmed and cut to a sane length."""
    return _CONTROL.sub("", value).strip()[:FIELD_MAX]
