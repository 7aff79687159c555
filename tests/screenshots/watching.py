"""Goes through the pages on which managers watch their offices, over two days of the demo's city, and takes a picture of each."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Browser

from sync.domain.decide import turn_day
from sync.domain.waits.outlook import outlook
from sync.domain.waits.scene import scene_of
from sync.io.draws import seeded
from sync.io.ids import new_id
from sync.messages import commands as c
from sync.messages.facts import Expected
from tests.integration.portal.conftest import Bed
from tests.integration.portal.office import Office
from tests.kit.office import follow_hash
from tests.screenshots.album import ZOOMED, Album
from tests.screenshots.central_city import CAME, central_city, signed_in

MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
"""Nine o'clock at the offices."""
TUESDAY = MONDAY + timedelta(days=1)
DESKS = (("1", "lucia"), ("2", "karim"))


async def take_watching(scratch: Path, folder: Path) -> list[Path]:
    """All pictures; the files.

    Args:
        scratch: for the database and central's keys.
    """
    album = Album(folder, "watching")
    async with central_city(scratch, MONDAY) as (bed, browser), AsyncExitStack() as stack:
        centro, real, victoria = [
            await stack.enter_async_context(bed.office(o)) for o in ("centro", "real", "victoria")
        ]
        morning(centro, minutes=300)
        bed.clock.advance(seconds=(TUESDAY - bed.clock.now()).total_seconds())
        for office in (centro, real, victoria):
            office.queue.write(turn_day(office.queue.day, TUESDAY.date(), office.catalogue), bed.clock.now())
        await centro.send()
        await bed.server._app.state.portal.reports.look()
        await now(bed, centro, real, victoria)
        await _pages(browser, bed.server.url, album)
    return album.files


def morning(office: Office, *, minutes: int) -> None:
    """Two counters, somebody new every five minutes, visits about as long as planned; some are called out of their order."""
    sessions = {staff: office.open(counter, staff) for counter, staff in DESKS}
    free_at = dict.fromkeys(sessions, 0)
    for minute in range(minutes):
        office.clock.advance(minutes=1)
        if minute % 5 == 0 and minute < minutes - 60:
            told(office, CAME[minute // 5 % len(CAME)])
        if minute % 75 == 40:
            preferred(office)
        for staff, session in sessions.items():
            if free_at[staff] <= minute:
                serve(office, session, staff, out_of_order=minute % 3 == 1)
                free_at[staff] = minute + lasts(office, session, minute)
    for staff, session in sessions.items():
        finish(office, session, staff)
        office.act(c.CloseCounter(request_id=new_id(), session=session), staff)


def lasts(office: Office, session: str, minute: int) -> int:
    """Minutes of the visit that began: from 0.6 to 1.4 of what is planned."""
    visit = office.queue.day.visit_at(session)
    if visit is None:
        return 1
    return max(1, round(office.catalogue.services[visit.service].duration_min * (0.6 + 0.2 * (minute * 7 % 5))))


async def now(bed: Bed, centro: Office, real: Office, victoria: Office) -> None:
    """Centro is full, Real calm, and Victoria was cut some minutes ago."""
    sessions = {staff: centro.open(counter, staff) for counter, staff in DESKS}
    other = real.open("1", "farid")
    third = victoria.open("1", "nadia")
    visit = None
    for n, service in enumerate((*CAME, *CAME[:6])):
        told(centro, service)
        if n % 4 == 0:
            told(real, "padron-certificado")
            told(victoria, "informacion")
        bed.clock.advance(minutes=2)
        if n in (3, 9):
            serve(centro, sessions["lucia"], "lucia", out_of_order=n == 9)
        if n == 2:
            serve(centro, sessions["karim"], "karim")
            visit = centro.queue.day.visit_at(sessions["karim"])
            serve(real, other, "farid")
            serve(victoria, third, "nadia")
    if visit is not None:
        park = c.Park(request_id=new_id(), session=sessions["karim"], ticket_id=visit.ticket_id, reason="papers")
        centro.act(park, "karim")
    centro.act(c.PauseCounter(request_id=new_id(), session=sessions["karim"], reason="rest"), "karim")
    for office in (victoria, centro, real):
        await office.send()
    await bed.server.exchange.hearing.flush()
    bed.clock.advance(minutes=31)
    for office in (centro, real):
        await office.hello()
    await bed.server.exchange.hearing.flush()
    await asyncio.sleep(0.3)
    bed.clock.advance(seconds=2)


def told(office: Office, service: str) -> None:
    """A walk-in who is told the wait that the office expects."""
    ahead = outlook(scene_of(office.queue.day, office.catalogue, [], office.clock.now()), seeded)
    expected = {s: Expected(wait_s=wait, level=ahead.level, seq=ahead.seq) for s, wait in ahead.services.items()}
    take = c.TakeTicket(request_id=new_id(), service=service, follow_hash=follow_hash(new_id()))
    office.queue.do(take, office.clock.now(), c.CITIZEN, expected=expected)


def preferred(office: Office) -> None:
    """The reception gives somebody priority by hand."""
    take = c.TakeTicket(
        request_id=new_id(),
        service="registro",
        priority_class="reduced_mobility",
        basis="seen",
        follow_hash=follow_hash(new_id()),
    )
    office.act(take, "mercedes")


def serve(office: Office, session: str, staff: str, *, out_of_order: bool = False) -> None:
    """Finish who is being served and serve the next, or the last."""
    finish(office, session, staff)
    after = office.queue.day.sessions[session].last_call
    waiting = sorted(office.queue.day.waiting.values(), key=lambda ticket: ticket.rank)
    if out_of_order and len(waiting) > 1:
        chosen = waiting[-1].ticket_id
        reason = ("short", "mobility", "supervisor")[len(office.queue.journal) % 3]
        office.act(
            c.CallTicket(request_id=new_id(), session=session, ticket_id=chosen, reason=reason, after=after), staff
        )
    elif office.call(session, staff) is None:
        return
    visit = office.queue.day.visit_at(session)
    if visit is not None:
        office.act(c.Start(request_id=new_id(), session=session, ticket_id=visit.ticket_id), staff)


def finish(office: Office, session: str, staff: str) -> None:
    visit = office.queue.day.visit_at(session)
    if visit is not None:
        office.act(c.Finish(request_id=new_id(), session=session, ticket_id=visit.ticket_id), staff)


async def _pages(browser: Browser, url: str, album: Album) -> None:
    async with signed_in(browser, url, "/oficinas-ahora") as page:
        await page.wait_for_selector(".offices")
        await album.add(page, "city")
        await page.goto("/oficina-ahora/centro")
        await album.add(page, "office")
        await page.goto("/previsiones?oficina=centro")
        await album.add(page, "accuracy")
        await page.goto("/cambios-de-orden?oficina=centro&dia=2026-11-23")
        await album.add(page, "order")
        await page.set_viewport_size(ZOOMED)
        await page.goto("/oficina-ahora/centro")
        await album.add(page, "office-zoomed")
