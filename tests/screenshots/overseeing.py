"""Goes through the record, closures and retention over a morning of the demo's city, and takes a picture of each."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path

from playwright.async_api import Browser, expect

from central.booking.appointments import Booked, Person, Wish
from central.booking.documents import Document
from sync.io.ids import new_id
from sync.messages import commands as c
from tests.integration.portal.conftest import Bed
from tests.screenshots.album import Album
from tests.screenshots.central_city import CAME, central_city, signed_in

MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
"""Nine o'clock at the offices."""
CLOSED_ON = date(2026, 11, 25)
PEOPLE = ("Yamina Haddu", "Carlos Vega", "Rachida Mimun", "Elena Prados", "Mohamed Amar", "Julia Cano")


async def take_overseeing(scratch: Path, folder: Path) -> list[Path]:
    """All pictures; the files.

    Args:
        scratch: for the database and central's keys.
    """
    album = Album(folder, "overseeing")
    async with central_city(scratch, MONDAY) as (bed, browser):
        await _book(bed)
        label = await _morning(bed)
        await _pages(browser, bed.server.url, album, label)
    return album.files


async def _book(bed: Bed) -> None:
    """People who have an appointment on the day that will be closed."""
    times = await bed.server.central.pool.fetch(
        "SELECT DISTINCT start_at, service_id FROM slot JOIN office_service USING (office_id)"
        " WHERE office_id = 'centro' AND service_date = $1 AND service_id = 'registro' ORDER BY start_at LIMIT $2",
        CLOSED_ON,
        len(PEOPLE),
    )
    for n, (name, row) in enumerate(zip(PEOPLE, times, strict=True)):
        person = Person(full_name=name, document=Document("passport", f"QX{n:06}"), email=f"p{n}@example.org")
        wish = Wish(office_id="centro", service_id="registro", slot_start_at=row["start_at"])
        done = await bed.booking.bookings.book(new_id(), wish, person)
        assert isinstance(done, Booked), done


async def _morning(bed: Bed) -> str:
    """Some tickets, one of them called, recalled, served and finished; the label of that one."""
    async with bed.office() as office:
        session = office.open("1", "lucia")
        for service in CAME:
            bed.clock.advance(minutes=3)
            office.take(service)
        label = ""
        for n in range(3):
            bed.clock.advance(minutes=6)
            ticket = office.call(session, "lucia")
            assert ticket is not None
            if n == 1:
                bed.clock.advance(minutes=1)
                office.act(c.Recall(request_id=new_id(), session=session, ticket_id=ticket), "lucia")
            bed.clock.advance(minutes=1)
            office.act(c.Start(request_id=new_id(), session=session, ticket_id=ticket), "lucia")
            bed.clock.advance(minutes=7)
            office.act(c.Finish(request_id=new_id(), session=session, ticket_id=ticket), "lucia")
            label = office.queue.day.tickets[ticket].label if n == 1 else label
        await office.send()
        await asyncio.sleep(0.2)
        return label


async def _pages(browser: Browser, url: str, album: Album, label: str) -> None:
    async with signed_in(browser, url, "/registro") as page:
        await page.goto("/registro?oficina=centro")
        await album.add(page, "record")
        await page.goto(f"/registro?que={label}")
        await album.add(page, "life")
        await page.goto("/conservacion")
        await album.add(page, "retention")
        await page.goto("/cierres/centro")
        await page.fill("#desde", CLOSED_ON.isoformat())
        await page.press("#motivo", "Enter")
        await page.locator("[name=cita]").first.scroll_into_view_if_needed()
        await album.add(page, "closure")
        await page.locator("main button[value=move_all]").click()
        await expect(page.locator("progress")).to_be_visible()
        await page.wait_for_timeout(2_000)
        await page.reload()
        await album.add(page, "moved")
