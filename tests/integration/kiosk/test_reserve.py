"""The edge falls silent: the kiosk goes on with numbers of its own, and tells of them when it is back."""

import asyncio
import os
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Page, expect

from kiosk_agent.machine import events as e
from kiosk_agent.machine import screens as s
from kiosk_agent.spool import Taken, open_spool
from sync.domain.service_day import service_date
from sync.io.ids import new_id
from sync.messages.refusals import Refusal
from sync.messages.topics import BOARD_STALE_S, PrintedAck, ReserveBlock
from tests.integration.kiosk.office import Office, RunningKiosk, running_kiosk, until
from tests.kit.axe import violations
from tests.kit.browser import chromium
from tests.kit.clock import ManualClock
from ui.catalog import load_catalog

pytestmark = pytest.mark.broker
ZONE = ZoneInfo("Africa/Ceuta")


def today() -> date:
    return service_date(datetime.now(UTC), ZONE)


def block(first: int = 1, last: int = 60, day: date | None = None) -> ReserveBlock:
    return ReserveBlock(service_date=day or today(), series="Y", first=first, last=last)


async def falls_silent(office: Office, kiosk: RunningKiosk) -> None:
    """The edge is gone, and the kiosk has waited for as long as it is to wait."""
    office.edge.beats = False
    office.edge.answer = lambda _command: None
    kiosk.agent.queue = type(kiosk.agent.queue)()
    kiosk.agent._started_s = kiosk.agent.now_s() - BOARD_STALE_S
    await until(lambda: kiosk.agent.kiosk.reserve != "none")


async def take(kiosk: RunningKiosk, service: str = "padron") -> str:
    """Walk through the screens as a person does, and touch twice."""
    request_id = new_id()
    for event in (e.StartOver(), e.WithoutAppointment(), e.ChooseService(service), e.TakeTicket(request_id)):
        await kiosk.agent.handle(event)
    await kiosk.agent.handle(e.TakeTicket(new_id()))
    await until(lambda: isinstance(kiosk.screen, s.Ticket) and kiosk.screen.paper == "printed")
    return request_id


def labels(office: Office) -> list[str]:
    return [next(line for line in ticket.lines if line.startswith("Y")) for ticket in office.printer.tickets]


async def test_three_touches_are_three_slips_and_are_told_in_order_once(office: Office) -> None:
    await office.edge.configure(reserve=block(), public_url="https://citas.example")
    office.edge.take_told = lambda _told: Refusal(code="no_authority")
    async with running_kiosk(office.settings()) as kiosk:
        await kiosk.ready()
        await falls_silent(office, kiosk)
        assert kiosk.template == "reserve.html"
        asked = [await take(kiosk), await take(kiosk)]
        assert kiosk.template == "ticket.html"
        await office.printer.ticket(2, timeout_s=5)
    async with running_kiosk(office.settings()) as kiosk:  # started again in between
        await kiosk.ready()  # the broker still has a board
        await falls_silent(office, kiosk)
        asked.append(await take(kiosk, "tasas"))
        await office.printer.ticket(3, timeout_s=5)
        assert labels(office) == ["Y1", "Y2", "Y3"]
        assert {told.ticket_id for told in office.edge.told} == {asked[0]}  # not the second before the first
        assert office.edge.acks == []  # nor that a ticket is printed that the edge does not know
        office.edge.take_told = lambda _told: None
        await until(lambda: kiosk.agent.reserve.numbers.untold == 0, 10)
        await until(lambda: len({ack.ticket_id for ack in office.edge.acks}) == 3)
        told = {each.ticket_id: each for each in office.edge.told}
        given = [(f"{each.series}{each.number}", each.service) for each in told.values()]
        assert given == [("Y1", "padron"), ("Y2", "padron"), ("Y3", "tasas")]
        assert list(told) == asked
        assert all(isinstance(ack, PrintedAck) for ack in office.edge.acks)
        count = len(office.edge.told)
        kiosk.agent.reserve.tell_now()
        await asyncio.sleep(0.2)
        assert len(office.edge.told) == count
    lines = office.printer.tickets[0].lines
    assert any("sin conexión" in line for line in lines)


async def test_a_request_that_the_edge_leaves_open_takes_the_reserve_under_its_own_id(office: Office) -> None:
    await office.edge.configure(reserve=block())
    async with running_kiosk(office.settings()) as kiosk:
        await kiosk.ready()
        office.edge.answer = lambda _command: None
        request_id = await kiosk.take_ticket()
        shown = await kiosk.shows(s.Ticket)
        assert isinstance(shown, s.Ticket)
        assert (shown.slip.ticket_id, shown.slip.label) == (request_id, "Y1")
        await until(lambda: office.edge.told)
        await office.edge.respond(office.edge.issue(office.edge.commands[0]))  # the edge was only slow
        await until(lambda: any(isinstance(ack, PrintedAck) for ack in office.edge.acks))
        assert kiosk.screen == s.Ticket(shown.slip, "printed", settled_at_s=kiosk.screen.settled_at_s)  # type: ignore[union-attr]
    assert labels(office) == ["Y1"]


async def test_a_refused_ticket_is_kept_for_the_staff_and_not_told_again(office: Office) -> None:
    await office.edge.configure(reserve=block())
    office.edge.take_told = lambda _told: Refusal(code="not_reserved")
    async with running_kiosk(office.settings()) as kiosk:
        await kiosk.ready()
        await falls_silent(office, kiosk)
        await take(kiosk)
        await until(lambda: any(each.numbers and each.numbers.refused == ("Y1",) for each in office.edge.statuses))
        kiosk.agent.reserve.tell_now()
        await asyncio.sleep(0.2)
        assert len(office.edge.told) == 1


