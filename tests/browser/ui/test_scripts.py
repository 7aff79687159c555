"""The shared scripts in a real browser: live pages that follow, resume, poll and grow stale; forms that are sent once."""

import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Page, expect

from tests.kit.browser import chromium
from ui.assets import StaticAssets
from ui.headers import PAGE_HEADERS

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><html lang="es"><head><meta charset="utf-8"><title>Turno K12</title></head><body>
<div id="root" data-live="/stream" data-live-poll="/now" data-live-stale-s="{stale_s}">
<div id="place" role="status"><p>Quedan 3</p><button id="inside" type="button">Actualizar</button></div>
<p data-when="live" id="fresh">Datos de las <span data-live-at>10:14</span></p><p data-when="stale" id="old" hidden>Datos de las <span data-live-at>10:14</span></p></div>
<form method="post" action="/send"><button id="send">Enviar</button></form>
<div tabindex="-1" id="errors" data-focus>Hay un problema</div>
<script type="module" src="/static/js/live.js"></script><script type="module" src="/static/js/form.js"></script></body></html>"""


class Office:
    """A server that a test plays: what goes down the stream, whether streams are taken at all, what a poll says."""

    def __init__(self) -> None:
        self.down: Queue[str] = Queue()
        self.refuse = False
        self.polled: list[dict[str, str]] = []
        self.streams: list[dict[str, str]] = []
        self.sent = 0
        self.stale_s = 30
        self.assets = StaticAssets()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"office": self}))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/"

    def say(self, event: str, data: object, event_id: str = "") -> None:
        self.down.put((f"id: {event_id}\n" if event_id else "") + f"event: {event}\ndata: {json.dumps(data)}\n\n")

    def drop(self) -> None:
        """End the open stream."""
        self.down.put("")

    def close(self) -> None:
        self.drop()
        self.server.shutdown()
        self.server.server_close()


class Handler(BaseHTTPRequestHandler):
    office: ClassVar[Office]

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/":
            self.answer(
                200, {"content-type": "text/html", **PAGE_HEADERS}, PAGE.format(stale_s=self.office.stale_s).encode()
            )
        elif url.path == "/stream":
            self.stream(query)
        elif url.path == "/now":
            self.office.polled.append(query)
            now = {"items": [{"id": "place", "html": "<p>Quedan 1</p>"}], "at": "10:31"}
            self.answer(200, {"content-type": "application/json"}, json.dumps(now).encode())
        else:
            reply = self.office.assets.reply(url.path.removeprefix("/static/"))
            self.answer(reply.status, reply.headers, reply.body)

    def do_POST(self) -> None:
        self.office.sent += 1
        time.sleep(0.5)
        self.answer(204, {}, b"")

    def stream(self, query: dict[str, str]) -> None:
        self.office.streams.append(query)
        if self.office.refuse:
            self.answer(503, {}, b"")
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        try:
            while text := self.office.down.get(timeout=20):
                self.wfile.write(text.encode())
                self.wfile.flush()
        except (OSError, Empty):
            return

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
        """Quiet."""


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office()
    yield office
    office.close()


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A page that fails its test when the browser refuses something or a script breaks."""
    async with chromium() as browser:
        page = await browser.new_page()
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda message: broken.append(message.text) if "Content Security" in message.text else None)
        yield page
        assert broken == []


async def test_a_fragment_takes_its_place_and_keeps_the_focus(office: Office, page: Page) -> None:
    await page.goto(office.address)
    await page.focus("#inside")
    office.say(
        "fragment",
        {
            "items": [
                {"id": "place", "html": '<p>Quedan <strong>2</strong></p><button id="inside">Actualizar</button>'}
            ],
            "title": "Turno K12, quedan 2 personas",
            "at": "10:20",
        },
        "7",
    )
    await expect(page.locator("#place p")).to_have_text("Quedan 2")
    await expect(page.locator("#place")).to_have_attribute("role", "status")
    await expect(page.locator("#inside")).to_be_focused()
    await expect(page.locator("#fresh")).to_have_text("Datos de las 10:20")
    assert await page.title() == "Turno K12, quedan 2 personas"


async def test_the_same_news_changes_nothing(office: Office, page: Page) -> None:
    await page.goto(office.address)
    news = {"id": "place", "html": "<p>Quedan 2</p>"}
    office.say("fragment", news)
    await expect(page.locator("#place p")).to_have_text("Quedan 2")
    await page.evaluate("document.querySelector('#place p').marked = true")
    office.say("fragment", [news])
    office.say("state", {"phase": "near", "on click": "x", "at": "y"})
    await expect(page.locator("#root")).to_have_attribute("data-phase", "near")
    assert await page.evaluate("document.querySelector('#place p').marked"), "the element was not made anew"
    assert (
        await page.evaluate("document.querySelector('#root').getAttributeNames().filter((n) => n.includes('click'))")
        == []
    )


async def test_a_broken_stream_is_resumed_where_it_ended(office: Office, page: Page) -> None:
    await page.goto(office.address)
    office.say("fragment", {"id": "place", "html": "<p>Quedan 2</p>"}, "41")
    await expect(page.locator("#place p")).to_have_text("Quedan 2")
    office.drop()
    office.say("fragment", {"id": "place", "html": "<p>Es su turno</p>"}, "42")
    await expect(page.locator("#place p")).to_have_text("Es su turno")
    assert office.streams == [{}, {"last_event_id": "41"}]


async def test_without_a_stream_the_page_asks(office: Office, page: Page) -> None:
    office.refuse = True
    await page.goto(office.address)
    await expect(page.locator("#place p")).to_have_text("Quedan 1", timeout=15_000)
    await expect(page.locator("#fresh")).to_have_text("Datos de las 10:31")
    assert len(office.streams) >= 3


async def test_without_news_the_page_says_that_it_is_old(office: Office, page: Page) -> None:
    office.stale_s = 2
    await page.goto(office.address)
    await expect(page.locator("#old")).to_be_visible(timeout=6_000)
    await expect(page.locator("#fresh")).to_be_hidden()
    await expect(page.locator("#root")).to_have_attribute("data-stale", "")
    office.say("beat", {"at": "10:40"})
    await expect(page.locator("#fresh")).to_be_visible()
    await expect(page.locator("#fresh")).to_have_text("Datos de las 10:40")
    await expect(page.locator("#old")).to_be_hidden()


async def test_a_form_is_sent_once_and_errors_take_the_focus(office: Office, page: Page) -> None:
    await page.goto(office.address)
    await expect(page.locator("#errors")).to_be_focused()
    await page.evaluate("for (let i = 0; i < 3; i += 1) document.querySelector('#send').click()")
    await page.wait_for_timeout(1_000)
    assert office.sent == 1
