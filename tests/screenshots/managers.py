"""Goes through a manager's pages at central, over the demo's city at a fixed hour, and takes a picture of each."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Browser, Page

from sync.io.ids import new_id
from sync.messages import commands as c
from tests.integration.portal.conftest import Bed
from tests.integration.portal.office import Office
from tests.screenshots.album import ZOOMED, Album
from tests.screenshots.central_city import CAME, central_city, signed_in

NINE = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
"""Nine o'clock at the offices, on a Wednesday; the pictures are of the next day."""
BOOKED = "registro"


async def take_managers(scratch: Path, folder: Path) -> list[Path]:
    """All pictures; the files.

    Args:
        scratch: for the database and central's keys.
    """
    album = Album(folder, "managers")
    async with central_city(scratch, NINE) as (bed, browser):
        await _day(bed)
        bed.clock.advance(hours=22)
        await _pages(browser, bed.server.url, album)
    return album.files


async def _day(bed: Bed) -> None:
    """A morning at Centro: more come than two counters serve at once."""
    clock = bed.clock
    async with bed.office() as office:
        queue = office.queue
        sessions = {staff: office.open(counter, staff) for counter, staff in (("1", "lucia"), ("2", "karim"))}
        for n in range(72):
            clock.advance(minutes=3)
            if n % 5 == 2:
                queue.check_in(BOOKED, clock.now() + timedelta(minutes=6), clock.now())
            elif n < 48:
                queue.take(CAME[n % len(CAME)], clock.now(), "reduced_mobility" if n % 9 == 4 else "general")
            for staff, every in (("lucia", 3), ("karim", 4)):
                if n % every == 0:
                    _next(office, sessions[staff], staff)
        await office.send()
        await asyncio.sleep(0.2)


def _next(office: Office, session: str, staff: str) -> None:
    """Finish who is being served and serve the next."""
    visit = office.queue.day.visit_at(session)
    if visit is not None:
        office.act(c.Finish(request_id=new_id(), session=session, ticket_id=visit.ticket_id), staff)
    if (ticket := office.call(session, staff)) is not None and office.queue.day.visit_at(session) is not None:
        office.act(c.Start(request_id=new_id(), session=session, ticket_id=ticket), staff)


async def _pages(browser: Browser, url: str, album: Album) -> None:
    async with signed_in(browser, url, "/normas") as page:
        await page.click(".back-title .button")
        await album.add(page, "change")
        await page.fill("#appointment_head_start_min", "30")
        await page.click("main .button[data-size=large]")
        await album.add(page, "check")
        await page.click("button[value=try]")
        await _at(page, "#trial")
        await album.add(page, "trial")
        await page.click("button[value=save]")
        await album.add(page, "policy")
        await page.set_viewport_size(ZOOMED)
        await page.goto("/normas/centro/cambiar")
        await album.add(page, "zoomed")


async def _at(page: Page, place: str) -> None:
    await page.locator(place).evaluate("element => element.scrollIntoView()")
