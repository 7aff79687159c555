"""A console that is served, and a clerk at it, for the tests that are about no other office."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.edge.clerk import Clerk, clerk_at
from tests.kit.console_server import Console, console


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Console]:
    """An office of three services; nobody waits."""
    async with console(tmp_path / "edge") as served:
        yield served


@pytest.fixture
async def clerk(served: Console) -> AsyncIterator[Clerk]:
    """Clerk 1, with counter 4 open."""
    async with clerk_at(served, "clerk-1", "4") as clerk:
        yield clerk
