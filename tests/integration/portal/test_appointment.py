"""The pages behind a secret link, and finding an appointment without it."""

from __future__ import annotations

import asyncio

from icalendar import Calendar

from tests.integration.portal.citizen import Citizen, Document
from tests.integration.portal.conftest import Bed
from tests.integration.portal.test_wizard import DNI, to_check


async def booked(citizen: Citizen) -> str:
    """Book the first time. Returns the path of the secret link."""
    await to_check(citizen)
    await citizen.send("/reserva/compruebe")
    assert citizen.path.startswith("/cita/")
    return citizen.path


async def test_cancelling_takes_one_question_and_one_button(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        path = await booked(citizen)
        page = await citizen.open(f"{path}/anular")
        assert "¿Quiere anular la cita?" in page.words
        assert await portal.count("appointment", "status = 'booked'") == 1, "looking cancels nothing"
        assert "Mohamed" not in page.words
        page = await citizen.send("/anular")
        assert "Cita anulada. Ha dejado hueco a otra persona." in page.words
        assert await portal.count("seat", "state <> 'free'") == 0
        again = await citizen.client.get(f"{path}/anular")
        assert again.url.path == path
        assert await portal.count("mail", "kind = 'cancelled'") == 1


async def test_cancelling_twice_at_once_is_one_cancellation(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        path = await booked(citizen)
        await citizen.open(f"{path}/anular")
        form = citizen.page.form("/anular")
        replies = await asyncio.gather(*(citizen.post(form, {}) for _ in range(3)))
        assert all("Cita anulada" in reply.text for reply in replies)
        assert await portal.count("mail", "kind = 'cancelled'") == 1


async def test_the_old_time_is_kept_until_the_new_one_is_confirmed(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        path = await booked(citizen)
        before = await portal.server.central.pool.fetchrow("SELECT * FROM appointment")
        await citizen.send("/cambiar")
        assert citizen.path == "/reserva/hora"
        assert "sigue reservada hasta que confirme la nueva" in citizen.page.words
        later = citizen.page.form().choices["time"][5]
        await citizen.send("/reserva/hora", time=later)
        assert citizen.path == "/reserva/compruebe", "nothing is asked twice"
        assert "Ahora" in citizen.page.words
        assert "Nueva" in citizen.page.words
        between = await portal.server.central.pool.fetchrow("SELECT * FROM appointment")
        assert between["slot_start_at"] == before["slot_start_at"]
        page = await citizen.send("/reserva/compruebe")
        after = await portal.server.central.pool.fetchrow("SELECT * FROM appointment")
        assert page.title.startswith("Cita cambiada")
        assert (citizen.path, after["locator"]) == (path, before["locator"]), "the link and the code stay"
        assert after["slot_start_at"] > before["slot_start_at"]
        assert await portal.count("seat", "state = 'booked'") == 1


async def test_a_cancelled_appointment_cannot_be_moved(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        path = await booked(citizen)
        change = citizen.page.form("/cambiar")
        await citizen.open(f"{path}/anular")
        await citizen.send("/anular")
        reply = await citizen.post(change, {})
        assert reply.url.path == path
        assert "Cita anulada" in reply.text


async def test_a_move_confirmed_after_a_cancel_in_another_tab_offers_nothing_that_cannot_be(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        path = await booked(citizen)
        await citizen.send("/cambiar")
        await citizen.send("/reserva/hora", time=citizen.page.form().choices["time"][5])
        confirm = citizen.page.form("/reserva/compruebe")
        await citizen.open(f"{path}/anular")
        await citizen.send("/anular")
        refused = await citizen.post(confirm, {})
        assert refused.status_code == 409
        slot = await citizen.open("/reserva/hora")
        check = await citizen.open("/reserva/compruebe")
        for page in (Document(refused.text), slot, check):
            assert "Ya no se puede cambiar" in page.words
            assert "sigue reservada" not in page.words
        for page in (Document(refused.text), check):
            assert "Confirmar el cambio" not in page.words
            assert any(link.startswith("/tramites/") for link in page.links), "a way on"


async def test_the_calendar_file_is_one_event_at_the_office(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        path = await booked(citizen)
        reply = await citizen.client.get(f"{path}/cita.ics")
        assert reply.headers["content-type"].startswith("text/calendar")
        [event] = Calendar.from_ical(reply.content).walk("VEVENT")
        row = await portal.server.central.pool.fetchrow("SELECT * FROM appointment")
        assert event.decoded("dtstart") == row["slot_start_at"]
        assert str(event["location"]) == "Centro, Plaza 1"
        assert str(event["url"]).endswith(path)


async def test_the_calendar_file_of_a_cancelled_appointment_takes_it_out_of_the_calendar(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        path = await booked(citizen)
        before = Calendar.from_ical((await citizen.client.get(f"{path}/cita.ics")).content)
        await citizen.open(f"{path}/anular")
        await citizen.send("/anular")
        after = Calendar.from_ical((await citizen.client.get(f"{path}/cita.ics")).content)
    was, event = before.events[0], after.events[0]
    assert (str(before["method"]), str(was["status"])) == ("PUBLISH", "CONFIRMED")
    assert (str(after["method"]), str(event["status"])) == ("CANCEL", "CANCELLED")
    assert event["uid"] == was["uid"], "the same event"
    assert event["organizer"] == was["organizer"], "a calendar takes a cancellation only from who published"
    assert int(str(event["sequence"])) > int(str(was["sequence"])), "and only if it is newer"
    assert was.walk("VALARM")
    assert not event.walk("VALARM"), "nobody is reminded of it"


async def test_secret_pages_are_in_no_search_engine_and_in_no_cache(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        path = await booked(citizen)
        for page in (path, f"{path}/anular"):
            headers = (await citizen.client.get(page)).headers
            assert headers["cache-control"] == "no-store"
            assert "noindex" in headers["x-robots-tag"]
            assert headers["referrer-policy"] == "no-referrer"


async def test_a_lost_link_is_found_by_code_and_end_of_document(portal: Bed) -> None:
    async with portal.citizen() as citizen, portal.citizen() as thief:
        path = await booked(citizen)
        locator = await portal.server.central.pool.fetchval("SELECT locator FROM appointment")
        await thief.open("/cita")
        wrong = (await thief.send("/cita", code=locator, doc="000Z")).words
        assert thief.reply.status_code == 404
        await thief.open("/cita")
        unknown = (await thief.send("/cita", code="ACDEFG", doc="000Z")).words
        assert wrong == unknown, "a wrong document and an unknown code look alike"
        await citizen.open("/cita")
        await citizen.send("/cita", code=f"{locator[:3].lower()} {locator[3:]}", doc=DNI[-4:].lower())
        assert citizen.path == path
