"""The staff console in a real browser: every verb, by mouse, by keyboard only and without script."""

from collections.abc import AsyncIterator, Sequence

import pytest
from playwright.async_api import Browser, expect

from sync.messages.feed import Entity
from sync.messages.policy import Policy
from tests.browser.console_desk import Desk, desk_in, tab_to
from tests.kit.console_server import Console, office, policy, today_at

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture
def office_rows() -> Sequence[Entity]:
    booking = today_at(20, display_name="Fátima M.", needs=("wheelchair",), language="ar")
    return [*office([booking]), policy(Policy(recall_gap_s=0))]


@pytest.fixture
async def desk(served: Console, browser: Browser) -> AsyncIterator[Desk]:
    async with desk_in(browser, served) as desk:
        yield desk


async def the_whole_day(desk: Desk, served: Console) -> None:
    """All verbs of a clerk, each checked against the queue itself."""
    await desk.at_work()
    await desk.sees("Puesto 4 abierto")
    await served.walk_in()
    await served.walk_in("registro")
    await desk.page.reload()
    await expect(desk.page.locator(".next-why")).to_contain_text("sin cita, espera desde las")

    await desk.press("Llamar siguiente")
    await desk.visit_is("B1")
    await desk.press("Repetir llamada")
    await desk.sees("Repetir llamada (1 hecha)")
    await desk.press("No se ha presentado")
    await desk.no_visit()
    await desk.sees("No presentados")
    assert served.tickets("missed") == ["B1"]
    await desk.press("Reincorporar")
    await desk.sees("B1 reincorporado")
    assert sorted(served.tickets("waiting")) == ["B1", "K1"]

    await desk.press("Llamar siguiente")
    await desk.visit_is("B1")
    await desk.press("Ha venido")
    await desk.sees("Atendiendo")
    assert served.tickets("serving") == ["B1"]
    await desk.press("Derivar a…")
    await desk.page.select_option("#target", "service:certificados")
    await desk.press("Derivar")
    await desk.sees("B1 derivado a Certificados")
    assert served.tickets("serving") == []

    await desk.press("Confirmar llegada")
    await desk.sees("Turno K2 dado")
    await expect(desk.page.locator(".given-qr svg")).to_be_visible()
    await desk.press("Cerrar")
    await desk.sees("Ha llegado")

    await desk.press("Atender sin turno")
    await desk.page.select_option("#service", "padron")
    await desk.page.click('.panel button:has-text("Dar turno")')
    await desk.sees("Turno B2 dado")
    await desk.press("Cerrar")

    await desk.page.click('#queue a:has-text("B2")')
    await desk.page.select_option("#reason", "short")
    await desk.press("Llamar este turno")
    await desk.visit_is("B2")
    await desk.press("Ha venido")
    await desk.page.check('input[value="missing_documents"]', force=True)
    await desk.press("Finalizar")
    await desk.sees("B2 finalizado: falta documentación")
    assert served.tickets("finished") == ["B2"]

    await desk.press("Llamar siguiente")
    await expect(desk.page.locator('button:has-text("Ha venido")')).to_be_visible()
    await desk.page.click('header a:has-text("Cerrar puesto")')
    await desk.sees("Termine antes la visita de")
    await desk.press("Ha venido")
    await desk.press("Finalizar")
    await desk.no_visit()
    await desk.page.click('header a:has-text("Cerrar puesto")')
    await desk.page.click('.panel button:has-text("Fin de turno")')
    await desk.sees("¿En qué puesto trabaja?")
    await desk.page.click('button:has-text("Salir")')
    await desk.sees("Ha salido.")
    assert served.node.dispatcher.state.day.sessions == {}


async def test_every_verb_by_mouse(desk: Desk, served: Console) -> None:
    await the_whole_day(desk, served)


async def test_every_verb_without_script(served: Console, browser: Browser) -> None:
    async with desk_in(browser, served, java_script_enabled=False) as desk:
        await the_whole_day(desk, served)


