"""The frame of every console page: languages, cookies, the way from a form to the next page.

A form is answered by 303 and what it came to goes along in a cookie that is read once. The page's own script sends the same
form with ``HX-Request`` and gets the next page at once, without its head, to be merged into the one that is open; an answer
that leads to another page names it in ``HX-Redirect``.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from litestar.datastructures import Cookie
from litestar.response import Response
from litestar.template.base import csrf_token

from edge_node.console.notices import standing_key
from edge_node.console.routes import AnyRequest, node_of
from edge_node.console.sentences import Said, sentence
from edge_node.console.staff_sessions import Member
from edge_node.node import EdgeNode
from edge_node.settings import Settings
from sync.io.ids import new_id
from sync.messages import codec
from sync.messages.codec import MalformedMessage
from ui.assets import StaticAssets
from ui.catalog import Words, load_catalog
from ui.locales import STAFF_LOCALES, choose_locale
from ui.pages import Pages

HTML: Final = "text/html; charset=utf-8"
PAGES: Final = Path(__file__).parent / "pages"
STATIC: Final = Path(__file__).parent / "static"
LANGUAGE_COOKIE: Final = "vt_lang"
YEAR_S: Final = 365 * 24 * 3600
SAID_S: Final = 60
SAID_MAX: Final = 600
WHOLE, PARTS = "base/console.html", "console/parts.html"


class Frame:
    """Renders the console's pages."""

    def __init__(self, settings: Settings) -> None:
        self.zone = settings.zone
        self.assets = StaticAssets({"console": STATIC})
        catalog = load_catalog(strict=not settings.production)
        self.pages = Pages(catalog, [PAGES], self.assets, STAFF_LOCALES, zone=settings.zone)

    def words(self, locale: str) -> Words:
        return self.pages.words(locale)

    def page(
        self,
        request: AnyRequest,
        template: str,
        values: dict[str, Any],
        *,
        said: Said | None = None,
        status: int = 200,
        address: str = "",
    ) -> Response[str]:
        """A page, or its parts when the page's script asks.

        Args:
            said: what the last act came to; what an earlier page left is told when there is none.
            address: where the page stands, when that is not where it was asked for.
        """
        locale, enhanced = locale_of(request), is_enhanced(request)
        told = said or left_by(request)
        frame = {
            "layout": PARTS if enhanced else WHOLE,
            "csrf_token": csrf_token({"request": request}),
            "new_id": new_id,
            "here": address or request.url.path,
            "said": sentence(told, self.words(locale)) if told else "",
            "said_done": told is None or told.is_done,
            "standing_key": standing_key(node_of(request).dispatcher.state),
        }
        headers = {"cache-control": "no-store", "vary": "HX-Request"}
        if enhanced and address:
            headers["hx-replace-url"] = address
        reply = Response(
            self.pages.render(template, locale, {**frame, **values}),
            status_code=status,
            media_type=HTML,
            headers=headers,
        )
        return self._with_cookies(request, reply, told if said is None else None)

    def _with_cookies(self, request: AnyRequest, reply: Response[str], read: Said | None) -> Response[str]:
        asked = request.query_params.get("lang")
        if asked is not None and asked in STAFF_LOCALES:
            reply.set_cookie(_cookie(LANGUAGE_COOKIE, asked, YEAR_S))
        if read is not None:
            reply.set_cookie(_said_cookie(node_of(request), None))
        return reply


def frame_of(request: AnyRequest) -> Frame:
    frame: Frame = request.app.state.frame
    return frame


def locale_of(request: AnyRequest) -> str:
    return choose_locale(
        request.query_params.get("lang"),
        request.cookies.get(LANGUAGE_COOKIE),
        request.headers.get("accept-language"),
        STAFF_LOCALES,
    )


def is_enhanced(request: AnyRequest) -> bool:
    """Whether the page's own script asks, and not the browser."""
    return request.headers.get("hx-request") == "true"


def member_or_none(request: AnyRequest) -> Member | None:
    node = node_of(request)
    token = request.cookies.get(node.cookie)
    return node.sessions.member(token) if token else None


def go(request: AnyRequest, address: str, said: Said | None = None) -> Response[None]:
    """Lead to another page of ours, with what has happened."""
    if is_enhanced(request):
        reply: Response[None] = Response(None, status_code=204, headers={"hx-redirect": address})
    else:
        reply = Response(None, status_code=303, headers={"location": address})
    if said is not None:
        reply.set_cookie(_said_cookie(node_of(request), said))
    return reply


def left_by(request: AnyRequest) -> Said | None:
    """What the page before left to be told; anything unreadable is nothing."""
    text = request.cookies.get(_said_name(node_of(request)), "")
    if not text or len(text) > SAID_MAX:
        return None
    try:
        return codec.decode(urlsafe_b64decode(text), Said)
    except (MalformedMessage, NotBase64, ValueError):
        return None


def counter_cookie(node: EdgeNode, counter: str) -> Cookie:
    """The counter that this PC stands at."""
    return _cookie(f"{node.cookie}_counter", quote(counter), YEAR_S)


def desk_cookie(node: EdgeNode, session: str) -> Cookie:
    """The counter session that this browser works at: a page that finds it gone can say what has become of it."""
    return _cookie(f"{node.cookie}_desk", session, None if session else 0)


def remembered_counter(request: AnyRequest) -> str:
    return request.cookies.get(f"{node_of(request).cookie}_counter", "")


def remembered_session(request: AnyRequest) -> str:
    return request.cookies.get(f"{node_of(request).cookie}_desk", "")


def _said_name(node: EdgeNode) -> str:
    return f"{node.cookie}_said"


def _said_cookie(node: EdgeNode, said: Said | None) -> Cookie:
    value = urlsafe_b64encode(codec.encode(said)).decode("ascii") if said else ""
    return _cookie(_said_name(node), value, SAID_S if said else 0)


def _cookie(name: str, value: str, max_age_s: int | None) -> Cookie:
    """A cookie that holds nothing secret."""
    return Cookie(name, value=value, max_age=max_age_s, samesite="lax", path="/", httponly=True)
