"""A fresh reader with the first-use guide and nothing else: finds each button by the words that the guide names, presses the keys
that it names, and does the five basic verbs in practice. A change of words or keys that the guide does not follow breaks it here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
from playwright.async_api import Browser, Locator, expect

from tests.browser.console_desk import Desk, desk_in, tab_to
from tests.kit.axe import violations
from tests.kit.console_server import Console

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
TO_GUIDE = '.offer a[href="/guide"]'
TO_PRACTICE = '.offer a[href="/practice"]'
BEGIN = 'form[action="/practice"] button'
LEAVE = 'form[action="/practice/leave"] button'
ZOOMED = {"width": 683, "height": 384}


class Instruction(NamedTuple):
    """What the guide says of one verb."""

    name: str
    words: str
    key: str
    text: str


@pytest.fixture
async def desk(served: Console, browser: Browser) -> AsyncIterator[Desk]:
    async with desk_in(browser, served) as desk:
        await desk.sign_in()
        yield desk


async def read(desk: Desk) -> list[Instruction]:
    """The guide, as somebody reads it."""
    found = []
    for line in await desk.page.locator(".guide > li").all():
        words = await line.locator("[data-words]").inner_text()
        text = await line.locator("p").last.inner_text()
        found.append(
            Instruction(
                await line.get_attribute("data-step") or "", words, await line.locator("kbd").inner_text(), text
            )
        )
    return found


async def into_practice(desk: Desk, to_guide: str = TO_GUIDE) -> list[Instruction]:
    await desk.page.click(to_guide)
    guide = await read(desk)
    await desk.page.click(BEGIN)
    await desk.ready()
    return guide


async def are_told_alike(desk: Desk, guide: str, *verbs: str) -> None:
    """What the guide says of further verbs names the words and the keys that their buttons have."""
    for verb in verbs:
        button = desk.page.locator(f'#visit [data-verb="{verb}"]')
        key = await button.locator("kbd").inner_text()
        words = (await button.inner_text()).split(":")[0].removesuffix(key).strip()
        assert f"{words} ({key})" in guide


def named(desk: Desk, words: str) -> Locator:
    """What can be pressed on the screen and says these words."""
    return desk.page.locator("#work :is(button, a.button):visible").filter(has_text=words).first


async def is_ticked(desk: Desk, name: str) -> None:
    await expect(desk.page.locator(f"#step-{name}[data-done]")).to_have_count(1)


def nothing_real(served: Console) -> bool:
    return not served.node.dispatcher.state.day.tickets


@pytest.mark.parametrize("locale", ["es-ES", "en-GB"])
async def test_the_five_verbs_by_the_words_of_the_guide(served: Console, browser: Browser, locale: str) -> None:
    async with desk_in(browser, served, locale=locale) as desk:
        await desk.sign_in()
        guide = await into_practice(desk)
        assert len(guide) == 5
        for step in guide:
            now = await desk.page.locator(".practice-now strong").all_inner_texts()
            assert step.words in now
            for words in now[:2]:  # of two ways to end a step the first
                await named(desk, words).click()
            await is_ticked(desk, step.name)
        await expect(desk.page.locator(".practice-now strong")).to_have_count(0)
        await desk.page.click(LEAVE)
        await expect(desk.page.locator(".desks-list")).to_be_visible()
        assert nothing_real(served)


async def test_the_five_verbs_by_the_keys_of_the_guide(desk: Desk, served: Console) -> None:
    await desk.page.goto(f"{served.url}/guide")
    more = await desk.page.inner_text(".guide-more")
    await desk.page.goto(f"{served.url}/practice")
    guide = {step.name: step for step in await into_practice(desk, '.learning a[href="/guide"]')}
    for name in ("call", "start", "finish"):
        if name == "start":
            await are_told_alike(desk, more, "recall", "undo")
        await desk.page.keyboard.press(guide[name].key)
        await is_ticked(desk, name)
    await desk.page.keyboard.press(guide["call"].key)
    await expect(named(desk, guide["no_show"].words)).to_be_visible()
    await desk.page.keyboard.press(guide["no_show"].key)
    await is_ticked(desk, "no_show")
    await desk.page.keyboard.press(guide["give"].key)
    ways = [part.split("»")[0] for part in guide["give"].text.split("«")[1:]]
    await expect(named(desk, ways[1])).to_be_focused()
    await tab_to(desk, f'.panel button:has-text("{ways[0]}")')
    await desk.page.keyboard.press("Enter")
    await is_ticked(desk, "give")
    await desk.sees("Ya sabe lo básico")
    assert nothing_real(served)


async def test_practice_works_without_script(served: Console, browser: Browser) -> None:
    async with desk_in(browser, served, java_script_enabled=False) as desk:
        await desk.sign_in()
        await desk.page.click(TO_GUIDE)
        guide = await read(desk)
        await desk.page.click(BEGIN)
        for step in guide[:3]:
            await named(desk, step.words).click()
            await is_ticked(desk, step.name)
        await desk.page.click(".help summary")
        await expect(desk.page.locator(".help-text")).to_be_visible()


async def test_the_guide_is_offered_until_it_was_seen_or_put_away(desk: Desk, served: Console) -> None:
    await expect(desk.page.locator(".offer")).to_be_visible()
    await desk.page.click('.offer form[action="/guide/dismiss"] button')
    await expect(desk.page.locator(".desks-list")).to_be_visible()
    await expect(desk.page.locator(".offer")).to_have_count(0)
    await expect(desk.page.locator('main a[href="/guide"]')).to_be_visible()
    await desk.page.click('header button:has-text("Salir")')
    await desk.sign_in("clerk-2")
    await expect(desk.page.locator(".offer")).to_be_visible()
    await desk.page.click(TO_GUIDE)
    await desk.page.goto(served.url)
    await expect(desk.page.locator(".offer")).to_have_count(0)


async def test_help_is_about_what_is_open(desk: Desk, served: Console) -> None:
    await desk.page.click(TO_PRACTICE)
    await desk.page.click(BEGIN)
    await desk.ready()
    told = []

    async def ask(name: str) -> None:
        await desk.page.click('[data-verb="help"]')
        told.append(await desk.page.locator(".help-text p").nth(1).inner_text())
        assert await violations(desk.page) == [], name
        await desk.page.keyboard.press("Escape")
        await expect(desk.page.locator(".help-text")).to_be_hidden()
        await expect(desk.page.locator('[data-verb="help"]')).to_be_focused()

    await ask("none")
    await desk.page.keyboard.press("F6")
    await expect(desk.page.locator("#panel-give")).to_be_visible()
    await ask("give")
    await expect(desk.page.locator("#panel-give")).to_be_visible()
    await desk.page.keyboard.press("Escape")
    await expect(desk.page.locator("#panel-give")).to_have_count(0)
    await desk.page.keyboard.press("F8")
    await expect(desk.page.locator('[data-verb="start"]')).to_be_visible()
    await ask("called")
    await desk.page.keyboard.press("F2")
    await expect(desk.page.locator('[data-verb="finish"]')).to_be_visible()
    await ask("serving")
    assert len(set(told)) == 4


@pytest.mark.parametrize("size", [{"width": 1366, "height": 768}, ZOOMED], ids=["whole", "zoomed"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_of_learning_fails_the_accessibility_engine(
    served: Console, browser: Browser, scheme: str, size: dict[str, int]
) -> None:
    async with desk_in(browser, served, color_scheme=scheme, reduced_motion="reduce", viewport=size) as desk:
        found: dict[str, list[str]] = {}
        wide = "document.documentElement.scrollWidth > innerWidth"

        async def judge(name: str) -> None:
            await desk.page.wait_for_timeout(200)
            found[name] = await violations(desk.page)
            assert not await desk.page.evaluate(wide), f"{name} scrolls sideways"

        await desk.sign_in("boss")
        await judge("offer")
        await desk.page.goto(f"{served.url}/practice?over=yes")
        await judge("practice over")
        await desk.page.goto(f"{served.url}/guide")
        await judge("guide")
        await desk.page.click(BEGIN)
        await desk.ready()
        await judge("practice")
        if size != ZOOMED:
            tall = await desk.page.evaluate("document.documentElement.scrollHeight > innerHeight")
            assert not tall, "the work screen does not scroll"
        await desk.page.click('.practice a[href="/guide"]')
        await judge("guide in practice")
        await desk.page.goto(f"{served.url}/supervise")
        await desk.sees("Marta")
        await desk.page.click('[data-verb="help"]')
        await judge("supervision in practice, and its help")
        await desk.sees("Cerrar uno devuelve su visita")
        assert {name: each for name, each in found.items() if each} == {}
