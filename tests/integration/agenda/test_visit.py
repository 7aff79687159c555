"""What a visit leads to: a follow-up appointment for the same person, and the proof that they were here."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync.io.ids import new_id
from tests.integration.agenda.conftest import TUESDAY_9H, Clerk, text_of
from tests.kit.desk_and_central import DeskAndCentral
from tests.kit.edge_end import until

pytestmark = pytest.mark.postgres
NOW = TUESDAY_9H - timedelta(days=1)
UNKNOWN = "01a202c9-0000-7000-8000-000000000000"


async def serve(desk: DeskAndCentral, clerk: Clerk, ticket_id: str, *, finish: bool = True) -> None:
    """Call somebody to counter 1, and serve them."""
    if not desk.node.dispatcher.state.day.sessions:
        await clerk.post("/counter", {"counter": "1", "request_id": new_id(), "primary": ["padron", "viaje"]})
    session = next(iter(desk.node.dispatcher.state.day.sessions.values()))
    mine = {"session": session.session, "ticket_id": ticket_id}
    await clerk.post(
        "/act/call_ticket", {**mine, "request_id": new_id(), "reason": "short", "after": session.last_call or ""}
    )
    await clerk.post("/act/start", {**mine, "request_id": new_id()})
    if finish:
        await clerk.post("/act/finish", {**mine, "request_id": new_id(), "outcome": "resolved"})


@pytest.fixture
async def visit(desk: DeskAndCentral, clerk: Clerk) -> str:
    """The ticket of a visit that came by appointment and is over."""
    appointment_id = await clerk.booked(NOW, language="ar", needs=["wheelchair"])
    await clerk.post("/agenda/check-in", {"open": appointment_id, "request_id": new_id()})
    ticket_id = desk.node.dispatcher.state.day.by_appointment[appointment_id]
    await serve(desk, clerk, ticket_id)
    await until(lambda: desk.node.link is not None and desk.node.link.pending_facts == 0)
    return ticket_id


async def walk_in(desk: DeskAndCentral, clerk: Clerk) -> str:
    ticket_id = new_id()
    await clerk.post("/act/take_ticket", {"request_id": ticket_id, "service": "viaje"})
    return ticket_id


async def test_the_same_person_gets_a_follow_up_without_typing_anything(
    desk: DeskAndCentral, clerk: Clerk, visit: str
) -> None:
    page = await clerk.sees("/")
    label = desk.node.dispatcher.state.day.tickets[visit].label
    assert f"Última visita, {label}: Cita de seguimiento Justificante" in page
    markup = (await clerk.http.get("/")).text
    assert f'href="/agenda/new?from={visit}"' in markup
    assert f'href="/attendance/{visit}"' in markup
    form = await clerk.http.get(f"/agenda/new?from={visit}")
    assert "La misma persona de la cita de las 9:00 (F. M.)" in text_of(form)
    assert '<option value="viaje" selected>' in form.text
    assert '<option value="ar" selected>' in form.text
    assert "Fátima" not in form.text
    reply = await clerk.book(ticket=visit, same_person="yes", full_name="", document="", language="ar")
    assert reply.status_code == 303, text_of(reply)
    first, second = await desk.pool.fetch("SELECT * FROM appointment ORDER BY booked_at")
    assert second["full_name"] == "Fátima Mohamed Haddu"
    assert (first["person_hash"], first["document_end"]) == (second["person_hash"], second["document_end"])
    again = await clerk.book(TUESDAY_9H + timedelta(hours=2), ticket=visit, same_person="yes")
    assert "ya tiene una cita para este trámite" in text_of(again)


async def test_cut_off_the_person_has_to_be_typed(desk: DeskAndCentral, clerk: Clerk, visit: str) -> None:
    await desk.lend()
    await desk.cut()
    asked = {"ticket": visit, "language": "ar"}
    refused = await clerk.book(same_person="yes", full_name="", document="", **asked)
    assert "Escriba el nombre y el documento." in text_of(refused)
    assert (await clerk.book(same_person="no", **asked)).status_code == 303


async def test_who_came_without_appointment_is_typed(desk: DeskAndCentral, clerk: Clerk) -> None:
    ticket_id = await walk_in(desk, clerk)
    form = await clerk.http.get(f"/agenda/new?from={ticket_id}")
    assert 'name="same_person"' not in form.text
    assert '<option value="viaje" selected>' in form.text
    # Whoever says "the same person" all the same is asked who that is.
    refused = await clerk.book(ticket=ticket_id, same_person="yes", full_name="", document="")
    assert "Escriba el nombre y los apellidos." in text_of(refused)


async def test_the_proof_says_when_and_where_and_no_more(desk: DeskAndCentral, clerk: Clerk, visit: str) -> None:
    reply = await clerk.http.get(f"/attendance/{visit}")
    page = text_of(reply)
    for words in (
        "Justificante de asistencia",
        "Fátima M. ha asistido",
        "Plaza 1",
        "lunes 23 de noviembre de 2026",
        "شهادة حضور",
    ):
        assert words in page
    assert "Fin de la atención" in page
    assert "678Z" not in page
    before = desk.node.dispatcher.state.tail.seq
    named = await clerk.post(f"/attendance/{visit}", {"name": "Fátima\nMohamed <b>", "language": "fr"})
    assert "Fátima Mohamed &lt;b&gt;" in named.text
    assert "Attestation de présence" in text_of(named)
    assert "Viaje" not in text_of(named)
    assert desk.node.dispatcher.state.tail.seq == before


async def test_while_somebody_is_served_the_proof_says_until_now(desk: DeskAndCentral, clerk: Clerk) -> None:
    ticket_id = await walk_in(desk, clerk)
    await serve(desk, clerk, ticket_id, finish=False)
    page = await clerk.sees(f"/attendance/{ticket_id}")
    assert "La persona que presenta este documento ha asistido" in page
    assert "Sigue en la oficina a las" in page


async def test_who_was_not_served_here_gets_no_proof(desk: DeskAndCentral, clerk: Clerk) -> None:
    waiting = await walk_in(desk, clerk)
    for ticket in (waiting, new_id(), "nonsense"):
        reply = await clerk.http.get(f"/attendance/{ticket}")
        assert (reply.status_code, "no se puede dar un justificante" in text_of(reply)) == (404, True)


@pytest.mark.parametrize(
    "path", ["/agenda", "/agenda/new", "/agenda/move", f"/agenda/slip/{UNKNOWN}", f"/attendance/{UNKNOWN}"]
)
async def test_strangers_see_nothing(desk: DeskAndCentral, clerk: Clerk, path: str) -> None:
    clerk.http.cookies.delete("vt_edge_centro")
    assert (await clerk.http.get(path)).headers["location"] == "/sign-in"
    if path in ("/agenda/new", "/agenda/move"):
        assert (await clerk.post(path, {})).headers["location"] == "/sign-in"


@pytest.mark.parametrize(
    "path",
    [
        "/agenda?day=9999-99-99&open=x&code=%00&service=%3Cb%3E",
        "/agenda?day=0001-01-01",
        "/agenda?open=01a202c9-0000-7000-8000-000000000000",
        "/agenda/new?at=never&day=2026-02-31&office=..&from=1",
        "/agenda/move?open=01a202c9-0000-7000-8000-000000000000",
        "/agenda/move",
        "/agenda/slip/nonsense",
    ],
)
async def test_addresses_that_make_no_sense_break_nothing(desk: DeskAndCentral, clerk: Clerk, path: str) -> None:
    assert (await clerk.http.get(path)).status_code in (200, 303, 404, 409)


async def test_the_paper_of_this_pc_is_remembered(desk: DeskAndCentral, clerk: Clerk, visit: str) -> None:
    sheet = await clerk.http.get(f"/attendance/{visit}")
    assert "paper-roll" not in sheet.text
    assert "En papel de tique (72 mm)" in text_of(sheet)
    roll = await clerk.http.get(f"/attendance/{visit}?paper=roll")
    assert "paper-roll" in roll.text
    appointment_id = await clerk.booked(TUESDAY_9H, document="00000000T")
    for path in (f"/attendance/{visit}", f"/agenda/slip/{appointment_id}", f"/agenda/slip/{appointment_id}?paper=x"):
        assert "paper-roll" in (await clerk.http.get(path)).text
    assert "paper-roll" in (await clerk.post(f"/attendance/{visit}", {"name": "Fátima", "language": "fr"})).text
    assert "paper-roll" not in (await clerk.http.get(f"/agenda/slip/{appointment_id}?paper=sheet")).text
