"""The console in an office where other things happen: live news, other people, cuts and restarts; and how it looks."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from edge_node.uplink.link import LinkState
from sync.io.ids import new_id
from sync.messages.commands import Actor, ReportPrintFailed
from sync.messages.feed import Entity
from tests.browser.console_desk import Desk, desk_in
from tests.kit.axe import violations
from tests.kit.console_server import Console, office, today_at
from tests.kit.edge import feed
from tests.kit.edge_process import edge_process

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture
def office_rows() -> Sequence[Entity]:
    return office([today_at(20, display_name="Fátima M.", needs=("wheelchair",))])


async def test_what_happens_in_the_office_appears_by_itself(desk: Desk, served: Console) -> None:
    await served.walk_in()
    await expect(desk.page.locator(".next-code .plate")).to_have_text("B1")
    await feed(served.node, today_at(40, display_name="Said H.", locator="ACDEFK"))
    await desk.sees("S. H., Registro")
    await expect(desk.page.locator("body")).to_be_focused()


async def test_a_person_who_comes_is_shown_while_the_page_waits_to_look_at_the_link(
    desk: Desk, served: Console
) -> None:
    """The page's clock stands still but for what is let pass: one second, of the two that news of the link wait."""
    clock = desk.page.clock
    await clock.install()
    await clock.pause_at(datetime.now(UTC) + timedelta(seconds=1))
    served.node.live.tell("link", {})
    await asyncio.sleep(0.5)
    await served.walk_in()
    for _ in range(100):
        await clock.run_for(10)
        if await desk.page.locator(".next-code .plate").count():
            break
        await asyncio.sleep(0.05)
    await expect(desk.page.locator(".next-code .plate")).to_have_text("B1")


async def test_a_language_chosen_in_another_tab_comes_whole_and_with_what_was_said(desk: Desk, served: Console) -> None:
    html = desk.page.locator("html")
    other = await desk.page.context.new_page()
    await other.goto(f"{served.url}/?lang=en")
    await other.close()
    await served.walk_in()
    await expect(desk.page.locator(".next-code .plate")).to_have_text("B1")
    await expect(html).to_have_attribute("lang", "es")
    await expect(desk.page.locator("#visit-title")).to_have_text("Sin visita")
    await desk.press("Llamar siguiente")
    await expect(html).to_have_attribute("lang", "en")
    await desk.ready()
    await expect(desk.page.locator(".skip")).not_to_contain_text("Ir a")
    await expect(desk.page.locator("#toast")).to_contain_text("Called B1")


async def test_what_somebody_is_filling_in_is_left_alone(desk: Desk, served: Console) -> None:
    await served.walk_in()
    await desk.press("Atender sin turno")
    await desk.page.select_option("#service", "certificados")
    await desk.page.focus("#language")
    await served.walk_in("registro")
    await expect(desk.page.locator("#queue")).to_contain_text("K1")
    assert await desk.page.input_value("#service") == "certificados"
    assert await desk.focused() == "language"
    await desk.page.click('.panel button:has-text("Dar turno")')
    await desk.sees("Turno C1 dado")


async def test_a_chosen_outcome_outlives_the_news(desk: Desk, served: Console) -> None:
    await served.walk_in()
    await desk.sees("B1")
    await desk.press("Llamar siguiente")
    await desk.press("Ha venido")
    await desk.page.check('input[value="referred"]', force=True)
    await served.walk_in("registro")
    await expect(desk.page.locator(".next-code .plate")).to_have_text("K1")
    await desk.press("Finalizar")
    await desk.sees("B1 finalizado: derivado")


async def test_the_tabs_of_a_browser_share_one_stream(desk: Desk, served: Console) -> None:
    other = await desk.page.context.new_page()
    await other.goto(served.url)
    await expect(other.locator("html[data-ready]")).to_have_count(1)
    await served.walk_in()
    for page in (desk.page, other):
        await expect(page.locator(".next-code .plate")).to_have_text("B1")
    assert len(served.node.live._streams) == 1


async def test_without_shared_workers_the_page_follows_alone(served: Console, browser: Browser) -> None:
    async with desk_in(browser, served) as desk:
        await desk.page.add_init_script("delete window.SharedWorker")
        await desk.at_work()
        await served.walk_in()
        await expect(desk.page.locator(".next-code .plate")).to_have_text("B1")


