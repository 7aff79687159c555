"""Leaving, taking over and supervising counters, telling all consoles something, sending people on: over HTTP and the live
stream.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import time
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_node.console.broadcasts import KEEP
from edge_node.uplink.link import LinkState
from sync.io.ids import new_id
from sync.messages import feed as f
from sync.messages.facts import TicketCard
from tests.integration.edge.clerk import Clerk, clerk_at
from tests.kit.clock import ManualClock
from tests.kit.console_server import Console, console, office
from tests.kit.edge import edge, feed

NOBODY = "01a202c9-0000-7000-8000-000000000000"


def city() -> list[f.Entity]:
    """Two other offices: one that is always open, one that never is."""
    week = tuple(f.OpeningHours(weekday=day, opens=time(4), closes=time(3, 59, 59)) for day in range(7))
    common: dict[str, Any] = {"address": "Calle 3", "time_zone": "Africa/Ceuta"}
    return [
        *(f.NodeKey(office=each, epoch=1, public_key=bytes(32)) for each in ("centro", "palmeras", "real")),
        f.Neighbour(id="palmeras", name="Palmeras", services=("padron", "registro"), hours=week, **common),
        f.Neighbour(id="real", name="Real", services=("padron",), hours=(), **common),
    ]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path / "edge", [*office(), *city()]) as served:
        served.node.desk.sign = Ed25519PrivateKey.generate().sign
        yield served


def session_at(served: Console, counter: str) -> str:
    return served.node.dispatcher.state.day.session_at[counter]


async def shown(clerk: Clerk, path: str = "/") -> str:
    return unescape((await clerk.http.get(path, follow_redirects=True)).text)


# ---------------------------------------------------------------------------------------------------- pausing and closing


@pytest.mark.parametrize("verb, panel", [("pause_counter", "pause"), ("close_counter", "close")])
async def test_the_last_counter_is_warned_with_names_and_numbers(
    served: Console, clerk: Clerk, verb: str, panel: str
) -> None:
    for service in ("padron", "padron", "registro"):
        await served.walk_in(service)
    assert "Nadie más atiende Padrón (esperan 2) y Registro (espera 1)" in await shown(clerk, f"/?panel={panel}")
    fields = {"session": session_at(served, "4"), "reason": "rest", "here": f"/?panel={panel}"}
    reply = await clerk.post(f"/act/{verb}", {**fields, "unless_last": "yes"})
    assert reply.headers["location"] == f"/?panel={panel}"
    assert "Nadie más atiende a quienes esperan." in await shown(clerk, reply.headers["location"])
    day = served.node.dispatcher.state.day
    assert "4" in day.session_at
    await clerk.post(f"/act/{verb}", fields)
    session = day.sessions.get(day.session_at.get("4", ""))
    assert session is None or session.is_paused


async def test_nobody_is_warned_while_another_counter_serves_them(served: Console, clerk: Clerk) -> None:
    await served.walk_in()
    async with clerk_at(served, "clerk-2", "5") as other:
        assert "Nadie más atiende" not in await shown(clerk, "/?panel=pause")
        await clerk.post(
            "/act/pause_counter", {"session": session_at(served, "4"), "reason": "rest", "unless_last": "yes"}
        )
        assert "En pausa" in await shown(clerk)
        assert "Nadie más atiende Padrón (espera 1)" in await shown(other, "/?panel=pause")
        assert "En pausa: Clerk-1" in await shown_to_who_chooses(served)


async def shown_to_who_chooses(served: Console) -> str:
    async with clerk_at(served, "clerk-3") as third:
        return await shown(third, "/counter")


async def test_who_waits_for_nobody_is_told_to_everybody(served: Console, clerk: Clerk) -> None:
    await served.walk_in("certificados")
    async with clerk_at(served, "clerk-2") as other:
        await other.post("/counter", {"counter": "5", "primary": "registro"})
        assert "Nadie atiende" not in await shown(other)
        await clerk.post("/act/pause_counter", {"session": session_at(served, "4"), "reason": "rest"})
        assert "Nadie atiende Certificados (espera 1)." in await shown(other)


async def test_a_pause_needs_a_reason(served: Console, clerk: Clerk) -> None:
    reply = await clerk.post("/act/pause_counter", {"session": session_at(served, "4"), "here": "/?panel=pause"})
    assert "motivo" in await shown(clerk, reply.headers["location"])


# ------------------------------------------------------------------------------------------------------------ taking over


async def test_a_second_sign_in_brings_the_counter_and_its_visit_along(served: Console, clerk: Clerk) -> None:
    await served.walk_in()
    await clerk.post("/act/call_next", {"session": session_at(served, "4")})
    async with clerk_at(served, "clerk-1") as swapped:
        page = await shown(swapped)
        assert "Puesto 4 abierto aquí" in page
        assert "Llamando" in page
        left = await shown(clerk)
        assert "El puesto 4 sigue en otro equipo" in left
        assert "Llamando" not in left
        refused = await clerk.post("/act/start", {"session": session_at(served, "4"), "ticket_id": NOBODY})
        assert refused.status_code == 303
        back = await clerk.post("/counter", {"counter": "4", "take_over": "yes", "confirmed": "yes"})
        assert back.headers["location"] == "/"
        assert "Llamando" in await shown(clerk)
        assert "El puesto 4 sigue en otro equipo" in await shown(swapped)


async def test_another_clerk_is_named_and_can_be_answered(served: Console, clerk: Clerk) -> None:
    async with clerk_at(served, "clerk-2") as other:
        await other.post("/counter", {"counter": "4", "take_over": "yes", "confirmed": "yes"})
        assert "Puesto 4 abierto aquí. El otro equipo recibe el aviso." in await shown(other)
        notice = await shown(clerk)
        assert "Clerk-2 abrió el puesto 4 en otro equipo a las" in notice
        assert "Abrirlo aquí" in notice


# ------------------------------------------------------------------------------------------------------------ supervision


async def test_the_effect_is_told_before_it_is_done_and_then_holds(served: Console) -> None:
    for _ in range(8):
        await served.walk_in("padron")
    async with clerk_at(served, "clerk-1") as one, clerk_at(served, "clerk-2") as two, clerk_at(served, "boss") as boss:
        await one.post("/counter", {"counter": "1", "primary": "padron"})
        await two.post("/counter", {"counter": "2", "primary": "registro"})
        asked = "/supervise?counter=2&serve=padron:primary&serve=registro:primary&serve=certificados:none"
        page = await shown(boss, asked)
        before, after = numbers(page, "Baja la espera de Padrón de ~")
        assert 60 <= before <= 100, "eight visits of ten minutes at one counter"
        assert 0.4 <= after / before <= 0.6, "at two counters it takes half the time"
        session = session_at(served, "2")
        fields = {"session": session, "primary": ["padron", "registro"], "here": asked}
        reply = await boss.post("/act/change_services", fields)
        assert reply.headers["location"] == "/supervise"
        assert served.node.dispatcher.state.day.sessions[session].primary == ("padron", "registro")
        page = await shown(boss, "/supervise?counter=2&ask=close")
        after_close, before_close = reversed(numbers(page, "Sube la espera de Padrón de ~"))
        assert abs(before_close - after) <= 4, "what was foretold is what there is"
        assert after_close > before_close


def numbers(page: str, sentence: str) -> tuple[int, int]:
    """The two minutes of a sentence."""
    rest = page.split(sentence)[1].split(" min", maxsplit=1)[0]
    before, after = rest.split(" a ~")
    return int(before), int(after)


async def test_a_clerk_changes_no_services(served: Console, clerk: Clerk) -> None:
    await clerk.post("/act/change_services", {"session": session_at(served, "4"), "primary": "certificados"})
    day = served.node.dispatcher.state.day
    assert day.sessions[day.session_at["4"]].primary == ("padron", "registro")


async def test_a_counter_needs_a_service_of_its_own(served: Console, clerk: Clerk) -> None:
    async with clerk_at(served, "boss") as boss:
        nothing = "&".join(f"serve={each}:none" for each in ("padron", "registro", "certificados"))
        page = await shown(boss, f"/supervise?counter=4&{nothing}")
        assert "Deje al menos un trámite" in page
        assert "Efecto previsto" not in page
        assert (await boss.http.get("/supervise?counter=99&ask=close&serve=%00")).status_code == 200


async def test_closing_a_counter_hands_its_tickets_on(served: Console, clerk: Clerk) -> None:
    tickets = [await served.walk_in() for _ in range(3)]
    async with clerk_at(served, "clerk-2", "5"), clerk_at(served, "boss") as boss:
        for each in tickets[:2]:
            await boss.post("/act/assign_ticket", {"ticket_id": each.ticket_id, "to_counter": "4"})
        page = await shown(boss, "/supervise?counter=4&ask=close")
        assert "2 turnos esperan solo por este puesto: B1 y B2." in page
        fields = {"counter": "4", "close": "yes", "to_counter": "5", "here": "/supervise?counter=4&ask=close"}
        await boss.post("/act/reassign", fields)
        day = served.node.dispatcher.state.day
        assert "4" not in day.session_at
        assert [day.tickets[each.ticket_id].counter for each in tickets] == ["5", "5", None]
        await boss.post("/act/assign_ticket", {"ticket_id": tickets[0].ticket_id})
        assert day.tickets[tickets[0].ticket_id].counter is None


async def test_a_call_for_support_is_answered_from_the_grid(served: Console, clerk: Clerk) -> None:
    await clerk.post("/act/ask_support", {"session": session_at(served, "4"), "urgency": "panic"})
    async with clerk_at(served, "boss", "1") as boss:
        assert "1 aviso" in await shown(boss)
        assert "Clerk-1, puesto 4, pide ayuda urgente." in await shown(boss, "/supervise")
        (call,) = served.node.dispatcher.state.day.support
        await boss.post("/act/answer_support", {"support_id": call, "here": "/supervise"})
        assert "Nada pendiente." in await shown(boss, "/supervise")


# -------------------------------------------------------------------------------------------------------------- broadcast


async def test_a_broadcast_reaches_every_stream_and_ends(served: Console, clerk: Clerk) -> None:
    async with clerk_at(served, "boss") as boss, clerk.http.stream("GET", "/api/v1/live") as stream:
        heard = stream.aiter_lines()
        await told(heard, "reset")
        started = asyncio.get_running_loop().time()
        await boss.post("/act/post_broadcast", {"text": "Cierre a las <11:00>", "minutes": "15", "here": "/supervise"})
        await told(heard, "broadcast")
        assert asyncio.get_running_loop().time() - started < 1
        page = (await clerk.http.get("/")).text
        assert "Cierre a las &lt;11:00&gt;" in page
        (each,) = served.node.broadcasts.standing()
        await boss.post("/act/end_broadcast", {"broadcast_id": each.id, "here": "/supervise"})
        await told(heard, "broadcast")
        assert "Cierre a las" not in await shown(clerk)
        assert "ya no está a la vista" not in await shown(boss, "/supervise")


async def told(lines: AsyncIterator[str], event: str) -> None:
    async with asyncio.timeout(5):
        async for line in lines:
            if line == f"event: {event}":
                return


@pytest.mark.parametrize("text", ["", "   ", "x" * 141, "x" * 10_000, "two\nlines"])
async def test_a_text_that_is_no_line_is_refused_with_a_sentence(served: Console, text: str) -> None:
    async with clerk_at(served, "boss") as boss:
        reply = await boss.post("/act/post_broadcast", {"text": text, "here": "/supervise"})
        assert "entre 1 y 140 caracteres" in await shown(boss, reply.headers["location"])
        assert served.node.broadcasts.standing() == ()


async def test_only_supervisors_tell_everybody_and_three_lines_are_enough(served: Console, clerk: Clerk) -> None:
    await clerk.post("/act/post_broadcast", {"text": "Hola", "minutes": "15"})
    assert served.node.broadcasts.standing() == ()
    async with clerk_at(served, "boss") as boss:
        same = new_id()
        for n in range(2):
            await boss.post("/act/post_broadcast", {"text": f"Aviso {n}", "minutes": "15", "request_id": same})
        assert [each.text for each in served.node.broadcasts.standing()] == ["Aviso 0"], "told once"
        await boss.post("/act/post_broadcast", {"text": "Un siglo", "minutes": "99999999999999999999"})
        for n in range(2):
            await boss.post("/act/post_broadcast", {"text": f"Otro {n}"})
        reply = await boss.post("/act/post_broadcast", {"text": "El cuarto", "here": "/supervise"})
        assert "Ya hay 3 avisos" in await shown(boss, reply.headers["location"])
        assert len(served.node.broadcasts.standing()) == 3


async def test_a_broadcast_ends_by_itself_outlives_a_restart_and_is_deleted(tmp_path: Path) -> None:
    clock = ManualClock()
    async with console(tmp_path / "edge", office(), clock=clock) as served, clerk_at(served, "boss") as boss:
        await boss.post("/act/post_broadcast", {"text": "Media hora", "minutes": "30"})
        await boss.post("/act/post_broadcast", {"text": "Todo el día"})
    async with edge(tmp_path / "edge", clock) as node:
        assert [each.text for each in node.broadcasts.standing()] == ["Media hora", "Todo el día"]
        clock.advance(minutes=31)
        assert [each.text for each in node.broadcasts.standing()] == ["Todo el día"]
    clock.advance(seconds=KEEP.total_seconds() + 86_400)
    async with edge(tmp_path / "edge", clock) as node:
        assert node.broadcasts.standing() == ()
        count = await node.writer.run(lambda c: c.execute("SELECT count(*) FROM broadcast").fetchone()[0])
        assert count == 0


# ------------------------------------------------------------------------------------------------------------- sending on


async def test_a_person_is_sent_with_a_note_on_paper_and_asked_for_again(served: Console, clerk: Clerk) -> None:
    await served.walk_in()
    session = session_at(served, "4")
    await clerk.post("/act/call_next", {"session": session})
    ticket = served.node.dispatcher.state.day.sessions[session].last_ticket_id
    assert ticket is not None
    assert "Abierta hasta las" in await shown(clerk, "/?panel=office")
    fields = {"session": session, "ticket_id": ticket, "to_office": "palmeras", "service": "registro", "slip": "yes"}
    reply = await clerk.post("/act/hand_over", {**fields, "travel_min": "15", "note": "Trae <b>copias</b>"})
    assert reply.headers["location"] == f"/?panel=sent&ticket={ticket}"
    panel = await shown(clerk, reply.headers["location"])
    assert "A Palmeras, Registro" in panel
    assert "De camino" in panel
    paper = (await clerk.http.get(f"/sent/{ticket}")).text
    assert "Trae &lt;b&gt;copias&lt;/b&gt;" in paper
    assert "Vaya a Palmeras" in unescape(paper)
    today = served.node.dispatcher.state.day.service_date
    assert today is not None
    taken = f.TicketTaken(id=ticket, tenure=2, service_date=today, office="palmeras")
    await feed(served.node, taken)
    panel = await shown(clerk, "/?panel=sent")
    assert "En la espera de allí" in panel
    assert "Pedir que vuelva" not in panel
    back = await clerk.post("/act/take_back", {"ticket_id": ticket, "here": "/?panel=sent"})
    assert back.headers["location"] == "/?panel=sent"
    assert served.node.dispatcher.state.day.tickets[ticket].wanted_back
    grant = f.TicketGrant(
        id=ticket,
        tenure=3,
        from_office="centro",
        service_date=today,
        released_at=served.node.dispatcher.state.now(),
        card=TicketCard(
            label="B1", service="padron", origin="walk_in", waited_ms=0, present_ms=0, follow_hash=bytes(32)
        ),
    )
    await feed(served.node, grant)
    held = served.node.dispatcher.state.day.tickets[ticket]
    assert (held.state, held.label, held.tenure) == ("waiting", "B1", 3)
    assert (await clerk.http.get(f"/sent/{ticket}")).status_code == 404


async def test_an_office_that_is_closed_or_cut_off_gets_an_appointment_offered(served: Console, clerk: Clerk) -> None:
    ticket = await served.walk_in()
    closed = (await clerk.http.get(f"/?panel=office&ticket={ticket.ticket_id}&office=real")).text
    assert "Real está cerrada ahora" in unescape(closed)
    assert 'href="/agenda/new?office=real&amp;service=padron"' in closed
    assert 'action="/act/hand_over"' not in closed
    served.node.link_changed(LinkState(connected=False))
    cut = (await clerk.http.get(f"/?panel=office&ticket={ticket.ticket_id}&office=palmeras")).text
    assert "Sin conexión: Palmeras" in unescape(cut)
    assert 'href="/agenda/new?office=palmeras&amp;service=padron"' in cut
    assert 'action="/act/hand_over"' in cut, "with the paper the place is kept all the same"


@pytest.mark.parametrize("note", ["x" * 141, "x" * 10_000])
async def test_a_note_that_is_too_long_is_refused_with_a_sentence(served: Console, clerk: Clerk, note: str) -> None:
    ticket = await served.walk_in()
    fields = {"session": session_at(served, "4"), "ticket_id": ticket.ticket_id, "to_office": "palmeras", "note": note}
    reply = await clerk.post("/act/hand_over", {**fields, "here": "/?panel=office"})
    assert "entre 1 y 140 caracteres" in await shown(clerk, reply.headers["location"])
    assert served.tickets("waiting") == ["B1"]


async def test_a_build_of_central_without_neighbours_still_names_the_offices(tmp_path: Path) -> None:
    keys = [f.NodeKey(office=each, epoch=1, public_key=bytes(32)) for each in ("centro", "palmeras")]
    async with console(tmp_path / "edge", [*office(), *keys]) as served, clerk_at(served, "clerk-1", "4") as clerk:
        ticket = await served.walk_in()
        page = await shown(clerk, f"/?panel=office&ticket={ticket.ticket_id}&office=palmeras")
        assert "A palmeras." in page
        assert "Padrón" in page


async def test_papers_are_not_for_strangers(served: Console) -> None:
    async with httpx.AsyncClient(base_url=served.url) as stranger:
        assert (await stranger.get(f"/sent/{NOBODY}")).headers["location"] == "/sign-in"
