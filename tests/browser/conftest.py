"""One Chromium for a test."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from tests.kit.browser import chromium

expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser
