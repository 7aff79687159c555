"""The record: who did what, to which ticket, appointment or session; for one's own office, in words, and itself written down."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from central.audit import Attested, note
from central.booking.appointments import Booked, Person, Wish
from central.booking.documents import Document
from central.staff import audit_routes, audit_words
from central.staff.audit_log import Act, Told
from sync.io.ids import new_id
from sync.messages import commands as c
from sync.messages.desk_facts import TicketUndone
from sync.messages.envelope import FactHeader
from sync.messages.fact_types import FACTS
from sync.messages.facts import Fact, TicketTransferred
from tests.integration.portal.conftest import Bed
from tests.integration.portal.manager import sign_in
from tests.kit.small_city import MONDAY_8H
from ui.catalog import load_catalog

SECRET_NAME = "Fátima Mohamed Haddu"


async def booked(portal: Bed, hours: int = 26) -> Booked:
    wish = Wish(office_id="centro", service_id="viaje", slot_start_at=MONDAY_8H + timedelta(hours=hours))
    person = Person(full_name=SECRET_NAME, document=Document("passport", "AB000001"), email="f@example.org")
    done = await portal.booking.bookings.book(new_id(), wish, person)
    assert isinstance(done, Booked)
    return done


async def a_morning(portal: Bed) -> str:
    """Two tickets of today, one called and finished; the label of that one."""
    portal.clock.advance(hours=2)
    async with portal.office() as office:
        session = office.open("1")
        office.take("padron")
        office.take("viaje")
        ticket = office.call(session)
        assert ticket is not None
        office.act(c.Start(request_id=new_id(), session=session, ticket_id=ticket))
        office.act(c.Finish(request_id=new_id(), session=session, ticket_id=ticket))
        await office.send()
        return office.queue.day.tickets[ticket].label


async def test_the_acts_of_a_day_are_told_in_words(portal: Bed) -> None:
    label = await a_morning(portal)
    async with portal.citizen() as browser:
        await sign_in(browser)
        page = await browser.open("/registro")
        assert "Abrió el puesto 1" in page.words
        assert "Llamó al puesto 1, por orden" in page.words
        assert "ana" in page.words
        assert "Se dio el turno" not in page.words, "citizens' and machines' acts only when asked for"
        assert "Entró en la central" in page.words
        everything = await browser.open("/registro?todo=1")
        assert "Se dio el turno: Padrón, sin cita" in everything.words
        nobody = await browser.open("/registro?persona=nadie")
        assert "No hay nada anotado de ese día" in nobody.words
        life = await browser.open(f"/registro?que={label.lower()}")
        assert f"El turno {label}, paso a paso" in life.words
        steps = ["Se dio el turno", "Llamó al puesto 1", "Ha venido", "Terminó la atención: "]
        at = [life.words.index(step) for step in steps]
        assert at == sorted(at)


async def test_an_appointments_life_has_no_person(portal: Bed) -> None:
    done = await booked(portal)
    found = await portal.booking.changes.by_id(done.appointment_id)
    assert found is not None
    assert not isinstance(found, str)
    await portal.booking.changes.cancel(found)
    async with portal.citizen("en") as browser:
        await sign_in(browser)
        code = f"{done.locator[:3]}-{done.locator[3:]}"
        page = await browser.open(f"/registro?dia=2026-11-24&que={code}")
        assert f"Appointment {code}, step by step" in page.words
        assert "The appointment was booked (by a program)" in page.words
        assert "Last change of the appointment: cancelled" in page.words
        assert "Mail “cancellation”" in page.words
        for personal in (SECRET_NAME, "Fátima", "AB000001", "0001", "example.org"):
            assert personal not in browser.reply.text
        page = await browser.open(f"/registro?que={code}")
        assert "No ticket or appointment" in page.words, "it is of another day"


async def test_a_manager_looks_into_their_own_office_and_an_admin_into_all(portal: Bed) -> None:
    async with portal.citizen() as browser:
        await sign_in(browser)
        for path in ("/registro?oficina=real", "/registro?oficina=-", "/registro.csv?oficina=real"):
            await browser.open(path)
            assert browser.reply.status_code == 403, path
    async with portal.citizen() as browser:
        await sign_in(browser, staff_id="alonso")
        for path in ("/registro?oficina=real", "/registro?oficina=-"):
            await browser.open(path)
            assert browser.reply.status_code == 200, path
        assert "centro/rocio" in (await browser.open("/registro?oficina=-")).words
        assert (await browser.client.get("/registro?oficina=nowhere")).status_code == 404
        assert (await browser.client.get("/registro.csv?oficina=-")).status_code == 404


async def test_a_manager_sees_what_their_people_did_and_what_was_done_about_their_office(portal: Bed) -> None:
    async with portal.citizen() as browser:
        await sign_in(browser, "real", "rocio", "otra")
    who = Attested(actor="ops", at=portal.clock.now())
    async with portal.server.central.pool.acquire() as connection:
        await note(connection, who, "node.replaced", "centro", office="centro")
        await note(connection, who, "node.replaced", "centro-2", office="centro-2")
    async with portal.citizen() as browser:
        await sign_in(browser)
        page = await browser.open("/registro")
        assert page.words.count("Sustituyó el equipo de la oficina") == 1
        assert "real/rocio" not in page.words
        page = await browser.open("/registro?persona=ops")
        assert "Entró en la central" not in page.words
        assert "Sustituyó el equipo" in page.words


async def test_what_somebody_did_about_another_office_is_for_that_one(portal: Bed) -> None:
    done = await booked(portal)
    async with portal.citizen() as browser:
        await sign_in(browser, staff_id="alonso")
        for path in ("/registro?oficina=real&dia=2026-11-20", "/registro?oficina=-", "/incidencias", "/conservacion"):
            await browser.open(path)
    who, old = Attested(actor="centro/alonso", at=portal.clock.now()), "0001-old"
    async with portal.server.central.pool.acquire() as connection:
        moved = "appointment.moved_for_closure"
        await note(connection, who, moved, done.appointment_id, office="real", was="a", now="b")
        for n, subject in enumerate(("real", "real 2026-11-20", "centro", "real-2")):
            await note(connection, who, f"{old}.{n}", subject, office=None)  # of a build that did not say

    async def shown(office: str, staff_id: str, password: str = "") -> list[str]:
        async with portal.citizen() as browser:
            await sign_in(browser, office, staff_id, *filter(None, [password]))
            reply = await browser.client.get("/registro.csv?desde=2026-11-23&hasta=2026-11-23")
            rows = csv.DictReader(io.StringIO(reply.content.decode("utf-8-sig")))
            return sorted(row["code"] for row in rows if row["who"] == "centro/alonso")

    assert await shown("centro", "rocio") == [f"{old}.2", "staff.signed_in"]
    assert await shown("real", "rocio", "otra") == [f"{old}.0", f"{old}.1", moved, "audit.looked_up"]
    async with portal.citizen() as browser:
        await sign_in(browser, staff_id="alonso")
        page = await browser.open("/registro?oficina=-&persona=alonso")
        assert page.words.count("centro/alonso") >= 8, "admins see all"


async def test_a_look_is_written_down_once_and_a_download_each_time(portal: Bed) -> None:
    async with portal.citizen() as browser:
        await sign_in(browser)
        for _ in range(2):
            await browser.open("/registro?dia=2026-11-23&que=K12")
            await browser.open("/registro.csv?desde=2026-11-23&hasta=2026-11-23")
    rows = await portal.server.central.pool.fetch("SELECT act, subject FROM audit WHERE act LIKE 'audit%' ORDER BY act")
    assert [tuple(row) for row in rows] == [
        ("audit.exported", "centro"),
        ("audit.exported", "centro"),
        ("audit.looked_up", "centro 2026-11-23 K12"),
    ]


async def test_what_a_manager_types_stands_in_the_record_only_if_it_is_an_id(portal: Bed) -> None:
    done = await booked(portal)
    code = f"{done.locator[:3]}-{done.locator[3:].lower()}"
    typed = {
        "que=12345678Z": "?",
        "que=Zubaida": "?",
        "que=hamada": "?",
        "que=k12": "K12",
        f"que={code}": done.locator,
        "persona=Zubaida+Qandil": "?",
        "persona=rocio": "rocio",
        "persona=farid": "?",
        "persona=12345678Z&que=X1234567L": "? ?",
    }
    async with portal.citizen() as browser:
        await sign_in(browser)
        for query in typed:
            await browser.open(f"/registro?dia=2026-11-24&{query}")
            assert browser.reply.status_code == 200, query
    rows = await portal.server.central.pool.fetch("SELECT subject FROM audit WHERE act = 'audit.looked_up'")
    assert sorted({row["subject"] for row in rows}) == sorted({f"centro 2026-11-24 {kept}" for kept in typed.values()})


async def test_the_table_has_everything_and_no_formula(portal: Bed) -> None:
    await a_morning(portal)
    async with portal.citizen() as browser:
        await sign_in(browser)
        reply = await browser.client.get("/registro.csv?desde=2026-11-20&hasta=2026-11-24")
    assert reply.headers["content-type"].startswith("text/csv")
    assert "registro-centro-2026-11-20-2026-11-24.csv" in reply.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(reply.content.decode("utf-8-sig"))))
    facts = await portal.count("fact")
    assert len([row for row in rows if row["log"] == "office"]) == facts
    assert {row["code"] for row in rows} >= {"ticket.called", "ticket.finished", "staff.signed_in", "audit.exported"}
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


async def test_a_slow_download_holds_no_connection(portal: Bed) -> None:
    await a_morning(portal)
    pool, words = portal.server.central.pool, load_catalog(strict=True).words("en")
    zone, names = ZoneInfo("Africa/Ceuta"), audit_words.Names(services={}, offices={})
    blocks = audit_routes._day_rows(pool, words, names, office="centro", zone=zone, day=MONDAY_8H.date())
    assert await anext(blocks)
    connections = [await asyncio.wait_for(pool.acquire(), 5) for _ in range(pool.get_max_size())]
    for connection in connections:
        await pool.release(connection)
    assert [block async for block in blocks] == [], "a morning is one block"


@pytest.mark.parametrize(
    "asked", ["desde=2026-11-20", "desde=2026-11-24&hasta=2026-11-20", "desde=2026-01-01&hasta=2026-11-20"]
)
async def test_a_download_of_no_days_or_too_many_says_what_is_right(portal: Bed, asked: str) -> None:
    async with portal.citizen() as browser:
        await sign_in(browser)
        page = await browser.open(f"/registro.csv?{asked}")
        assert (browser.path, "31 días como mucho" in page.words) == ("/registro", True)
        page = await browser.open("/registro?dia=ayer")
        assert (browser.reply.status_code, "Escriba un día" in page.words) == (422, True)


BAD = (
    "dia=0001-01-01", "dia=9999-12-31", "dia=%00", "dia=2026-11-23%00", "persona=%00", "persona=ana%00", "que=%00", "que=A1%00",
    "actos=2026-11-23T09:00:00Z,not-a-uuid-but-thirty-six-characters", "actos=0001-01-01T00:00:00%2B14:00,{uuid}",
    "actos=9999-12-31T23:59:59-14:00,{uuid}", "actos=2026-11-23,{uuid}", "actos=,", "actos=2026-11-23T09:00:00Z,{braced}",
    "hechos=1.99999999999999999999", "hechos=99999999999999999999.1", "hechos=1.9223372036854775807", "hechos=%00.%00",
    "hechos=%D9%A1.%D9%A2", "hechos=-1.-1", "todo=%00", "lang=%00", "persona=%ED%A0%80", "que=%F0%9F%99%88",
)  # fmt: skip


@pytest.mark.parametrize("staff_id", ["rocio", "alonso"])
async def test_a_bad_address_is_no_fault_of_the_server(portal: Bed, staff_id: str) -> None:
    await a_morning(portal)
    one = new_id()
    async with portal.citizen() as browser:
        await sign_in(browser, staff_id=staff_id)
        for query in BAD:
            asked = query.format(uuid=one, braced="{" + one.replace("-", "") + "}xx")
            reply = await browser.client.get(f"/registro?{asked}")
            assert reply.status_code in {200, 422}, asked
        for office in ("-", "%00", "centro%00"):
            reply = await browser.client.get(f"/registro?oficina={office}&persona=%00&actos=x,{one}")
            assert reply.status_code in {200, 403, 404}, office
        for days in ("desde=0001-01-01&hasta=0001-01-02", "desde=9999-12-30&hasta=9999-12-31", "desde=%00&hasta=%00"):
            page = await browser.open(f"/registro.csv?{days}")
            assert (browser.path, browser.reply.status_code) == ("/registro", 200), days
            assert "31 d" in page.words, days


async def test_long_days_come_page_by_page(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    async with portal.office() as office:
        office.open("1")
        for _ in range(130):
            office.take("viaje")
        await office.send()
        facts = await portal.count("fact")
    async with portal.citizen() as browser:
        await sign_in(browser)
        page, seen = await browser.open("/registro?todo=1"), 0
        for _ in range(5):
            facts_shown = browser.reply.text.partition('id="acts"')[0]
            seen += facts_shown.count('<tr><th scope="row">')
            further = [link for link in page.links if "hechos=" in link and "lang=" not in link]
            if not further:
                break
            page = await browser.open(further[0])
    assert seen == facts


@pytest.mark.parametrize("locale", ["es", "en"])
def test_every_kind_of_fact_and_act_has_its_words(locale: str) -> None:
    words = load_catalog(strict=True).words(locale)
    assert [kind for kind in FACTS if f"city.fact.{kind}" not in words] == []


@pytest.mark.parametrize(
    "locale, did, undid",
    [
        ("es", "Terminó un paso (Resuelto). El turno sigue con Registro", "el fin del paso"),
        ("en", "Finished a step (Resolved). The ticket goes on with Registro", "the end of the step"),
    ],
)
def test_the_end_of_a_step_is_not_told_as_a_transfer(locale: str, did: str, undid: str) -> None:
    words = load_catalog(strict=True).words(locale)
    names = audit_words.Names(services={"registro": "Registro"}, offices={})

    def told(fact: Fact) -> str:
        header = FactHeader("centro", 1, 1, fact.TYPE, fact.V, None, "ana", "console", MONDAY_8H, "boot-1", 0)
        return audit_words.fact_line(Told(header=header, fact=fact, label="P1"), words, names).did

    ticket_id = "00000000-0000-7000-8000-000000000001"
    assert told(TicketTransferred(ticket_id=ticket_id, service="registro", outcome="resolved")) == did
    undone = TicketUndone(ticket_id=ticket_id, session=ticket_id, act=ticket_id, undone="ticket.transferred.step")
    assert undid in told(undone)


async def test_an_act_that_nobody_put_into_words_is_told_by_its_code() -> None:
    act = Act(
        audit_id=new_id(), at=MONDAY_8H, actor="ops", act="brand.new", subject="x", attested="I looked", detail={}
    )
    line = audit_words.act_line(act, load_catalog(strict=True).words("en"))
    assert line.did == "Another act: brand.new. Stated: I looked"
