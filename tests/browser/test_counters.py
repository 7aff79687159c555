"""Leaving, taking over and supervising counters by keyboard alone, in several browsers at once; and what everybody is told."""

from collections.abc import AsyncIterator
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.async_api import Browser, expect

from sync.messages import feed as f
from tests.browser.console_desk import Desk, desk_in, tab_to
from tests.kit.axe import violations
from tests.kit.console_server import Console, console, office

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
SMALL: Any = {"width": 683, "height": 384}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Console]:
    week = tuple(f.OpeningHours(weekday=day, opens=time(4), closes=time(3, 59, 59)) for day in range(7))
    common: dict[str, Any] = {"address": "Calle 3", "time_zone": "Africa/Ceuta"}
    rows = [
        *office(),
        *(f.NodeKey(office=each, epoch=1, public_key=bytes(32)) for each in ("centro", "palmeras", "real")),
        f.Neighbour(id="palmeras", name="Palmeras", services=("padron", "registro"), hours=week, **common),
        f.Neighbour(id="real", name="Real", services=("padron",), hours=(), **common),
    ]
    async with console(tmp_path / "edge", rows) as served:
        served.node.desk.sign = Ed25519PrivateKey.generate().sign
        yield served


async def fits(desk: Desk) -> None:
    """Nothing scrolls on the work screen, and axe finds nothing."""
    tall, height = await desk.page.evaluate("[document.documentElement.scrollHeight, window.innerHeight]")
    assert tall <= height
    assert await violations(desk.page) == []


async def test_a_pause_and_back_by_keyboard(desk: Desk, served: Console, browser: Browser) -> None:
    keys = desk.page.keyboard
    async with desk_in(browser, served) as other:
        await other.at_work("clerk-2", "5")
        await served.walk_in()
        await desk.sees("B1")
        await keys.press("Alt+P")
        await expect(desk.page.locator('.panel button:has-text("Descanso")')).to_be_focused()
        await desk.sees_no("Nadie más atiende")
        await fits(desk)
        await keys.press("Enter")
        await expect(desk.page.locator("#visit-title")).to_have_text("En pausa")
        await fits(desk)
        await other.page.keyboard.press("Alt+P")
        await other.sees("Nadie más atiende Padrón (espera 1).")
        await fits(other)
        await keys.press("F8")
        assert served.tickets("called") == [], "nobody is called to a counter that rests"
        await keys.press("Alt+P")
        await expect(desk.page.locator('button:has-text("Llamar siguiente")')).to_be_visible()
        await expect(other.page.locator("#alone")).to_have_count(0)


async def test_the_last_counter_closes_anyway_by_keyboard(desk: Desk, served: Console) -> None:
    keys = desk.page.keyboard
    await served.walk_in()
    await desk.sees("B1")
    await tab_to(desk, 'header a:has-text("Cerrar puesto")')
    await keys.press("Enter")
    await desk.sees("Nadie más atiende Padrón (espera 1). Si cierra, nadie les llamará.")
    await desk.sees("Cerrar de todas formas")
    await expect(desk.page.locator('.panel button:has-text("Fin de turno")')).to_be_focused()
    await fits(desk)
    await keys.press("Escape")
    await expect(desk.page.locator(".panel")).to_have_count(0)
    assert len(served.node.dispatcher.state.day.sessions) == 1
    await keys.press("Alt+C")
    await expect(desk.page.locator('.panel button:has-text("Fin de turno")')).to_be_focused()
    await keys.press("Enter")
    await desk.sees("¿En qué puesto trabaja?")
    assert served.node.dispatcher.state.day.sessions == {}


async def test_somebody_who_comes_while_the_panel_is_open_is_not_left_unsaid(desk: Desk, served: Console) -> None:
    """What the panel said when it was opened was true then; the queue has the last word."""
    await desk.page.keyboard.press("Alt+P")
    await expect(desk.page.locator('.panel button:has-text("Descanso")')).to_be_focused()
    await served.walk_in()
    await desk.sees("Nadie más atiende Padrón (espera 1).")
    await expect(desk.page.locator("#leave-pause-anyway")).to_be_visible()


