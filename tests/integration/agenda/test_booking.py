"""Staff book, move and cancel through central: once, whoever presses twice; the second on a last seat gets other times."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from sync.io.ids import new_id
from tests.integration.agenda.conftest import TUESDAY_9H, Clerk, signed_in, slip_of, text_of
from tests.kit.desk_and_central import DeskAndCentral
from tests.kit.edge_end import until

pytestmark = pytest.mark.postgres

ALL = "SELECT * FROM appointment ORDER BY booked_at"


async def appointments(desk: DeskAndCentral) -> list[Any]:
    return list(await desk.pool.fetch(ALL))


async def acts(desk: DeskAndCentral) -> list[tuple[str, str]]:
    return [(row["actor"], row["act"]) for row in await desk.pool.fetch("SELECT * FROM audit ORDER BY at, act")]


async def test_a_booking_stands_at_central_and_is_told_to_the_person(desk: DeskAndCentral, clerk: Clerk) -> None:
    reply = await clerk.book(email="fatima@example.org", phone="600 000 000", language="ar", needs=["wheelchair"])
    assert reply.status_code == 303
    (row,) = await appointments(desk)
    assert (row["full_name"], row["channel"], row["status"]) == ("Fátima Mohamed Haddu", "staff", "booked")
    assert (row["slot_start_at"], row["language"], row["needs"]) == (TUESDAY_9H, "ar", ["wheelchair"])
    mail = await desk.pool.fetchrow("SELECT kind, recipient FROM mail")
    assert (mail["kind"], mail["recipient"]) == ("confirmed", "fatima@example.org")
    assert await acts(desk) == [("centro/ana", "appointment.booked")]
    slip = await clerk.http.get(reply.headers["location"])
    assert f"{row['locator'][:3]}-{row['locator'][3:]}" in slip.text
    assert '<svg class="qr"' in slip.text
    assert 'lang="ar" dir="rtl"' in slip.text
    assert "Fátima" not in slip.text
    await desk.knows(str(row["appointment_id"]))
    assert "F. M." in await clerk.sees(f"/agenda?day={TUESDAY_9H.date()}")


async def test_pressed_twice_it_is_booked_once(desk: DeskAndCentral, clerk: Clerk) -> None:
    request_id = new_id()
    one, other = await asyncio.gather(clerk.book(request_id=request_id), clerk.book(request_id=request_id))
    again = await clerk.book(request_id=request_id)
    assert one.status_code == other.status_code == again.status_code == 303
    assert slip_of(one) == slip_of(other) == slip_of(again)
    assert len(await appointments(desk)) == 1
    assert await acts(desk) == [("centro/ana", "appointment.booked")]


@pytest.mark.parametrize("desk", [1], indirect=True)
async def test_of_two_clerks_on_the_last_seat_one_gets_other_times_and_keeps_the_form(desk: DeskAndCentral) -> None:
    async with signed_in(desk) as ana, signed_in(desk) as eva:
        replies = await asyncio.gather(
            ana.book(full_name="Una Persona", document="12345678Z"),
            eva.book(full_name="Otra Persona", document="00000000T"),
        )
    assert sorted(reply.status_code for reply in replies) == [303, 409]
    (row,) = await appointments(desk)
    lost = next(reply for reply in replies if reply.status_code == 409)
    name = {"Una Persona", "Otra Persona"} - {row["full_name"]}
    assert f'value="{name.pop()}"' in lost.text
    assert "Otra persona acaba de reservar esa hora" in text_of(lost)
    nearest = (TUESDAY_9H + timedelta(minutes=10)).isoformat()
    assert "Horas libres más cercanas" in text_of(lost)
    assert f'name="at" value="{nearest}"' in lost.text


async def test_it_is_moved_and_cancelled_and_the_seats_follow(desk: DeskAndCentral, clerk: Clerk) -> None:
    appointment_id = await clerk.booked()
    form = await clerk.http.get(f"/agenda/move?open={appointment_id}&day={TUESDAY_9H.date()}")
    assert "martes 24 de noviembre, 9:00" in text_of(form)
    later = TUESDAY_9H + timedelta(hours=1)
    fields = {"open": appointment_id, "office": "centro", "at": later.isoformat(), "do": "move"}
    moved = [
        await clerk.post("/agenda/move", {**fields, "request_id": "01a202c9-0000-7000-8000-000000000001"}) for _ in "ab"
    ]
    assert [reply.headers["location"] for reply in moved] == [f"/agenda/slip/{appointment_id}"] * 2
    (row,) = await appointments(desk)
    assert (row["slot_start_at"], row["version"]) == (later, 2)
    seats = "SELECT start_at FROM seat JOIN slot USING (slot_id) WHERE state = 'booked'"
    assert [one["start_at"] for one in await desk.pool.fetch(seats)] == [later]

    ask = await clerk.sees(f"/agenda?open={appointment_id}&ask=cancel")
    assert "¿Anular esta cita?" in ask
    reply = await clerk.post("/agenda/cancel", {"open": appointment_id})
    assert (reply.status_code, reply.headers["location"]) == (303, "/agenda")
    assert "Cita anulada." in await clerk.sees("/agenda")
    (row,) = await appointments(desk)
    assert row["status"] == "cancelled"
    assert await desk.pool.fetch(seats) == []
    assert [act for _, act in await acts(desk)] == ["appointment.booked", "appointment.moved", "appointment.cancelled"]


async def test_another_office_is_booked_and_its_slip_is_found_by_its_locator(
    desk: DeskAndCentral, clerk: Clerk
) -> None:
    assert 'value="real"' in (await clerk.http.get("/agenda/new?office=real&service=viaje")).text
    reply = await clerk.book(office="real")
    (row,) = await appointments(desk)
    assert row["office_id"] == "real"
    assert reply.headers["location"] == f"/agenda/slip/{row['appointment_id']}?code={row['locator']}"
    assert "Avenida 2" in await clerk.sees(reply.headers["location"])
    without = await clerk.http.get(f"/agenda/slip/{row['appointment_id']}")
    assert without.status_code == 404
    cancelled = await clerk.post("/agenda/cancel", {"open": str(row["appointment_id"])})
    assert (cancelled.status_code, "No se encuentra esa cita" in text_of(cancelled)) == (409, True)


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"at": ""}, "Elija una hora."),
        ({"at": "mañana"}, "Elija una hora."),
        ({"full_name": "  "}, "Escriba el nombre y los apellidos."),
        ({"full_name": "x" * 121}, "Escriba el nombre y los apellidos."),
        ({"document": "12345678A"}, "La letra no corresponde al número."),
        ({"document": "1"}, "El documento no tiene la forma de su tipo."),
        ({"document_kind": "nie", "document": "12345678Z"}, "El documento no tiene la forma de su tipo."),
        ({"email": "nadie"}, "El correo no parece completo."),
        ({"phone": "llámame"}, "Escriba el teléfono con cifras"),
        ({"service": "nada"}, "Esa oficina no da cita para este trámite."),
        ({"office": "luna"}, "Esa oficina no da cita para este trámite."),
        ({"at": "2026-11-23T03:00:00+00:00"}, "Esa hora está demasiado cerca o ya ha pasado."),
        ({"at": "2027-11-23T09:00:00+00:00"}, "Todavía no se dan citas para ese día."),
        ({"at": "2026-11-24T08:03:00+00:00"}, "Otra persona acaba de reservar esa hora."),
    ],
)
async def test_bad_input_gets_one_clear_sentence_and_books_nothing(
    desk: DeskAndCentral, clerk: Clerk, changes: dict[str, Any], sentence: str
) -> None:
    reply = await clerk.book(**changes)
    assert reply.status_code in (409, 422)
    assert sentence in text_of(reply)
    assert await appointments(desk) == []


async def test_somebody_with_an_appointment_gets_no_second_one(desk: DeskAndCentral, clerk: Clerk) -> None:
    await clerk.booked()
    reply = await clerk.book(TUESDAY_9H + timedelta(hours=1))
    assert "Esta persona ya tiene una cita para este trámite." in text_of(reply)
    assert len(await appointments(desk)) == 1


async def test_markup_in_a_name_stays_text(desk: DeskAndCentral, clerk: Clerk) -> None:
    reply = await clerk.book(full_name="<b>Ana</b> <script>x</script>", at="")
    assert "<script>x" not in reply.text
    assert "&lt;b&gt;Ana&lt;/b&gt;" in reply.text
    assert await appointments(desk) == []


async def test_who_comes_is_checked_in_from_the_agenda(desk: DeskAndCentral, clerk: Clerk) -> None:
    appointment_id = await clerk.booked(TUESDAY_9H - timedelta(days=1))
    reply = await clerk.post("/agenda/check-in", {"open": appointment_id, "request_id": new_id()})
    assert reply.headers["location"] == "/agenda"
    page = await clerk.sees("/agenda")
    assert "1 cita: llegadas 1, por llegar 0, con retraso 0" in page
    await until(lambda: desk.node.link is not None and desk.node.link.pending_facts == 0)
    (row,) = await appointments(desk)
    assert row["status"] == "attended"
