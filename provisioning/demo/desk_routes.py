"""The desk's web face: pages for people, and the same acts as JSON."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.exceptions import NotFoundException, PermissionDeniedException
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Redirect, ServerSentEvent

from provisioning.demo.desk import AREA, LOOK_EVERY_S, Desk, Scan, Wan, static_assets
from provisioning.demo.mailbox import Mail
from provisioning.demo.relay import State
from sync.io.waiting import set_within
from ui.headers import PAGE_HEADERS, with_page_headers
from ui.locales import STAFF_LOCALES, choose_locale

# Forms of a page that sends no referrer carry "Origin: null", and `_own_page` could not tell them from another site's.
HEADERS = PAGE_HEADERS | {"referrer-policy": "same-origin"}

LANGUAGE_COOKIE = "vt_demo_lang"


def create_app(desk: Desk) -> Litestar:
    """The start page, what it shows, and the acts of its forms."""
    app = Litestar([*_pages(desk), *_pictures(desk), *_acts(desk), *_control(desk)], openapi_config=None)
    app.asgi_handler = with_page_headers(app.asgi_handler, HEADERS)
    return app


def _pages(desk: Desk) -> list[Any]:
    @get("/health/live", sync_to_thread=False)
    def live() -> dict[str, str]:
        return {"status": "live"}

    @get("/")
    async def start_page(request: Request[Any, Any, Any]) -> Response[str]:
        asked = request.query_params.get("lang")
        html = desk.pages.render(
            "demo/start.html", _locale(request), {"here": "/", "area_name": AREA, **await desk.view()}
        )
        chosen = [Cookie(LANGUAGE_COOKIE, value=asked, path="/", samesite="lax")] if asked in STAFF_LOCALES else []
        return Response(html, media_type="text/html", cookies=chosen)

    @get("/stream")
    async def stream(request: Request[Any, Any, Any]) -> ServerSentEvent:
        return ServerSentEvent(_changes(desk, request.query_params.get("lang") or "es"))

    @get("/mail/{number:int}", sync_to_thread=False)
    def mail(number: FromPath[int], request: Request[Any, Any, Any]) -> Response[str]:
        found = next((m for m in desk.mailbox.mails if m.number == number), None)
        if found is None:
            raise NotFoundException("This mail is not kept any more.")
        html = desk.pages.render("demo/mail.html", _locale(request), {"mail": found, "area_name": AREA})
        return Response(html, media_type="text/html")

    return [live, start_page, stream, mail]


def _locale(request: Request[Any, Any, Any]) -> str:
    return choose_locale(
        request.query_params.get("lang"),
        request.cookies.get(LANGUAGE_COOKIE),
        request.headers.get("accept-language"),
        offered=STAFF_LOCALES,
    )


def _pictures(desk: Desk) -> list[Any]:
    assets = static_assets()

    @get("/tickets/{office:str}/{name:str}")
    async def ticket(office: FromPath[str], name: FromPath[str]) -> Response[bytes]:
        control = desk.config.url(desk.office(office).emulators)
        with contextlib.suppress(httpx.HTTPError, httpx.InvalidURL):
            picture = await desk.http.get(f"{control}/tickets/{name}")
            if picture.status_code == 200:
                return Response(picture.content, media_type="image/png", headers={"cache-control": "max-age=3600"})
        raise NotFoundException("There is no such ticket.")

    @get("/static/{name:path}", sync_to_thread=False)
    def static(
        name: FromPath[str], request: Request[Any, Any, Any], v: FromQuery[str | None] = None
    ) -> Response[bytes]:
        reply = assets.reply(
            name,
            version=v,
            accept_encoding=request.headers.get("accept-encoding", ""),
            if_none_match=request.headers.get("if-none-match"),
        )
        media_type = reply.headers["content-type"]
        return Response(reply.body, status_code=reply.status, headers=reply.headers, media_type=media_type)

    return [ticket, static]


def _acts(desk: Desk) -> list[Any]:
    @post("/offices/{office:str}", guards=[_own_page])
    async def act(office: FromPath[str], request: Request[Any, Any, Any]) -> Redirect:
        form = await request.form()
        deed, text = str(form.get("do", "")), str(form.get("paste") or form.get("code") or "").strip()
        if deed in ("up", "cut", "silent"):
            await desk.set_wan(office, deed)  # type: ignore[arg-type]
        elif deed in ("ok", "out"):
            await desk.set_paper(office, deed)  # type: ignore[arg-type]
        elif deed == "scan" and text:
            await desk.scan(office, text)
        return Redirect(f"/#{office}", status_code=303)

    return [act]


def _control(desk: Desk) -> list[Any]:
    @post("/api/wan/{office:str}", status_code=200, guards=[_own_page])
    async def set_wan(office: FromPath[str], data: JSONBody[Wan]) -> Wan:
        await desk.set_wan(office, data.state)
        return data

    @post("/api/scan/{office:str}", status_code=200, guards=[_own_page])
    async def scan(office: FromPath[str], data: JSONBody[Scan]) -> Scan:
        await desk.scan(office, data.text)
        return data

    @get("/api/state", sync_to_thread=False)
    def state() -> dict[str, State]:
        return {office: relay.state for office, relay in desk.relays.items()}

    @get("/api/mails", sync_to_thread=False)
    def mails() -> list[Mail]:
        return desk.mailbox.mails

    return [set_wan, scan, state, mails]


def _own_page(connection: Any, _handler: Any) -> None:
    """The forms take orders from the start page only, not from other sites that a browser has open."""
    origin = connection.headers.get("origin")
    if origin and urlsplit(origin).netloc != connection.headers.get("host"):
        raise PermissionDeniedException("This form belongs to another page.")


async def _changes(desk: Desk, locale: str) -> AsyncGenerator[dict[str, str], None]:
    """Events of ``live.js``: the changing parts of the page whenever they change, else a beat."""
    last, quiet_s = "", 0.0
    while not desk.stopping.is_set():
        view = await desk.view()
        items = [
            {"id": part, "html": desk.pages.render(f"demo/_{part}.html", locale, view)} for part in ("falls", "mails")
        ]
        for office in view["offices"]:
            for part in ("wan", "paper", "tickets", "codes"):
                html = desk.pages.render(f"demo/_{part}.html", locale, {"office": office})
                items.append({"id": f"{office['id']}-{part}", "html": html})
        news = msgspec.json.encode({"items": items}).decode()
        if news != last:
            last, quiet_s = news, 0.0
            yield {"event": "fragment", "data": news}
        elif quiet_s >= 8:
            quiet_s = 0.0
            yield {"event": "beat", "data": "{}"}
        await set_within(desk.stopping, LOOK_EVERY_S)
        quiet_s += LOOK_EVERY_S
    yield {"event": "bye", "data": "{}"}
