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

from edge_node.console.help import help_key
from edge_node.console.kept import Kept, PageInHand
from edge_node.console.key_bindings import bindings
from edge_node.console.key_bindings import told as told_keys
from edge_node.console.notices import standing_key
from edge_node.console.routes import AnyRequest, node_of
from edge_node.console.sentences import Said, sentence
from edge_node.console.staff_sessions import Member
from edge_node.console.turns import look_turns
from edge_node.console.widget_size import OPENS
from edge_node.node import EdgeNode
from edge_node.practice.rules import STEPS
from edge_node.settings import Settings
from sync.io.ids import new_id
from sync.messages import codec
from sync.messages.codec import MalformedMessage
from ui.assets import StaticAssets
from ui.catalog import Words, load_catalog
from ui.locales import STAFF_LOCALES, choose_locale
from ui.pages import Pages

HTML: Final = "text/html; charset=utf-8"
PAGES: Final = (Path(__file__).parent / "pages", Path(__file__).parents[1] / "practice" / "pages")
STATIC: Final = Path(__file__).parent / "static"
YEAR_S: Final = 365 * 24 * 3600
SAID_S: Final = 60
SAID_MAX: Final = 600
WHOLE, PARTS = "console/whole.html", "console/parts.html"


class Frame:
    """Renders the console's pages."""

    def __init__(self, settings: Settings) -> None:
        self.zone = settings.zone
        self.assets = StaticAssets({"console": STATIC})
        catalog = load_catalog(strict=not settings.production)
        self.pages = Pages(catalog, PAGES, self.assets, STAFF_LOCALES, zone=settings.zone)
        self.looks = look_turns()
        self._kept = Kept()

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
        node, locale, enhanced = node_of(request), locale_of(request), is_enhanced(request)
        member = node.sessions.member(session_token(request))
        told = said or left_by(request)
        keys = node.own_keys.of(member.staff_id) if member else bindings({})
        frame = {
            "beside": "console/beside.html",
            "widget_opens": OPENS,
            "help_key": help_key(template, values),
            "live_address": "/api/v1/live" if node.practice is None else "/api/v1/live?practice=yes",
            "practice": node.practice,
            "practice_steps": STEPS,
            "layout": PARTS if enhanced else WHOLE,
            **self._in_hand(request, locale, address).values,
            "said": sentence(told, self.words(locale)) if told else "",
            "said_done": told is None or told.is_done,
            "standing_key": standing_key(node.dispatcher.state),
            "keys": codec.encode(keys).decode() if member else "",
            "own_key": keys,
            "press": told_keys(keys),
            "lock_after_s": node.settings.sign_in.lock_after_min * 60,
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
        if said is not None and _open_language(request) not in (None, locale):
            reply.set_cookie(_said_cookie(node, said))  # the open page is loaded whole, and tells it then
        return self._with_cookies(request, reply, told if said is None else None)

    def _in_hand(self, request: AnyRequest, locale: str, address: str) -> PageInHand:
        return PageInHand(self._kept, locale, csrf_token({"request": request}), address or request.url.path, new_id)

    def _with_cookies(self, request: AnyRequest, reply: Response[str], read: Said | None) -> Response[str]:
        asked = request.query_params.get("lang")
        if asked is not None and asked in STAFF_LOCALES and not is_news(request):
            reply.set_cookie(_cookie(_language_name(node_of(request)), asked, YEAR_S))
        if read is not None:
            reply.set_cookie(_said_cookie(node_of(request), None))
        return reply


def frame_of(request: AnyRequest) -> Frame:
    frame: Frame = request.app.state.frame
    return frame


def locale_of(request: AnyRequest) -> str:
    """The language of the answer; what a page asks by itself is answered in the language that the page is in."""
    return choose_locale(
        (_open_language(request) if is_news(request) else None) or request.query_params.get("lang"),
        request.cookies.get(_language_name(node_of(request))),
        request.headers.get("accept-language"),
        STAFF_LOCALES,
    )


def is_enhanced(request: AnyRequest) -> bool:
    """Whether the page's own script asks, and not the browser."""
    return request.headers.get("hx-request") == "true"


def is_news(request: AnyRequest) -> bool:
    """Whether a page asks by itself what is new: nobody need sit there."""
    return request.headers.get("x-news") == "1"


def _open_language(request: AnyRequest) -> str | None:
    """The language of the open page whose script asks; a page that is opened anew has none yet."""
    return request.headers.get("x-page-language") if is_enhanced(request) else None


def session_token(request: AnyRequest) -> str:
    return request.cookies.get(node_of(request).cookie, "")


def member_or_none(request: AnyRequest) -> Member | None:
    """Who asks, when somebody is signed in at an open screen; asking is input, unless the page asks by itself."""
    sessions, token = node_of(request).sessions, session_token(request)
    if not is_news(request):
        sessions.touch(token)
    return sessions.member(token)


def go(request: AnyRequest, address: str, said: Said | None = None) -> Response[None]:
    """Lead to another page of ours, with what has happened."""
    if is_enhanced(request):
        reply: Response[None] = Response(None, status_code=204, headers={"hx-redirect": address})
    else:
        reply = Response(None, status_code=303, headers={"location": address})
    if said is not None:
        reply.set_cookie(_said_cookie(node_of(request), said))
    return reply


def go_unsent(request: AnyRequest, address: str = "/sign-in") -> Response[None]:
    """Lead to signing in, and say that what was pressed has not been done; a stranger has pressed nothing.

    Args:
        address: of the page that says how to sign in from where it was pressed.
    """
    return go(request, f"{address}?unsent=1" if session_token(request) else address)


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
    return _cookie(f"{node.page_cookie}_counter", quote(counter), YEAR_S)


def desk_cookie(node: EdgeNode, session: str) -> Cookie:
    """The counter session that this browser works at: a page that finds it gone can say what has become of it."""
    return _cookie(f"{node.page_cookie}_desk", session, None if session else 0)


def service_cookie(node: EdgeNode, service: str) -> Cookie:
    """What somebody without appointment came for last at this PC."""
    return _cookie(f"{node.page_cookie}_service", quote(service), YEAR_S)


def paper_cookie(node: EdgeNode, paper: str) -> Cookie:
    """The paper in the printer of this PC."""
    return _cookie(f"{node.page_cookie}_paper", paper, YEAR_S)


def remembered_paper(request: AnyRequest) -> str:
    return request.cookies.get(f"{node_of(request).page_cookie}_paper", "")


def remembered_service(request: AnyRequest) -> str:
    return request.cookies.get(f"{node_of(request).page_cookie}_service", "")


def remembered_counter(request: AnyRequest) -> str:
    return request.cookies.get(f"{node_of(request).page_cookie}_counter", "")


def remembered_session(request: AnyRequest) -> str:
    return request.cookies.get(f"{node_of(request).page_cookie}_desk", "")


def _language_name(node: EdgeNode) -> str:
    """Ports do not separate cookies: what is chosen at another server of this host is not chosen here. Practice goes along."""
    return f"{node.cookie}_lang"


def _said_name(node: EdgeNode) -> str:
    return f"{node.page_cookie}_said"


def _said_cookie(node: EdgeNode, said: Said | None) -> Cookie:
    value = urlsafe_b64encode(codec.encode(said)).decode("ascii") if said else ""
    return _cookie(_said_name(node), value, SAID_S if said else 0)


def _cookie(name: str, value: str, max_age_s: int | None) -> Cookie:
    """A cookie that holds nothing secret."""
    return Cookie(name, value=value, max_age=max_age_s, samesite="lax", path="/", httponly=True)
