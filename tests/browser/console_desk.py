"""A clerk's browser at the console, driven as a person would."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.kit.browser import close
from tests.kit.console_server import Console
from tests.kit.edge import SECRET

SIZE: Any = {"width": 1366, "height": 768}


class Desk:
    """A browser, with what went wrong in it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.broken: list[str] = []
        page.on("pageerror", lambda error: self.broken.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        if message.type == "error" and "422" not in message.text:
            self.broken.append(message.text)

    async def sign_in(self, staff_id: str = "clerk-1", secret: str = SECRET) -> None:
        await self.page.goto(self.url)
        await self.page.fill("#staff_id", staff_id)
        await self.page.fill("#password", secret)
        await self.page.press("#password", "Enter")

    async def open(self, counter: str = "4") -> None:
        await self.page.click(f'.desks-list a:has-text("Puesto {counter}")')
        await self.page.click('button:has-text("Abrir puesto")')
        await expect(self.page.locator("#visit")).to_be_visible()

    async def ready(self) -> None:
        """The page's script has come: keys are heard."""
        await expect(self.page.locator("html[data-ready]")).to_have_count(1)

    async def at_work(self, staff_id: str = "clerk-1", counter: str = "4") -> None:
        await self.sign_in(staff_id)
        await self.open(counter)

    async def press(self, text: str) -> None:
        await self.page.click(f'#work button:has-text("{text}"):visible, #work a.button:has-text("{text}"):visible')

    async def sees(self, text: str) -> None:
        await expect(self.page.locator("body")).to_contain_text(text, use_inner_text=True)

    async def sees_no(self, text: str) -> None:
        await expect(self.page.locator("body")).not_to_contain_text(text, use_inner_text=True)

    async def visit_is(self, label: str) -> None:
        await expect(self.page.locator("#visit-title .plate")).to_have_text(label)

    async def no_visit(self) -> None:
        await expect(self.page.locator("#visit-title")).to_have_text("Sin visita")

    async def focused(self) -> str:
        """What has the focus: id, name or text."""
        got: str = await self.page.evaluate(
            "(() => { const e = document.activeElement; return e.id || e.name || e.innerText || e.localName })()"
        )
        return got


@asynccontextmanager
async def desk_in(browser: Browser, console: Console | str, **options: Any) -> AsyncIterator[Desk]:
    """A new browser profile; fails at the end when a script broke or the security policy stopped something."""
    settings = {"viewport": SIZE, "locale": "es-ES", **options}
    context: BrowserContext = await browser.new_context(**settings)
    desk = Desk(await context.new_page(), console if isinstance(console, str) else console.url)
    try:
        yield desk
    finally:
        await close(context)
    assert desk.broken == []


async def tab_to(desk: Desk, selector: str) -> None:
    """Press Tab until the wanted element has the focus, which must show."""
    for _ in range(60):
        await desk.page.keyboard.press("Tab")
        if await desk.page.locator(selector).first.evaluate("(e) => e === document.activeElement"):
            return
    raise AssertionError(f"no way to {selector} by keyboard; the focus is at {await desk.focused()}")
