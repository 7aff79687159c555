"""The page and its live stream, served to the browser on the same machine.

The first paint is whole without script. Then the page follows `/events`: `view` (all that changes, as data), `sound` (clips to
play), `beat` every two seconds, `bye` at the end. It reports what it painted and played to `/shown` and `/sounded`; those accept
names that this process gave out, and nothing else. A page of another site cannot post here: browsers say where a request
comes from (Fetch Metadata), and the host must be ours (DNS rebinding).
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.config.allowed_hosts import AllowedHostsConfig
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotFoundException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import ServerSentEvent, ServerSentEventMessage

from display_agent.phrases import KeyOf, Phrases
from display_agent.proof import SoundState
from display_agent.show import Operation, Show
from sync.messages.codec import encode
from sync.messages.topics import BOARD_STALE_S, DeviceConfig
from ui.assets import StaticAssets
from ui.catalog import load_catalog
from ui.headers import with_page_headers
from ui.locales import CITIZEN_LOCALES, SOURCE
from ui.pages import Pages

HERE = Path(__file__).parent
TEMPLATE = "display.html"
BODY_MAX_BYTES = 4096
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
WILDCARDS = ("", "0.0.0.0", "::")  # noqa: S104 - compared with, not bound

Key = Annotated[str, msgspec.Meta(max_length=40)]


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Announcements that the page has painted."""

    keys: Annotated[list[Key], msgspec.Meta(max_length=16)]


class Sounded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of a sound."""

    key: Key
    state: SoundState


class Wording:
    """Pages and phrases of a display, in the languages that its config names."""

    def __init__(self, *, strict: bool) -> None:
        self.assets = StaticAssets({"display": HERE / "static"})
        self._catalog = load_catalog(strict=strict)
        self._pages = Pages(self._catalog, [HERE / "pages"], self.assets, CITIZEN_LOCALES)
        self._build = hashlib.sha256((HERE / "pages" / TEMPLATE).read_bytes()).hexdigest()[:12]

    def phrases(self, config: DeviceConfig, key_of: KeyOf) -> Phrases:
        second = None if config.second_language == SOURCE else self._pages.words(config.second_language)
        return Phrases(
            self._pages.words(SOURCE), second, ZoneInfo(config.time_zone), key_of, self._page_version(config)
        )

    def page(self, show: Show) -> str:
        """The whole page as it stands now."""
        config = show.config
        second = None if config.second_language == SOURCE else self._pages.words(config.second_language)
        values = {
            "view": show.page_view,
            "view_json": encode(show.page_view).decode(),
            "second": second,
            "office_name": config.office_name,
            "stale_s": BOARD_STALE_S,
        }
        return self._pages.render(TEMPLATE, SOURCE, values)

    def _page_version(self, config: DeviceConfig) -> str:
        """Changes with everything of the page that is not in the view: template, style, script, names and languages."""
        parts = (
            self._build,
            self.assets.url("display/display.js"),
            self.assets.url("display/screen.css"),
            self.assets.url("css/display.css"),
            config.second_language,
            config.office_name,
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def same_origin(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Refuse a post that a browser says comes from elsewhere. Source: W3C Fetch Metadata Request Headers, 2.4."""
    if connection.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise PermissionDeniedException


@get("/", media_type=MediaType.HTML)
async def page(show: NamedDependency[Show], wording: NamedDependency[Wording]) -> Response[str]:
    return Response(wording.page(show), headers={"cache-control": "no-store"})


@get("/events")
async def events(show: NamedDependency[Show]) -> ServerSentEvent:
    async def messages() -> AsyncIterator[ServerSentEventMessage]:
        async for event in show.streams.events():
            yield ServerSentEventMessage(data=event.data, event=event.name)
        yield ServerSentEventMessage(data="{}", event="bye", retry=1000)

    return ServerSentEvent(messages())


@post("/shown", guards=[same_origin], status_code=204)
async def shown(data: JSONBody[Shown], show: NamedDependency[Show]) -> None:
    await show.painted(data.keys)


@post("/sounded", guards=[same_origin], status_code=204)
async def sounded(data: JSONBody[Sounded], show: NamedDependency[Show]) -> None:
    await show.heard(data.key, data.state)


@get("/sound/{name:path}")
async def sound(name: FromPath[str], show: NamedDependency[Show]) -> Response[bytes]:
    clip = show.voice.clips.get(name.lstrip("/"))
    if clip is None:
        raise NotFoundException
    return Response(clip, media_type="audio/wav", headers={"cache-control": "max-age=3600"})


@get("/static/{name:path}")
async def static_file(
    name: FromPath[str],
    request: Request[Any, Any, Any],
    wording: NamedDependency[Wording],
    v: FromQuery[str | None] = None,
) -> Response[bytes]:
    reply = wording.assets.reply(
        name,
        version=v,
        accept_encoding=request.headers.get("accept-encoding", ""),
        if_none_match=request.headers.get("if-none-match"),
    )
    return Response(
        reply.body, status_code=reply.status, headers=reply.headers, media_type=reply.headers["content-type"]
    )


@get("/state")
async def state(show: NamedDependency[Show]) -> Operation:
    return show.operation()


@get("/health/live")
async def live() -> dict[str, str]:
    return {"status": "ok"}


def hosts_of(host: str, port: int) -> list[str]:
    """The Host headers that mean us; a wildcard address was chosen to be reached by any name."""
    if host in WILDCARDS:
        return ["*"]
    return [each for name in (*LOOPBACK, host) for each in (name, f"{name}:{port}")]


def create_app(show: Show, wording: Wording, *, host: str, port: int) -> Litestar:
    """The display's own small site, listening on `host` and `port`."""
    app = Litestar(
        [page, events, shown, sounded, sound, static_file, state, live],
        dependencies={
            "show": Provide(lambda: show, sync_to_thread=False),
            "wording": Provide(lambda: wording, sync_to_thread=False),
        },
        request_max_body_size=BODY_MAX_BYTES,
        allowed_hosts=AllowedHostsConfig(hosts_of(host, port)),
        openapi_config=None,
        logging_config=None,
    )
    app.asgi_handler = with_page_headers(app.asgi_handler)
    return app
