"""After a cut or a restart no page shows what is no more: networks that go, nodes that restart, nodes put back from a copy."""

from __future__ import annotations

from pathlib import Path
from time import time

import msgspec
import pytest
from playwright.async_api import Browser, Page, expect

from sync.domain.second_factor import STEP_S, code_at
from sync.messages.feed import SecondFactor
from tests.browser.console_desk import Desk, desk_in
from tests.kit.axe import violations
from tests.kit.console_server import Console, office
from tests.kit.edge import SECRET, feed, staff
from tests.kit.edge_process import edge_process

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


async def shows(page: Page, *, next_label: str, waiting: int) -> None:
    await expect(page.locator(".next-code .plate")).to_have_text(next_label)
    await expect(page.locator("#queue")).to_have_attribute("aria-label", f"En espera: {waiting}")


async def test_what_happened_while_the_network_was_cut_is_shown_when_it_is_back(desk: Desk, served: Console) -> None:
    await served.walk_in()
    await shows(desk.page, next_label="B1", waiting=1)
    await desk.page.context.set_offline(True)
    await served.walk_in()
    await desk.page.keyboard.press("F8")
    await expect(desk.page.locator("#lost")).to_be_visible()
    assert served.facts("ticket.called") == 0
    await served.walk_in("registro")
    await desk.page.context.set_offline(False)
    await expect(desk.page.locator("#lost")).to_be_hidden()
    await shows(desk.page, next_label="B1", waiting=3)
    await desk.page.keyboard.press("F8")
    await desk.visit_is("B1")
    await desk.page.wait_for_timeout(500)
    assert served.facts("ticket.called") == 1, "the press that was not heard is not made good later"
    desk.broken.clear()  # the browser tells of every request that it could not make


async def test_a_page_whose_question_failed_asks_again_though_its_stream_goes_on(desk: Desk, served: Console) -> None:
    await desk.page.route(f"{served.url}/", lambda route: route.abort())
    await served.walk_in()
    await expect(desk.page.locator("#lost")).to_be_visible()
    await desk.page.unroute(f"{served.url}/")
    await shows(desk.page, next_label="B1", waiting=1)
    await expect(desk.page.locator("#lost")).to_be_hidden()
    desk.broken.clear()


async def test_all_tabs_stand_where_the_office_stands_after_a_restart(tmp_path: Path, browser: Browser) -> None:
    with edge_process(tmp_path / "edge", rows=office()) as node:
        async with desk_in(browser, node.url) as desk:
            await desk.at_work()
            await desk.ready()
            other = await desk.page.context.new_page()
            await other.goto(node.url)
            await expect(other.locator("html[data-ready]")).to_have_count(1)
            for _ in range(2):
                await desk.press("Atender sin turno")
                await desk.page.click('.panel button:has-text("Dar turno")')
                await desk.press("Cerrar")
                await expect(desk.page.locator(".panel")).to_have_count(0)
            await desk.page.keyboard.press("F8")
            await desk.visit_is("B1")
            node.kill()
            for page in (desk.page, other):
                await expect(page.locator("#lost")).to_be_visible()
            node.start()
            for page in (desk.page, other):
                await expect(page.locator("#lost")).to_be_hidden()
                await expect(page.locator("#visit-title .plate")).to_have_text("B1")
            await desk.page.keyboard.press("F2")
            await expect(other.locator('button:has-text("Finalizar")')).to_be_visible()
            await shows(other, next_label="B2", waiting=1)
            desk.broken.clear()


async def test_a_page_that_knows_more_than_the_node_starts_afresh(desk: Desk, served: Console) -> None:
    await desk.page.evaluate("document.querySelector('#live').dataset.position = '9-999999'")
    await desk.page.evaluate("window.before = true")
    await desk.page.evaluate("document.dispatchEvent(new CustomEvent('console:look'))")
    await expect(desk.page.locator("#live")).not_to_have_attribute("data-position", "9-999999")
    assert await desk.page.evaluate("window.before") is None
    await served.walk_in()
    await shows(desk.page, next_label="B1", waiting=1)


async def test_a_supervisor_signs_in_with_a_code(served: Console, browser: Browser) -> None:
    key = b"12345678901234567890"
    boss = msgspec.structs.replace(staff("boss", "clerk", "supervisor"), second_factor=SecondFactor(secret=key))
    await feed(served.node, boss)
    async with desk_in(browser, served) as desk:
        await desk.sign_in("boss", SECRET)
        await expect(desk.page.locator("h1")).to_have_text("Código de un solo uso")
        await expect(desk.page.locator("#code")).to_be_focused()
        await expect(desk.page.locator("#code")).to_have_attribute("autocomplete", "one-time-code")
        assert await violations(desk.page) == []
        await desk.page.keyboard.type("000000")
        await desk.page.keyboard.press("Enter")
        await desk.sees("El código no es correcto o ya se usó.")
        assert await violations(desk.page) == []
        code = code_at(key, int(time()) // STEP_S)
        await desk.page.fill("#code", f"{code[:3]} {code[3:]}")
        await desk.page.keyboard.press("Enter")
        await desk.sees("¿En qué puesto trabaja?")
