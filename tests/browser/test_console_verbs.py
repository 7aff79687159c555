"""Every verb of the work screen in a real browser: by keyboard only, clicked twice, from two browsers, with bad input."""

from collections.abc import Sequence

import pytest
from playwright.async_api import Browser, expect

from sync.messages.feed import Entity
from sync.messages.policy import Policy
from tests.browser.console_desk import Desk, desk_in, tab_to
from tests.kit.axe import violations
from tests.kit.console_server import Console, office, policy

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture
def office_rows() -> Sequence[Entity]:
    return [*office(), policy(Policy(recall_gap_s=0))]


async def serving(desk: Desk, served: Console, *services: str) -> None:
    """The first of some walk-ins is being served."""
    for service in services or ("padron",):
        await served.walk_in(service)
    await expect(desk.page.locator(".next-code .plate")).to_be_visible()
    await desk.page.keyboard.press("F8")
    await expect(desk.page.locator('#visit-main [data-verb="start"]')).to_be_visible()
    await desk.page.keyboard.press("F2")
    await desk.sees("Atendiendo")


async def use(desk: Desk, selector: str) -> None:
    """Go there with Tab and press Enter."""
    await tab_to(desk, selector)
    await desk.page.keyboard.press("Enter")


async def test_a_walk_in_is_served_with_two_keys(desk: Desk, served: Console) -> None:
    await desk.page.keyboard.press("F6")
    await expect(desk.page.locator('[data-verb="serve_walk_in"]')).to_be_focused()
    await desk.page.keyboard.press("Enter")
    await desk.visit_is("B1")
    assert served.tickets("serving") == ["B1"]


async def test_a_morning_of_plain_visits_takes_two_keys_each_and_nothing_else(desk: Desk, served: Console) -> None:
    """By the keystroke-level model 0.28 s a key (Card, Moran and Newell 1980): 0.6 s of 1.5 that a visit may cost."""
    labels = [(await served.walk_in()).label for _ in range(6)]
    await expect(desk.page.locator(".next-code .plate")).to_be_visible()
    pressed = 0
    for label in labels:
        for key, told in (("F8", "Llamado"), ("F2", "atendiendo")):
            await desk.page.keyboard.press(key)
            pressed += 1
            await expect(desk.page.locator("#toast")).to_contain_text(told)
        await desk.visit_is(label)
    assert pressed == 2 * len(labels)
    assert served.tickets("finished") == labels[:-1]
    assert served.tickets("serving") == labels[-1:]


async def test_every_verb_of_a_visit_by_keyboard_only(desk: Desk, served: Console) -> None:
    keys = desk.page.keyboard
    await serving(desk, served, "padron", "registro", "padron")
    await use(desk, '#visit-more [data-verb="add_service"]')
    await expect(desk.page.locator("#panel-add .panel-answers button").first).to_be_focused()
    await keys.press("Enter")
    await desk.sees("B1: trámite añadido, Registro")
    await use(desk, '#visit-more [data-verb="more"]')
    await use(desk, '.panel [data-verb="set_needs"]')
    await tab_to(desk, '.panel input[value="signs"]')
    await keys.press("Space")
    await use(desk, '.panel button:has-text("Guardar los apoyos")')
    await expect(desk.page.locator(".visit-needs")).to_contain_text("Lengua de signos")
    await use(desk, '#visit-more [data-verb="more"]')
    await use(desk, '.panel [data-verb="set_priority"]')
    await expect(desk.page.locator("#priority_class")).to_be_focused()
    await keys.type("Aten")
    await use(desk, '.panel button:has-text("Cambiar la atención")')
    await desk.sees("B1: atención cambiada")

    await keys.press("F8")
    await desk.sees("B1 finalizado (resuelto). Llamado K1")
    await keys.press("F4")
    await desk.visit_is("B1")
    assert (served.tickets("serving"), served.tickets("called")) == (["B1"], [])
    await use(desk, '#visit-more [data-verb="park"]')
    await expect(desk.page.locator("#reason")).to_be_focused()
    await tab_to(desk, '.panel input[name="then"]:checked')
    await keys.press("ArrowRight")
    await tab_to(desk, '.panel input[name="back_to_me"]')
    await keys.press("Space")
    await use(desk, '.panel button:has-text("Aparcar")')
    await desk.sees("B1 aparcado")
    await use(desk, '#next-card [data-verb="skip"]')
    await expect(desk.page.locator("#panel-skip button").first).to_be_focused()
    await keys.press("Enter")
    await desk.sees("K1 omitido: sigue en espera")
    await use(desk, '.parked [data-verb="resume"]')
    await desk.sees("derivado o retomado para que vaya primero")
    await keys.press("F8")
    await desk.visit_is("B1")
    await keys.press("F2")
    await desk.sees("Atendiendo")
    await use(desk, '#visit-more [data-verb="transfer"]')
    await expect(desk.page.locator("#target")).to_be_focused()
    await keys.type("Certi")
    await tab_to(desk, '.panel input[value="keep"]')
    await keys.press("ArrowRight")
    await keys.press("ArrowRight")
    await tab_to(desk, "#reason")
    await keys.press("ArrowDown")
    await tab_to(desk, "#note")
    await keys.type("Falta la hoja 2")
    await keys.press("Enter")
    await desk.sees("B1 derivado a Certificados")
    await use(desk, '#queue a:has-text("B1")')
    await use(desk, '.panel [data-verb="leave"]')
    await desk.sees("B1 se ha ido")
    await keys.press("F4")
    await desk.sees("B1: deshecho")
    await use(desk, '#queue a:has-text("B1")')
    await use(desk, '.panel [data-verb="leave"]')
    await desk.sees("B1 se ha ido")
    await use(desk, '#visit-always [data-verb="ask_support"]')
    await expect(desk.page.locator("#panel-support button").first).to_be_focused()
    await keys.press("Enter")
    await desk.sees("Nadie ha contestado aún.")
    await use(desk, '#notices [data-verb="answer_support"]')
    await expect(desk.page.locator("#notices .banner")).to_have_count(0)
    assert served.node.dispatcher.state.day.support == {}


