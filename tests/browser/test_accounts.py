"""The municipal account in a real Chromium: the provider is another site, so what cookies and page rules allow is what counts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.integration.portal.conftest import portal_dsn, portal_folder, running_portal  # noqa: F401 - fixtures
from tests.kit.axe import violations
from tests.kit.clock import ManualClock
from tests.kit.console_server import console
from tests.kit.identity_provider import foreign_provider, identity_provider, settings

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

SIZES = ({"width": 1366, "height": 768}, {"width": 683, "height": 384})


async def is_fit(page: Page) -> None:
    """The page as it is, at a desk and at 200 %."""
    for size in SIZES:
        await page.set_viewport_size(size)  # type: ignore[arg-type] # a ViewportSize
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert await violations(page) == []


async def come_by_the_account(page: Page, issuer: str, pictures: Path, *, judged: bool) -> None:
    """From a page that asks who somebody is to the provider, by keyboard; No there, and then Yes.

    Args:
        judged: whether the pages are looked at as well; axe needs script.
    """
    button = page.get_by_role("link", name="Entrar con la cuenta municipal", exact=True)
    if judged:
        await is_fit(page)
    await page.screenshot(path=pictures / "sign-in.png")
    await button.focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{issuer}/**")
    await page.get_by_role("button", name="Deny").click()
    await expect(page.get_by_role("alert")).to_contain_text("Entrar con la cuenta municipal")
    if judged:
        await is_fit(page)
    await page.screenshot(path=pictures / "sign-in-again.png")
    await button.click()
    await page.get_by_role("button", name="f-1").click()


@asynccontextmanager
async def tab(browser: Browser, url: str, *, script: bool) -> AsyncIterator[Page]:
    context = await browser.new_context(base_url=url, locale="es", java_script_enabled=script)
    yield await context.new_page()
    await context.close()


@contextmanager
def provider_of(staff_id: str) -> Iterator[str]:
    """A provider of another site than the pages."""
    with foreign_provider({"sub": "f-1", "preferred_username": staff_id}) as address:
        yield address.replace("127.0.0.1", "localhost")


@pytest.mark.parametrize("script", [True, False])
async def test_a_manager_comes_by_the_account(
    portal_dsn: str,  # noqa: F811
    portal_folder: Path,  # noqa: F811
    tmp_path: Path,
    browser: Browser,
    script: bool,
) -> None:
    clock = ManualClock(datetime.now(UTC))
    with provider_of("alonso") as issuer:
        rules = settings(issuer, tmp_path)
        async with (
            running_portal(portal_dsn, portal_folder, clock, rules) as portal,
            tab(browser, portal.server.url, script=script) as page,
        ):
            await page.goto("/incidencias")
            await come_by_the_account(page, issuer, tmp_path, judged=script)
            await page.wait_for_url("**/incidencias")
            names = {cookie.get("name") for cookie in await page.context.cookies()}
            assert "vt_central_staff" in names
            assert "vt_central_account" not in names


@pytest.mark.parametrize("script", [True, False])
async def test_a_clerk_comes_by_the_account(tmp_path: Path, browser: Browser, script: bool) -> None:
    with provider_of("clerk-1") as issuer:
        rules = settings(issuer, tmp_path)
        async with (
            console(tmp_path / "edge", single_sign_on=rules) as served,
            tab(browser, served.url, script=script) as page,
        ):
            await page.goto("/sign-in")
            await come_by_the_account(page, issuer, tmp_path, judged=script)
            await page.wait_for_url(f"{served.url}/counter")
            names = {cookie.get("name", "") for cookie in await page.context.cookies()}
            assert not any(name.endswith("_account") for name in names)


@pytest.mark.parametrize("script", [True, False])
async def test_who_was_not_asked_there_reads_what_to_do(tmp_path: Path, browser: Browser, script: bool) -> None:
    clock = ManualClock(datetime.now(UTC))
    async with identity_provider(clock.now) as provider, provider.lying(planted={"auth_time": None}):
        provider.user = {"sub": "f-1", "preferred_username": "clerk-1"}
        rules = settings(provider.url, tmp_path)
        async with (
            console(tmp_path / "edge", clock=clock, single_sign_on=rules) as served,
            tab(browser, served.url, script=script) as page,
        ):
            await page.goto("/sign-in")
            await page.get_by_role("link", name="Entrar con la cuenta municipal", exact=True).click()
            await expect(page.get_by_role("alert")).to_contain_text("Entre con su usuario y su contraseña")
            if script:
                await is_fit(page)
            await page.screenshot(path=tmp_path / "not-asked.png")
