"""The agent, a broker and a real browser: what stands on the glass, judged from its DOM. One display for all tests."""

import re
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from display_agent.announce import LONGEST_S
from provisioning.launchers.broker import Broker
from sync.io.ids import new_id
from sync.messages.codec import encode
from sync.messages.topics import KioskReply, board_topic, device_topic
from ui.headers import PAGE_HEADERS

from .conftest import DEVICE, OFFICE, ZONE, Display, Edge, now, open_page, running_display, running_edge, until

pytestmark = [
    pytest.mark.broker,
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180),
]

LARGE = ".now-call .plate"
OFFLINE = "text=Pantalla sin conexión"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Edge, Display]]:
    folder = tmp_path_factory.mktemp("display")
    with Broker(folder / "broker") as broker:
        async with running_edge(broker) as edge, running_display(folder, broker) as display:
            yield edge, display


@pytest_asyncio.fixture(loop_scope="module")
async def edge(office: tuple[Edge, Display]) -> Edge:
    """An edge whose day has just begun, and whose display knows."""
    speaking, display = office
    await speaking.begin_anew()
    await until(lambda: display.state()["epoch"] == speaking.epoch)
    return speaking


@pytest_asyncio.fixture(loop_scope="module")
async def display(office: tuple[Edge, Display], edge: Edge) -> Display:
    return office[1]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_page(browser: Browser, office: tuple[Edge, Display]) -> AsyncIterator[Page]:
    async with open_page(browser, office[1]) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def page(shared_page: Page, edge: Edge) -> Page:
    """The page, when it shows the new day."""
    await expect(shared_page.locator("text=Todavía no se ha llamado a nadie")).to_be_visible()
    return shared_page


def refused(display: Display) -> Counter[str]:
    return Counter(display.state()["refused"])


async def texts(page: Page, selector: str) -> list[str]:
    """The visible texts of all that match."""
    found = await page.locator(selector).all()
    return [(await place.inner_text()).strip() for place in found if await place.is_visible()]


async def test_a_call_is_on_the_glass_at_once_and_proven_with_its_sound(
    edge: Edge, display: Display, page: Page
) -> None:
    await edge.say_board()
    await expect(page.locator("text=Todavía no se ha llamado a nadie")).to_be_visible()
    call = await edge.call("K12", "4")
    await expect(page.locator(LARGE)).to_have_text("K12")
    await expect(page.locator(LARGE)).to_have_attribute("data-state", "call")
    assert await texts(page, ".now-desk strong") == ["4"]
    assert await texts(page, "[data-put=waiting]") == ["9 personas esperando"]
    await until(lambda: len(edge.acks_of(call)) == 1)
    ack = edge.acks_of(call)[0]
    assert ack.sounded
    assert 0 <= (ack.shown_at - call.called_at).total_seconds() < 2
    await until(lambda: display.state()["pending_acks"] == 0)


async def test_from_the_edge_to_the_dom_it_takes_a_moment(edge: Edge, page: Page) -> None:
    await page.evaluate(
        """() => { window.seen = {}; new MutationObserver(() => {
            const label = document.querySelector(".now-call .plate").textContent;
            window.seen[label] ??= Date.now();
        }).observe(document.body, { subtree: true, childList: true, characterData: true }); }"""
    )
    took_ms = []
    for number in range(1, 13):
        started = time.time()
        await edge.call(f"K{number}", "4")
        await expect(page.locator(LARGE)).to_have_text(f"K{number}")
        took_ms.append(await page.evaluate(f"window.seen.K{number}") - started * 1000)
    print("publish to DOM, ms:", [round(ms) for ms in took_ms])
    assert statistics.median(took_ms) < 200


async def test_several_calls_a_recall_and_answered_ones(edge: Edge, page: Page) -> None:
    first = await edge.call("K12", "4")
    await edge.call("B8", "2")
    await edge.call("A119", "12")
    await expect(page.locator(LARGE)).to_have_text("A119")
    await expect(page.locator("#rows li[data-fresh]")).to_have_count(2)
    assert await texts(page, ".recent-code") == ["B8", "K12"]
    assert await texts(page, ".recent-desk") == ["2", "4"]

    await edge.recall(first)
    await expect(page.locator(LARGE)).to_have_text("K12")
    assert await texts(page, ".now-mark") == ["Segundo aviso"]
    await until(lambda: all(len(edge.acks_of(call)) == 1 for call in (first, *edge.calls)), 15)


