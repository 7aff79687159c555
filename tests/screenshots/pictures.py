"""Goes through the console's states as a clerk does, and takes a picture of each."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, ViewportSize, expect

from edge_node.console.widget_size import FITS
from tests.browser.console_desk import Desk, desk_in
from tests.kit.browser import chromium
from tests.kit.clock import ManualClock
from tests.kit.console_server import Console, console
from tests.screenshots.album import ZOOMED, Album
from tests.screenshots.morning import NINE, lived, rows


async def take(scratch: Path, folder: Path) -> list[Path]:
    """All pictures; the files.

    Args:
        scratch: for the office's database.
    """
    clock, album = ManualClock(NINE), Album(folder, "console")
    async with console(scratch / "edge", rows(), clock) as served, chromium() as browser:
        await lived(served, clock)
        await _learning(browser, served, album)
        await _work(browser, served, album)
        async with desk_in(browser, served, reduced_motion="reduce") as desk:
            await desk.sign_in("boss")
            await desk.page.goto(f"{served.url}/supervise")
            await album.add(desk.page, "supervise")
    return album.files


async def _widget(desk: Desk, served: Console, album: Album) -> None:
    small = await desk.page.context.new_page()
    await small.set_viewport_size(ViewportSize(width=FITS.width, height=FITS.height))
    await small.goto(f"{served.url}/widget")
    await album.add(small, "widget")
    await small.close()


async def _learning(browser: Browser, served: Console, album: Album) -> None:
    async with desk_in(browser, served, reduced_motion="reduce") as desk:
        await desk.page.goto(served.url)
        await album.add(desk.page, "sign-in")
        await desk.sign_in()
        await album.add(desk.page, "first-use")
        await desk.page.goto(f"{served.url}/guide")
        await album.add(desk.page, "guide")
        await desk.page.click('form[action="/practice"] button')
        await desk.ready()
        await desk.page.keyboard.press("F8")
        await expect(desk.page.locator("#step-call[data-done]")).to_have_count(1)
        await album.add(desk.page, "practice")


async def _work(browser: Browser, served: Console, album: Album) -> None:
    async with desk_in(browser, served, reduced_motion="reduce") as desk:
        await desk.sign_in()
        await desk.page.goto(f"{served.url}/counter?counter=4")
        await album.add(desk.page, "counter")
        await desk.open()
        await desk.page.goto(served.url)
        await desk.ready()
        await album.add(desk.page, "idle")
        await _widget(desk, served, album)
        await desk.page.click('[data-verb="help"]')
        await album.add(desk.page, "help")
        await desk.page.keyboard.press("Escape")
        await desk.page.keyboard.press("F8")
        await desk.sees("Llamando")
        await album.add(desk.page, "called")
        await desk.page.keyboard.press("F2")
        await desk.sees("Atendiendo")
        await album.add(desk.page, "serving")
        await desk.page.click('[data-verb="transfer"]')
        await expect(desk.page.locator("#panel-transfer")).to_be_visible()
        await album.add(desk.page, "transfer")
        await desk.page.keyboard.press("Escape")
        await desk.page.keyboard.press("F6")
        await expect(desk.page.locator("#panel-give")).to_be_visible()
        await album.add(desk.page, "walk-in")
        await desk.page.keyboard.press("Escape")
        await desk.page.set_viewport_size(ZOOMED)
        await desk.page.evaluate("scrollTo(0, 0)")
        await album.add(desk.page, "zoomed")