async def test_without_the_merging_library_the_page_still_follows(served: Console, browser: Browser) -> None:
    async with desk_in(browser, served) as desk:
        await desk.page.route("**/vendor/**", lambda route: route.fulfill(status=200, body=""))
        await desk.at_work()
        await served.walk_in()
        await expect(desk.page.locator(".next-code .plate")).to_have_text("B1")
        await desk.press("Llamar siguiente")
        await desk.visit_is("B1")


async def test_a_refresh_restores_the_visit(desk: Desk, served: Console) -> None:
    await served.walk_in()
    await desk.press("Llamar siguiente")
    await desk.press("Ha venido")
    await desk.page.reload()
    await desk.visit_is("B1")
    await desk.sees("Finalizar")


async def test_a_restart_of_the_node_is_survived(tmp_path: Path, browser: Browser) -> None:
    with edge_process(tmp_path / "edge", rows=office()) as node:
        async with desk_in(browser, node.url) as desk:
            await desk.at_work()
            await desk.ready()
            await desk.press("Atender sin turno")
            await desk.page.click('.panel button:has-text("Dar turno")')
            await desk.press("Cerrar")
            await expect(desk.page.locator(".panel")).to_have_count(0)
            node.kill()
            await desk.page.keyboard.press("F8")
            await expect(desk.page.locator("#lost")).to_be_visible()
            node.start()
            await expect(desk.page.locator("#lost")).to_be_hidden()
            await desk.page.keyboard.press("F8")
            await desk.visit_is("B1")
            desk.broken.clear()  # the browser tells of every connection that it could not make


async def test_a_counter_is_taken_over_with_notice_to_both(desk: Desk, served: Console, browser: Browser) -> None:
    await served.walk_in()
    await desk.press("Llamar siguiente")
    await desk.visit_is("B1")
    async with desk_in(browser, served) as other:
        await other.sign_in("clerk-2")
        await other.page.click('.desks-list a:has-text("Puesto 4")')
        await other.sees("En uso: Clerk-1")
        await other.page.click('button:has-text("Ocuparlo yo")')
        await other.sees("Marque la casilla para ocupar el puesto.")
        assert len(served.node.dispatcher.state.day.sessions) == 1
        await other.page.check("#confirmed")
        await other.page.click('button:has-text("Ocuparlo yo")')
        await other.sees("Centro, puesto 4")
        await desk.sees("Clerk-2 abrió el puesto 4 en otro equipo")
        assert served.tickets("waiting") == ["B1"], "the visit goes back with its place"


async def test_supervision(desk: Desk, served: Console, browser: Browser) -> None:
    await served.walk_in()
    async with desk_in(browser, served) as boss:
        await boss.sign_in("boss")
        await boss.page.click('a:has-text("Supervisión")')
        await boss.sees("Puesto 4")
        await boss.page.click('[aria-label="Cerrar el puesto 4 de Clerk-1"]')
        await boss.press("Cerrar el puesto 4")
        await expect(boss.page.locator("#desk-4")).to_contain_text("Cerrado")
        await desk.sees("La supervisión ha cerrado su puesto 4.")
        await boss.press("Cerrar el día")
        await boss.sees("Queda 1 turno sin atender")
        await boss.page.keyboard.press("Escape")
        await expect(boss.page.locator(".panel")).to_have_count(0)
        assert served.facts("day.closed") == 0
        await boss.press("Cerrar el día")
        await boss.page.click('.panel button:has-text("Cerrar el día")')
        await boss.sees("Día cerrado")
        assert served.facts("day.closed") == 1
        assert served.tickets("abandoned") == ["B1"]
    await desk.page.click('.desks-list a:has-text("Puesto 1")')
    await desk.page.click('button:has-text("Abrir puesto")')
    await desk.sees("El día está cerrado.")


async def test_supervision_is_not_for_clerks(desk: Desk, served: Console) -> None:
    await expect(desk.page.locator('a:has-text("Supervisión")')).to_have_count(0)
    await desk.page.goto(f"{served.url}/supervise")
    await desk.sees("Solo la supervisión puede hacerlo.")


