"""The start page takes orders from its own forms, and from nobody else's."""

from __future__ import annotations

import asyncio
import contextlib
import re
import smtplib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import httpx
import msgspec
import pytest

from provisioning.demo.bookings import Code
from provisioning.demo.desk import Desk
from provisioning.demo.desk_routes import _changes, create_app
from provisioning.demo.parts import fallen
from provisioning.demo.plan import Places, on_free_ports, read_config
from provisioning.launchers.ports import free_port, is_listening
from ui.headers import PAGE_HEADERS

pytestmark = pytest.mark.timeout(30)
TOKEN = "V1.AAAA.BBBB"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(on_free_ports(read_config(), free_port), Places(tmp_path))
    async with desk.running():
        yield desk


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(desk))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
        yield client


async def test_its_own_form_cuts_and_heals(desk: Desk, browser: httpx.AsyncClient) -> None:
    page = await browser.get("/")
    assert page.headers["referrer-policy"] == "same-origin", "with none, browsers post forms with Origin: null"
    for do, state in (("cut", "cut"), ("up", "up"), ("silent", "silent")):
        headers = {"origin": "http://desk.test"}
        reply = await browser.post("/offices/centro", data={"do": do}, headers=headers)
        assert (reply.status_code, desk.relays["centro"].state) == (303, state)


async def test_a_chosen_language_outlives_a_button(browser: httpx.AsyncClient) -> None:
    speaks_spanish = {"accept-language": "es", "origin": "http://desk.test"}
    assert 'lang="en"' in (await browser.get("/?lang=en", headers=speaks_spanish)).text[:200]
    reply = await browser.post("/offices/centro", data={"do": "up"}, headers=speaks_spanish, follow_redirects=True)
    assert 'lang="en"' in reply.text[:200]
    assert list(browser.cookies) == ["vt_demo_lang"]


@pytest.mark.parametrize("origin", ["http://elsewhere.test", "null"])
@pytest.mark.parametrize("path", ["/offices/centro", "/api/wan/centro"])
async def test_another_site_cannot(desk: Desk, browser: httpx.AsyncClient, origin: str, path: str) -> None:
    form = {"data": {"do": "cut"}} if path.startswith("/offices") else {"json": {"state": "cut"}}
    reply = await browser.post(path, headers={"origin": origin}, **form)  # type: ignore[arg-type]
    assert (reply.status_code, desk.relays["centro"].state) == (403, "up")


