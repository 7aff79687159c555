"""Keys, the palette, the lock and what hides by itself, in a real browser; and the console at 200 % zoom."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect

from sync.messages.feed import Entity
from sync.messages.policy import Policy
from tests.browser.console_desk import Desk, desk_in
from tests.kit.axe import violations
from tests.kit.console_server import Console, office, policy, today_at
from tests.kit.edge import SECRET

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

ZOOMED = {"width": 683, "height": 384}
"""1366 x 768 at 200 %."""


@pytest.fixture
def office_rows() -> Sequence[Entity]:
    booking = today_at(20, display_name="Fátima M.", needs=("wheelchair",), language="ar")
    return [*office([booking]), policy(Policy(recall_gap_s=0))]


async def fatima_is_called(desk: Desk) -> None:
    await desk.press("Confirmar llegada")
    await desk.press("Cerrar")
    await desk.press("Llamar siguiente")
    await desk.sees("Fátima M.")


def options(page: Page) -> Locator:
    return page.locator("#palette [role=option]")


# ------------------------------------------------------------------------------------------------------------------- keys


async def test_a_rebound_key_works_is_written_on_its_button_and_goes_to_another_browser(
    desk: Desk, served: Console, browser: Browser
) -> None:
    await served.walk_in()
    await desk.sees("B1")
    await desk.page.goto(f"{served.url}/me")
    await desk.page.select_option("#F8", "Alt+S")
    await desk.press("Guardar teclas")
    await desk.sees("Teclas guardadas")
    async with desk_in(browser, served) as other:
        await other.sign_in()
        await other.ready()
        await expect(other.page.locator('[data-key="F8"] kbd')).to_have_text("Alt+S")
        await expect(other.page.locator('[data-key="F8"]')).to_have_attribute("aria-keyshortcuts", "Alt+S")
        await other.page.keyboard.press("F8")
        await other.page.wait_for_timeout(200)
        assert served.facts("ticket.called") == 0, "the usual key is free now"
        await other.page.keyboard.press("Alt+s")
        await other.visit_is("B1")
        await served.walk_in()
        await expect(other.page.locator(".next-code .plate")).to_have_text("B2")
        await other.press("Ha venido")
        await other.sees("Finalizar")
        await other.page.keyboard.press("F7")
        await other.no_visit()
        await expect(other.page.locator('[data-key="F8"] kbd')).to_have_text("Alt+S")


async def test_the_settings_are_reached_and_changed_by_keyboard(desk: Desk, served: Console) -> None:
    keys = desk.page.keyboard
    await keys.press("Control+k")
    await keys.type("ajustes")
    await keys.press("Enter")
    await expect(desk.page.locator("h1")).to_have_text("Mis ajustes")
    await desk.page.focus("#F9")
    await keys.type("F8")
    await keys.press("Enter")
    await desk.page.locator('button:has-text("Guardar teclas")').focus()
    await keys.press("Enter")
    await expect(desk.page.locator(".errors")).to_be_focused()
    await desk.sees("F8 está puesta a la vez en Llamar siguiente y en Repetir llamada. Cambie una de las dos.")
    assert await violations(desk.page) == []
    assert served.node.own_keys.of("clerk-1")["F9"] == "F9"
    desk.broken.clear()  # the browser tells of the 422


async def test_bare_letters_do_nothing(desk: Desk, served: Console) -> None:
    await served.walk_in()
    await desk.sees("B1")
    for key in "abcdefghijklmnopqrstuvwxyz0123456789":
        await desk.page.keyboard.press(key)
    await desk.page.wait_for_timeout(200)
    assert served.facts("ticket.called") == 0
    await expect(desk.page.locator("dialog:modal, .panel")).to_have_count(0)


async def test_sentences_and_the_palette_name_the_keys_that_this_person_presses(desk: Desk, served: Console) -> None:
    await served.walk_in()
    await served.node.own_keys.keep("clerk-1", {"F8": "Alt+S", "F6": "F1", "F4": "Shift+F4"})
    page = desk.page
    await page.reload()
    await desk.ready()
    await desk.sees("Pulse Alt+S para llamar a la siguiente persona.")
    await page.click("#help summary")
    await desk.sees("Pulse «Llamar siguiente» (Alt+S), o F1 si llega alguien sin turno.")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("llamar sig")
    await expect(page.locator("#palette-list [role=option] kbd").first).to_have_text("Alt+S")
    await page.keyboard.press("Escape")
    await page.goto(f"{desk.url}/guide")
    await expect(page.locator('[data-step="call"] kbd')).to_have_text("Alt+S")
    await expect(page.locator('[data-step="finish"] kbd')).to_have_text("F7")
    await desk.sees("Deshacer (Shift+F4) quita lo último que hizo")


# ---------------------------------------------------------------------------------------------------------------- palette


async def test_the_palette_finds_what_the_page_offers_and_presses_it(desk: Desk, served: Console) -> None:
    keys, page = desk.page.keyboard, desk.page
    await served.walk_in()
    await desk.sees("B1")
    await keys.press("Control+k")
    box = page.locator("#palette-box")
    await expect(box).to_be_focused()
    await keys.type("llam sig")
    await expect(options(page)).to_have_count(1)
    await expect(page.locator("#palette [role=option][aria-selected=true]")).to_contain_text("Llamar siguiente")
    chosen = await box.get_attribute("aria-activedescendant")
    assert chosen == await page.locator("#palette [aria-selected=true]").get_attribute("id")
    await expect(page.locator("#palette [role=status]")).to_have_text("1 acción")
    assert await violations(page) == []
    await keys.press("Enter")
    await desk.visit_is("B1")
    await expect(page.locator("dialog:modal")).to_have_count(0)


async def test_a_transfer_is_chosen_by_the_beginnings_of_its_words(desk: Desk, served: Console) -> None:
    keys, page = desk.page.keyboard, desk.page
    await served.walk_in()
    await desk.sees("B1")
    await keys.press("F8")
    await desk.visit_is("B1")
    await keys.press("Control+k")
    await keys.type("trans certi")  # "Derivar a… Certificados", by the verb's own name too
    await expect(options(page)).to_have_count(1)
    await keys.press("Enter")
    await expect(page.locator("#target")).to_have_value("service:certificados")
    await expect(page.locator('.panel button:has-text("Derivar")')).to_be_focused()
    await keys.press("Enter")
    await desk.sees("B1 derivado a Certificados")


async def test_accents_need_not_be_typed_arrows_go_round_and_escape_leaves(desk: Desk, served: Console) -> None:
    keys, page = desk.page.keyboard, desk.page
    await served.walk_in()
    await desk.sees("B1")
    await keys.press("F8")
    await desk.visit_is("B1")
    await keys.press("F2")
    await desk.sees("Otro trámite")
    await page.locator('a:has-text("Atender sin turno")').focus()
    await keys.press("Control+k")
    await keys.type("tramite")
    await expect(options(page).filter(has_text="Otro trámite").first).to_be_visible()
    await page.fill("#palette-box", "")
    first = await page.locator("#palette [aria-selected=true]").inner_text()
    await keys.press("ArrowUp")
    last = await page.locator("#palette [aria-selected=true]").inner_text()
    await keys.press("ArrowDown")
    assert await page.locator("#palette [aria-selected=true]").inner_text() == first != last
    await keys.type("nada de esto")
    await expect(page.locator("#palette [role=status]")).to_have_text("Nada con ese nombre en esta pantalla.")
    await keys.press("Enter")
    await keys.press("Escape")
    await expect(page.locator("dialog:modal")).to_have_count(0)
    await expect(page.locator('a:has-text("Atender sin turno")')).to_be_focused()


async def test_what_is_folded_away_is_found_too(desk: Desk) -> None:
    folded = '<details><summary>Más</summary><a class="button" data-verb="odd" href="/me">Cosa rara</a></details>'
    await desk.page.evaluate("(html) => document.body.insertAdjacentHTML('beforeend', html)", folded)
    await desk.page.keyboard.press("Control+k")
    await desk.page.keyboard.type("cosa")
    await expect(options(desk.page)).to_have_count(1)
    await desk.page.keyboard.press("Enter")
    await expect(desk.page.locator("h1")).to_have_text("Mis ajustes")


async def test_a_verb_of_a_panel_is_found_by_the_panels_name(desk: Desk) -> None:
    async def with_a_verb(route: Route) -> None:
        reply = await route.fetch()
        more = '<a class="button" href="/me" data-opens="odd">Probar esto</a><h2 id="panel-title">'
        await route.fulfill(response=reply, body=(await reply.text()).replace('<h2 id="panel-title">', more))

    await desk.page.route("**/?panel=give", with_a_verb)
    await desk.page.keyboard.press("Control+k")
    await desk.page.keyboard.type("sin probar")
    await expect(options(desk.page)).to_have_count(1)
    await desk.page.keyboard.press("Enter")
    await expect(desk.page.locator("h1")).to_have_text("Mis ajustes")


async def test_news_take_nothing_from_who_is_typing_in_the_palette(desk: Desk, served: Console) -> None:
    await desk.page.keyboard.press("Control+k")
    await desk.page.keyboard.type("llamar")
    await served.walk_in()
    await expect(desk.page.locator(".next-code .plate")).to_have_text("B1")
    await expect(desk.page.locator("#palette-box")).to_have_value("llamar")
    await expect(desk.page.locator("#palette-box")).to_be_focused()


async def test_keys_do_not_reach_what_lies_under_the_palette(desk: Desk, served: Console) -> None:
    await served.walk_in()
    await desk.sees("B1")
    await desk.page.click("[data-opens=palette]")
    await desk.page.keyboard.press("F8")
    await desk.page.wait_for_timeout(200)
    assert served.facts("ticket.called") == 0


# ------------------------------------------------------------------------------------------------------ lock and presence


async def test_a_key_locks_every_tab_and_the_password_brings_the_visit_back(desk: Desk, served: Console) -> None:
    await fatima_is_called(desk)
    other = await desk.page.context.new_page()
    await other.goto(served.url)
    await expect(other.locator("html[data-ready]")).to_have_count(1)
    await desk.page.keyboard.press("Alt+l")
    for page in (desk.page, other):
        await expect(page.locator("h1")).to_contain_text("Pantalla bloqueada")
        assert "Fátima" not in await page.content()
    assert await violations(desk.page) == []
    await expect(desk.page.locator("#password")).to_be_focused()
    await desk.page.keyboard.type("wrong")
    await desk.page.keyboard.press("Enter")
    await desk.sees("La contraseña no es correcta.")
    assert await violations(desk.page) == []
    assert served.tickets("called") == ["K1"], "the visit goes on"
    await desk.page.fill("#password", SECRET)
    await desk.page.keyboard.press("Enter")
    await desk.visit_is("K1")
    await desk.sees_no("Fátima M.")
    await desk.press("Mostrar")
    await desk.sees("Fátima M.")
    desk.broken.clear()  # streams of a locked screen are refused, and the browser says so


async def test_after_a_minute_without_input_the_name_goes_until_it_is_asked_for(desk: Desk, served: Console) -> None:
    await desk.page.clock.install()
    await desk.page.reload()
    await desk.ready()
    await fatima_is_called(desk)
    await desk.page.clock.fast_forward(61_000)
    await desk.sees("Datos ocultos")
    assert "Fátima" not in await desk.page.content()
    assert await violations(desk.page) == []
    await served.walk_in()
    await expect(desk.page.locator(".next-code .plate")).to_have_text("B1")
    assert "Fátima" not in await desk.page.content(), "nor do news bring it back"
    await desk.press("Mostrar")
    await desk.sees("Fátima M.")


async def test_the_screen_locks_by_itself(desk: Desk, served: Console) -> None:
    await desk.page.clock.install()
    await desk.page.reload()
    await desk.ready()
    await fatima_is_called(desk)
    held = {key: each.left(each.last_s - 600) for key, each in served.node.sessions._presence.items()}
    served.node.sessions._presence.update(held)  # ten minutes have passed at the server
    await desk.page.clock.fast_forward(601_000)
    await expect(desk.page.locator("h1")).to_contain_text("Pantalla bloqueada")
    assert "Fátima" not in await desk.page.content()
    desk.broken.clear()


async def test_a_session_that_ended_in_mid_visit_leads_back_to_the_visit(desk: Desk, served: Console) -> None:
    await fatima_is_called(desk)
    await desk.page.route(f"{served.url}/", lambda route: route.abort())  # no look finds out before the key is pressed
    await served.node.sessions.sign_out_everywhere("clerk-1")
    await desk.page.keyboard.press("F2")
    await desk.sees("Lo último que pulsó no se ha hecho.")
    await desk.page.unroute(f"{served.url}/")
    await desk.sees("Ha salido en todos los equipos.")
    assert await violations(desk.page) == []
    await desk.page.fill("#staff_id", "clerk-1")
    await desk.page.fill("#password", SECRET)
    await desk.page.keyboard.press("Enter")
    await desk.visit_is("K1")
    await desk.sees("Ha venido")
    desk.broken.clear()


# ---------------------------------------------------------------------------------------------------------- doubled


WHOLE = """() => {
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  const cut = [...document.querySelectorAll("h1, h2, p, a, button, label, td, th, legend, summary, select, input")]
    .filter((one) => one.checkVisibility() && !one.closest(".hush, .skip") && !one.matches(".hush, .skip, [type=radio], [type=hidden]"))
    .filter((one) => { const box = one.getBoundingClientRect(); return box.right > innerWidth + 1 || box.left < -1; })
    .map((one) => one.outerHTML.slice(0, 80));
  const inner = [...document.querySelectorAll("body *")]
    .filter((one) => /auto|scroll/.test(getComputedStyle(one).overflowX) && one.scrollWidth > one.clientWidth + 1)
    .map((one) => one.outerHTML.slice(0, 80));
  return { wide, cut, inner };
}"""
SEEN = """() => {
  const one = document.activeElement, box = one.getBoundingClientRect();
  const [x, y] = [box.left + Math.min(box.width / 2, 20), box.top + box.height / 2];
  const top = document.elementFromPoint(x, Math.min(Math.max(y, 1), innerHeight - 1));
  const inside = box.bottom > 0 && box.top < innerHeight;
  return inside && Boolean(top && (one.contains(top) || top.contains(one) || one.closest("label")?.contains(top)));
}"""


@pytest.mark.parametrize(
    "path", ["/", "/?panel=give", "/?panel=transfer", "/?panel=call", "/supervise", "/supervise?ask=close_day", "/me"]
)
async def test_at_double_size_nothing_is_cut_and_the_focus_is_never_covered(
    served: Console, browser: Browser, path: str
) -> None:
    async with desk_in(browser, served, viewport=ZOOMED) as desk:
        await desk.at_work("boss")
        await fatima_is_called(desk)
        for service in ("padron", "registro", "certificados"):
            await served.walk_in(service)
        await desk.page.goto(served.url + path)
        await is_whole(desk)


async def test_the_way_to_work_at_double_size(served: Console, browser: Browser) -> None:
    async with desk_in(browser, served, viewport=ZOOMED) as desk:
        await desk.page.goto(served.url)
        await is_whole(desk)
        await desk.sign_in("boss", "wrong")
        await is_whole(desk)
        await desk.sign_in("boss")
        await desk.page.click('.desks-list a:has-text("Puesto 4")')
        await is_whole(desk)
        await desk.page.click('button:has-text("Abrir puesto")')
        await desk.ready()
        await desk.page.keyboard.press("Control+k")
        await expect(desk.page.locator("#palette")).to_be_in_viewport(ratio=1)
        await desk.page.keyboard.press("Escape")
        await desk.page.keyboard.press("Alt+l")
        await expect(desk.page.locator("h1")).to_contain_text("Pantalla bloqueada")
        await is_whole(desk)
        desk.broken.clear()


async def is_whole(desk: Desk) -> None:
    """No sideways scrolling, nothing beyond an edge, and every stop of the Tab key is seen."""
    assert await desk.page.evaluate(WHOLE) == {"wide": 0, "cut": [], "inner": []}
    await desk.page.evaluate("document.activeElement.blur()")
    for _ in range(60):
        await desk.page.keyboard.press("Tab")
        if await desk.page.evaluate("document.activeElement === document.body"):
            return
        assert await desk.page.evaluate(SEEN), await desk.page.evaluate("document.activeElement.outerHTML")
