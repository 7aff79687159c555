"""The municipal account in a real Chromium: the provider is another site, so what cookies and page rules allow is what counts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.axe import violations
from tests.integration.portal.conftest import portal_dsn, portal_folder, running_portal  # noqa: F401 - fixtures
from tests.kit.clock import ManualClock
from tests.kit.console_server import console
from tests.kit.identity_provider import foreign_provider, settings

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

SIZES = ({"width": 1366, "height": 768}, {"width": 683, "height": 384})


async def is_fit(page: Page) -> None:
    """The page as it is, at a desk and at 200 %."""
    for size in SIZES:
        await page.set_viewport_size(size)  # type: ignore[arg-type] # a ViewportSize
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert await violations(page) == []


@pytest.mark.parametrize("script", [True, False])
async def test_a_manager_comes_by_the_account(
    portal_dsn: str,  # noqa: F811
    portal_folder: Path,  # noqa: F811
    tmp_path: Path,
    browser: Browser,
    script: bool,
) -> None:
    with foreign_provider({"sub": "f-1", "preferred_username": "alonso"}) as address:
        issuer = address.replace("127.0.0.1", "localhost")
        rules = settings(issuer, tmp_path)
        async with running_portal(portal_dsn, portal_folder, ManualClock(datetime.now(UTC)), rules) as portal:
            context = await browser.new_context(base_url=portal.server.url, locale="es", java_script_enabled=script)
            page = await context.new_page()
            await page.goto("/incidencias")
            button = page.get_by_role("link", name="Entrar con la cuenta municipal", exact=True)
            if script:
                await is_fit(page)
            await page.screenshot(path=tmp_path / "central.png")
            await button.focus()
            await page.keyboard.press("Enter")
            await page.wait_for_url(f"{issuer}/**")
            await page.get_by_role("button", name="Deny").click()
            await expect(page.get_by_role("alert")).to_contain_text("Entrar con la cuenta municipal")
            if script:
                await is_fit(page)
            await page.screenshot(path=tmp_path / "central-again.png")
            await button.click()
            await page.get_by_role("button", name="f-1").click()
            await page.wait_for_url("**/incidencias")
            names = {cookie.get("name") for cookie in await context.cookies()}
            assert "vt_central_staff" in names
            assert "vt_central_account" not in names
            await context.close()


@pytest.mark.parametrize("script", [True, False])
async def test_a_clerk_comes_by_the_account(tmp_path: Path, browser: Browser, script: bool) -> None:
    with foreign_provider({"sub": "f-1", "preferred_username": "clerk-1"}) as address:
        issuer = address.replace("127.0.0.1", "localhost")
        async with console(tmp_path / "edge", single_sign_on=settings(issuer, tmp_path)) as served:
            context = await browser.new_context(base_url=served.url, locale="es", java_script_enabled=script)
            page = await context.new_page()
            await page.goto("/sign-in")
            button = page.get_by_role("link", name="Entrar con la cuenta municipal", exact=True)
            if script:
                await is_fit(page)
            await page.screenshot(path=tmp_path / "console.png")
            await button.focus()
            await page.keyboard.press("Enter")
            await page.wait_for_url(f"{issuer}/**")
            await page.get_by_role("button", name="Deny").click()
            await expect(page.get_by_role("alert")).to_contain_text("Entrar con la cuenta municipal")
            if script:
                await is_fit(page)
            await button.click()
            await page.get_by_role("button", name="f-1").click()
            await page.wait_for_url(f"{served.url}/counter")
            await page.goto("/counter")
            await context.close()
