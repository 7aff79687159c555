"""Runs axe-core on a page. The page's own policy forbids foreign scripts, so it is brought in from outside, as a debugger does."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RUN = "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"


async def violations(page: Page) -> list[str]:
    """What axe finds, one line each; skips the test, and says so, where the assets were not built."""
    session = await page.context.new_cdp_session(page)
    await session.send("Runtime.evaluate", {"expression": _source()})
    found: list[dict[str, Any]] = await page.evaluate(RUN)
    await session.detach()
    return [f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes']]}" for one in found]


@cache
def _source() -> str:
    if not AXE.exists():
        pytest.skip("no axe-core: run `make assets`")
    return AXE.read_text(encoding="utf-8")
