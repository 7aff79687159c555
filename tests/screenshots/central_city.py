"""The demo's city at central at a fixed hour, and a browser in front of it: what the pictures of managers' pages stand on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from playwright.async_api import Browser, Page, ViewportSize

from central.database import connect
from central.loading import load
from central.offices.city import read_city
from central.settings import Database, Keys, Settings
from provisioning.launchers.postgres import Postgres
from tests.integration.portal.conftest import Bed
from tests.kit.browser import chromium
from tests.kit.central_database import migrate_central
from tests.kit.central_server import running_central
from tests.kit.clock import ManualClock

CITY = Path(__file__).parents[2] / "provisioning" / "demo" / "melilla.toml"
SCREEN = ViewportSize(width=1366, height=768)
CAME = (
    "padron-certificado",
    "registro",
    "viaje",
    "tasas",
    "padron-alta",
    "registro",
    "informacion",
    "padron-certificado",
)
"""What people come for, one after the other."""


@asynccontextmanager
async def central_city(scratch: Path, at: datetime) -> AsyncIterator[tuple[Bed, Browser]]:
    """Central with the demo's data, and a browser.

    Args:
        scratch: for the database and central's keys.
        at: the hour at which it begins; ``bed.clock`` moves it on.
    """
    clock = ManualClock(at)
    with Postgres(scratch / "postgres", durable=False) as server:
        server.ensure_database("city")
        dsn = server.dsn("city")
        migrate_central(dsn)
        settings = Settings(database=Database(dsn=dsn), keys=Keys(folder=scratch / "keys", create_missing=True))
        connection = await connect(settings.database)
        await load(connection, settings=settings, city=read_city(CITY.read_text("utf-8")), now=at)
        await connection.close()
        async with running_central(dsn, scratch, clock) as running, chromium() as browser:
            yield Bed(running, clock), browser


@asynccontextmanager
async def signed_in(browser: Browser, url: str, path: str, staff_id: str = "alonso") -> AsyncIterator[Page]:
    """A page of a manager who was asked to sign in on the way to ``path``."""
    context = await browser.new_context(base_url=url, viewport=SCREEN, locale="es-ES", reduced_motion="reduce")
    page = await context.new_page()
    await page.goto(path)
    await page.select_option("#office", "centro")
    await page.fill("#staff_id", staff_id)
    await page.fill("#password", "melilla")
    await page.press("#password", "Enter")
    await page.wait_for_load_state()
    yield page
    await context.close()
