"""What happens to the screen when its broker, its edge or its own process does: each test has its own of all."""

import signal
import time

import pytest
from playwright.async_api import Browser, Page, expect

from provisioning.launchers.broker import Broker

from .conftest import ZONE, Display, Edge, until
from .test_screen import LARGE, OFFLINE, texts

pytestmark = [
    pytest.mark.broker,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180),
]


async def test_a_dead_broker_shows_in_10_to_13_seconds_and_heals(
    edge: Edge, display: Display, page: Page, broker: Broker
) -> None:
    said = time.monotonic()
    await edge.call("K12")
    await expect(page.locator(LARGE)).to_have_text("K12")
    broker.stop()
    await expect(page.locator(OFFLINE)).to_be_visible(timeout=14_000)
    assert 10 < time.monotonic() - said < 13.5
    assert await texts(page, LARGE) == []
    assert await texts(page, ".recent-code") == ["K12"]
    assert (await texts(page, ".recent-time"))[0].startswith("llamado ")
    assert await texts(page, ".foot-clock") == []
    assert await texts(page, ".foot-wait") == []

    broker.start()
    await edge.reconnected()
    await edge.call("B3", "1")
    await expect(page.locator(LARGE)).to_have_text("B3", timeout=8000)
    await expect(page.locator(OFFLINE)).to_be_hidden()


async def test_the_page_itself_notices_that_its_agent_is_silent(edge: Edge, display: Display, page: Page) -> None:
    await edge.call("K12")
    await expect(page.locator(LARGE)).to_have_text("K12")
    display.send_signal(signal.SIGSTOP)
    said = time.monotonic()
    await expect(page.locator(OFFLINE)).to_be_visible(timeout=14_000)
    assert 7 < time.monotonic() - said < 13
    assert await texts(page, ".recent-code") == ["K12"]
    display.send_signal(signal.SIGCONT)
    await edge.call("B3", "1")
    await expect(page.locator(LARGE)).to_have_text("B3")


async def test_after_a_restart_a_kept_board_is_shown_with_its_hour_and_stays_silent(
    edge: Edge, display: Display, page: Page
) -> None:
    await edge.call("K12")
    await until(lambda: len(edge.acks) == 1)
    unheard = edge.make_call("B8", "2")
    edge.calls.insert(0, unheard)
    edge.seq += 1
    display.stop()
    await edge.say_board()  # nobody is there; the broker keeps it
    await display.start()
    await expect(page.locator(LARGE)).to_have_text("B8", timeout=8000)
    assert (await texts(page, ".now-mark"))[0].startswith("llamado ")
    assert (await texts(page, ".recent-time"))[0].startswith("llamado ")
    assert display.state()["sounded"] == 0

    await edge.say_board()  # a live one dates them: both are younger than 30 s, and K12 was sounded before
    await expect(page.locator(LARGE)).to_have_attribute("data-state", "call")
    await until(lambda: display.state()["sounded"] == 1)
    await page.reload()
    await edge.say_board()
    await page.wait_for_timeout(1500)
    assert display.state()["sounded"] == 1
    assert {(ack.ticket_id, ack.recalls) for ack in edge.acks} == {(c.ticket_id, c.recalls) for c in edge.calls}
    assert len({ack.ack_id for ack in edge.acks}) == 2


async def test_an_unanswered_proof_is_sent_again_even_after_a_restart(edge: Edge, display: Display, page: Page) -> None:
    edge.answers_acks = False
    await edge.call("K12")
    await until(lambda: len(edge.acks) == 2)
    assert len({ack.ack_id for ack in edge.acks}) == 1
    display.stop()
    await display.start()
    edge.answers_acks = True
    await until(lambda: display.state()["pending_acks"] == 0)
    assert len({ack.ack_id for ack in edge.acks}) == 1


async def test_the_edge_hears_that_a_display_comes_and_goes(edge: Edge, display: Display) -> None:
    await until(lambda: [status.online for status in edge.statuses] == [True])
    assert edge.statuses[0].kind == "display"
    display.stop()
    await until(lambda: [status.online for status in edge.statuses] == [True, False])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_at_once_with_three_tabs_open(
    edge: Edge, display: Display, browser: Browser, number: signal.Signals
) -> None:
    tabs = [await browser.new_page() for _ in range(3)]
    for tab in tabs:
        await tab.goto(display.url)
    await until(lambda: display.state()["pages"] == 3)
    started = time.monotonic()
    display.send_signal(number)
    assert display.wait(5) == 0
    assert time.monotonic() - started < 3
    for tab in tabs:
        await tab.close()


async def test_a_start_without_broker_and_edge_shows_the_page_in_the_kept_language(
    edge: Edge, display: Display, browser: Browser, broker: Broker
) -> None:
    await edge.say_config(second_language="fr")
    await until(lambda: display.state()["zone"] == ZONE)
    display.stop()
    broker.stop()
    await display.start()
    page = await browser.new_page()
    await page.goto(display.url)
    await expect(page.locator("text=En attente")).to_be_visible()
    await expect(page.locator(OFFLINE)).to_be_visible(timeout=14_000)