@pytest.mark.parametrize(
    "granted,stands",
    [(block(last=1), "used_up"), (block(day=today() - timedelta(days=1)), "other_day")],
    ids=["used up", "yesterday's"],
)
async def test_a_kiosk_without_numbers_says_so(office: Office, granted: ReserveBlock, stands: str) -> None:
    await office.edge.configure(reserve=granted)
    async with running_kiosk(office.settings()) as kiosk:
        await kiosk.ready()
        await falls_silent(office, kiosk)
        if stands == "used_up":
            await take(kiosk)
            await kiosk.agent.handle(e.StartOver())
            await until(lambda: kiosk.agent.kiosk.reserve == stands)
        assert (kiosk.agent.kiosk.reserve, kiosk.template) == (stands, "off.html")
        assert kiosk.glass.view().values["why"] == f"kiosk.reserve.{stands}"


async def test_an_appointment_cannot_be_looked_up_and_the_kiosk_says_so(office: Office) -> None:
    await office.edge.configure(reserve=block())
    async with running_kiosk(office.settings()) as kiosk:
        await kiosk.ready()
        await falls_silent(office, kiosk)
        await kiosk.agent.handle(e.Scanned("V1.whatever", new_id()))
        shown = await kiosk.shows(s.Problem)
        assert isinstance(shown, s.Problem)
        assert shown.trouble == "unchecked"
        await kiosk.agent.handle(e.WithoutAppointment())
        assert isinstance(kiosk.screen, s.Services)


async def test_time_is_counted_by_the_monotonic_clock_whatever_the_wall_says(office: Office) -> None:
    clock = ManualClock(datetime.now(UTC))
    await office.edge.configure(reserve=block())
    office.edge.take_told = lambda _told: Refusal(code="retry")
    async with running_kiosk(office.settings(), clock) as kiosk:
        await kiosk.ready()
        await falls_silent(office, kiosk)
        await take(kiosk)
    clock.advance(minutes=7)
    clock.step(minutes=-90)
    async with running_kiosk(office.settings(), clock):
        await until(lambda: any(told.elapsed_ms == 420_000 for told in office.edge.told))


async def test_the_spool_gives_no_label_twice_on_a_day(office: Office) -> None:
    await office.edge.configure(reserve=block())
    async with running_kiosk(office.settings()) as kiosk:
        await kiosk.ready()
        await falls_silent(office, kiosk)
        await take(kiosk)
        await office.edge.configure(reserve=block(), version=2)  # an old config once more
        await take(kiosk)
        await office.edge.configure(reserve=None, version=3)
        await office.edge.configure(reserve=block(), version=4)
        await until(lambda: kiosk.agent.config and kiosk.agent.config.version == 4)
        await until(lambda: kiosk.agent.kiosk.reserve == "ready")
        await take(kiosk)
        await office.printer.ticket(3, timeout_s=5)
    assert labels(office) == ["Y1", "Y2", "Y3"]
    async with open_spool(office.settings().data) as spool:
        assert await spool.seen_numbers(today()) == {"Y": 3}
        assert all(isinstance(each, Taken) for each in await spool.untold())


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("language", ["es", "ar", "en", "fr"])
async def test_the_screens_of_a_kiosk_alone(office: Office, language: str) -> None:
    """Strict catalogues: a text that a language lacks ends the page."""
    await office.edge.configure(reserve=block(last=1), public_url="https://citas.example")
    words = load_catalog(strict=True).words(language)
    async with running_kiosk(office.settings()) as kiosk, chromium() as browser:
        await kiosk.ready()
        page = await browser.new_page(viewport={"width": 1080, "height": 1920})
        await page.goto(f"http://127.0.0.1:{kiosk.port}/")
        await falls_silent(office, kiosk)
        await page.locator(f'button[value="language:{language}"]').click()
        await expect(page.locator("h1")).to_have_text(words.text("kiosk.reserve.h1"))
        assert await page.evaluate("document.documentElement.dir") == ("rtl" if language == "ar" else "ltr")
        await looked_at(page, language, "home")
        await kiosk.agent.handle(e.Scanned("V1.whatever", new_id()))
        await expect(page.locator("h1")).to_have_text(words.text("kiosk.unchecked.h1"), timeout=8000)
        await looked_at(page, language, "unchecked")
        await page.locator('button[value="without"]').click()
        await page.locator('button[value="choose:padron"]').click()
        await page.locator('button[value="take"]').dblclick()
        await expect(page.locator(".kiosk-wait")).to_contain_text(words.text("kiosk.reserve.given"))
        await looked_at(page, language, "ticket")
        await page.locator('button[value="restart"]').click()
        await page.locator(f'button[value="language:{language}"]').click()
        await expect(page.locator(".kiosk-hero")).to_contain_text(words.text("kiosk.reserve.used_up"))
        await looked_at(page, language, "used-up")
    assert len(office.printer.tickets) == 1


async def looked_at(page: Page, language: str, name: str) -> None:
    """Nothing that keeps people out, and a picture where somebody asked for pictures."""
    assert await violations(page) == []
    if folder := os.environ.get("KIOSK_PICTURES"):
        await page.screenshot(path=f"{folder}/reserve-{name}-{language}.png")