async def test_every_verb_by_keyboard_only(desk: Desk, served: Console) -> None:
    keys = desk.page.keyboard
    await desk.page.goto(served.url)
    await tab_to(desk, "#staff_id")
    await keys.type("clerk-1")
    await keys.press("Tab")
    await keys.type("correct horse battery")
    await keys.press("Enter")
    await tab_to(desk, '.desks-list a:has-text("Puesto 2")')
    await keys.press("Enter")
    await tab_to(desk, 'button:has-text("Abrir puesto")')
    await keys.press("Enter")
    await expect(desk.page.locator("#visit")).to_be_visible()
    await desk.ready()

    await keys.press("F6")
    await expect(desk.page.locator('[data-verb="serve_walk_in"]')).to_be_focused()
    await tab_to(desk, '.panel button:has-text("Dar turno")')
    await keys.press("Enter")
    await desk.sees("Turno B1 dado")
    await keys.press("Escape")
    await expect(desk.page.locator(".panel")).to_have_count(0)
    await keys.press("F8")
    await desk.visit_is("B1")
    await keys.press("F9")
    await desk.sees("Repetir llamada (1 hecha)")
    await keys.press("F10")
    await desk.no_visit()
    await tab_to(desk, 'button:has-text("Reincorporar")')
    await keys.press("Enter")
    await desk.sees("B1 reincorporado")
    await tab_to(desk, 'button:has-text("Confirmar llegada")')
    await keys.press("Enter")
    await desk.sees("Turno K1 dado")
    await keys.press("Escape")
    await tab_to(desk, "#queue a")
    await keys.press("Enter")
    await expect(desk.page.locator("#ticket_id")).to_be_focused()
    await keys.press("Tab")
    await keys.type("Gesti")
    await keys.press("Tab")
    await keys.press("Enter")
    await expect(desk.page.locator("#visit-title .plate")).to_be_visible()
    await keys.press("F2")
    await desk.sees("Atendiendo")
    await tab_to(desk, 'a:has-text("Derivar a…")')
    await keys.press("Enter")
    await expect(desk.page.locator("#target")).to_be_focused()
    await keys.type("Certi")
    await tab_to(desk, '.panel button:has-text("Derivar")')
    await keys.press("Enter")
    await desk.sees("derivado a Certificados")
    await keys.press("F8")
    await desk.sees("Llamando")
    await keys.press("F2")
    await desk.sees("Finalizar")
    await keys.press("F7")
    await desk.no_visit()
    await tab_to(desk, 'header a:has-text("Cerrar puesto")')
    await keys.press("Enter")
    await expect(desk.page.locator('.panel button:has-text("Fin de turno")')).to_be_focused()
    await keys.press("Enter")
    await desk.sees("¿En qué puesto trabaja?")
    assert len(served.tickets("finished")) == 1


@pytest.mark.parametrize("script", [True, False])
async def test_a_triple_click_on_next_calls_one_person(served: Console, browser: Browser, script: bool) -> None:
    async with desk_in(browser, served, java_script_enabled=script) as desk:
        await desk.at_work()
        for _ in range(4):
            await served.walk_in()
        await desk.page.reload()
        await desk.page.click('button:has-text("Llamar siguiente")', click_count=3, no_wait_after=True)
        await desk.visit_is("B1")
        await desk.page.wait_for_timeout(300)
        assert served.tickets("called") == ["B1"]
        assert served.facts("ticket.called") == 1
        assert served.facts("ticket.started") == 0, "nor does it press what has come to stand there"


async def test_three_presses_of_the_key_call_one_person(desk: Desk, served: Console) -> None:
    await desk.at_work()
    for _ in range(4):
        await served.walk_in()
    await desk.ready()
    await desk.sees("B4")
    for _ in range(3):
        await desk.page.keyboard.press("F8")
    await desk.visit_is("B1")
    await desk.page.wait_for_timeout(300)
    assert served.facts("ticket.called") == 1


async def test_two_browsers_at_one_counter_call_one_person(served: Console, browser: Browser) -> None:
    """The second one takes over; the first one's page still shows the counter as it was, and calls nobody."""
    async with desk_in(browser, served, java_script_enabled=False) as one, desk_in(browser, served) as other:
        await one.at_work()
        await served.walk_in()
        await served.walk_in()
        await other.sign_in()
        await other.ready()
        await other.press("Llamar siguiente")
        await other.visit_is("B1")
        await one.press("Llamar siguiente")
        await one.sees("El puesto 4 sigue en otro equipo")
        assert served.facts("ticket.called") == 1
        await one.press("Abrirlo aquí")
        await one.visit_is("B1")
        await other.sees("El puesto 4 sigue en otro equipo")


async def test_two_tabs_at_one_counter_call_one_person(served: Console, browser: Browser) -> None:
    async with desk_in(browser, served, java_script_enabled=False) as one:
        await one.at_work()
        await served.walk_in()
        await served.walk_in()
        tab = Desk(await one.page.context.new_page(), served.url)
        await tab.page.goto(served.url)
        await one.press("Llamar siguiente")
        await one.press("Ha venido")
        await one.press("Finalizar")
        await one.no_visit()
        await tab.press("Llamar siguiente")  # its page still shows the counter as it was
        await tab.sees("El puesto ya había avanzado")
        assert served.facts("ticket.called") == 1
        await tab.press("Llamar siguiente")
        await tab.visit_is("B2")


async def test_the_name_is_shown_from_the_call_to_the_close(desk: Desk, served: Console) -> None:
    await desk.at_work()
    await desk.sees("F. M., Registro")
    await desk.sees_no("Fátima")
    await desk.press("Confirmar llegada")
    await desk.press("Cerrar")
    await desk.sees_no("Fátima")
    await desk.press("Llamar siguiente")
    await desk.sees("Fátima M.")
    await desk.sees("Silla de ruedas")
    await desk.sees("Habla árabe")
    await desk.press("Ha venido")
    await desk.sees("Fátima M.")
    await desk.press("Finalizar")
    await desk.no_visit()
    await desk.sees_no("Fátima")


async def test_a_wrong_password_and_an_unknown_id_are_told_alike(desk: Desk, served: Console) -> None:
    await desk.sign_in("clerk-1", "wrong")
    wrong = await desk.page.inner_text(".errors")
    await desk.sign_in("nobody", "wrong")
    assert await desk.page.inner_text(".errors") == wrong
    assert "no son correctos" in wrong
    await expect(desk.page.locator(".errors")).to_be_focused()
    await desk.sign_in("nobody", "")
    await desk.sees("Escriba el usuario y la contraseña.")
