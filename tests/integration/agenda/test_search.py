"""Finding an appointment and looking at its person: masked rows, one name at a time, written down before it is shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from central.booking.appointments import Booked, Person, Wish
from central.booking.documents import Document
from central.booking.service import make_booking
from sync.io.ids import new_id
from sync.messages import agenda as m
from sync.messages import codec
from tests.integration.agenda.conftest import TUESDAY_9H, Clerk, text_of
from tests.integration.exchange.client import NodeClient
from tests.kit.desk_and_central import DeskAndCentral
from tests.kit.edge_end import until

pytestmark = pytest.mark.postgres


async def locator(desk: DeskAndCentral, appointment_id: str) -> str:
    return str(await desk.pool.fetchval("SELECT locator FROM appointment WHERE appointment_id = $1", appointment_id))


async def looked(desk: DeskAndCentral) -> list[tuple[str, str, str]]:
    """Who looked at whom, as the journal has it."""
    rows = await desk.node.writer.run(
        lambda db: db.execute(
            "SELECT actor_id, body FROM fact WHERE type = 'appointment.revealed' ORDER BY seq"
        ).fetchall()
    )
    seen = [(actor, codec.decode(bytes(body), dict[str, str])) for actor, body in rows]
    return [(actor, body["appointment_id"], body["found_by"]) for actor, body in seen]


@pytest.fixture
async def two(desk: DeskAndCentral, clerk: Clerk) -> tuple[str, str]:
    one = await clerk.booked(email="fatima@example.org")
    return one, await _far(desk, clerk)


async def _far(desk: DeskAndCentral, clerk: Clerk) -> str:
    """An appointment beyond what the office knows by itself."""
    reply = await clerk.book(
        TUESDAY_9H + timedelta(days=15), full_name="Fatima Ali", document_kind="passport", document="XY99001A"
    )
    assert reply.status_code == 303
    return str(await desk.pool.fetchval("SELECT appointment_id FROM appointment WHERE full_name = 'Fatima Ali'"))


@pytest.mark.parametrize(
    "typed, found", [("fati", 2), ("FÁTIMA MOH", 1), ("678Z", 1), ("001a", 1), ("zzz", 0), ("99", 0), ("%%%", 0)]
)
async def test_a_search_shows_masked_rows(
    desk: DeskAndCentral, clerk: Clerk, two: tuple[str, str], typed: str, found: int
) -> None:
    reply = await clerk.post("/agenda/search", {"typed": typed})
    assert reply.text.count('<tr id="found-') == found
    for secret in ("Mohamed", "Ali", "fatima@example.org", await locator(desk, two[0])):
        assert secret not in reply.text
    assert await looked(desk) == []


async def test_a_locator_is_found_however_it_is_typed(desk: DeskAndCentral, clerk: Clerk, two: tuple[str, str]) -> None:
    code = await locator(desk, two[0])
    reply = await clerk.post("/agenda/search", {"typed": f"{code[:3].lower()}-{code[3:].lower()}"})
    assert f'<tr id="found-{two[0]}"' in reply.text


async def test_one_row_is_revealed_and_who_looked_is_kept_everywhere(
    desk: DeskAndCentral, clerk: Clerk, two: tuple[str, str]
) -> None:
    reply = await clerk.post("/agenda/reveal", {"open": two[1], "typed": "fati"})
    assert "Fatima Ali" in text_of(reply)
    assert "Mohamed" not in reply.text
    reply = await clerk.post("/agenda/reveal", {"open": two[0], "typed": "fati"})
    assert "Fátima Mohamed Haddu" in text_of(reply)
    assert "Fatima Ali" not in reply.text
    assert await looked(desk) == [("ana", two[1], "search"), ("ana", two[0], "search")]
    await until(lambda: desk.node.link is not None and desk.node.link.pending_facts == 0)
    assert await desk.pool.fetchval("SELECT count(*) FROM fact WHERE type = 'appointment.revealed'") == 2


async def test_the_open_appointment_is_revealed_with_its_contact(
    desk: DeskAndCentral, clerk: Clerk, two: tuple[str, str]
) -> None:
    assert "Mohamed" not in (await clerk.http.get(f"/agenda?open={two[0]}")).text
    page = text_of(await clerk.post("/agenda/reveal", {"open": two[0]}))
    assert "Fátima Mohamed Haddu" in page
    assert "fatima@example.org" in page
    assert "…678Z" in page
    assert await looked(desk) == [("ana", two[0], "agenda")]


async def test_without_a_journal_nobody_is_shown(desk: DeskAndCentral, clerk: Clerk, two: tuple[str, str]) -> None:
    """A name is shown behind the fact, and never without it."""
    desk.node.dispatcher.state.standing = desk.node.dispatcher.state.standing.fenced(9)
    page = await clerk.post("/agenda/reveal", {"open": two[0]})
    assert "Mohamed" not in page.text
    assert await looked(desk) == []


async def test_cut_off_the_office_shows_what_it_knows_and_writes_it_down(
    desk: DeskAndCentral, clerk: Clerk, two: tuple[str, str]
) -> None:
    await desk.cut()
    assert "Fátima M." in text_of(await clerk.post("/agenda/reveal", {"open": two[0], "typed": "fati"}))
    assert await looked(desk) == [("ana", two[0], "search")]


async def test_of_other_offices_only_a_locator_finds(desk: DeskAndCentral, clerk: Clerk) -> None:
    booking = make_booking(desk.central.central)
    wish = Wish(office_id="real", service_id="viaje", slot_start_at=TUESDAY_9H)
    booked = await booking.bookings.book(
        new_id(), wish, Person(full_name="Karim Real", document=Document("passport", "ZZ12345"))
    )
    assert isinstance(booked, Booked)
    assert "Ninguna cita" in text_of(await clerk.post("/agenda/search", {"typed": "karim"}))
    assert "Ninguna cita" in text_of(await clerk.post("/agenda/search", {"typed": "2345"}))
    found = await clerk.post("/agenda/search", {"typed": booked.locator})
    assert f'<tr id="found-{booked.appointment_id}"' in found.text
    assert "Real" in text_of(found)
    hidden = await clerk.http.get(f"/agenda?open={booked.appointment_id}")
    assert "No se encuentra esa cita" in text_of(hidden)
    shown = await clerk.http.get(f"/agenda?open={booked.appointment_id}&code={booked.locator}")
    assert "K. R." in text_of(shown)


async def test_central_believes_a_node_about_its_own_office_only(desk: DeskAndCentral) -> None:
    asked = m.SearchRequest(request_id=new_id(), office="centro", staff_id="ana", typed="fati")
    async with NodeClient(desk.central.url, "real") as stranger:
        await stranger.enrol(desk.pool)
        ahead_s = (desk.node.dispatcher.state.clock.now() - datetime.now(UTC)).total_seconds()
        body = codec.encode(asked)
        wrong = await stranger.post("agenda/search", body, token=stranger.token(body, ahead_s=ahead_s))
        assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_office")
        unsigned = await stranger.http.post("/sync/v1/agenda/search", content=body)
        assert unsigned.status_code == 401
