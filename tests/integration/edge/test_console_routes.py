"""Visits of several steps as a browser without script plans and walks them."""

from __future__ import annotations

from sync.io.ids import new_id
from sync.messages.commands import Accept, Actor
from sync.messages.facts import TicketCard
from tests.integration.edge.clerk import Clerk, seen, session
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
    assert "Deshacer: pasar B1 al siguiente trámite" in page
    assert "sigue su recorrido, mantiene su hora: cuenta desde" in page
    await clerk.act("call_next", **here, after=seen(served))
    await clerk.act("start", **mine)
    page = await clerk.act("call_next", **here, after=seen(served))
    assert "B1 pasa a Certificados. No espera nadie más" in page
    page = await clerk.page(f"/day?ticket={only(served)}")
    assert "Recorrido planificado" in page
    assert "Paso terminado (resuelto). Sigue con Registro" in page
    assert "Derivado" not in page


async def test_next_says_where_the_visit_before_went(served: Console, clerk: Clerk) -> None:
    await clerk.act("take_ticket", service="padron", steps="registro")
    first = only(served)
    await served.walk_in("padron")
    here = {"session": session(served)}
    await clerk.act("call_next", **here)
    await clerk.act("start", **here, ticket_id=first)
    page = await clerk.act("call_next", **here, after=seen(served))
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
    assert "Después:" in page
    await clerk.act("call_next", **here, after=seen(served))
    page = await clerk.act("start", **mine)
    assert "Después:" in page
    page = await clerk.act("finish", **mine, outcome="resolved")
    assert "B1 pasa al siguiente trámite: Padrón" in page
    assert "Paso 1 de 2:" in page


async def test_the_last_step_is_shown_on_a_detour_before_it(served: Console, clerk: Clerk) -> None:
    await clerk.act("take_ticket", service="padron", steps=["registro"])
    here = {"session": session(served)}
    mine = {**here, "ticket_id": only(served)}
    await clerk.act("call_next", **here)
    await clerk.act("start", **mine)
    await clerk.act("transfer", **mine, target="service:registro")
    await clerk.act("call_next", **here, after=seen(served))
    await clerk.act("start", **mine)
    page = await clerk.act("transfer", **mine, target="service:certificados")
    assert "Después:" in page


async def test_a_step_that_is_not_offered_here_is_told_and_kept(served: Console, clerk: Clerk) -> None:
    card = TicketCard(
        label="R7", service="padron", origin="walk_in", waited_ms=0, present_ms=0, follow_hash=bytes(32),
        to_do=("padron", "extranjeria", "registro"), steps_done=1,
    )  # fmt: skip
    accept = Accept(
        request_id=new_id(), ticket_id=(id_ := new_id()), tenure=2, from_office="real", via="slip", card=card,
        transit_ms=0, is_here=True,
    )  # fmt: skip
    await served.node.dispatcher.submit(accept, Actor(actor_id="citizen", device_id="kiosk-1"))
    page = await clerk.page()
    assert "Paso 2 de 4:" in page
    assert "En esta oficina no se hace: extranjeria. Diga a la persona dónde ir." in page
    page = await clerk.page(f"/?panel=route&ticket={id_}")
    assert "extranjeria (no se hace en esta oficina)" in page
    page = await clerk.act("plan_route", ticket_id=id_, steps=["extranjeria", "certificados"])
    assert "Paso 2 de 4:" in page
    here = {"session": session(served)}
    mine = {**here, "ticket_id": id_}
    await clerk.act("call_next", **here)
    await clerk.act("start", **mine)
    page = await clerk.act("finish", **mine, outcome="resolved")
    assert "pasa al siguiente trámite: Certificados" in page
