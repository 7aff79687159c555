"""The live pages of managers, on facts of real offices: what they say, of which offices, and to whom names are said."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from sync.messages import commands as c
from tests.integration.portal.citizen import Citizen
from tests.integration.portal.conftest import Bed
from tests.integration.portal.manager import sign_in
from tests.integration.portal.office import Office
from tests.kit.office import new_id

OVERVIEW, OFFICE = "/oficinas-ahora", "/oficina-ahora/centro"


async def settle(portal: Bed) -> None:
    """Let links be read anew."""
    await portal.server.exchange.hearing.flush()
    portal.clock.advance(seconds=2)


def busy(office: Office, session: str) -> None:
    """Counter 1 serves P1; two wait for the register and one for travel, who came later."""
    first = office.take("padron")
    office.take("padron")
    office.take("padron")
    assert first
    ticket = office.call(session)
    assert ticket is not None
    office.act(c.Start(request_id=new_id(), session=session, ticket_id=ticket))
    office.clock.advance(minutes=7)
    office.take("viaje")


async def test_the_office_page_says_queue_counters_and_tickets(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    async with portal.office() as office, portal.citizen() as citizen:
        await sign_in(citizen)
        busy(office, office.open("1"))
        await office.send()
        await settle(portal)
        page = await citizen.open(OFFICE)
        assert "Padrón 2 7 min" in page.words, "the longest wait comes first"
        assert page.words.index("Padrón 2 7 min") < page.words.index("Viaje 1 0 min")
        assert "1 Atendiendo 10:00 P1 Padrón Ana" in page.words
        assert "1 de 1 puesto" in page.words
        overview = await citizen.open(OVERVIEW)
        assert "La espera más larga 7 min" in overview.words
        assert "min al llegar ahora" in overview.words
        assert f'href="{OFFICE}"' in citizen.reply.text
        english = await citizen.open(f"{OFFICE}?lang=en")
        assert "1 Serving 10:00 P1 Register Ana" in english.words


async def test_names_are_for_the_offices_own_manager_only(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    async with portal.office() as office, portal.citizen() as own, portal.citizen() as admin:
        office.open("1")
        await office.send()
        await sign_in(own)
        await sign_in(admin, staff_id="alonso")
        assert "Ana" in (await own.open(OFFICE)).words
        page = await admin.open(OFFICE)
        assert "1 Libre 10:00" in page.words
        assert "Ana" not in page.words
        for browser, names in ((own, True), (admin, False)):
            items = (await browser.client.get(f"{OFFICE}/ahora")).json()["items"]
            assert ("Ana" in "".join(item["html"] for item in items)) is names
            assert "Ana" not in (await browser.open(OVERVIEW)).words


async def test_a_manager_watches_their_office_and_an_admin_the_city(portal: Bed) -> None:
    async with portal.citizen() as own, portal.citizen() as admin:
        await sign_in(own)
        await sign_in(admin, staff_id="alonso")
        await own.open(OVERVIEW)
        assert 'data-office="centro"' in own.reply.text
        assert 'data-office="real"' not in own.reply.text
        await admin.open(OVERVIEW)
        assert 'data-office="centro"' in admin.reply.text
        assert 'data-office="real"' in admin.reply.text
        await own.open("/oficina-ahora/real")
        assert own.reply.status_code == 403
        for live in ("ahora", "stream"):
            assert (await own.client.get(f"/oficina-ahora/real/{live}")).status_code == 403
        for nowhere in ("real", "nowhere"):
            await own.open(f"/oficina-ahora/{nowhere}")
            assert own.reply.status_code == 403, "whoever manages one office learns nothing of others"
        await admin.open("/oficina-ahora/nowhere")
        assert admin.reply.status_code == 404


async def test_alerts_reach_the_managers_pages(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    async with portal.office() as office, portal.citizen() as citizen:
        await sign_in(citizen)
        session = office.open("1")
        office.take("padron")
        office.take("padron")
        ticket = office.call(session)
        assert ticket is not None
        office.act(c.Start(request_id=new_id(), session=session, ticket_id=ticket))
        office.act(c.Park(request_id=new_id(), session=session, ticket_id=ticket, reason="papers"))
        office.act(c.PauseCounter(request_id=new_id(), session=session, reason="rest"))
        office.act(c.AskSupport(request_id=new_id(), session=session, urgency="panic"))
        await office.send()
        portal.clock.advance(minutes=31)
        await office.hello()
        await settle(portal)
        overview, page = await citizen.open(OVERVIEW), await citizen.open(OFFICE)
        for each in (overview, page):
            assert "Piden ayuda urgente en el puesto 1" in each.words
            assert "Padrón: espera 1 persona y ningún puesto lo atiende" in each.words
            assert "P1, aparcado desde hace 31 min" in each.words
        assert "Puesto 1, en pausa desde hace 31 min" in page.words
        assert "1 En pausa descanso 10:00" in page.words
        assert "1 aviso más" in overview.words
        assert "De ellos, en pausa 1" in overview.words


async def test_a_cut_office_keeps_its_last_figures_with_their_age_and_no_estimate(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    async with portal.office() as office, portal.citizen() as citizen:
        await sign_in(citizen)
        busy(office, office.open("1"))
        await office.send()
        await settle(portal)
        assert "al llegar ahora" in (await citizen.open(OVERVIEW)).words
        portal.clock.advance(seconds=20)
        assert "datos de hace menos de 1 min" in (await citizen.open(OVERVIEW)).words
        portal.clock.advance(minutes=4)
        for path in (OVERVIEW, OFFICE):
            page = await citizen.open(path)
            assert "datos hace 4 min, de las 10:07" in page.words
            assert "Padrón 2 7 min No disponible" in page.words, "as it was when it was heard last, not as time goes on"
        assert "min al llegar ahora" not in (await citizen.open(OVERVIEW)).words


async def test_the_office_page_follows_by_stream_without_reload(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    async with portal.office() as office, portal.citizen() as citizen:
        await sign_in(citizen)
        office.open("1")
        await office.send()
        async with citizen.client.stream("GET", f"{OFFICE}/stream") as stream:
            frames = events(stream)
            assert "P1" not in str(await anext(frames))
            office.take("padron")
            await office.send()
            async with asyncio.timeout(5):
                while "P1" not in str(frame := await anext(frames)):
                    pass
            assert {item["id"] for item in frame["items"]} == {
                "state", "totals", "warned", "queues", "counters", "tickets", "link",
            }  # fmt: skip
            await citizen.client.post("/personal/salir", data={"_csrf_token": await token_of(citizen)})
            async with asyncio.timeout(10):
                with pytest.raises(StopAsyncIteration):
                    while True:
                        await anext(frames)


async def test_every_look_is_written_down_once(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await sign_in(citizen)
        for _ in range(2):
            await citizen.open(OFFICE)
            await citizen.open("/cambios-de-orden?oficina=centro")
            await citizen.open("/previsiones?oficina=centro")
        acts = await portal.server.central.pool.fetch("SELECT act, subject FROM audit WHERE act LIKE '%looked_at'")
        assert {(row["act"], row["subject"]) for row in acts} >= {
            ("office.looked_at", "centro"),
            ("order_changes.looked_at", "centro"),
            ("accuracy.looked_at", "centro"),
        }
        assert len(acts) == len({(row["act"], row["subject"]) for row in acts})


async def events(stream: Any) -> Any:
    """The fragments of a stream, decoded."""
    kind = ""
    async for line in stream.aiter_lines():
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: ") and kind == "fragment":
            yield json.loads(line.removeprefix("data: "))


async def token_of(citizen: Citizen) -> str:
    await citizen.open(OFFICE)
    html = citizen.reply.text
    start = html.index('name="_csrf_token"')
    return html[html.index('value="', start) + 7 :].split('"', 1)[0]