async def test_the_highlight_lasts_five_seconds(edge: Edge, page: Page) -> None:
    await edge.call("K12")
    await expect(page.locator(f"{LARGE}[data-new]")).to_have_count(1)
    started = time.monotonic()
    await expect(page.locator(f"{LARGE}[data-new]")).to_have_count(0, timeout=8000)
    assert 3.5 < time.monotonic() - started < 6


async def test_an_old_call_is_shown_with_its_hour_and_not_sounded(edge: Edge, display: Display, page: Page) -> None:
    sounded = display.state()["sounded"]
    call = await edge.call("K12", age_s=31)
    await expect(page.locator(LARGE)).to_have_text("K12")
    assert re.fullmatch(r"llamado \d{1,2}:\d\d", (await texts(page, ".now-mark"))[0])
    assert await page.locator(LARGE).get_attribute("data-state") is None
    await until(lambda: len(edge.acks_of(call)) == 1)
    assert not edge.acks_of(call)[0].sounded
    assert display.state()["sounded"] == sounded


async def test_nothing_but_labels_and_counters_reaches_the_browser(
    edge: Edge, display: Display, browser: Browser
) -> None:
    watched = await browser.new_page()
    asked: list[str] = []
    troubles: list[str] = []
    watched.on("request", lambda request: asked.append(request.url))
    watched.on("console", lambda message: troubles.append(message.text))
    watched.on("pageerror", lambda error: troubles.append(str(error)))
    edge.recent = [edge.make_call("C31", "1", age_s=60)]
    call = await edge.call("K12")
    await watched.goto(display.url)
    await expect(watched.locator(LARGE)).to_have_text("K12")
    await until(lambda: len(edge.acks_of(call)) == 1)
    document = await watched.content()
    assert "K12" in document
    assert not UUID.search(document)
    assert not UUID.search(display.ask("GET", "/state").text)
    assert all(url.startswith(display.url) for url in asked)
    await watched.close()
    assert troubles == []  # a breach of the content policy would be one


async def test_the_first_paint_needs_no_script(edge: Edge, display: Display) -> None:
    await edge.call("K12")
    await until(lambda: display.state()["view"]["main"] is not None)
    reply = display.ask("GET", "/")
    assert reply.status_code == 200
    assert "K12</p>" in reply.text
    assert "script-src 'self'" in reply.headers["content-security-policy"]


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "/", 200),
        ("GET", "/health/live", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/static/nowhere.css", 404),
        ("POST", "/", 405),
    ],
)
async def test_every_answer_carries_the_headers_of_every_page(
    display: Display, method: str, path: str, status: int
) -> None:
    reply = display.ask(method, path)
    assert reply.status_code == status
    assert {name: reply.headers.get_list(name) for name in PAGE_HEADERS} == {n: [v] for n, v in PAGE_HEADERS.items()}


async def test_the_second_line_is_arabic_right_to_left_and_follows_the_config(edge: Edge, page: Page) -> None:
    await edge.call("K12", "4")
    line = page.locator(".now-second")
    await expect(line).to_have_text("توجّه إلى الشباك 4")
    assert await line.get_attribute("dir") == "rtl"
    assert await line.get_attribute("lang") == "ar"
    await edge.say_config(second_language="fr")
    await expect(line).to_have_text("Présentez-vous au guichet 4")
    await edge.say_config(second_language="es")
    await expect(line).to_have_count(0)


async def test_the_config_may_turn_the_chime_off(edge: Edge, display: Display, page: Page) -> None:
    sounded = display.state()["sounded"]
    await edge.say_config(chime=False)
    call = await edge.call("K12")
    await until(lambda: len(edge.acks_of(call)) == 1)
    assert not edge.acks_of(call)[0].sounded
    assert display.state()["sounded"] == sounded


async def test_a_closed_office_says_so(edge: Edge, page: Page) -> None:
    edge.open = False
    await edge.say_board()
    await expect(page.locator("text=Oficina cerrada")).to_be_visible()
    assert await texts(page, ".foot-wait") == []


class Stranger(NamedTuple):
    """A request that is not the page's, and the status it gets."""

    status: int
    path: str
    body: dict[str, Any] | None = None
    headers: dict[str, str] | None = None


