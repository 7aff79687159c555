"""The small window in a real browser: opened from the help, worked by keys, told what happens elsewhere."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.console_desk import Desk, desk_in
from tests.kit.axe import violations
from tests.kit.console_server import Console, console

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path / "edge") as served:
        yield served


async def test_a_visit_in_the_small_window_shows_in_the_large_one(served: Console, browser: Browser) -> None:
    async with desk_in(browser, served) as desk:
        await desk.at_work()
        await desk.ready()
        await desk.page.click('[data-verb="help"]')
        async with desk.page.expect_popup() as opened:
            await desk.page.click('a[data-verb="widget"]')
        small = Desk(await opened.value, served.url)
        await small.page.set_viewport_size({"width": 360, "height": 270})
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
        await small.page.keyboard.press("F2")
        await expect(small.page.locator('[data-verb="finish"]')).to_be_visible()
        await small.page.keyboard.press("F7")
        await small.no_visit()
        await desk.no_visit()
        assert served.tickets("finished") == ["B1"]
        assert small.broken == []
