"""The pages on which managers watch their offices, in a real Chromium: by keyboard alone, at a desk and at 200 % zoom, in both
languages, each without an axe finding; live without reload, and all of it without script.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from sync.domain.decide import turn_day
from sync.messages import commands as c
from tests.browser.test_managers import SIZES, Hands
from tests.integration.portal.conftest import (  # noqa: F401 - fixtures
    Bed,
    portal,
    portal_dsn,
    portal_folder,
)
from tests.integration.portal.office import Office
from tests.integration.portal.test_accuracy import serve as announced
from tests.integration.portal.test_order_changes import change_the_order
from tests.kit.office import new_id

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

Open = Callable[..., Awaitable[Page]]


@pytest.fixture
async def open_page(portal: Bed, browser: Browser) -> Open:  # noqa: F811
    async def open_one(size: str = "desk", language: str = "es", *, script: bool = True) -> Page:
        context = await browser.new_context(
            base_url=portal.server.url, viewport=SIZES[size], locale=language, java_script_enabled=script
        )
        return await context.new_page()

    return open_one


async def sign_in(hands: Hands, staff_id: str = "rocio") -> None:
    await hands.page.goto("/oficinas-ahora")
    await hands.type_into("#staff_id", staff_id)
    await hands.type_into("#password", "secreta")
    await hands.page.keyboard.press("Enter")
    await expect(hands.page.locator("#offices")).to_be_visible()


async def follow(hands: Hands, path: str) -> None:
    """Press a link and be where it leads."""
    await hands.press(f'a[href="{path}"]')
    await hands.page.wait_for_url(f"**{path}")


def alarm(office: Office, session: str) -> None:
    """Everything that is worth an alert at once."""
    visit = office.queue.day.visit_at(session)
    assert visit is not None
    office.act(c.Park(request_id=new_id(), session=session, ticket_id=visit.ticket_id, reason="papers"))
    office.act(c.PauseCounter(request_id=new_id(), session=session, reason="rest"))
    office.act(c.AskSupport(request_id=new_id(), session=session, urgency="panic"))


@pytest.mark.parametrize(
    "size, language, staff_id", [("desk", "es", "rocio"), ("zoomed", "es", "alonso"), ("desk", "en", "alonso")]
)
async def test_every_page_by_keyboard_and_without_an_axe_finding(
    portal: Bed,  # noqa: F811
    open_page: Open,
    size: str,
    language: str,
    staff_id: str,
) -> None:
    portal.clock.advance(hours=2)
    hands = Hands(page := await open_page(size, language))
    async with portal.office() as office:
        session = office.open("1")
        for _ in range(20):
            announced(office, session, 7)
        await office.send()
        portal.clock.advance(days=1)
        assert await portal.server._app.state.portal.reports.look() == 1
        today = turn_day(office.queue.day, portal.clock.now().date(), office.catalogue)
        office.queue.write(today, portal.clock.now())
        session = office.open("1")
        change_the_order(office, session)
        alarm(office, session)
        await office.send()
        portal.clock.advance(minutes=31)
        await office.hello()
        await portal.server.exchange.hearing.flush()

        await sign_in(hands, staff_id)
        await expect(page.locator('[data-office="centro"] .warned li')).to_have_count(3)
        await hands.look("overview")
        await follow(hands, "/oficina-ahora/centro")
        await expect(page.locator("#counters tbody tr")).to_have_count(1)
        await hands.look("office")
        await follow(hands, "/cambios-de-orden")
        await hands.look("order today")
        await hands.go_to("#dia")
        await page.keyboard.press("ArrowDown")
        await hands.press("form.filters button")
        await page.wait_for_url("**dia=2026-11-23")
        await expect(page.locator("#dia")).to_have_value("2026-11-23")
        await hands.look("order of the day before")
        await follow(hands, "/previsiones")
        await expect(page.locator("main")).to_contain_text("100 %")
        await hands.look("accuracy")
        portal.clock.advance(minutes=10)
        await page.goto("/oficina-ahora/centro")
        await hands.look("office, cut")
        await page.goto("/oficinas-ahora")
        await expect(page.locator('[data-office="centro"][data-stale]')).to_be_visible()
        await hands.look("overview, cut")
    assert hands.broken == []


async def test_figures_and_alerts_come_by_themselves(portal: Bed, open_page: Open) -> None:  # noqa: F811
    portal.clock.advance(hours=2)
    hands, other = Hands(page := await open_page()), Hands(second := await open_page("zoomed"))
    async with portal.office() as office:
        session = office.open("1")
        await office.send()
        await sign_in(hands)
        await sign_in(other)
        await second.goto("/oficina-ahora/centro")
        await page.evaluate("window.here = true")
        await second.evaluate("window.here = true")
        office.take("padron")
        office.take("padron")
        ticket = office.call(session)
        assert ticket is not None
        await office.send()
        await expect(page.locator('[data-office="centro"] .live-big strong')).to_have_text("1")
        await expect(second.locator('[data-counter="1"]')).to_contain_text("Llamando")
        office.act(c.Start(request_id=new_id(), session=session, ticket_id=ticket))
        alarm(office, session)
        await office.send()
        await expect(page.locator('[data-office="centro"] .warned')).to_contain_text("ayuda urgente en el puesto 1")
        await expect(second.locator("#warned")).to_contain_text("ayuda urgente en el puesto 1")
        await expect(second.locator('[data-counter="1"]')).to_contain_text("En pausa")
        for one in (page, second):
            assert await one.evaluate("window.here"), "without a reload"
    assert hands.broken == other.broken == []


async def test_all_of_it_without_script(portal: Bed, open_page: Open) -> None:  # noqa: F811
    portal.clock.advance(hours=2)
    page: Any = await open_page("desk", script=False)
    async with portal.office() as office:
        change_the_order(office, office.open("1"))
        await office.send()
        await page.goto("/oficinas-ahora")
        await page.fill("#staff_id", "rocio")
        await page.fill("#password", "secreta")
        await page.press("#password", "Enter")
        await expect(page.locator('[data-office="centro"] .live-big strong')).to_have_text("3")
        await page.click('a[href="/oficina-ahora/centro"]')
        await expect(page.locator('[data-counter="1"]')).to_contain_text("P3")
        await page.click('a[href="/cambios-de-orden"]')
        await page.select_option("#dia", "2026-11-22")
        await page.click("form.filters button")
        await expect(page.locator("main")).to_contain_text("Ese día nadie cambió el orden")
        await page.select_option("#dia", "2026-11-23")
        await page.click("form.filters button")
        await expect(page.locator("main")).to_contain_text("Gestión muy breve")
        await page.click('a[href="/previsiones"]')
        await expect(page.locator("main")).to_contain_text("No hay datos bastantes")
