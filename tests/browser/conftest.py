"""One Chromium for a test; a console that is served, and somebody who works at it."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from sync.messages.feed import Entity
from tests.browser.console_desk import Desk, desk_in
from tests.kit.browser import chromium
from tests.kit.console_server import Console, console, office

expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
def office_rows() -> Sequence[Entity]:
    """What the office knows from central; a file of tests that needs more has its own."""
    return office()


@pytest.fixture
async def served(tmp_path: Path, office_rows: Sequence[Entity]) -> AsyncIterator[Console]:
    async with console(tmp_path / "edge", office_rows) as served:
        yield served


@pytest.fixture
async def desk(served: Console, browser: Browser) -> AsyncIterator[Desk]:
    """Clerk 1 at work: counter 4 is open, keys are heard."""
    async with desk_in(browser, served) as desk:
        await desk.at_work()
        await desk.ready()
        yield desk
