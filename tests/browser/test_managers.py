"""A manager's pages in a real Chromium: the whole change of a policy by keyboard alone, at a desk and at 200 % zoom, each state
without an axe finding; and without script.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.integration.portal.conftest import (  # noqa: F401 - fixtures
    Bed,
    portal,
    portal_dsn,
    portal_folder,
)
from tests.integration.portal.test_wait_models import serve
from tests.kit.axe import violations

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

SIZES: dict[str, Any] = {"desk": {"width": 1366, "height": 768}, "zoomed": {"width": 683, "height": 384}}
"""The second is the first at 200 %."""
TABS = 60
"""More keys than any of these pages has places of focus."""

Open = Callable[..., Awaitable[Page]]


class Hands:
    """A person with a keyboard and no mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.looked: list[str] = []
        self.broken: list[str] = []
        page.on("pageerror", lambda error: self.broken.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        if message.type == "error" and not re.search("4(09|22)", message.text):
            self.broken.append(message.text)

    async def go_to(self, selector: str) -> None:
        """Tab on until something has the focus; it is visible there."""
        for _ in range(TABS):
            await self.page.keyboard.press("Tab")
            if await self.page.evaluate("wanted => document.activeElement?.matches(wanted)", selector):
                assert await self._is_seen(), f"{selector} has the focus out of sight"
                return
        raise AssertionError(f"the keyboard does not get to {selector}")

    async def type_into(self, selector: str, text: str) -> None:
        await self.go_to(selector)
        await self.page.keyboard.press("ControlOrMeta+a")
        await self.page.keyboard.type(text)

    async def press(self, selector: str, key: str = "Enter") -> None:
        await self.go_to(selector)
        await self.page.keyboard.press(key)

    async def look(self, name: str) -> None:
        """Judge the page as it is."""
        self.looked.append(name)
        wide = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide} px"
        assert await violations(self.page) == [], name

    async def _is_seen(self) -> bool:
        box: dict[str, float] = await self.page.evaluate(
            "(() => { const b = document.activeElement.getBoundingClientRect(); return {top: b.top, bottom: b.bottom} })()"
        )
        height: float = await self.page.evaluate("innerHeight")
        return box["bottom"] > 0 and box["top"] < height


@pytest.fixture
async def open_page(portal: Bed, browser: Browser) -> Open:  # noqa: F811
    async def open_one(size: str = "desk", language: str = "es", *, script: bool = True, **more: Any) -> Page:
        context = await browser.new_context(
            base_url=portal.server.url, viewport=SIZES[size], locale=language, java_script_enabled=script, **more
        )
        return await context.new_page()

    return open_one


async def signed_in(page: Page, staff_id: str = "rocio", to: str = "/normas") -> None:
    await page.goto(to)
    await page.fill("#staff_id", staff_id)
    await page.fill("#password", "secreta")
    await page.press("#password", "Enter")
    await page.wait_for_url(re.compile("/normas/centro"))


