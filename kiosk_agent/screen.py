"""The touch page and its live stream, served to the browser on the same machine.

Every page is whole HTML made from the machine's state. A touch is a form post: without script the answer leads back to the
page, with script it *is* the page. The stream ``/live`` sends the page when it changes (``screen``), or only the countdown
(``left``) and the clock. The page keeps nothing: no cookie, no storage, no history, no cache.

A page of another site cannot post here: browsers say where a request comes from (Fetch Metadata), and the host must be
ours (DNS rebinding).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import structlog
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.connection import ASGIConnection
from litestar.exceptions import ClientException, HTTPException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import ServerSentEvent, ServerSentEventMessage
from litestar.types import Scope

from kiosk_agent.agent import Agent
from kiosk_agent.touches import touch
from kiosk_agent.view import Surroundings, View, view_of
from sync.io.ids import new_id
from sync.io.waiting import set_within
from ui.assets import StaticAssets
from ui.catalog import Catalog
from ui.headers import with_page_headers
from ui.locales import CITIZEN_LOCALES
from ui.pages import Pages

HERE = Path(__file__).parent
BEAT_S = 5.0
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
WILDCARDS = {"0.0.0.0", "::"}  # noqa: S104 - recognised, not bound
FROM_SCRIPT = "x-kiosk-script"
NO_STORE = {"cache-control": "no-store"}

log = structlog.get_logger(__name__)


class Act(msgspec.Struct, frozen=True):
    """A posted form. ``do`` is what the button says."""

    do: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class News(msgspec.Struct, frozen=True):
    """An event of the stream."""

    name: str
    html: str


class Painter:
    """Draws views with the shared templates and words."""

    def __init__(self, catalog: Catalog) -> None:
        self.assets = StaticAssets({"kiosk": HERE / "static"})
        self._catalog = catalog
        self._pages: dict[str, Pages] = {}
        self._life = new_id()
        self._drawn = 0

    def page(self, view: View, zone: ZoneInfo) -> str:
        """The whole page. Each is numbered, so that an older one that comes late is not shown."""
        self._drawn += 1
        return self._for(zone).render(view.template, view.language, self._values(view))

    def part(self, view: View, zone: ZoneInfo, name: str) -> str:
        """A part of the page that changes by itself: ``left`` or ``clock``."""
        return self._for(zone).render(f"_{name}.html", view.language, self._values(view))

    def _values(self, view: View) -> dict[str, Any]:
        return {
            **view.values,
            "comfort": view.comfort,
            "office_name": view.office_name,
            "now": view.now,
            "warns": view.warns,
            "left": view.left,
            "life": self._life,
            "drawn": self._drawn,
        }

    def _for(self, zone: ZoneInfo) -> Pages:
        if zone.key not in self._pages:
            self._pages[zone.key] = Pages(self._catalog, [HERE / "pages"], self.assets, CITIZEN_LOCALES, zone=zone)
        return self._pages[zone.key]


class Glass:
    """The agent's screen: its present view, and its stream."""

    def __init__(self, agent: Agent, catalog: Catalog) -> None:
        self.agent = agent
        self.painter = Painter(catalog)
        self._closing = False

    def view(self) -> View:
        agent = self.agent
        around = Surroundings(
            config=agent.config,
            queue=agent.queue,
            scanner_ok=agent.scanner.state == "ok",
            has_printer=agent.settings.printer.kind != "none",
            zone=agent.zone,
            now=agent.clock.now(),
            now_s=agent.now_s(),
        )
        return view_of(agent.kiosk, around)

    def page(self) -> str:
        return self.painter.page(self.view(), self.agent.zone)

    def close(self) -> None:
        """End all streams."""
        self._closing = True
        self.agent.wake_watchers()

    async def news(self) -> AsyncIterator[News]:
        """What a page must be told, beginning with all of it."""
        shown: View | None = None
        with self.agent.watching() as changed:
            while not self._closing:
                changed.clear()
                view = self.view()
                for news in self._since(shown, view):
                    yield news
                shown = view
                await set_within(changed, BEAT_S)
        yield News("bye", "")

    def _since(self, shown: View | None, view: View) -> Iterator[News]:
        if shown is None or not view.same_screen(shown):
            yield News("screen", self.painter.page(view, self.agent.zone))
            return
        if view.left != shown.left:
            yield News("left", self.painter.part(view, self.agent.zone, "left"))
        if view.now != shown.now:
            yield News("clock", self.painter.part(view, self.agent.zone, "clock"))


