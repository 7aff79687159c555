"""The portal in a real Chromium: with and without script, in Spanish and Arabic, every page without an axe finding."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from sync.messages import commands as c
from tests.integration.portal.conftest import (  # noqa: F401 - fixtures
    Bed,
    portal,
    portal_dsn,
    portal_folder,
)
from tests.kit.axe import violations
from tests.kit.browser import chromium
from tests.kit.office import new_id

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

SIZES = {"phone": (390, 844), "desk": (1280, 900)}
ERROR = {"es": re.compile("^Error: "), "ar": re.compile("^خطأ")}
LOCATOR = re.compile(r"^[A-Z0-9]{3}-[A-Z0-9]{3}$")


class Judge:
    """Looks at every page that the story comes by."""

    def __init__(self, page: Page, *, script: bool) -> None:
        self.page = page
        self.script = script
        self.seen: list[str] = []

    async def __call__(self, name: str) -> None:
        self.seen.append(name)
        wide = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth") if self.script else 0
        assert wide <= 0, f"{name} scrolls sideways by {wide} px"
        if self.script:
            assert await violations(self.page) == [], name


@pytest.fixture
async def browser_page(portal: Bed) -> AsyncIterator[Callable[..., Awaitable[Page]]]:  # noqa: F811
    async with chromium() as browser:

        async def open_page(language: str, size: str = "phone", *, script: bool = True) -> Page:
            width, height = SIZES[size]
            context = await browser.new_context(
                base_url=portal.server.url,
                viewport={"width": width, "height": height},
                locale=language,
                java_script_enabled=script,
            )
            return await context.new_page()

        yield open_page


@pytest.mark.parametrize(
    "language, size, script",
    [("es", "desk", True), ("ar", "phone", True), ("es", "phone", False), ("ar", "desk", False)],
)
async def test_a_booking_from_home_to_cancelled(
    *,
    portal: Bed,  # noqa: F811
    browser_page: Callable[..., Awaitable[Page]],
    language: str,
    size: str,
    script: bool,
) -> None:
    page = await browser_page(language, size, script=script)
    look = Judge(page, script=script)
    go = page.locator("main form button[data-size=large]")

    await page.goto("/")
    await expect(page.locator("html")).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
    await look("home")
    await page.locator('a[href="/tramites/viaje"]').first.click()
    await look("service")
    await go.click()
    await look("office")
    await page.locator("input[name=office][value=centro]").check()
    await go.click()
    await look("slot")
    await page.locator("input[name=time]").nth(2).check(force=True)
    await go.click()
    await look("you")
    await page.fill("#name", "Fátima Mohamed Ruiz")
    await page.fill("#doc", "45298316K")
    await go.click()
    await look("you with errors")
    if script:
        await expect(page.locator(".errors")).to_be_focused()
    await expect(page).to_have_title(ERROR[language])
    await page.fill("#doc", "45298316T")
    await page.press("#doc", "Enter")  # the Enter key goes on; it neither asks for time nor switches the language
    await look("check")
    await expect(page).to_have_url(re.compile(r"/reserva/compruebe\?reserva="))
    await go.click()
    await look("confirmed")
    await expect(page.locator(".pass .plate")).to_have_text(LOCATOR)
    await expect(page.locator(".pass svg[role=img]")).to_be_visible()
    address = page.url.split("?")[0]
    await page.goto(f"{address}/anular")
    await look("cancel")
    await page.locator("main form button").click()
    await look("cancelled")
    assert await portal.count("appointment", "status = 'cancelled'") == 1
    for path in (
        "/cita",
        "/oficinas",
        "/tramites?q=viaje",
        "/accesibilidad",
        "/privacidad",
        "/quejas",
        "/ayuda",
        "/nada",
        "/t/x",
    ):
        await page.goto(path)
        await look(path)
    assert len(look.seen) == 19


async def test_switching_the_language_keeps_what_is_typed_and_not_yet_sent(
    browser_page: Callable[..., Awaitable[Page]],
) -> None:
    page = await browser_page("es", script=False)
    await page.goto("/tramites/viaje")
    go = page.locator("main form button[data-size=large]")
    await go.click()
    await go.click()
    await page.locator("input[name=time]").first.check(force=True)
    await go.click()
    await page.fill("#name", "Fátima")
    await page.locator(".langs [lang=ar]").click()
    await expect(page.locator("html")).to_have_attribute("dir", "rtl")
    await expect(page.locator("#name")).to_have_value("Fátima")


@pytest.mark.parametrize("language, size", [("es", "phone"), ("ar", "desk")])
async def test_a_ticket_turns_yellow_by_itself_when_it_is_called(
    portal: Bed,  # noqa: F811
    browser_page: Callable[..., Awaitable[Page]],
    language: str,
    size: str,
) -> None:
    portal.clock.advance(hours=2)
    page = await browser_page(language, size)
    look = Judge(page, script=True)
    async with portal.office() as office:
        session = office.open("1")
        code, *_ = [office.take("padron") for _ in range(4)]
        first = next(iter(office.queue.day.tickets))
        office.act(c.PlanRoute(request_id=new_id(), ticket_id=first, steps=("viaje",)))
        await office.send()
        await page.goto(f"/t/{code}")
        await look("progress")
        await expect(page.locator(".turn .plate")).to_have_text("P1")
        await expect(page.locator(".turn-step")).to_be_visible()
        office.call(session)
        await office.send()
        await expect(page.locator('.turn .plate[data-state="call"]')).to_be_visible()
        assert "P1" in await page.title()
        await look("called")
        await page.goto("/oficinas-ahora")
        await look("sign in")
        await page.fill("#staff_id", "rocio")
        await page.fill("#password", "secreta")
        await page.press("#password", "Enter")
        await look("overview")
        await expect(page.locator('[data-office="centro"] [data-acked]')).to_have_attribute(
            "data-acked", str(office.queue.day.seq)
        )
        office.take("padron")
        await office.send()
        await expect(page.locator('[data-office="centro"] .live-big strong')).to_have_text("4")
