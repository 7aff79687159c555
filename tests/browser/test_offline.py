"""The page that says what works without network: reached from the banner and from the help, with the figures of the moment, while
central is connected and while it is cut off.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.console_desk import Desk, desk_in, tab_to
from tests.kit.axe import violations
from tests.kit.central_database import Clusters
from tests.kit.desk_and_central import CLERK, PASSWORD, DeskAndCentral, desk_and_central

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.timeout(180)]
ZOOMED = {"width": 683, "height": 384}
PICTURES = os.environ.get("OFFLINE_PICTURES")


@pytest.fixture
async def both(clusters: Clusters, tmp_path: Path) -> AsyncIterator[DeskAndCentral]:
    async with desk_and_central(clusters["wheel"], tmp_path, 10) as both:
        yield both


async def at_a_counter(desk: Desk) -> None:
    await desk.sign_in(CLERK, PASSWORD)
    await desk.page.click(".desks-list a >> nth=0")
    await desk.page.click('button:has-text("Abrir puesto"), button:has-text("Open desk")')
    await expect(desk.page.locator("#visit")).to_be_visible()
    await desk.ready()


async def judged(page: Page, name: str) -> None:
    if PICTURES:
        await page.wait_for_timeout(300)
        await page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)
    assert await violations(page) == [], name
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth"), f"{name} scrolls sideways"


def row(page: Page, what: str) -> Any:
    return page.locator(f'.offline tbody tr:has(th:text-is("{what}"))')


async def test_the_banner_leads_to_what_works_and_until_when(both: DeskAndCentral, browser: Browser) -> None:
    await both.lend()
    async with desk_in(browser, both.url) as desk:
        page = desk.page
        await at_a_counter(desk)
        await expect(page.locator('#link a[href="/offline"]')).to_have_count(0)
        await both.cut()
        link = page.locator('#link a[href="/offline"]')
        await expect(link).to_have_text("Qué funciona sin red")
        await judged(page, "banner")
        await tab_to(desk, '#link a[href="/offline"]')
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text("Sin red: qué funciona y hasta cuándo")
        await expect(page.locator("#offline-now")).to_contain_text("Sin conexión con central desde el")
        await expect(row(page, "Dar turno sin cita")).to_contain_text("Funciona")
        await expect(row(page, "Dar cita en las plazas cedidas a esta oficina")).to_contain_text("Quedan")
        await expect(row(page, "Dar otra cita, cambiarla o anularla")).to_contain_text("No funciona")
        await expect(row(page, "Entrar en la consola")).to_contain_text("71 horas")
        await judged(page, "cut")
        await page.evaluate("scrollTo(0, 0)")
        await tab_to(desk, ".table-box")
        await both.relay.heal()
        await expect(page.locator("#offline-now")).to_contain_text("Ahora hay conexión", timeout=60_000)
        await expect(row(page, "Entrar en la consola")).to_contain_text("72 horas desde el corte")


@pytest.mark.parametrize("locale", ["es-ES", "en-GB"])
async def test_help_leads_there_while_connected_and_at_two_hundred_per_cent(
    both: DeskAndCentral, browser: Browser, locale: str
) -> None:
    await both.lend()
    async with desk_in(browser, both.url, viewport=ZOOMED, locale=locale) as desk:
        page, tag = desk.page, locale[:2]
        await at_a_counter(desk)
        await page.click('[data-verb="help"]')
        await expect(page.locator('.help-text a[href="/offline"]')).to_be_in_viewport(ratio=1)
        await judged(page, f"help-{tag}")
        await page.click('.help-text a[href="/offline"]')
        h1 = {"es": "Sin red: qué funciona y hasta cuándo", "en": "Without network: what works and until when"}[tag]
        await expect(page.locator("h1")).to_have_text(h1)
        await expect(page.locator("#offline-now")).to_contain_text(
            {"es": "Ahora hay conexión", "en": "is connected now"}[tag]
        )
        await judged(page, f"connected-{tag}")
        await both.cut()
        await expect(page.locator("#offline-now")).to_contain_text(
            {"es": "Sin conexión con central desde", "en": "No connection to central since"}[tag]
        )
        await judged(page, f"cut-{tag}")
