"""Real browsers: the displays, watched while calls come, and the portal, used as a citizen does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from playwright.async_api import Browser, Page

WATCH = """
() => {
  window.seen = {};
  const look = () => {
    const at = Date.now();
    for (const place of document.querySelectorAll('#board [data-put="label"]')) {
      const label = place.textContent.trim();
      if (label && place.offsetParent !== null && !(label in window.seen)) window.seen[label] = at;
    }
  };
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true});
  look();
}
"""


class Display:
    """A display's page in a browser; remembers when each label first stood on it."""

    def __init__(self, office: str, page: Page) -> None:
        self.office = office
        self._page = page

    @classmethod
    async def open(cls, browser: Browser, office: str, url: str) -> Display:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await page.goto(url)
        await page.evaluate(WATCH)
        return cls(office, page)

    async def seen(self) -> dict[str, datetime]:
        """When each label first stood on the screen."""
        seen: dict[str, Any] = await self._page.evaluate("() => window.seen")
        return {label: datetime.fromtimestamp(at / 1000, UTC) for label, at in seen.items()}

    async def text(self) -> str:
        return await self._page.inner_text("body")


async def book_by_hand(browser: Browser, portal: str, n: int, document: str, office_name: str) -> str:
    """Book through the portal's pages as they are for somebody without script; the locator on the last page."""
    context = await browser.new_context(
        java_script_enabled=False, viewport={"width": 390, "height": 844}, locale="es-ES"
    )
    page = await context.new_page()
    try:
        await page.goto(portal)
        await _walk(page, n, document, office_name)
        plate = await page.locator(".pass .plate").first.inner_text()
        return plate.replace("-", "").strip()
    finally:
        await context.close()


async def _walk(page: Page, n: int, document: str, office_name: str) -> None:
    """Service, office, day and time, details, check, confirm: whatever stands in the way of *Cita confirmada*."""
    await page.locator('a[href="/tramites/viaje"]').first.click()
    await page.locator("main form button[data-size=large]").first.click()
    heading = ""
    for _ in range(10):
        heading = (await page.locator("h1").first.inner_text()).strip()
        if "confirmada" in heading.lower():
            return
        await _answer(page, n, document, office_name)
        await page.locator("main form button[data-size=large]").first.click()
        await asyncio.sleep(0.05)
    raise AssertionError(f"the portal did not get to a confirmation, it stands at '{heading}'")


async def _answer(page: Page, n: int, document: str, office_name: str) -> None:
    """Fill in whatever this page asks."""
    mine = page.locator("label.choice", has_text=office_name)
    if await mine.count():
        await mine.first.locator("input").check()
    elif await page.locator("input[name=time]").count():
        await page.locator("input[name=time]").first.check(force=True)
    values = {"name": f"Persona {n} De Prueba", "doc": document, "mail": f"persona{n}@example.org"}
    for name, value in values.items():
        box = page.locator(f'input[name="{name}"]')
        if await box.count():
            await box.fill(value)