async def test_a_pc_swap_keeps_the_visit_and_tells_both(desk: Desk, served: Console, browser: Browser) -> None:
    await served.walk_in()
    await desk.page.keyboard.press("F8")
    await desk.visit_is("B1")
    async with desk_in(browser, served) as swapped:
        await swapped.sign_in("clerk-1")
        await swapped.ready()
        await swapped.visit_is("B1")
        await swapped.sees("Puesto 4 abierto aquí.")
        await desk.sees("El puesto 4 sigue en otro equipo")
        await desk.sees_no("B1")
        await fits(desk)
        await desk.page.keyboard.press("F10")
        assert served.tickets("called") == ["B1"]
        await tab_to(desk, 'button:has-text("Abrirlo aquí")')
        await desk.page.keyboard.press("Enter")
        await desk.visit_is("B1")
        await swapped.sees("El puesto 4 sigue en otro equipo")


async def test_a_crash_without_cookies_keeps_the_visit(desk: Desk, served: Console) -> None:
    await served.walk_in()
    await desk.page.keyboard.press("F8")
    await desk.visit_is("B1")
    await desk.page.keyboard.press("F2")
    await desk.sees("Finalizar")
    context = desk.page.context
    await desk.page.close()
    await context.clear_cookies()
    again = Desk(await context.new_page(), served.url)
    await again.sign_in("clerk-1")
    await again.ready()
    await again.visit_is("B1")
    await again.page.keyboard.press("F7")
    await again.no_visit()
    assert again.broken == []


async def test_a_counter_is_taken_back_by_keyboard(desk: Desk, served: Console, browser: Browser) -> None:
    async with desk_in(browser, served) as other:
        await other.sign_in("clerk-2")
        await other.page.click('.desks-list a:has-text("Puesto 4")')
        await other.page.check("#confirmed")
        await other.page.click('button:has-text("Ocuparlo yo")')
        await other.sees("Puesto 4 abierto aquí.")
        await desk.sees("Clerk-2 abrió el puesto 4 en otro equipo")
        assert await violations(desk.page) == []
        await tab_to(desk, 'button:has-text("Abrirlo aquí")')
        await desk.page.keyboard.press("Enter")
        await desk.sees("Centro, puesto 4")
        await other.sees("Clerk-1 abrió el puesto 4 en otro equipo")


async def test_a_supervisor_changes_services_by_keyboard(desk: Desk, served: Console, browser: Browser) -> None:
    for _ in range(6):
        await served.walk_in("certificados")
    async with desk_in(browser, served) as boss:
        await boss.sign_in("boss")
        await boss.page.goto(f"{served.url}/supervise")
        await boss.ready()
        assert await violations(boss.page) == []
        await tab_to(boss, '[aria-label="Cambiar los trámites del puesto 4"]')
        await boss.page.keyboard.press("Enter")
        await expect(boss.page.locator("#panel-title")).to_be_focused()
        await tab_to(boss, "#serve-padron")
        await boss.page.keyboard.type("No lo")
        await served.walk_in()
        await expect(boss.page.locator("#desks")).to_contain_text("7")
        assert await boss.page.input_value("#serve-padron") == "padron:none", "news leave alone what was chosen"
        await tab_to(boss, 'button:has-text("Ver el efecto")')
        await boss.page.keyboard.press("Enter")
        await boss.sees("Padrón se queda sin nadie que atienda")
        await expect(boss.page.locator("#effects-title")).to_be_focused()
        await boss.ready()
        assert await violations(boss.page) == []
        await tab_to(boss, 'button:has-text("Aplicar al puesto 4")')
        await boss.page.keyboard.press("Enter")
        await boss.sees("Trámites del puesto cambiados")
        await expect(desk.page.locator(".desk-name")).to_contain_text("Registro")
        await expect(desk.page.locator(".desk-name")).not_to_contain_text("Padrón")
        await boss.sees("Nadie atiende Padrón: espera 1 persona.")
        assert await violations(boss.page) == []


