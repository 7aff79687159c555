"""Following a ticket: facts come in as an office sends them, the page says where one is."""

from __future__ import annotations

import asyncio
import re

import httpx
import msgspec
import pytest

from sync.domain.handover import card_of, command_of, release
from sync.domain.ordering import ahead_of
from sync.messages import commands as c
from sync.messages.feed import TicketGrant
from tests.integration.portal.conftest import Bed
from tests.integration.portal.manager import sign_in
from tests.kit.office import DAY, new_id


async def test_place_call_service_and_end_are_shown(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    async with portal.office() as office, portal.citizen() as citizen:
        session = office.open("1")
        codes = [office.take("padron") for _ in range(4)]
        await office.send()
        page = await citizen.open(f"/t/{codes[3]}")
        [last] = [t for t in office.queue.day.tickets.values() if t.number == 4]
        assert ahead_of(office.queue.day, last) == 3
        assert page.title.startswith("Turno P4, quedan 3 personas")
        assert "Le llamaremos entre las" in page.words
        assert "Espere en la zona A" in page.words
        ticket = office.call(session)
        await office.send()
        page = await citizen.open(f"/t/{codes[0]}")
        assert page.title.startswith("P1: pase al puesto 1")
        assert 'data-state="call"' in citizen.reply.text
        assert "Espere en la zona" not in page.words
        assert "Puesto 1, zona" in page.words
        assert ticket is not None
        office.act(c.Start(request_id=new_id(), session=session, ticket_id=ticket))
        await office.send()
        for language, said in (
            ("es", "Le están atendiendo en el puesto 1"),
            ("en", "You are being served at desk 1"),
            ("fr", "Vous êtes reçu au guichet 1"),
            ("ar", "تتم خدمتك في الشباك 1"),
        ):
            page = await citizen.open(f"/t/{codes[0]}?lang={language}")
            assert said in page.words.replace("\u2068", "").replace("\u2069", "")
            assert not any(wait in page.words for wait in ("Espere en", "Wait in", "Attendez dans", "انتظر"))
        await citizen.open("/?lang=es")
        office.act(c.Finish(request_id=new_id(), session=session, ticket_id=ticket))
        await office.send()
        page = await citizen.open(f"/t/{codes[0]}")
        assert "Su visita ha terminado" in page.words
        assert "zona A" not in page.words, "there is nothing left to wait for"
        assert "data-turn-sound" not in citizen.reply.text
        assert "Es la siguiente persona" in (await citizen.open(f"/t/{codes[1]}")).words
        missed = office.call(session)
        assert missed is not None
        office.act(c.NoShow(request_id=new_id(), session=session, ticket_id=missed))
        await office.send()
        words = (await citizen.open(f"/t/{codes[1]}")).words
        assert "Le hemos llamado y no estaba" in words
        assert "zona A" not in words, "the counter is where to go"


async def test_who_is_set_aside_is_told_when_they_wait_again_or_whom_to_tell(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    async with portal.office() as office, portal.citizen() as citizen:
        session = office.open("1")
        code, other = office.take("padron"), office.take("padron")
        first, second = office.queue.day.tickets
        office.call(session)
        office.act(c.Park(request_id=new_id(), session=session, ticket_id=first, return_min=20))
        office.act(c.Park(request_id=new_id(), session=session, ticket_id=second))
        await office.send()
        for language, until, back, told in (
            ("es", "aparcado hasta las 10:20", "A esa hora vuelve solo a la espera", "Avise al personal cuando vuelva"),
            ("en", "on hold until 10:20", "Then it waits again by itself", "Tell the staff when you are back"),
            ("fr", "en attente jusqu'à 10:20", "Il reprend alors sa place", "Prévenez l'accueil à votre retour"),
            ("ar", "معلّق حتى الساعة 10:20", "بعدها يعود إلى الانتظار تلقائيًا", "أخبر موظفي الاستقبال عند عودتك"),
        ):
            for of, said in ((code, until), (code, back), (other, told)):
                page = await citizen.open(f"/t/{of}?lang={language}")
                assert said in page.words.replace("\u2068", "").replace("\u2069", "").replace("\u2066", "")
                assert "None" not in page.words


async def test_a_cut_office_is_said_and_promises_nothing(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    async with portal.office() as office, portal.citizen() as citizen:
        office.open("1")
        codes = [office.take("padron") for _ in range(4)]
        await office.send()
        await portal.server.exchange.hearing.flush()
        portal.clock.advance(minutes=1)
        page = await citizen.open(f"/t/{codes[3]}")
        assert "Datos de las 10:00. Sin conexión con la oficina." in page.words
        assert "Le llamaremos entre" not in page.words
        assert "3 personas" in page.words, "the last known place stays"
        arabic = await citizen.open(f"/t/{codes[3]}?lang=ar")
        assert (arabic.lang, arabic.direction) == ("ar", "rtl")
        assert "لا يوجد اتصال بالمكتب" in arabic.words


async def test_a_ticket_ends_two_hours_after_its_day(portal: Bed) -> None:
    async with portal.office() as office, portal.citizen() as citizen:
        code = office.take("padron")
        office.act(c.CloseDay(request_id=new_id()))
        await office.send()
        assert "ya no vale" in (await citizen.open(f"/t/{code}")).words
        portal.clock.advance(minutes=121)
        page = await citizen.open(f"/t/{code}")
        assert citizen.reply.status_code == 404
        assert "No encontramos este turno" in page.words


async def test_the_stream_tells_each_change_once_and_says_goodbye(portal: Bed) -> None:
    async with portal.office() as office, httpx.AsyncClient(base_url=portal.server.url, timeout=20) as client:
        session = office.open("1")
        code = office.take("padron")
        await office.send()
        events: list[tuple[str, dict[str, object]]] = []

        async def listen() -> None:
            async with client.stream("GET", f"/t/{code}/stream", headers={"accept-language": "es"}) as reply:
                assert reply.headers["content-type"].startswith("text/event-stream")
                name = ""
                async for line in reply.aiter_lines():
                    if line.startswith("event: "):
                        name = line.removeprefix("event: ")
                    elif line.startswith("data: "):
                        events.append((name, msgspec.json.decode(line.removeprefix("data: "))))

        listening = asyncio.create_task(listen())
        await _until(lambda: any(name == "fragment" for name, _ in events))
        office.call(session)
        await office.send()
        await _until(lambda: any(name == "state" and body["turn"] == "called" for name, body in events))
        last = [body for name, body in events if name == "fragment"][-1]
        assert last["title"] == "P1: pase al puesto 1"
        portal.server.central.stopping.set()
        await asyncio.wait_for(listening, 5)
        assert events[-1][0] == "bye"


async def test_polling_gives_the_same_parts(portal: Bed) -> None:
    async with portal.office() as office, httpx.AsyncClient(base_url=portal.server.url) as client:
        code = office.take("padron")
        await office.send()
        body = (await client.get(f"/t/{code}/ahora")).json()
        assert {item["id"] for item in body["items"]} >= {"turn-code", "turn-words"}
        page = (await client.get(f"/t/{code}")).text
        assert all(f'id="{item["id"]}"' in page for item in body["items"])


@pytest.mark.parametrize("path", ["/t/{code}", "/", "/oficinas-ahora"])
async def test_what_is_live_keeps_the_pages_language(portal: Bed, path: str) -> None:
    async with portal.office() as office, portal.citizen() as citizen:
        await sign_in(citizen)
        code = office.take("padron")
        await office.send()
        await citizen.open(f"{path.format(code=code)}?lang=en")
        html = citizen.reply.text
        await citizen.open("/?lang=ar")
        polled = re.search(r'data-live-poll="([^"]+)"', html)
        assert polled is not None
        assert 'data-live="' + polled[1].replace("/ahora?", "/stream?") + '"' in html
        (words, *_) = (await citizen.client.get(polled[1])).json()["items"]
        assert not re.search("[\u0600-\u06ff]", words["html"]), "another tab chose Arabic meanwhile"


@pytest.mark.parametrize(
    "language, words", [("es", "Enfoque con la cámara"), ("en", "camera"), ("fr", "photo"), ("ar", "QR")]
)
async def test_the_address_on_the_paper_says_how_to_follow(portal: Bed, language: str, words: str) -> None:
    async with portal.citizen() as citizen:
        page = await citizen.open(f"/t?lang={language}")
        assert (citizen.reply.status_code, page.lang) == (200, language)
        assert words in page.words
        assert {"/cita", "/oficinas"} <= set(page.links)


async def test_a_ticket_that_its_office_has_not_told_of_yet_is_looked_for_again(portal: Bed) -> None:
    async with portal.office() as office, portal.citizen() as citizen:
        code = office.take("padron")
        page = await citizen.open(f"/t/{code}")
        assert citizen.reply.status_code == 404
        assert "sin conexión" in page.words
        assert '<noscript><meta http-equiv="refresh" content="15"></noscript>' in citizen.reply.text
        assert "data-look-again" in citizen.reply.text
        await office.send()
        assert "Turno P1" in (await citizen.open(f"/t/{code}")).title
        await citizen.open("/t/nonsense")
        assert citizen.reply.status_code == 404
        assert "data-look-again" not in citizen.reply.text, "no office will ever tell of it"


async def test_an_office_without_an_open_counter_is_not_one_without_a_wait(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    async with portal.office() as office, portal.citizen() as citizen:
        await office.send()
        page = await citizen.open("/")
        assert "Ahora no hay puestos abiertos" in page.words
        assert "Sin espera" not in page.words
        office.open("1")
        await office.send()
        assert "Ahora no hay puestos abiertos" not in (await citizen.open("/")).words


async def test_a_ticket_is_followed_to_another_office(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    async with portal.office() as centro, portal.office("real") as real, portal.citizen() as citizen:
        session = centro.open("1")
        code = centro.take("padron")
        [ticket] = centro.queue.day.tickets.values()
        command = c.HandOver(
            request_id=new_id(), session=session, ticket_id=ticket.ticket_id, to_office="real", travel_min=15
        )
        centro.queue.write((release(centro.queue.day, ticket, command, portal.clock.now()),), portal.clock.now())
        await centro.send()
        page = await citizen.open(f"/t/{code}")
        assert "Su turno va de camino a la oficina Real" in page.words

        portal.clock.advance(minutes=1)
        grant = TicketGrant(
            id=ticket.ticket_id,
            tenure=2,
            from_office="centro",
            service_date=DAY,
            released_at=portal.clock.now(),
            card=card_of(ticket, "padron", portal.clock.now()),
            travel_min=15,
        )
        real.take("padron")
        real.act(command_of(grant, "real", new_id(), portal.clock.now()))
        await real.send()
        page = await citizen.open(f"/t/{code}")
        assert "Ahora su turno es P2, en la oficina Real" in page.words
        assert "Le esperan" in page.words
        assert "رقمك الآن" in (await citizen.open(f"/t/{code}?lang=ar")).words
        assert "P2" in (await citizen.open(f"/t/{code}?lang=fr")).words
        real.act(c.MarkArrived(request_id=new_id(), ticket_id=ticket.ticket_id))
        portal.clock.advance(seconds=1)
        await real.send()
        page = await citizen.open(f"/t/{code}?lang=es")
        assert "Ahora su turno es P2, en la oficina Real" not in page.title
        assert "Es la siguiente persona" in page.words


async def _until(happened: object) -> None:
    for _ in range(300):
        if happened():  # type: ignore[operator]
            return
        await asyncio.sleep(0.02)
    pytest.fail("it never happened")
