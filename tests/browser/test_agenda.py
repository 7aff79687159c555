"""The agenda in a real browser, by keyboard alone, with a real central; every state without an accessibility violation."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from edge_node.console.staff_sessions import Member
from sync.io.ids import new_id
from sync.messages import codec
from sync.messages.feed import Entity
from tests.browser.console_desk import SIZE, Desk, desk_in
from tests.integration.agenda.conftest import TUESDAY_9H, signed_in
from tests.integration.agenda.test_visit import serve
from tests.kit.axe import violations
from tests.kit.central_database import Clusters
from tests.kit.console_server import Console, office, today_at
from tests.kit.desk_and_central import CLERK, PASSWORD, DeskAndCentral, desk_and_central

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.timeout(180)]
MEMBER = Member(staff_id="clerk-2", display_name="Clerk", roles=("clerk",), console="console-2")
FOCUSED = "(() => { const e = document.activeElement; return e.matches('a, button') ? e.innerText : '' })()"
ZOOMED = {"width": 683, "height": 384}


@pytest.fixture
async def both(clusters: Clusters, tmp_path: Path) -> AsyncIterator[DeskAndCentral]:
    async with desk_and_central(clusters["wheel"], tmp_path, 2) as both:
        yield both


async def focus_on(page: Page, text: str) -> None:
    """Go on with Tab until what is focused says a text, as somebody without a mouse does."""
    for _ in range(80):
        if text in await page.evaluate(FOCUSED):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {text!r}")


async def focus_field(page: Page, name: str) -> None:
    for _ in range(80):
        if await page.evaluate("document.activeElement.name || ''") == name:
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to the field {name!r}")


async def clean(page: Page) -> None:
    assert await violations(page) == []


async def fits(page: Page) -> None:
    """Nothing to scroll, in either direction."""
    assert await page.evaluate(
        "document.documentElement.scrollHeight <= innerHeight && document.documentElement.scrollWidth <= innerWidth"
    )


async def listening(page: Page) -> None:
    """The agenda is there, and hears keys."""
    await expect(page.locator("html[data-agenda][data-ready]")).to_have_count(1)


async def in_agenda(desk: Desk) -> Page:
    await desk.sign_in(CLERK, PASSWORD)
    await expect(desk.page.locator(".desks-list")).to_be_visible()
    await desk.page.goto(f"{desk.url}/agenda")
    await listening(desk.page)
    return desk.page


async def book(page: Page, name: str, document: str) -> None:
    """From the agenda of a day to the slip, by keys."""
    await focus_on(page, "Dar cita")
    await page.keyboard.press("Enter")
    await expect(page.locator("#book")).to_be_visible()
    await focus_field(page, "at")
    await page.keyboard.press("Space")
    await page.keyboard.press("ArrowRight")
    await focus_field(page, "full_name")
    await page.keyboard.type(name)
    await focus_field(page, "document_kind")
    await page.keyboard.type("Pas")
    await focus_field(page, "document")
    await page.keyboard.type(document)
    await page.keyboard.press("Enter")
    await expect(page.locator("#paper .plate")).to_be_visible()


async def test_a_day_of_appointments_by_keyboard_alone(browser: Browser, both: DeskAndCentral) -> None:
    async with desk_in(browser, both.url) as desk:
        page = await in_agenda(desk)
        await clean(page)
        await page.keyboard.press("ArrowRight")
        await expect(page.locator("#day-title")).to_have_text("Martes 24 de noviembre")
        await listening(page)

        await book(page, "Fátima Mohamed Haddu", "AB123456")
        await desk.sees("Cita reservada")
        await clean(page)
        assert await desk.focused() == "Cita reservada"
        await page.keyboard.press("Escape")
        await listening(page)
        await page.keyboard.press("ArrowRight")
        row = page.locator("tbody tr")
        await expect(row).to_have_count(1)
        await expect(row).to_contain_text("9:10")
        await expect(row).to_contain_text("F. M.")
        await fits(page)

        await focus_on(page, "9:10")
        await page.keyboard.press("Enter")
        await expect(page.locator("#panel-title")).to_be_focused()
        await expect(page.locator("#beside")).not_to_contain_text("Fátima")
        await clean(page)
        await page.keyboard.press("Escape")
        await expect(page.locator(".panel")).to_have_count(0)
        await expect(page.locator("tbody a")).to_be_focused()

        await page.keyboard.press("Enter")
        await expect(page.locator("#panel-title")).to_be_focused()
        await focus_on(page, "Ver datos")
        await page.keyboard.press("Enter")
        await expect(page.locator("#beside")).to_contain_text("Fátima Mohamed Haddu")
        await clean(page)

        await focus_on(page, "Cambiar la cita")
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text("Cambiar la cita")
        await clean(page)
        await focus_field(page, "at")
        await page.keyboard.press("Space")
        await page.keyboard.press("Enter")
        await desk.sees("Cita cambiada.")
        await desk.sees("martes 24 de noviembre de 2026 · 9:00")

        await page.goto(f"{both.url}/agenda?day=2026-11-24")
        await listening(page)
        await focus_on(page, "abrir la cita")
        await page.keyboard.press("Enter")
        await expect(page.locator("#panel-title")).to_be_focused()
        await focus_on(page, "Anular la cita")
        await page.keyboard.press("Enter")
        await desk.sees("¿Anular esta cita?")
        await clean(page)
        await focus_on(page, "Anular la cita")
        await page.keyboard.press("Enter")
        await desk.sees("Cita anulada.")
        await expect(page.locator("tbody tr")).to_contain_text("Anulada")
    assert [row["status"] for row in await both.pool.fetch("SELECT status FROM appointment")] == ["cancelled"]


async def test_weeks_are_turned_by_keyboard_up_to_the_last_day_that_can_be_booked(
    browser: Browser, both: DeskAndCentral
) -> None:
    async with desk_in(browser, both.url) as desk:
        page = await in_agenda(desk)
        title, shown = page.locator("#day-title"), page.locator('.agenda-weeks [aria-current="true"]')
        await expect(page.locator(".agenda-weeks a")).to_have_count(5)
        await page.keyboard.press("Shift+ArrowRight")
        await expect(title).to_have_text("Martes 1 de diciembre")
        await listening(page)
        await expect(shown).to_contain_text("1–7 dic")
        await page.keyboard.press("ArrowLeft")
        await expect(title).to_have_text("Lunes 30 de noviembre")
        await listening(page)
        await page.keyboard.press("ArrowRight")
        await expect(title).to_have_text("Martes 1 de diciembre")
        for day in ("Martes 8 de diciembre", "Martes 15 de diciembre", "Martes 22 de diciembre"):
            await listening(page)
            await page.keyboard.press("Shift+ArrowRight")
            await expect(title).to_have_text(day)
        await clean(page)
        await fits(page)
        await listening(page)
        await page.keyboard.press("ArrowRight")
        await expect(title).to_have_text("Miércoles 23 de diciembre")
        await listening(page)
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("Shift+ArrowRight")
        await expect(title).to_have_text("Miércoles 23 de diciembre")
        await both.cut()
        await page.keyboard.press("Shift+ArrowLeft")
        await expect(title).to_have_text("Martes 15 de diciembre")
        await desk.sees("Sin conexión con central. De los días siguientes")
        await clean(page)


async def test_a_search_reveals_one_row_by_keyboard(browser: Browser, both: DeskAndCentral) -> None:
    async with desk_in(browser, both.url) as desk:
        page = await in_agenda(desk)
        for number, name in enumerate(("Fátima Mohamed", "Fátima Haddu")):
            await book(page, name, f"AB{number:06}")
            await page.keyboard.press("Escape")
            await listening(page)
        await focus_field(page, "typed")
        await page.keyboard.type("fatima")
        await page.keyboard.press("Enter")
        await desk.sees("2 citas encontradas")
        await desk.sees_no("Mohamed")
        assert "fatima" not in page.url
        await clean(page)
        await focus_on(page, "Ver datos")
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-revealed]")).to_have_count(1)
        await clean(page)
        await page.keyboard.press("Escape")
        await expect(page.locator("#day-title")).to_contain_text("noviembre")


async def test_problems_are_told_and_nothing_that_was_typed_is_lost(browser: Browser, both: DeskAndCentral) -> None:
    async with desk_in(browser, both.url) as desk:
        page = await in_agenda(desk)
        await page.goto(f"{both.url}/agenda/new")
        await page.fill("#email", "nadie")
        await page.press("#email", "Enter")
        await expect(page.locator(".errors")).to_be_focused()
        await desk.sees("Elija una hora.")
        await expect(page.locator("#email")).to_have_value("nadie")
        await clean(page)
        await both.lend()
        await both.cut()
        await page.goto(f"{both.url}/agenda/new?service=viaje")
        await desk.sees("30 horas cedidas a esta oficina")
        await clean(page)
        await fits(page)
        await page.locator("input[name=at]").first.check(force=True)
        await page.fill("#full_name", "Ali Ben")
        await page.fill("#document", "12345678Z")
        await page.dblclick('[data-verb="book_appointment"]')
        await desk.sees("pendiente de central")
        await clean(page)
        assert len(both.node.dispatcher.state.sold) == 1


@pytest.mark.parametrize("path", ["/agenda", "/agenda/new"])
async def test_at_double_size_nothing_is_cut_off(browser: Browser, both: DeskAndCentral, path: str) -> None:
    async with desk_in(browser, both.url, viewport=ZOOMED) as desk:
        page = await in_agenda(desk)
        await page.goto(f"{both.url}{path}")
        await clean(page)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture
def office_rows() -> Sequence[Entity]:
    return office([today_at(10 * n, display_name=f"Persona {n}.") for n in range(-3, 3)])


async def test_news_reach_an_open_agenda_and_leave_the_focus(browser: Browser, served: Console) -> None:
    """An office that works alone has its agenda too, and says why there are no free times."""
    async with desk_in(browser, served) as desk:
        await desk.at_work()
        await desk.ready()
        await focus_on(desk.page, "Agenda")
        await desk.page.keyboard.press("Enter")
        await listening(desk.page)
        await clean(desk.page)
        await desk.sees("no se conocen los huecos libres")
        rows = desk.page.locator("tbody a")
        await rows.nth(1).focus()
        await desk.page.keyboard.press("ArrowDown")
        await expect(rows.nth(2)).to_be_focused()
        booking = next(iter(served.node.dispatcher.state.agenda.by_id))
        body = codec.encode({"request_id": new_id(), "appointment_id": booking})
        await served.node.staff_desk.carry_out("check_in", body, MEMBER)
        await desk.sees("llegadas 1")
        await expect(rows.nth(2)).to_be_focused()


async def test_what_is_printed_fits_a_sheet_and_a_roll(browser: Browser, both: DeskAndCentral) -> None:
    async with signed_in(both) as clerk:
        appointment_id = await clerk.booked(TUESDAY_9H - timedelta(days=1), language="ar", needs=["signs"])
        await clerk.post("/agenda/check-in", {"open": appointment_id, "request_id": new_id()})
        ticket_id = both.node.dispatcher.state.day.by_appointment[appointment_id]
        await serve(both, clerk, ticket_id)
    async with desk_in(browser, both.url) as desk:
        page = desk.page
        await desk.sign_in(CLERK, PASSWORD)
        await expect(page.locator("#visit")).to_be_visible()
        for path in (f"/agenda/slip/{appointment_id}", f"/attendance/{ticket_id}"):
            await page.goto(f"{both.url}{path}?paper=sheet")
            await expect(page.locator("html[data-agenda]")).to_have_count(1)
            assert pages_of(await page.pdf(format="A4")) == 1
            await page.get_by_role("link", name="En papel de tique (72 mm)").press("Enter")
            await expect(page.locator(".paper-roll")).to_have_count(1)
            await clean(page)
            assert pages_of(await page.pdf(width="80mm", height="320mm")) == 1
            await page.set_viewport_size({"width": 272, "height": 800})  # the 72 mm that are printed
            await page.emulate_media(media="print")
            assert await page.evaluate("document.documentElement.scrollWidth") <= 273
            assert await page.locator(".paper-acts, .desk, .console-toast").locator("visible=true").count() == 0
            await page.emulate_media(media="null")
            await page.set_viewport_size(SIZE)


def pages_of(pdf: bytes) -> int:
    return int(re.findall(rb"/Count (\d+)", pdf)[0])
