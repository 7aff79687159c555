"""Visits of several steps as a browser without script plans and walks them."""

from __future__ import annotations

from tests.integration.edge.clerk import Clerk, session
from tests.kit.console_server import Console


def only(served: Console) -> str:
    (ticket,) = served.node.dispatcher.state.day.tickets
    return ticket


async def test_a_route_given_with_the_ticket_is_walked_to_its_end(served: Console, clerk: Clerk) -> None:
    assert 'name="steps"' in await clerk.page("/?panel=give")
    await clerk.act("take_ticket", service="padron", steps=["registro", "certificados"], here="/?panel=give")
    assert served.facts("ticket.route_planned") == 1
    page = await clerk.page()
    assert "Paso 1 de 3:" in page
    here = {"session": session(served)}
    mine = {**here, "ticket_id": only(served)}
    await clerk.act("call_next", **here)
    page = await clerk.act("start", **mine)
    assert "Paso 1 de 3:" in page
    page = await clerk.act("finish", **mine, outcome="resolved")
    assert "B1 pasa al siguiente trámite: Registro" in page
    assert served.tickets("waiting") == ["B1"]
    assert "Paso 2 de 3:" in page
    await clerk.act("call_next", **here, after=only(served))
    await clerk.act("start", **mine)
    page = await clerk.act("call_next", **here, after=only(served))
    assert "B1 pasa a Certificados. No espera nadie más" in page
    assert "Recorrido planificado" in await clerk.page(f"/day?ticket={only(served)}")


async def test_next_says_where_the_visit_before_went(served: Console, clerk: Clerk) -> None:
    await clerk.act("take_ticket", service="padron", steps="registro")
    first = only(served)
    await served.walk_in("padron")
    here = {"session": session(served)}
    await clerk.act("call_next", **here)
    await clerk.act("start", **here, ticket_id=first)
    page = await clerk.act("call_next", **here, after=first)
    assert "B1 pasa a Registro. Llamado B2" in page


async def test_a_checked_in_or_waiting_person_is_given_a_route_and_loses_it(served: Console, clerk: Clerk) -> None:
    waiting = await served.walk_in()
    assert 'data-panel="route"' in await clerk.page(f"/?panel=route&ticket={waiting.ticket_id}")
    page = await clerk.act("plan_route", ticket_id=waiting.ticket_id, steps=["registro"])
    assert "B1: recorrido guardado" in page
    assert "Paso 1 de 2:" in page
    page = await clerk.act("plan_route", ticket_id=waiting.ticket_id)
    assert "Paso 1 de" not in page


async def test_a_plan_that_goes_round_in_circles_is_refused(served: Console, clerk: Clerk) -> None:
    waiting = await served.walk_in()
    page = await clerk.act("plan_route", ticket_id=waiting.ticket_id, steps=["padron"])
    assert "Falta un dato o no vale." in page


async def test_a_detour_shows_no_step_until_it_is_over(served: Console, clerk: Clerk) -> None:
    await clerk.act("take_ticket", service="padron", steps=["registro"])
    here = {"session": session(served)}
    mine = {**here, "ticket_id": only(served)}
    await clerk.act("call_next", **here)
    assert "Paso 1 de 2:" in await clerk.act("start", **mine)
    page = await clerk.act("transfer", **mine, target="service:certificados")
    assert served.tickets("waiting") == ["B1"]
    assert "Paso" not in page
