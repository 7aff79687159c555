"""The record, closures and retention in a real browser: no script is needed, nothing is wrong for axe, at 200 % zoom and by keyboard."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.integration.portal.conftest import Bed, portal, portal_dsn, portal_folder
from tests.integration.portal.test_audit import a_morning
from tests.integration.portal.test_closures import booked
from tests.kit.axe import violations
from tests.kit.browser import chromium

__all__ = ["portal", "portal_dsn", "portal_folder"]

SCREEN = ViewportSize(width=1366, height=768)
ZOOMED = ViewportSize(width=683, height=384)
"""200 % zoom of the screen, as the page sees it."""
PICTURES = os.environ.get("VENTANILLA_PICTURES")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def entered(browser: Browser, bed: Bed, language: str, staff_id: str = "alonso") -> Page:
    context = await browser.new_context(base_url=bed.server.url, viewport=SCREEN, locale=language)
    page = await context.new_page()
    await page.goto("/personal/entrar?a=/oficinas-ahora/ahora")
    await page.fill("#staff_id", staff_id)
    await page.fill("#password", "secreta")
    await page.press("#password", "Enter")
    await page.wait_for_load_state()
    return page


async def judge(page: Page, name: str) -> None:
    """Right for axe and without a bar to scroll sideways, as it is and at 200 % zoom."""
    for suffix, size in (("", SCREEN), ("-200", ZOOMED)):
        await page.set_viewport_size(size)
        assert await violations(page) == [], f"{name}{suffix}"
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name}{suffix} is {wide} px too wide"
        if PICTURES:
            await page.screenshot(path=Path(PICTURES) / f"{name}{suffix}.png", full_page=True)
    await page.set_viewport_size(SCREEN)


@pytest.mark.parametrize("language", ["es", "en"])
async def test_the_pages_are_right_for_everybody(portal: Bed, browser: Browser, language: str) -> None:
    label = await a_morning(portal)
    await booked(portal, 3)
    page = await entered(browser, portal, language)
    await page.goto("/registro?todo=1")
    await judge(page, f"audit-{language}")
    await page.goto(f"/registro?que={label}")
    await judge(page, f"audit-life-{language}")
    await page.goto("/registro?dia=x")
    await judge(page, f"audit-error-{language}")
    await page.goto("/conservacion")
    await judge(page, f"retention-{language}")
    await page.goto("/conservacion/people")
    await judge(page, f"retention-runs-{language}")
    await page.goto("/cierres/centro")
    await judge(page, f"closures-none-{language}")
    await page.fill("#desde", "2026-11-24")
    await page.press("#motivo", "Enter")
    await expect(page.locator("[name=cita]")).to_have_count(3)
    await judge(page, f"closures-{language}")
    await page.locator("main button[value=move]").click()
    await judge(page, f"closures-error-{language}")
    await page.goto("/cierres/centro")
    await page.locator("main button[value=move_all]").click()
    await expect(page.locator("progress")).to_be_visible()
    await judge(page, f"closures-run-{language}")


async def test_a_closure_is_moved_by_keyboard_alone(portal: Bed, browser: Browser) -> None:
    await booked(portal, 2)
    page = await entered(browser, portal, "es", "rocio")
    await page.goto("/cierres/centro")
    await page.fill("#desde", "2026-11-24")  # how a date is typed is the browser's matter
    await page.focus("#desde")
    for _ in range(12):
        if await page.evaluate("document.activeElement.id") == "motivo":
            break
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    first = page.locator("[name=cita]").first
    await first.focus()
    await page.keyboard.press("Space")
    await expect(first).to_be_checked()
    for _ in range(10):
        if await page.evaluate("document.activeElement.value") == "move":
            break
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Citas que se mueven")
    assert await portal.count("closure_item") == 1
