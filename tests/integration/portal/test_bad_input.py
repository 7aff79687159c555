"""What comes wrong, and what is answered: one row each, in Spanish and Arabic where a citizen reads it. Nothing is booked."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pytest
from asyncpg import ConnectionDoesNotExistError, TooManyConnectionsError
from litestar.middleware.csrf import generate_csrf_token
from prometheus_client import REGISTRY

from central.booking.appointments import Held, Wish
from central.booking.rules import holder_hash
from central.pages import citizen_pages
from central.portal.visit import CSRF_COOKIE
from tests.integration.portal.conftest import Bed
from tests.integration.portal.test_wizard import WHO, to_details, to_times
from ui.headers import PAGE_HEADERS

pytestmark = pytest.mark.asyncio(loop_scope="module")

LINK = "A" * 44

ADDRESSES = [
    ("/nada", 404, "base.error.404.title", None),
    ("/tramites/nada", 404, "base.error.404.title", None),
    ("/tramites/%00", 404, "base.error.404.title", None),
    (f"/cita/{LINK}", 404, "portal.mine.gone", "link_unknown"),
    ("/cita/x", 404, "portal.mine.gone", "link_unknown"),
    ("/cita/%F0%9F%98%80", 404, "portal.mine.gone", "link_unknown"),
    (f"/cita/{LINK}/anular", 404, "portal.mine.gone", "link_unknown"),
    (f"/cita/{LINK}/cita.ics", 404, "portal.mine.gone", "link_unknown"),
    ("/t/x", 404, "progress.unknown.h1", "follow_unknown"),
    (f"/t/{'A' * 22}", 404, "progress.unknown.h1", "follow_unknown"),
    ("/t/%D9%85%D9%85%D9%85", 404, "progress.unknown.h1", "follow_unknown"),
    ("/reserva/oficina", 410, "portal.err.draft", None),
    ("/reserva/hora?dia=ayer&mas=-3", 410, "portal.err.draft", None),
    ("/reserva/hecha", 410, "portal.err.draft", None),
]


def refused(code: str) -> float:
    return REGISTRY.get_sample_value("ventanilla_refused_total", {"code": code}) or 0.0


def said(key: str, language: str, **values: object) -> str:
    return citizen_pages(strict=True).words(language).text(key, **values)


@pytest.mark.parametrize("language", ["es", "ar"])
@pytest.mark.parametrize("path, status, key, code", ADDRESSES)
async def test_addresses_that_lead_nowhere(
    *, shared_portal: Bed, path: str, status: int, key: str, code: str | None, language: str
) -> None:
    before = refused(code) if code else 0.0
    async with shared_portal.citizen(language) as citizen:
        page = await citizen.open(path)
        assert citizen.reply.status_code == status
        assert page.lang == language
        assert said(key, language) in page.words
        assert not code or refused(code) == before + 1


DETAILS = [
    ({"doc": "45298316K"}, "portal.err.doc", {}),
    ({"doc": ""}, "portal.err.doc.empty", {}),
    ({"doc": "DROP TABLE"}, "portal.err.doc.form", {"type": "portal.you.doc.dni"}),
    ({"doc_type": "nie", "doc": "X1234567A"}, "portal.err.doc", {}),
    ({"doc_type": "passport", "doc": "?"}, "portal.err.doc.form", {"type": "portal.you.doc.passport"}),
    ({"doc_type": "carné", "doc": "12"}, "portal.err.doc.form", {"type": "portal.you.doc.dni"}),
    ({"name": ""}, "portal.err.name", {}),
    ({"name": "123"}, "portal.err.name", {}),
    ({"name": "<script>" * 20}, "portal.err.name.long", {"max": 100}),
    ({"mail": "fatima"}, "portal.err.mail", {}),
    ({"mail": "a@b.es\r\nBcc: todos@example.org"}, "portal.err.mail", {}),
    ({"mobile": "12"}, "portal.err.mobile", {}),
    ({"mobile": "+999 1"}, "portal.err.mobile", {}),
]


@pytest.mark.parametrize("language", ["es", "ar"])
@pytest.mark.parametrize("typed, key, values", DETAILS)
async def test_details_that_cannot_be_right(
    shared_portal: Bed, typed: dict[str, str | list[str]], key: str, values: dict[str, object], language: str
) -> None:
    shared_portal.clock.advance(minutes=11)  # the hold of the row before has lapsed
    async with shared_portal.citizen(language) as citizen:
        await to_details(citizen)
        page = await citizen.send("/reserva/datos", **{**WHO, **typed})
        assert citizen.reply.status_code == 422
        words = {name: said(value, language) if isinstance(value, str) else value for name, value in values.items()}
        assert _bare(said(key, language, **words)) in _bare(page.words)
        assert "<script><script>" not in citizen.reply.text
    assert await shared_portal.count("appointment") == 0


KEYS = {"hold": "hold_id", "booking_draft": "cookie_hash"}


async def keys(portal: Bed, table: str) -> set[object]:
    """The rows that are there. Old ones may be cleared away at any moment; a new one would be what bad input left behind."""
    return {row[0] for row in await portal.server.central.pool.fetch(f"SELECT {KEYS[table]} FROM {table}")}


@pytest.mark.parametrize(
    "typed, status, says",
    [
        ("24 11 2026", 200, "Hora del martes 24 de noviembre"),
        ("24/11", 200, "Hora del martes 24 de noviembre"),
        ("2026-11-24", 200, "Hora del martes 24 de noviembre"),
        ("8 12 2026", 200, "El martes 8 de diciembre la oficina está cerrada"),
        ("29 11 2026", 200, "la oficina está cerrada"),
        ("mañana", 422, "Escriba la fecha con día, mes y año"),
        ("31 2 2027", 422, "Escriba la fecha con día, mes y año"),
        ("1 1 2030", 422, "Elija una fecha entre el lunes 23 de noviembre"),
        ("9" * 60, 422, "Escriba la fecha"),
    ],
)
async def test_a_date_is_typed_in_many_ways(shared_portal: Bed, typed: str, status: int, says: str) -> None:
    async with shared_portal.citizen() as citizen:
        await to_times(citizen)
        page = await citizen.send("/reserva/hora", other=typed, go="date")
        assert citizen.reply.status_code == status
        assert says in page.words


@pytest.mark.parametrize(
    "values, status, key",
    [
        ({}, 422, "portal.err.time"),
        ({"time": "ayer"}, 422, "portal.err.time"),
        ({"time": "2026-11-24T10:00"}, 422, "portal.err.time"),  # no zone: no instant
        ({"time": "0001-01-01T00:00+00:00"}, 422, "portal.err.time"),
        ({"time": "2026-11-24T10:07+01:00"}, 409, "portal.err.not_offered"),  # no slot begins then
        ({"time": "2026-11-20T10:00+01:00"}, 409, "portal.err.not_offered"),  # past
        ({"time": "2027-11-24T10:00+01:00"}, 409, "portal.err.not_offered"),  # beyond the horizon
        ({"time": "2199-12-31T10:00+01:00"}, 409, "portal.err.not_offered"),
        ({"time": "2200-01-01T10:00+01:00"}, 422, "portal.err.time"),
        ({"time": "0001-01-01T00:00+14:00"}, 422, "portal.err.time"),
        ({"time": "9999-12-31T23:59-14:00"}, 422, "portal.err.time"),
        ({"first": "9999-12-31T23:59-14:00"}, 422, "portal.err.time"),
    ],
)
async def test_times_that_nobody_offered(
    shared_portal: Bed, values: dict[str, str | list[str]], status: int, key: str
) -> None:
    async with shared_portal.citizen() as citizen:
        await to_times(citizen)
        holds = await keys(shared_portal, "hold")
        page = await citizen.send("/reserva/hora", **values)
        assert citizen.reply.status_code == status
        assert said(key, "es") in page.words
        assert page.form("/reserva/hora").choices["time"], "there are others to choose from"
        assert await keys(shared_portal, "hold") <= holds


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2199-12-31", "2026-11-20"])
async def test_days_that_no_office_gives(shared_portal: Bed, day: str) -> None:
    async with shared_portal.citizen() as citizen:
        await to_times(citizen)
        form = citizen.page.form("/reserva/hora")
        asked: list[dict[str, str | list[str]]] = [
            {"day": day},
            {"other": day, "go": "date"},
            {"day": day, "shown": day},
            {"shown": day, "other": "x", "go": "date"},
        ]
        for values in asked:
            reply = await citizen.post(form, values)
            assert reply.status_code == 422, values
        page = await citizen.open(f"/reserva/hora?dia={day}")
        assert citizen.reply.status_code == 422
        assert "Elija una fecha entre el" in page.words


@pytest.mark.parametrize("language", ["es", "ar"])
async def test_a_form_without_its_token_is_refused_in_words(shared_portal: Bed, language: str) -> None:
    async with shared_portal.citizen(language) as citizen:
        drafts = await keys(shared_portal, "booking_draft")
        reply = await citizen.client.post("/reserva", data={"service": "viaje"})
        assert reply.status_code == 403
        assert said("base.error.form_expired", language) in reply.text
        assert await keys(shared_portal, "booking_draft") <= drafts


@pytest.mark.parametrize("size", [100_000, 10_000_000])
async def test_a_body_that_is_too_large_is_not_read(shared_portal: Bed, size: int) -> None:
    async with shared_portal.citizen() as citizen:
        await citizen.open("/tramites/viaje")
        drafts = await keys(shared_portal, "booking_draft")
        try:
            reply = await citizen.post(citizen.page.form("/reserva"), {"service": "x" * size})
        except httpx.TransportError:
            assert size > 1_000_000, "only who sends on and on is cut off before the answer"
        else:
            assert reply.status_code == 413
            assert said("portal.err.block", "es", phone="010") in reply.text
        assert await keys(shared_portal, "booking_draft") <= drafts
        assert (await citizen.open("/")).lang == "es"


@pytest.mark.parametrize("language", ["es", "ar"])
@pytest.mark.parametrize(
    "error, is_overload",
    [
        (ConnectionRefusedError(), False),
        (ConnectionDoesNotExistError(), False),
        (TimeoutError(), False),
        (TooManyConnectionsError(), True),
    ],
)
async def test_a_dead_database_is_not_blamed_on_other_people(
    *, shared_portal: Bed, monkeypatch: pytest.MonkeyPatch, error: Exception, is_overload: bool, language: str
) -> None:
    async def by_link(_link: str) -> None:
        raise error

    monkeypatch.setattr(shared_portal.booking.changes, "by_link", by_link)
    async with shared_portal.citizen(language) as citizen:
        page = await citizen.open(f"/cita/{LINK}")
    assert citizen.reply.status_code == 503
    busy, dead = said("base.error.busy", language, n=5), said("portal.unavailable.text", language, phone="010")
    assert (busy in page.words, dead in page.words) == (is_overload, not is_overload)


@pytest.mark.parametrize(
    "method, path", [("GET", "/"), ("GET", "/nada"), ("GET", "/t/x"), ("POST", "/reserva"), ("GET", "/api/v1/nada")]
)
async def test_every_answer_carries_the_pages_headers_once(shared_portal: Bed, method: str, path: str) -> None:
    async with shared_portal.citizen() as citizen:
        headers = (await citizen.client.request(method, path)).headers
        for name in PAGE_HEADERS:
            assert len(headers.get_list(name)) == 1, name


@pytest.mark.parametrize("language", ["es", "ar"])
async def test_a_locator_tried_twenty_times_gets_one_answer_and_then_a_pause(shared_portal: Bed, language: str) -> None:
    locator = {"es": "K7M-4QX", "ar": "K7M-4QY"}[language]
    before = refused("too_many_tries")
    async with shared_portal.citizen(language) as citizen:
        answers = []
        for n in range(20):
            await citizen.open("/cita")
            await citizen.send("/cita", code=locator, doc=f"{n:04}")
            answers.append(citizen.reply.status_code)
        assert answers == [404] * 5 + [429] * 15
        assert _bare(said("portal.find.wait", language, n=15, phone="010")) in _bare(citizen.page.words)
        assert ("code", locator) in citizen.page.form().fields
    assert refused("too_many_tries") == before + 15


@pytest.mark.parametrize("language", ["es", "ar"])
async def test_an_address_that_keeps_too_many_times_is_told_what_to_do(shared_portal: Bed, language: str) -> None:
    shared_portal.clock.advance(minutes=11)  # the holds of the rows before have lapsed
    bookings, before = shared_portal.booking.bookings, refused("crowded")
    holder = holder_hash(shared_portal.server.central.keys.person, "127.0.0.1")
    async with shared_portal.citizen(language) as citizen:
        await to_times(citizen)
        times = [datetime.fromisoformat(time) for time in citizen.page.form("/reserva/hora").choices["time"]]
        for n in range(40):
            at = times[-1] + timedelta(days=1 + n // 10, minutes=-10 * (n % 10))
            wish = Wish(office_id="real", service_id="viaje", slot_start_at=at)
            assert isinstance(await bookings.hold(wish, holder=holder), Held)
        page = await citizen.send("/reserva/hora", time=times[-1].isoformat())
        assert citizen.reply.status_code == 429
        assert page.lang == language
        assert _bare(said("portal.err.crowded", language, n=10, phone="010")) in _bare(page.words)
        assert page.form("/reserva/hora").choices["time"]
        assert refused("crowded") == before + 1
        shared_portal.clock.advance(minutes=10)
        await citizen.send("/reserva/hora", time=times[-1].isoformat())
        assert citizen.path == "/reserva/datos", citizen.page.words


def _bare(text: str) -> str:
    """Without the marks that isolate values in Arabic, which pages write as elements."""
    return " ".join(text.translate(dict.fromkeys(range(0x2066, 0x206A))).replace(" .", ".").split())


async def test_a_token_of_other_keys_is_replaced_and_the_next_form_is_taken(shared_portal: Bed) -> None:
    """Keys that were made anew, or another city on this address: nobody has to delete cookies."""
    async with shared_portal.citizen() as citizen:
        citizen.client.cookies.set(CSRF_COOKIE, generate_csrf_token("other keys"), domain="127.0.0.1")
        await to_times(citizen)
        assert citizen.reply.status_code == 200
        assert citizen.path == "/reserva/hora"