async def test_a_broadcast_comes_at_once_and_steals_nothing(desk: Desk, served: Console, browser: Browser) -> None:
    await desk.page.keyboard.press("F6")
    await desk.page.locator("#service").focus()
    async with desk_in(browser, served) as boss:
        await boss.sign_in("boss")
        await boss.page.goto(f"{served.url}/supervise")
        await boss.ready()
        await tab_to(boss, "#text")
        await boss.page.keyboard.type("El puesto 6 cierra a las 11:00. " + "á" * 200)
        await boss.page.keyboard.press("Enter")
        await boss.sees("Aviso a la vista en todos los puestos")
        await expect(desk.page.locator("#broadcasts")).to_contain_text("El puesto 6 cierra")
        (told,) = served.node.broadcasts.standing()
        assert len(told.text) == 140
        assert await desk.focused() == "service", "who is typing goes on typing"
        await fits(desk)
        await tab_to(boss, 'button[aria-label^="Quitar el aviso"]')
        await boss.page.keyboard.press("Enter")
        await expect(desk.page.locator("#broadcasts p")).to_have_count(0)


async def test_a_person_is_sent_to_another_office_by_keyboard(desk: Desk, served: Console) -> None:
    keys = desk.page.keyboard
    await served.walk_in()
    await keys.press("F8")
    await desk.visit_is("B1")
    await tab_to(desk, 'a:has-text("Más…")')
    await keys.press("Enter")
    await tab_to(desk, 'a:has-text("Otra oficina")')
    await keys.press("Enter")
    await expect(desk.page.locator('.panel a:has-text("Palmeras")')).to_be_focused()
    await fits(desk)
    await keys.press("Tab")
    await keys.press("Enter")
    await desk.sees("Real está cerrada ahora. Ofrezca una cita allí.")
    await expect(desk.page.locator('.panel a:has-text("Dar cita allí")')).to_be_focused()
    await fits(desk)
    await tab_to(desk, '.panel a:has-text("Otra oficina")')
    await keys.press("Enter")
    await expect(desk.page.locator('.panel a:has-text("Palmeras")')).to_be_focused()
    await keys.press("Enter")
    await expect(desk.page.locator("#service")).to_be_focused()
    await fits(desk)
    await tab_to(desk, "#note")
    await keys.type("Trae <b>copias</b>")
    await keys.press("Enter")
    await desk.sees("A Palmeras, Padrón")
    await desk.no_visit()
    await fits(desk)
    assert served.tickets("in_transit") == ["B1"]
    ticket = next(iter(served.node.dispatcher.state.day.tickets))
    await tab_to(desk, '[aria-label="Pedir que vuelva B1"]')
    await keys.press("Enter")
    await desk.sees("Pedido de vuelta")
    await desk.page.goto(f"{served.url}/sent/{ticket}")
    await desk.sees("Trae <b>copias</b>")
    assert await violations(desk.page) == []


@pytest.mark.parametrize(
    "path", ["/", "/?panel=pause", "/?panel=close", "/?panel=office", "/?panel=sent", "/supervise"]
)
async def test_it_works_at_twice_the_size(served: Console, browser: Browser, path: str) -> None:
    await served.walk_in()
    async with desk_in(browser, served, viewport=SMALL) as boss:
        await boss.at_work("boss", "2")
        await boss.page.goto(f"{served.url}{path}")
        wide = await boss.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0
        assert await violations(boss.page) == []


async def test_a_pause_works_without_script(served: Console, browser: Browser) -> None:
    async with desk_in(browser, served, java_script_enabled=False) as desk:
        await desk.at_work()
        await served.walk_in()
        await desk.page.click('header a:has-text("Pausa")')
        await desk.sees("Nadie más atiende Padrón (espera 1).")
        await desk.page.click('.panel button:has-text("Descanso")')
        await desk.sees("Descanso, desde las")
        await desk.page.click('button:has-text("Volver de la pausa")')
        await desk.sees("Llamar siguiente")
