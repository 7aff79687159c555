"""The small window in a real browser: opened from the help, worked by keys, told what happens elsewhere."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from edge_node.console.widget_size import FITS, OPENS
from tests.browser.console_desk import Desk, desk_in
from tests.kit.axe import violations
from tests.kit.console_server import Console
from tests.kit.edge import SECRET

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
SMALL = ViewportSize(width=FITS.width, height=FITS.height)
WHOLE = "(e => e.scrollHeight <= e.clientHeight && document.documentElement.scrollWidth <= innerWidth)(document.querySelector('#work'))"


async def is_whole(page: Page) -> None:
    """Nothing has to be scrolled."""
    assert await page.evaluate(WHOLE)


async def test_a_visit_in_the_small_window_shows_in_the_large_one(served: Console, browser: Browser) -> None:
    async with desk_in(browser, served) as desk:
        await desk.at_work()
        await desk.ready()
        await desk.page.click('[data-verb="help"]')
        async with desk.page.expect_popup() as opened:
            await desk.page.click('a[data-verb="widget"]')
        small = Desk(await opened.value, served.url)
        assert await small.page.evaluate("[innerWidth, innerHeight]") == list(OPENS)
        await small.page.set_viewport_size(SMALL)
        await small.ready()
        assert await violations(small.page) == []
        await served.walk_in()
        await expect(small.page.locator("#next-card")).to_contain_text(
            "Siguiente: B1"
        )  # it hears of the office by itself
        await small.page.keyboard.press("F8")
        await small.visit_is("B1")
        await desk.visit_is("B1")
        assert await violations(small.page) == []
        assert len(served.node.live._streams) == 1, "one stream for both windows"
        for name in ("no_show", "start", "recall"):
            await expect(small.page.locator(f'[data-verb="{name}"]')).to_be_in_viewport(ratio=1)
        await is_whole(small.page)
        await small.page.keyboard.press("F2")
        await expect(small.page.locator('[data-verb="finish"]')).to_be_visible()
        await small.page.keyboard.press("F7")
        await small.no_visit()
        await desk.no_visit()
        assert served.tickets("finished") == ["B1"]
        assert small.broken == []


async def test_a_lock_shows_in_the_small_window_and_is_opened_in_the_large_one(
    served: Console, browser: Browser, tmp_path: Path
) -> None:
    async with desk_in(browser, served) as desk:
        await desk.at_work()
        small = Desk(await desk.page.context.new_page(), served.url)
        await small.page.set_viewport_size(SMALL)
        await small.page.goto(f"{served.url}/widget")
        await small.ready()
        await desk.page.keyboard.press("Alt+l")
        await expect(small.page.locator("h1")).to_contain_text("Pantalla bloqueada")
        assert small.page.url.endswith("/widget")
        await small.sees("Clerk-1 sigue en el puesto 4.")
        await is_whole(small.page)
        assert await violations(small.page) == []
        await small.page.screenshot(path=tmp_path / "widget-locked.png")
        await expect(desk.page.locator("#password")).to_be_focused()
        await desk.page.fill("#password", SECRET)
        await desk.page.keyboard.press("Enter")
        await desk.no_visit()
        await small.page.click('a:has-text("Volver a mirar")')
        await small.no_visit()
        desk.broken.clear()  # streams of a locked screen are refused, and the browser says so


async def test_what_was_pressed_in_a_window_that_nobody_may_use_any_more_is_said_there(
    served: Console, browser: Browser, tmp_path: Path
) -> None:
    async with desk_in(browser, served) as desk:
        await desk.at_work()
        await served.walk_in()
        await desk.page.set_viewport_size(SMALL)
        await desk.page.goto(f"{served.url}/widget")
        await desk.ready()
        await desk.page.route(f"{served.url}/widget", lambda route: route.abort())  # no look finds out before
        await served.node.sessions.sign_out_everywhere("clerk-1")
        await desk.page.keyboard.press("F8")
        await desk.sees("Lo último que pulsó no se ha hecho.")
        await desk.sees("Entre en la consola completa y vuelva a mirar.")
        assert await violations(desk.page) == []
        await desk.page.screenshot(path=tmp_path / "widget-unsent.png")
        assert served.tickets("called") == []
        desk.broken.clear()
