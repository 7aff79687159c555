"""The small window over plain HTTP: what it shows, where its forms lead, and who is told to go to the large one."""

from __future__ import annotations

from edge_node.console.widget_size import OPENS
from tests.integration.edge.clerk import Clerk, clerk_at, session
from tests.kit.console_server import Console


async def test_a_visit_from_call_to_end_without_leaving_the_window(served: Console, clerk: Clerk) -> None:
    first = await served.walk_in()
    await served.walk_in("registro")
    page = await clerk.page("/widget")
    assert "Siguiente: B1, " in page
    assert "En espera: 2" in page
    here = {"session": session(served), "here": "/widget"}
    page = await clerk.act("call_next", **here)
    assert 'class="console widget"' in page
    assert "Llamado B1" in page
    for shown in ('data-verb="start"', 'data-verb="recall"', 'data-verb="no_show"'):
        assert shown in page
    mine = {**here, "ticket_id": first.ticket_id}
    page = await clerk.act("start", **mine)
    assert 'data-verb="finish"' in page
    assert 'data-verb="call_next"' in page
    page = await clerk.act("finish", **mine)
    assert "B1 finalizado" in page
    assert "Sin visita" in page
    assert served.tickets("finished") == ["B1"]


async def test_what_is_refused_is_said_there(served: Console, clerk: Clerk) -> None:
    waiting = await served.walk_in()
    page = await clerk.act("finish", session=session(served), ticket_id=waiting.ticket_id, here="/widget")
    assert 'class="console widget"' in page
    assert "Ese turno ya no está así" in page


async def test_a_counter_on_pause_goes_on_from_there(served: Console, clerk: Clerk) -> None:
    await clerk.act("pause_counter", session=session(served), reason="rest")
    page = await clerk.page("/widget")
    assert 'data-verb="resume_counter"' in page
    assert 'data-verb="call_next"' not in page


async def test_who_is_not_at_work_is_led_to_the_large_one(served: Console) -> None:
    async with clerk_at(served) as nobody:
        assert "Entre en la consola completa" in await nobody.page("/widget")
    async with clerk_at(served, "clerk-2") as idle:
        page = await idle.page("/widget")
        assert "Abra un puesto en la consola completa" in page
        assert "Look again" in await idle.page("/widget?lang=en")


async def test_a_locked_window_says_so_and_whose_it_is(clerk: Clerk) -> None:
    await clerk.post("/lock", {})
    page = await clerk.page("/widget")
    assert "Pantalla bloqueada" in page
    assert "Clerk-1 sigue en el puesto 4. Las llamadas y la visita continúan." in page
    assert "Desbloquéela en la consola completa y vuelva a mirar." in page
    assert "Entre en la consola completa" not in page
    assert "Clerk-1 is still at desk 4." in await clerk.page("/widget?lang=en")
    assert 'action="/unlock"' in await clerk.page("/sign-in"), "where the button leads in the end"


async def test_who_locked_without_a_counter_is_named_all_the_same(served: Console) -> None:
    async with clerk_at(served, "clerk-2") as idle:
        await idle.post("/lock", {})
        assert "La sesión de Clerk-2 sigue abierta." in await idle.page("/widget")


async def test_what_is_pressed_in_a_locked_window_is_not_done_and_it_says_so(served: Console, clerk: Clerk) -> None:
    await served.walk_in()
    here = {"session": session(served), "here": "/widget"}
    await clerk.post("/lock", {})
    reply = await clerk.post("/act/call_next", here)
    assert reply.headers["location"] == "/widget?unsent=1"
    page = await clerk.page("/widget?unsent=1")
    assert "Lo último que pulsó no se ha hecho." in page
    assert "Pantalla bloqueada" in page
    reply = await clerk.post("/act/call_next", here, headers={"hx-request": "true"})
    assert reply.headers["hx-redirect"] == "/widget?unsent=1"
    assert served.tickets("called") == []


async def test_the_window_is_offered_in_the_help_of_every_page(clerk: Clerk) -> None:
    page = await clerk.page()
    assert 'href="/widget"' in page
    assert f'data-popup="width={OPENS.width},height={OPENS.height}"' in page
