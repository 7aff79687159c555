"""What goes wrong for a citizen at central's portal: the page in Spanish and Arabic, what central has then, what it counted."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from tests.integration.bad_input.bookings import NOBODYS
from tests.integration.bad_input.office import refused_total
from tests.integration.portal.citizen import Citizen
from tests.integration.portal.conftest import Bed, running_portal
from tests.kit.central_database import BINARIES, Clusters
from tests.kit.small_city import loaded_city

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="module"),
]

LANGUAGES = ("es", "ar")
DIRECTION = {"es": "ltr", "ar": "rtl"}
CONFIRMED = {"es": "Cita confirmada", "ar": "تم تأكيد الموعد"}
NOT_YET = {"es": "La cita todavía no está reservada.", "ar": "لم يتم حجز موعدك بعد."}
TAKEN = {
    "es": "Otra persona acaba de reservar esa hora. Estas son las más próximas.",
    "ar": "حجز شخص آخر هذا الموعد للتو. هذه أقرب المواعيد.",
}
NOT_FOUND = {
    "es": "No encontramos una cita con ese código y ese documento.",
    "ar": "لم نجد موعدًا بهذا الرمز وهذه الوثيقة.",
}
TOO_MANY = {"es": "Demasiados intentos.", "ar": "محاولات كثيرة."}
GONE = {
    "es": "Ha pasado mucho tiempo y hemos borrado lo que escribió. Empiece otra vez.",
    "ar": "مر وقت طويل وحذفنا ما كتبته. ابدأ من جديد.",
}
HOLD = timedelta(minutes=11)
"""Longer than seats are held, shorter than a draft is kept."""
_passports = itertools.count(100_000)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def portal(clusters: Clusters, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bed]:
    """One central with one seat in every slot, for the whole module."""
    kind = next((kind for kind, find in BINARIES.items() if find()), "wheel")
    cluster = clusters[kind]
    folder = tmp_path_factory.mktemp("portal")
    with loaded_city(cluster, folder) as dsn:
        async with running_portal(dsn, folder) as bed:
            yield bed


class Evidence:
    """What central has and has counted since an instant."""

    def __init__(self, bed: Bed, appointments: int, refused: dict[str, int]) -> None:
        self._bed = bed
        self._appointments = appointments
        self._refused = refused

    async def booked(self) -> int:
        return await _appointments(self._bed) - self._appointments

    async def refused(self) -> dict[str, int]:
        now = await _refused(self._bed)
        return {code: grown for code in now if (grown := now[code] - self._refused.get(code, 0))}


@pytest_asyncio.fixture(loop_scope="module")
async def evidence(portal: Bed) -> Evidence:
    return Evidence(portal, await _appointments(portal), await _refused(portal))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_hold_that_ended_under_a_filled_form_still_books_the_free_time(
    portal: Bed, evidence: Evidence, language: str
) -> None:
    async with portal.citizen(language) as citizen:
        await _to_check(citizen)
        portal.clock.advance(minutes=HOLD.total_seconds() / 60)
        page = await citizen.send("/reserva/compruebe")
        assert CONFIRMED[language] in page.title
        assert (page.lang, page.direction) == (language, DIRECTION[language])
    assert (await evidence.booked(), await evidence.refused()) == (1, {})


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_hold_that_ended_and_was_taken_keeps_the_form_and_offers_other_times(
    portal: Bed, evidence: Evidence, language: str
) -> None:
    async with portal.citizen(language) as slow, portal.citizen() as quick:
        chosen = await _to_check(slow)
        portal.clock.advance(minutes=HOLD.total_seconds() / 60)
        await _to_check(quick, chosen)
        await quick.send("/reserva/compruebe")
        page = await slow.send("/reserva/compruebe")
        assert slow.reply.status_code == 409
        assert TAKEN[language] in page.words
        assert (page.lang, page.direction) == (language, DIRECTION[language])
        assert (await evidence.booked(), await evidence.refused()) == (1, {"taken": 1})
        times = page.form("/reserva/hora").choices["time"]
        assert chosen not in times
        page = await slow.send("/reserva/hora", time=times[0])
        assert slow.path == "/reserva/compruebe"  # nothing has to be typed again
        assert "Fátima Mohamed Ruiz" in page.words
        assert NOT_YET[language] in page.words
        page = await slow.send("/reserva/compruebe")
        assert CONFIRMED[language] in page.title
    assert await evidence.booked() == 2


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_form_left_for_an_hour_begins_again(portal: Bed, evidence: Evidence, language: str) -> None:
    async with portal.citizen(language) as citizen:
        await _to_check(citizen)
        portal.clock.advance(hours=1)
        page = await citizen.send("/reserva/compruebe")
        assert citizen.reply.status_code == 410
        assert GONE[language] in page.words
    assert (await evidence.booked(), await evidence.refused()) == (0, {})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("clicks", [2, 3])
async def test_confirm_pressed_many_times_books_once(
    portal: Bed, evidence: Evidence, clicks: int, language: str
) -> None:
    async with portal.citizen(language) as citizen:
        await _to_check(citizen)
        form = citizen.page.form("/reserva/compruebe")
        replies = await asyncio.gather(*(citizen.post(form, {}) for _ in range(clicks)))
        assert {reply.status_code for reply in replies} == {200}
        assert len({reply.url.path for reply in replies}) == 1
        assert all(CONFIRMED[language] in reply.text or "/cita/" in reply.url.path for reply in replies)
    assert (await evidence.booked(), await evidence.refused()) == (1, {})


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_locator_tried_twenty_times(portal: Bed, evidence: Evidence, language: str) -> None:
    locator = NOBODYS[:-1] + ("7" if language == "es" else "9")
    async with portal.citizen(language) as citizen:
        await citizen.open("/cita")
        for tried in range(20):
            portal.clock.advance(seconds=10)
            page = await citizen.send("/cita", code=locator, doc="316T")
            assert (NOT_FOUND if tried < 5 else TOO_MANY)[language] in page.words
            assert citizen.reply.status_code == (404 if tried < 5 else 429)
    assert (await evidence.booked(), await evidence.refused()) == (0, {"not_found": 5, "too_many_tries": 15})


FORMS: dict[str, tuple[str, dict[str, str]]] = {
    "a time that is no time": ("/reserva/hora", {"time": "mañana"}),
    "a time of the last century": ("/reserva/hora", {"time": "1999-01-01T09:00:00Z"}),
    "a day that there is not": ("/reserva/hora", {"other": "31/02/2027", "go": "date"}),
    "a time with a command in it": ("/reserva/hora", {"time": "'; DROP TABLE seat; --"}),
}


@pytest.mark.parametrize("path, fields", [pytest.param(*form, id=name) for name, form in FORMS.items()])
async def test_a_form_that_no_page_of_ours_sends(
    portal: Bed, evidence: Evidence, path: str, fields: dict[str, str]
) -> None:
    async with portal.citizen("ar") as citizen:
        await _to_times(citizen)
        page = await citizen.send(path, **fields)
        assert citizen.reply.status_code in {409, 422}
        assert (page.lang, page.direction) == ("ar", "rtl")
        assert path in {form.action for form in page.forms}
    assert await evidence.booked() == 0


@pytest.mark.parametrize("path", ["/cita", "/reserva", "/api/v1/appointments", "/api/v1/appointments/lookup"])
async def test_ten_megabytes(portal: Bed, evidence: Evidence, path: str) -> None:
    kind = "application/json" if path.startswith("/api/") else "application/x-www-form-urlencoded"
    async with portal.citizen() as citizen:
        await citizen.open("/cita")
        headers = {"content-type": kind, "x-csrf-token": citizen.client.cookies["vt_central_csrf"], **_bearer(portal)}
        reply = await citizen.client.post(path, content=b"x=" + b"x" * 10_000_000, headers=headers)
        assert reply.status_code == 413
    assert (await evidence.booked(), await evidence.refused()) == (0, {"too_large": 1})


BODIES: dict[str, tuple[str, bytes]] = {
    "nothing": ("/api/v1/appointments", b""),
    "no JSON": ("/api/v1/appointments", b"{{{"),
    "no text": ("/api/v1/appointments", b"\xff\xfe"),
    "a list": ("/api/v1/appointments", b"[]"),
    "numbers for words": ("/api/v1/appointments", b'{"request_id": 1, "office_id": 2, "service_id": 3}'),
    "very deep": ("/api/v1/appointments", b"[" * 50_000),
    "a locator that is a list": ("/api/v1/appointments/lookup", b'{"locator": [], "document_end": "316T"}'),
}


@pytest.mark.parametrize("path, body", [pytest.param(*body, id=name) for name, body in BODIES.items()])
async def test_json_for_the_api(portal: Bed, evidence: Evidence, path: str, body: bytes) -> None:
    async with portal.citizen() as program:
        headers = {"content-type": "application/json", "accept": "application/json", **_bearer(portal)}
        reply = await program.client.post(path, content=body, headers=headers)
        assert (reply.status_code, reply.json()["code"]) == (400, "malformed")
    assert (await evidence.booked(), await evidence.refused()) == (0, {"malformed": 1})


async def _to_times(citizen: Citizen) -> None:
    await citizen.open("/tramites/viaje")
    await citizen.send("/reserva", service="viaje")
    await citizen.send("/reserva/oficina", office="centro")
    assert citizen.path == "/reserva/hora", citizen.page.words


async def _to_check(citizen: Citizen, time: str = "") -> str:
    """Fill in everything as somebody whom nobody knows; the chosen time."""
    await _to_times(citizen)
    chosen = time or citizen.page.form("/reserva/hora").choices["time"][0]
    await citizen.send("/reserva/hora", time=chosen)
    who = {"name": "Fátima Mohamed Ruiz", "doc_type": "passport", "doc": f"AB{next(_passports)}"}
    await citizen.send("/reserva/datos", **who, mail="", mobile="")
    assert citizen.path == "/reserva/compruebe", citizen.page.words
    return chosen


def _bearer(bed: Bed) -> dict[str, str]:
    return {"authorization": f"Bearer {bed.server.central.keys.api}"}


async def _appointments(bed: Bed) -> int:
    return int(await bed.server.central.pool.fetchval("SELECT count(*) FROM appointment"))


async def _refused(bed: Bed) -> dict[str, int]:
    async with bed.citizen() as anybody:
        return refused_total((await anybody.client.get("/metrics")).text)