@pytest.mark.parametrize("size", ["desk", "zoomed"])
async def test_a_policy_is_changed_by_keyboard_alone(portal: Bed, open_page: Open, size: str) -> None:  # noqa: F811
    portal.clock.advance(hours=2)
    async with portal.office() as office:
        session = office.open("1")
        for minutes in (4, 6, 8):
            serve(office, session, minutes)
        await office.send()
    portal.clock.advance(days=1)
    page = await open_page(size)
    hands = Hands(page)
    await page.goto("/normas")
    await hands.look("sign in")
    await hands.type_into("#staff_id", "rocio")
    await hands.type_into("#password", "guess")
    await page.keyboard.press("Enter")
    await expect(page.locator(".errors")).to_be_focused()
    await hands.look("wrong password")
    await hands.type_into("#password", "secreta")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Normas de la cola: Centro")
    await hands.look("what holds")

    await hands.press("main a.button")
    await expect(page.locator("h1")).to_have_text("Cambiar las normas de Centro")
    await hands.look("form")
    await hands.type_into("#appointment_head_start_min", "300")
    await hands.type_into("#recall_limit", "4")
    await page.keyboard.press("Enter")
    await expect(page.locator(".errors")).to_be_focused()
    await expect(page).to_have_title(re.compile("^Error: "))
    await hands.look("form with an error")
    await hands.press('.errors a[href="#appointment_head_start_min"]')
    await expect(page.locator("#appointment_head_start_min")).to_be_focused()
    await page.keyboard.press("ControlOrMeta+a")
    await page.keyboard.type("30")
    await hands.go_to("[name=reinstate]")
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("[name=reinstate][value=behind_two]")).to_be_checked()
    await hands.press("main button[data-size=large]", "Space")
    await expect(page.locator("h1")).to_have_text("Qué significa el cambio")
    await expect(page.locator("main")).to_contain_text("Ventaja de la cita: antes 45 minutos, ahora 30 minutos.")
    await hands.look("what it means")

    await hands.press("summary")
    await expect(page.locator("pre").first).to_be_visible()
    await hands.look("more days")
    await hands.press("button[value=try]")
    await expect(page.locator("[data-focus]")).to_be_focused()
    await expect(page.locator(".picture svg")).to_be_visible()
    await hands.look("tried")

    await hands.press("button[value=edit]")
    await expect(page.locator("#appointment_head_start_min")).to_have_value("30")
    await hands.press("button[data-size=large][value=preview]")
    await expect(page.locator("h1")).to_have_text("Qué significa el cambio")
    await hands.press("button[value=save]")
    await expect(page.locator(".banner[data-kind=ok]")).to_contain_text("Guardado: la versión 2")
    await hands.look("saved")
    await hands.press('form[action="/personal/salir"] button')
    await expect(page.locator("h1")).to_have_text("Entrar")
    assert hands.broken == []
    assert len(hands.looked) == 9


@pytest.mark.parametrize("colours", ["dark", "light"])
async def test_an_admin_chooses_an_office_and_a_language_and_is_overtaken(
    portal: Bed,  # noqa: F811
    open_page: Open,
    colours: str,
) -> None:
    page = await open_page(color_scheme=colours)
    other = await open_page()
    hands = Hands(page)
    await signed_in(page, "alonso")
    await hands.go_to("#oficina")
    await page.keyboard.press("ArrowDown")
    await hands.press('form[action="/normas"] button')
    await expect(page.locator("h1")).to_have_text("Normas de la cola: Real")
    await hands.look("another office")
    await page.goto("/normas/centro/cambiar")
    await page.fill("#grace_min", "12")
    await hands.press('.langs button[lang="en"]')
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await expect(page.locator("#grace_min")).to_have_value("12")
    await hands.look("form in English")

    await signed_in(other)
    await other.goto("/normas/centro/cambiar")
    await other.fill("#recall_limit", "5")
    await other.press("#recall_limit", "Enter")
    await other.click("button[value=save]")
    await expect(other.locator(".banner[data-kind=ok]")).to_be_visible()
    await page.press("#grace_min", "Enter")
    await page.click("button[value=save]")
    await expect(page.locator(".errors")).to_be_focused()
    await expect(page.locator(".errors")).to_contain_text("Rocío saved version 2")
    await expect(page.locator("#grace_min")).to_have_value("12")
    await hands.look("overtaken")
    assert hands.broken == []


async def test_all_of_it_works_without_script(portal: Bed, open_page: Open) -> None:  # noqa: F811
    page = await open_page(script=False)
    await signed_in(page)
    await page.click("main a.button")
    await page.fill("#grace_min", "x")
    await page.press("#grace_min", "Enter")
    await expect(page.locator(".errors")).to_be_visible()
    await page.fill("#grace_min", "12")
    await page.press("#grace_min", "Enter")
    await page.click(".langs button[lang=en]")
    await expect(page.locator("h1")).to_have_text("What the change means")
    await page.click("button[value=save]")
    await expect(page.locator(".banner[data-kind=ok]")).to_contain_text("Saved: version 2")


async def test_the_overview_is_judged_too(portal: Bed, open_page: Open) -> None:  # noqa: F811
    page = await open_page("zoomed")
    hands = Hands(page)
    await signed_in(page)
    for path in ("/oficinas-ahora", "/incidencias", "/cupos-cedidos", "/hechos-apartados", "/normas/real"):
        await page.goto(path)
        await hands.look(path)