async def test_what_is_amiss_is_told(desk: Desk, served: Console) -> None:
    served.node.link_changed(LinkState(connected=False, pending_facts=7))
    await desk.sees("Sin conexión con central: 7 operaciones pendientes de enviar")
    ticket = await served.walk_in()
    failed = ReportPrintFailed(request_id=new_id(), ticket_id=ticket.ticket_id, reason="no_paper")
    await served.node.dispatcher.submit(failed, Actor(actor_id="system", device_id="kiosk-1"))
    await desk.sees("Turnos sin imprimir: B1.")
    await desk.press("Llamar siguiente")
    await desk.sees("El papel no se imprimió")
    await desk.sees("Ninguna pantalla ha mostrado la llamada. Llame de viva voz.")
    await desk.press("Repetir llamada")
    await desk.sees("para repetir la llamada.")
    served.node.link_changed(LinkState(connected=True))
    await expect(desk.page.locator("#link .desk-news")).to_have_count(0)


async def test_the_counter_of_this_pc_is_remembered(desk: Desk, served: Console) -> None:
    await desk.page.click('header button:has-text("Salir")')
    await desk.sign_in("clerk-2")
    await expect(desk.page.locator("#desk-title")).to_have_text("Puesto 4")


async def test_english_is_spoken_too(served: Console, browser: Browser) -> None:
    async with desk_in(browser, served, locale="en-GB") as desk:
        await desk.sign_in()
        await desk.sees("Desk 4")
        await desk.page.click('a:has-text("Español")')
        await desk.sees("Puesto 4")
        await desk.open()
        await desk.sees("Llamar siguiente")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_screen_fails_the_accessibility_engine(served: Console, browser: Browser, scheme: str) -> None:
    async with desk_in(browser, served, color_scheme=scheme, reduced_motion="reduce") as desk:
        found: dict[str, list[str]] = {}

        async def judge(name: str) -> None:
            await desk.page.wait_for_timeout(200)
            found[name] = await violations(desk.page)

        await desk.page.goto(served.url)
        await judge("sign in")
        await desk.sign_in("boss", "wrong")
        await judge("wrong")
        await desk.sign_in("boss")
        await desk.page.click('.desks-list a:has-text("Puesto 4")')
        await judge("counter")
        await desk.page.click('button:has-text("Abrir puesto")')
        await desk.ready()
        await judge("empty")
        served.node.link_changed(LinkState(connected=False, pending_facts=7))
        for service in ("padron", "registro", "certificados", "padron"):
            await served.walk_in(service)
        await desk.press("Confirmar llegada")
        await desk.sees("Para seguirlo en el móvil")
        await judge("given")
        await desk.press("Cerrar")
        await desk.press("Llamar siguiente")
        await desk.visit_is("B1")
        await judge("calling")
        await desk.press("Ha venido")
        await desk.sees("Finalizar")
        await judge("serving")
        for panel in ("Derivar a…", "Atender sin turno"):
            await desk.page.click(f'#visit a:has-text("{panel}")')
            await expect(desk.page.locator(".panel")).to_be_visible()
            await judge(panel)
        await desk.page.click("#call-chosen")
        await desk.sees("Queda registrado con su motivo.")
        await judge("call out of order")
        await desk.page.goto(f"{served.url}/supervise?ask=close_day")
        await judge("supervise")
        await desk.page.goto(f"{served.url}/no-such-page")
        await judge("problem")
        desk.broken.clear()  # the page that is not there
        assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("path", ["/", "/?panel=give", "/?panel=transfer", "/?panel=call", "/supervise"])
async def test_at_double_size_the_columns_stack_and_nothing_is_cut(
    served: Console, browser: Browser, path: str
) -> None:
    async with desk_in(browser, served, viewport={"width": 683, "height": 384}) as desk:
        await desk.at_work("boss")
        await served.walk_in()
        await served.walk_in("registro")
        await desk.press("Llamar siguiente")
        await desk.visit_is("B1")
        await desk.page.goto(served.url + path)
        wide = await desk.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0
        if path == "/":
            tops = await desk.page.evaluate(
                "['#visit', '#next-column', '#today-column'].map((s) => document.querySelector(s).getBoundingClientRect().top)"
            )
            assert tops == sorted(tops), "the visit comes first"
