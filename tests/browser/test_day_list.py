"""Today's tickets in a real browser: found by keyboard, without an accessibility violation, at both sizes."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.console_desk import Desk, tab_to
from tests.kit.axe import violations
from tests.kit.console_server import Console

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
ZOOMED: Any = {"width": 683, "height": 384}


async def test_an_earlier_visit_is_found_by_keyboard_and_its_proof_given(desk: Desk, served: Console) -> None:
    page, keys = desk.page, desk.page.keyboard
    for _ in range(3):
        await served.walk_in()
    await expect(page.locator(".next-code .plate")).to_have_text("B1")
    for key, label in (("F8", "B1"), ("F2", "B1"), ("F8", "B2"), ("F2", "B2"), ("F8", "B3")):
        await keys.press(key)
        await desk.visit_is(label)
        if key == "F2":
            await desk.sees("Atendiendo")
    await keys.press("Control+k")
    await keys.type("turnos de hoy")
    await keys.press("Enter")
    await expect(page.locator("h1")).to_have_text("Turnos de hoy")
    await desk.ready()
    assert await violations(page) == []
    await tab_to(desk, '.tabs a:has-text("Terminados")')
    await keys.press("Enter")
    await expect(page.locator('.tabs [aria-current="page"]')).to_contain_text("Terminados")
    await desk.ready()
    await tab_to(desk, 'a[aria-label="Ver B1"]')
    await keys.press("Enter")
    await expect(page.locator("#day-one-title")).to_have_text("Turno B1")
    await expect(page.locator(".journal tbody tr")).to_have_count(4)
    await expect(page.locator(".journal tbody tr").last).to_contain_text("Finalizado: resuelto")
    assert await violations(page) == []
    await page.set_viewport_size(ZOOMED)
    assert await page.evaluate("document.documentElement.scrollWidth") <= ZOOMED["width"]
    assert await violations(page) == []
    await desk.ready()
    await tab_to(desk, '[data-verb="attendance"]')
    await keys.press("Enter")
    await expect(page.locator("h1")).to_have_text("Justificante de asistencia, B1")


async def test_the_list_follows_what_happens(desk: Desk, served: Console) -> None:
    await desk.page.goto(f"{served.url}/day")
    await desk.ready()
    await desk.sees("Ningún turno está así ahora.")
    await served.walk_in()
    await expect(desk.page.locator('a[aria-label="Ver B1"]')).to_be_visible()
    await desk.page.goto(f"{served.url}/pending")
    await desk.sees("Pendiente de enviar")
    assert await violations(desk.page) == []