def same_origin(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Refuse a post that a browser says comes from elsewhere. Source: W3C Fetch Metadata Request Headers, 2.4."""
    if connection.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise PermissionDeniedException


def _only_hosts(hosts: set[str]) -> Callable[[Request[Any, Any, Any]], None]:
    """Refuse requests for any other host name, whatever the port; a wildcard address is reached by any name."""

    def check(request: Request[Any, Any, Any]) -> None:
        name = request.headers.get("host", "").rsplit(":", 1)[0]
        if name not in hosts and not hosts & WILDCARDS:
            raise ClientException("not a host of this kiosk")

    return check


async def _log_failure(error: Exception, scope: Scope) -> None:
    if not isinstance(error, HTTPException):
        log.error("page.failed", path=scope["path"], exc_info=error)


def create_app(glass: Glass) -> Litestar:
    """The kiosk's local application."""

    @get("/", media_type=MediaType.HTML, sync_to_thread=False)
    def page() -> Response[str]:
        return Response(glass.page(), headers=NO_STORE)

    @post("/act", guards=[same_origin], media_type=MediaType.HTML, status_code=200)
    async def act(request: Request[Any, Any, Any], data: URLEncodedBody[Act]) -> Response[str]:
        event = touch(data.do, new_id())
        if event is None:
            raise ClientException("no button says so")
        await glass.agent.handle(event)
        if FROM_SCRIPT in request.headers:
            return Response(glass.page(), headers=NO_STORE)
        return Response("", status_code=303, headers={"location": "/", **NO_STORE})

    @get("/live")
    async def live() -> ServerSentEvent:
        async def messages() -> AsyncIterator[ServerSentEventMessage]:
            async for news in glass.news():
                yield ServerSentEventMessage(data=msgspec.json.encode(news.html).decode(), event=news.name, retry=1000)

        return ServerSentEvent(messages())

    @get("/static/{name:path}", sync_to_thread=False)
    def static_file(
        name: FromPath[str], request: Request[Any, Any, Any], v: FromQuery[str | None] = None
    ) -> Response[bytes]:
        headers = request.headers
        reply = glass.painter.assets.reply(
            name,
            version=v,
            accept_encoding=headers.get("accept-encoding", ""),
            if_none_match=headers.get("if-none-match"),
        )
        return Response(
            reply.body, status_code=reply.status, headers=reply.headers, media_type=reply.headers["content-type"]
        )

    @get("/health/live", sync_to_thread=False)
    def alive() -> dict[str, str]:
        return {"status": "ok"}

    @get("/health/ready", sync_to_thread=False)
    def ready() -> Response[dict[str, Any]]:
        agent = glass.agent
        state = {
            "edge": agent.kiosk.edge_heard,
            "broker": agent.link.connected,
            "config": agent.config is not None,
            "printer": agent.printer_state,
            "scanner": agent.scanner.state,
            "reserve": agent.reserve.has_numbers,
            "untold": agent.reserve.numbers.untold,
        }
        return Response(state, status_code=200 if agent.kiosk.edge_heard and agent.config else 503)

    app = Litestar(
        [page, act, live, static_file, alive, ready],
        before_request=_only_hosts({*LOOPBACK, glass.agent.settings.http.host}),
        request_max_body_size=4096,
        after_exception=[_log_failure],
        openapi_config=None,
        logging_config=None,
    )
    app.asgi_handler = with_page_headers(app.asgi_handler)
    return app
