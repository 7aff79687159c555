"""The line to central is cut or silent: one clear sentence within three seconds, lent seats and not one more, never two bookings."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from sync.io.ids import new_id
from tests.integration.agenda.conftest import TUESDAY_9H, Clerk, slip_of, text_of
from tests.kit.desk_and_central import DeskAndCentral
from tests.kit.edge_end import until

pytestmark = pytest.mark.postgres
PATIENCE_S = 3.5
"""Three seconds, and what a test machine takes."""


async def told(work: Any) -> str:
    """The words of an answer that came in time."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    reply = await work
    assert loop.time() - began_s < PATIENCE_S
    return text_of(reply)


async def count(desk: DeskAndCentral) -> int:
    return int(await desk.pool.fetchval("SELECT count(*) FROM appointment"))


async def test_cut_off_without_lent_seats_nothing_is_booked_moved_or_cancelled(
    desk: DeskAndCentral, clerk: Clerk
) -> None:
    appointment_id = await clerk.booked()
    await desk.cut()
    assert "sin huecos cedidos a esta oficina" in await told(clerk.http.get("/agenda/new?service=viaje"))
    refused = await told(clerk.book(TUESDAY_9H + timedelta(hours=1), document="00000000T"))
    assert "No queda ningún hueco cedido" in refused
    assert "sin huecos cedidos a esta oficina" in refused
    assert "no se ha hecho nada" in await told(clerk.post("/agenda/cancel", {"open": appointment_id}))
    assert "ahora no se puede cambiar la cita" in await told(clerk.http.get(f"/agenda/move?open={appointment_id}"))
    assert "F. M." in await told(clerk.http.get(f"/agenda?day={TUESDAY_9H.date()}"))
    assert await count(desk) == 1


async def test_a_silent_central_is_given_up_within_three_seconds_and_the_form_is_kept(
    desk: DeskAndCentral, clerk: Clerk
) -> None:
    await desk.relay.cut(silent=True)
    page = await told(clerk.book())
    assert "no se sabe si lo ha hecho" in page
    assert 'value="Fátima Mohamed Haddu"' in (await clerk.book(at="")).text
    assert await count(desk) == 0


async def test_an_answer_that_was_lost_is_got_by_sending_the_form_again(desk: DeskAndCentral, clerk: Clerk) -> None:
    await desk.relay.become("deaf")
    request_id = new_id()
    assert "no se sabe si lo ha hecho" in await told(clerk.book(request_id=request_id))
    await until(lambda: desk.node.link is not None and not desk.node.link.connected)
    assert await count(desk) == 1
    await desk.relay.heal()
    await desk.connected()
    again = await clerk.book(request_id=request_id, tried="yes")
    assert again.status_code == 303
    assert str(await desk.pool.fetchval("SELECT appointment_id FROM appointment")) == slip_of(again)
    assert await count(desk) == 1


async def test_a_move_whose_answer_was_lost_is_made_once(desk: DeskAndCentral, clerk: Clerk) -> None:
    appointment_id = await clerk.booked()
    fields = {"request_id": new_id(), "open": appointment_id, "office": "centro", "do": "move"}
    later = {**fields, "at": (TUESDAY_9H + timedelta(hours=1)).isoformat()}
    await desk.relay.become("deaf")
    silent = await clerk.post("/agenda/move", later)
    assert "no se sabe si lo ha hecho" in text_of(silent)
    assert f'name="request_id" value="{fields["request_id"]}"' in silent.text
    await desk.relay.heal()
    await desk.connected()
    other = await clerk.post("/agenda/move", {**fields, "at": (TUESDAY_9H + timedelta(hours=2)).isoformat()})
    assert "ya se reservó otra hora" in text_of(other)
    assert (await clerk.post("/agenda/move", later)).status_code == 303
    assert await desk.pool.fetchval("SELECT version FROM appointment") == 2


async def test_cut_off_it_is_sold_from_what_was_lent_and_central_gets_it_later(
    desk: DeskAndCentral, clerk: Clerk
) -> None:
    await desk.lend()
    await desk.cut()
    form = await told(clerk.http.get("/agenda/new?service=viaje"))
    assert "30 horas cedidas a esta oficina" in form
    assert "queda pendiente de central" in form
    request_id = new_id()
    sold = [await clerk.book(request_id=request_id, email="f@example.org") for _ in "ab"]
    assert [slip_of(reply) for reply in sold] == [request_id] * 2
    slip = await clerk.sees(sold[0].headers["location"])
    assert "pendiente de central" in slip
    assert "Pendiente de central" in await clerk.sees(f"/agenda?day={TUESDAY_9H.date()}")
    # The seat is gone: the next one gets another sentence, and no seat that was not lent.
    assert "No queda ningún hueco cedido" in text_of(await clerk.book(document="00000000T"))
    assert await count(desk) == 0

    await desk.relay.heal()
    await until(lambda: not desk.node.dispatcher.state.buyers, 20)  # central has its person
    row = await desk.pool.fetchrow("SELECT * FROM appointment")
    assert (str(row["appointment_id"]), row["full_name"], row["channel"]) == (
        request_id,
        "Fátima Mohamed Haddu",
        "lease",
    )
    assert await desk.pool.fetchval("SELECT count(*) FROM mail") == 1


async def test_a_lent_seat_is_sold_after_silence_only_to_who_says_so(desk: DeskAndCentral, clerk: Clerk) -> None:
    """Central may have booked it: then there would be two, which a person must want and somebody will be told of."""
    await desk.lend()
    await desk.relay.cut(silent=True)
    request_id = new_id()
    first = await clerk.book(request_id=request_id)
    assert 'name="tried" value="yes"' in first.text
    assert "30 horas cedidas a esta oficina" in text_of(first)
    again = await clerk.book(request_id=request_id, tried="yes")
    assert (again.status_code, "Marque la casilla" in text_of(again)) == (422, True)
    assert (await clerk.book(request_id=request_id, tried="yes", anyway="yes")).status_code == 303


async def test_cut_off_the_search_says_what_it_can_do(desk: DeskAndCentral, clerk: Clerk) -> None:
    await clerk.booked()
    await desk.cut()
    page = text_of(await clerk.post("/agenda/search", {"typed": "fátima"}))
    assert "solo se ha buscado por localizador y nombre" in page
    assert "1 cita encontrada" in page


async def test_a_restored_central_says_that_it_waits(desk: DeskAndCentral, clerk: Clerk) -> None:
    await desk.pool.execute("UPDATE central_life SET awaited = '{real}'")
    assert "Central se está recuperando" in await clerk.sees("/agenda/new?service=viaje")
    assert "Central se está recuperando" in text_of(await clerk.book())
    assert await count(desk) == 0