@pytest.mark.parametrize(
    "method, path, status",
    [("GET", "/nowhere", 404), ("GET", "/static/nowhere.css", 404), ("PUT", "/", 405), ("GET", "/health/live", 200)],
)
async def test_every_answer_carries_the_headers_of_the_page(
    browser: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    page, reply = await browser.get("/"), await browser.request(method, path)
    assert reply.status_code == status
    for name in PAGE_HEADERS:
        assert reply.headers.get_list(name) == page.headers.get_list(name), name


async def test_odd_requests_are_answered(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/tickets/centro/%00")).status_code == 404
    assert (await browser.get("/tickets/nowhere/1.png")).status_code == 404
    assert (await browser.get("/mail/99")).status_code == 404
    assert (await browser.post("/api/wan/nowhere", json={"state": "cut"})).status_code == 404
    assert (await browser.post("/api/wan/centro", json={"state": "half"})).status_code == 400
    assert (await browser.post("/api/scan/centro", json={"text": "x" * 5000})).status_code == 400


async def test_mail_ends_here_and_offers_its_code_to_the_scanner(desk: Desk, browser: httpx.AsyncClient) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "citas@example.org", "ana@example.org", "Su cita K7M-ACX"
    mail.set_content("Código: K7M-ACX\n<script>alert(1)</script>")
    mail.add_attachment(b"PNG", maintype="image", subtype="png", filename="qr.png")
    next(mail.iter_attachments())["Content-Description"] = TOKEN

    def send() -> None:
        with smtplib.SMTP(desk.config.host, desk.config.smtp, timeout=5) as server:
            server.send_message(mail)

    await asyncio.to_thread(send)
    (caught,) = desk.mailbox.mails
    assert (caught.token, caught.locator, caught.attachments) == (TOKEN, "K7M-ACX", ("qr.png",))
    page = (await browser.get("/")).text
    assert TOKEN in page
    shown = (await browser.get("/mail/1")).text
    assert "K7M-ACX" in shown
    assert "<script>alert" not in shown


async def test_each_paper_leads_to_the_page_that_its_code_opens(
    desk: Desk, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow = "http://127.0.0.1:8010/t/AAAAAAAAAAAAAAAAAAAAAA"
    printed = [
        {"n": 1, "lines": ["T1"], "qr_texts": [follow]},
        {"n": 2, "lines": ["T2"], "qr_texts": ["javascript:alert(1)"]},
    ]

    async def ask(url: str) -> object:
        return printed if url.endswith("/tickets") else {"paper": "ok"}

    monkeypatch.setattr(desk, "_ask", ask)
    page = (await browser.get("/?lang=en")).text
    assert f'href="{follow}"' in page
    assert page.count("Follow") == 2, "one per office"
    assert "javascript:" not in page


async def test_the_page_tells_which_part_ended(desk: Desk, tmp_path: Path, browser: httpx.AsyncClient) -> None:
    now = datetime.now(UTC)
    down = fallen(None, "centro.edge", "signal 9", "centro.edge.log", now)
    back = fallen(None, "postgres", "signal 9", "postgres.log", now).back(now)
    assert "terminó" not in (await browser.get("/?lang=es")).text
    Places(tmp_path).falls.write_bytes(msgspec.json.encode([down, back]))
    spanish, english = (await browser.get("/?lang=es")).text, (await browser.get("/?lang=en")).text
    assert "El nodo de la oficina (Centro): terminó" in spanish
    assert "La base de datos Postgres: terminó" in spanish
    assert "se ha vuelto a arrancar" in spanish
    assert "edge node (Centro): ended" in english


async def test_a_page_that_is_open_is_told_too(desk: Desk, tmp_path: Path) -> None:
    async with contextlib.aclosing(_changes(desk, "es")) as news:
        assert "terminó" not in (await anext(news))["data"]
        fall = fallen(None, "real.display", "exit 1", "real.display.log", datetime.now(UTC))
        Places(tmp_path).falls.write_bytes(msgspec.json.encode([fall]))
        assert "La pantalla (Real): terminó" in (await anext(news))["data"]


async def test_an_error_leaves_nothing_listening(tmp_path: Path) -> None:
    config = on_free_ports(read_config(), free_port)
    with pytest.raises(LookupError):
        async with Desk(config, Places(tmp_path)).running():
            assert is_listening(config.host, config.smtp)
            raise LookupError
    for port in (config.smtp, *(office.relay for office in config.offices)):
        assert not is_listening(config.host, port)


async def test_the_scanners_box_names_bookings_and_mails_once(
    desk: Desk, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2026, 11, 29, 10, 40, tzinfo=UTC)
    codes = [
        Code(token="V1.AAAA.REAL", locator="K7M4QX", office="real", slot_start_at=at),
        Code(token=TOKEN, locator="K7MACX", office="centro", slot_start_at=at),
    ]

    async def coming(_now: datetime) -> list[Code]:
        return codes

    monkeypatch.setattr(desk._bookings, "coming", coming)
    page = (await browser.get("/?lang=es")).text
    assert "29/11/2026 11:40 · Centro · K7M-ACX" in page
    assert "No hay citas" not in page
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids)), "a label points at its own field"
    assert 'for="real-code"' in page
    centro = page[page.index('id="centro-codes"') : page.index('id="real-codes"')]
    assert centro.index(TOKEN) < centro.index("V1.AAAA.REAL"), "the office's own come first"