STRANGERS = [
    Stranger(403, "/shown", {"keys": ["a.1"]}, {"sec-fetch-site": "cross-site"}),
    Stranger(403, "/sounded", {"key": "a.1", "state": "ended"}, {"sec-fetch-site": "same-site"}),
    Stranger(400, "/shown", {"keys": ["a.1"]}, {"host": "evil.example"}),
    Stranger(204, "/shown", {"keys": ["unknown.1"]}),
    Stranger(400, "/shown", {"keys": ["a"] * 17}),
    Stranger(400, "/shown", {"keys": "a"}),
    Stranger(400, "/shown", {"keys": [], "more": 1}),
    Stranger(413, "/shown", {"keys": ["x" * 5000]}),
    Stranger(400, "/sounded", {"key": "a.1", "state": "loud"}),
    Stranger(204, "/sounded", {"key": "unknown.1", "state": "ended"}),
    Stranger(404, "/sound/es/K1-4.wav"),
    Stranger(404, "/static/%2e%2e/settings.py"),
]


async def test_what_a_stranger_may_not_do(edge: Edge, display: Display) -> None:
    call = await edge.call("K12")
    for each in STRANGERS:
        method = "GET" if each.body is None else "POST"
        reply = display.ask(method, each.path, json=each.body, headers=each.headers)
        assert reply.status_code == each.status, each
    assert edge.acks_of(call) == []


async def test_times_of_the_office_are_those_of_its_zone(edge: Edge, display: Display) -> None:
    await edge.say_config(time_zone="Pacific/Auckland")
    await edge.say_board()
    await until(lambda: display.state()["view"]["clock"] != "")
    shown_hour = int(display.state()["view"]["clock"].split(":")[0])
    assert shown_hour != now().hour


async def test_repeated_and_late_boards_change_nothing(edge: Edge, display: Display, page: Page) -> None:
    before = refused(display)
    sounded = display.state()["sounded"]
    call = await edge.call("K12")
    await until(lambda: len(edge.acks_of(call)) == 1)
    older, beat = edge.seq, edge.beat
    await edge.call("B8", "2")
    await expect(page.locator(LARGE)).to_have_text("B8")
    for seq in (older, older - 1, edge.seq):
        await edge.say_board(seq=seq, beat=beat, calls=(edge.calls[1],))
    await edge.say_board(epoch=0, seq=999)
    await until(lambda: refused(display) - before == {"superseded": 3, "fenced": 1})
    assert await texts(page, LARGE) == ["B8"]
    # The second waits for the first, and that for what the last test's day had begun to say.
    await until(lambda: display.state()["sounded"] == sounded + 2, 2 * LONGEST_S + 2)


async def test_a_new_epoch_fences_the_former_node(edge: Edge, display: Display, page: Page) -> None:
    before = refused(display)
    await edge.call("K12")
    former = edge.epoch
    await edge.say_epoch(former + 1)
    await until(lambda: display.state()["epoch"] == former + 1)
    edge.seq = 1
    await edge.call("B8", "2")
    await expect(page.locator(LARGE)).to_have_text("B8")
    await edge.say_board(epoch=former, seq=500, calls=(edge.make_call("Z9", "9"),))
    await until(lambda: refused(display) - before == {"fenced": 1})
    assert await texts(page, LARGE) == ["B8"]


async def test_garbage_is_counted_and_the_screen_goes_on(edge: Edge, display: Display, page: Page) -> None:
    before = refused(display)
    for payload in (b"", b"\xff\x00", b"{}", b'{"v":1}', b"[1,2"):
        await edge.send(board_topic(OFFICE, ZONE), payload)
    await edge.send(board_topic(OFFICE, ZONE), b'{"v":7,"anything":true}')
    await edge.send(board_topic(OFFICE, "other"), b"x" * 100_000)
    for year in (1, 9999):
        await edge.send(
            board_topic(OFFICE, ZONE),
            encode(edge.board(seq=99)).replace(b'"at":"2', b'"at":"%04d-12-31T00:00:00Z","was":"2' % year),
        )
    await until(lambda: refused(display) - before == {"malformed": 8, "unsupported_version": 1})
    await edge.send(device_topic(OFFICE, DEVICE, "resp"), encode(KioskReply(request_id=new_id())))
    await until(lambda: (refused(display) - before)["misplaced"] == 1)
    await edge.call("K12")
    await expect(page.locator(LARGE)).to_have_text("K12")