async def test_what_was_told_can_be_taken_back_for_five_seconds_and_longer_elsewhere(
    desk: Desk, served: Console
) -> None:
    await serving(desk, served)
    await desk.page.keyboard.press("F7")
    toast = desk.page.locator("#toast")
    await expect(toast.get_by_role("button", name="Deshacer")).to_be_visible()
    await expect(toast).to_be_empty(timeout=8_000)
    await desk.press("Deshacer: finalizar B1")
    await desk.visit_is("B1")
    assert served.tickets("serving") == ["B1"]
    await desk.page.keyboard.press("F7")
    await toast.get_by_role("button", name="Deshacer").click()
    await desk.visit_is("B1")
    await desk.sees_no("Deshacer")


async def test_a_toast_does_not_go_from_under_the_focus(desk: Desk, served: Console) -> None:
    await serving(desk, served)
    await desk.page.keyboard.press("F7")
    await desk.page.focus("#toast button")
    await served.walk_in()
    await desk.page.wait_for_timeout(5_600)
    assert await desk.focused() == "Deshacer"


@pytest.mark.parametrize("times", [2, 3])
async def test_clicks_in_a_row_act_once(desk: Desk, served: Console, times: int) -> None:
    await desk.press("Atender sin turno")
    await desk.page.click('[data-verb="serve_walk_in"]', click_count=times)
    await desk.visit_is("B1")
    await served.walk_in()
    await served.walk_in()
    await desk.sees("B3")
    await desk.page.click('button:has-text("Llamar siguiente")', click_count=times)
    await desk.visit_is("B2")
    await desk.page.wait_for_timeout(300)
    assert (served.tickets("finished"), served.tickets("called"), served.tickets("waiting")) == (["B1"], ["B2"], ["B3"])
    await desk.page.click('#visit-always [data-verb="undo"]', click_count=times)
    await desk.visit_is("B1")
    assert served.facts("ticket.undone") == 2, "the call and the end that went with it, once"


async def test_keys_in_a_row_end_one_visit_and_call_one_person(desk: Desk, served: Console) -> None:
    await serving(desk, served, "padron", "padron", "padron")
    for _ in range(3):
        await desk.page.keyboard.press("F8")
    await desk.visit_is("B2")
    await desk.page.wait_for_timeout(300)
    assert (served.tickets("finished"), served.tickets("called"), served.tickets("waiting")) == (["B1"], ["B2"], ["B3"])


async def test_a_colleague_hears_of_a_call_for_support_and_says_that_they_come(
    desk: Desk, served: Console, browser: Browser
) -> None:
    async with desk_in(browser, served) as other:
        await other.at_work("clerk-2", "5")
        await other.ready()
        await desk.press("Pedir apoyo")
        await desk.press("Es urgente: ayuda ya")
        await other.sees("Puesto 4: Clerk-1 necesita ayuda ya")
        await expect(other.page.locator('#notices [data-kind="stop"]')).to_be_visible()
        await other.press("Voy")
        await desk.sees("Acude Clerk-2, del puesto 5.")
        await desk.sees_no("Nadie ha contestado aún.")


async def test_who_receives_a_person_reads_where_they_come_from(desk: Desk, served: Console, browser: Browser) -> None:
    async with desk_in(browser, served) as other:
        await other.at_work("clerk-2", "5")
        await other.ready()
        await served.walk_in()
        await serving(desk, served)
        await desk.press("Derivar a…")
        await desk.page.select_option("#target", "staff_id:clerk-2")
        await desk.page.fill("#note", "<img src=x onerror=alert(1)> & «hoja 2»")
        await desk.page.click('.panel button:has-text("Derivar")')
        await desk.sees("B1 derivado a Clerk-2")
        await other.sees("Viene del puesto 4, Clerk-1")
        await other.sees("<img src=x onerror=alert(1)> & «hoja 2»")
        await other.page.keyboard.press("F8")
        await other.visit_is("B1")
        await other.sees("Nota de Clerk-1: <img src=x onerror=alert(1)> & «hoja 2»")


