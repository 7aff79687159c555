"""A real Chromium for tests: Debian's, without what phones home."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, BrowserContext, async_playwright

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PROGRAMS = ("chromium-headless-shell", "chromium")
"""The first is the same engine without a desktop around it: it starts in half the time."""
CLOSE_S = 15.0


@asynccontextmanager
async def chromium(*arguments: str) -> AsyncIterator[Browser]:
    """A headless browser, closed at the end. Skips the test when no Chromium is on PATH, unless CI says it must be."""
    path = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("no chromium on PATH")
        pytest.skip("no chromium on PATH")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *arguments])
        try:
            yield browser
        finally:
            await close(browser)


async def close(what: Browser | BrowserContext) -> None:
    """Close it, or go on without: the driver is known to wait for ever for a page that was leading elsewhere at that moment, and
    what a test found stands anyway. Chromium's processes end with the driver.
    """
    try:
        async with asyncio.timeout(CLOSE_S):
            await what.close()
    except TimeoutError:
        print(f"{type(what).__name__} did not close in {CLOSE_S:.0f} s", file=sys.stderr)