async def test_an_old_page_of_the_same_counter_is_told_how_things_stand(
    desk: Desk, served: Console, browser: Browser
) -> None:
    async with desk_in(browser, served, java_script_enabled=False) as other:
        await serving(desk, served)
        await other.sign_in()
        await other.visit_is("B1")
        await desk.sees("Abrirlo aquí")
        await desk.press("Abrirlo aquí")
        await desk.press("Aparcar")
        await desk.page.click('.panel button:has-text("Aparcar")')
        await desk.sees("B1 aparcado")
        await other.press("Finalizar")  # its page still shows the visit
        await other.sees("Abrirlo aquí")
        assert served.tickets("parked") == ["B1"]


async def test_a_note_that_is_too_long_is_refused_and_kept_to_be_shortened(desk: Desk, served: Console) -> None:
    await serving(desk, served)
    await desk.press("Derivar a…")
    await desk.page.select_option("#target", "service:registro")
    await desk.page.evaluate("document.querySelector('#note').removeAttribute('maxlength')")
    await desk.page.fill("#note", "n" * 10_000)
    await desk.page.click('.panel button:has-text("Derivar")')
    await desk.sees("La nota es demasiado larga: escriba 140 caracteres como mucho.")
    assert len(await desk.page.input_value("#note")) == 10_000
    assert served.tickets("serving") == ["B1"]
    await desk.page.fill("#note", "n" * 140)
    await desk.page.click('.panel button:has-text("Derivar")')
    await desk.sees("B1 derivado a Registro")


async def test_the_services_done_are_chosen_and_outlive_the_news(desk: Desk, served: Console) -> None:
    await serving(desk, served)
    await desk.press("Otro trámite")
    await desk.press("Certificados")
    await desk.sees("Trámites hechos")
    await desk.page.uncheck('input[value="padron"]', force=True)
    await served.walk_in("registro")
    await expect(desk.page.locator(".next-code .plate")).to_have_text("K1")
    await desk.press("Finalizar")
    await desk.no_visit()
    done = next(t.services for t in served.node.dispatcher.state.day.tickets.values() if t.label == "B1")
    assert done == ("certificados",)


PANELS = ("transfer", "park", "add", "more", "class", "needs", "support", "give", "call", "ticket", "skip")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_panel_passes_the_accessibility_engine_at_both_sizes(
    served: Console, browser: Browser, scheme: str
) -> None:
    async with desk_in(browser, served, color_scheme=scheme, reduced_motion="reduce") as desk:
        await desk.at_work("boss")
        await desk.ready()
        await serving(desk, served, "padron", "registro", "padron")
        waiting = {t.label: t.ticket_id for t in served.node.dispatcher.state.day.tickets.values()}
        found: dict[str, list[str]] = {}
        for panel in PANELS:
            about = f"&ticket={waiting['K1']}" if panel in ("call", "ticket", "skip") else ""
            await desk.page.goto(f"{served.url}/?panel={panel}{about}")
            await desk.ready()
            await expect(desk.page.locator(f"#panel-{panel}")).to_be_visible()
            found[panel] = await violations(desk.page)
            if panel != "give":
                tall = await desk.page.evaluate("document.querySelector('#visit').scrollHeight - innerHeight")
                assert tall <= 0, panel
            await desk.page.set_viewport_size({"width": 683, "height": 384})
            wide = await desk.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, panel
            found[f"{panel} at 200 %"] = await violations(desk.page)
            await desk.page.set_viewport_size({"width": 1366, "height": 768})
        await desk.page.goto(served.url)
        await desk.ready()
        await desk.page.keyboard.press("F8")
        await desk.sees("finalizado (resuelto). Llamado")
        found["toast"] = await violations(desk.page)
        assert {name: wrong for name, wrong in found.items() if wrong} == {}


async def test_a_route_is_planned_and_walked_by_keyboard(desk: Desk, served: Console) -> None:
    keys = desk.page.keyboard
    await serving(desk, served, "padron")
    await use(desk, '#visit-more [data-verb="more"]')
    await use(desk, '.panel [data-verb="plan_route"]')
    await tab_to(desk, "#step-1")
    await keys.type("Regis")
    await tab_to(desk, "#step-2")
    await keys.type("Certi")
    await use(desk, '.panel button:has-text("Guardar el recorrido")')
    await expect(desk.page.locator("#visit-sent .route")).to_contain_text(
        "Paso 1 de 3: Padrón → Registro → Certificados"
    )
    assert await violations(desk.page) == []
    await keys.press("F7")
    await desk.sees("B1 pasa al siguiente trámite: Registro")
    await expect(desk.page.locator("#next-card .route")).to_contain_text("Paso 2 de 3")
    await keys.press("F4")
    await desk.visit_is("B1")
    await expect(desk.page.locator("#visit-sent .route")).to_contain_text("Paso 1 de 3")
