"""Signing in at central: who may, how guesses wait, how long a session stands, what happens to what was typed."""

from __future__ import annotations

from typing import Any

import pytest

from central.audit import Attested
from central.offices.load import load_city
from central.offices.second_factor import drop, enrol
from central.staff.sessions import NotSignedIn, SignedIn, StaffSessions
from sync.domain.second_factor import STEP_S, code_at
from sync.domain.sign_in import FREE_TRIES
from tests.integration.portal.conftest import Bed
from tests.integration.portal.manager import sign_in
from tests.kit.small_city import MONDAY_8H, small_city

DESK, THIEF = "192.0.2.10", "192.0.2.66"
PAGES = ("/oficinas-ahora", "/cupos-cedidos", "/incidencias", "/hechos-apartados")


def staff_of(bed: Bed) -> StaffSessions:
    staff: StaffSessions = bed.server._app.state.portal.staff
    return staff


async def entered(bed: Bed, staff_id: str = "rocio", address: str = DESK) -> SignedIn:
    came = await staff_of(bed).sign_in("centro", staff_id, "secreta", address)
    assert isinstance(came, SignedIn)
    return came


async def factor(bed: Bed) -> tuple[bytes, tuple[str, ...]]:
    """Give rocio of centro a second factor; the secret and the recovery codes."""
    who = Attested(actor="ops", at=bed.clock.now())
    async with bed.server.central.pool.acquire() as connection:
        made = await enrol(connection, "centro", "rocio", who, replace=True)
        assert not isinstance(made, str)
        secret: bytes = await connection.fetchval("SELECT secret FROM second_factor WHERE staff_id = 'rocio'")
    return secret, made.recovery


def code(bed: Bed, secret: bytes) -> str:
    return code_at(secret, int(bed.clock.now().timestamp()) // STEP_S)


async def test_the_way_to_signing_in_keeps_the_language_that_was_asked_for(portal: Bed) -> None:
    async with portal.citizen() as browser:
        await browser.open("/oficinas-ahora?lang=en")
        assert browser.path == "/personal/entrar"
        assert browser.page.title.startswith("Sign in")
        await browser.open("/oficinas-ahora")
        assert browser.page.title.startswith("Sign in"), "and it is remembered"


@pytest.mark.parametrize("path", PAGES)
async def test_the_citys_pages_are_for_who_is_signed_in(portal: Bed, path: str) -> None:
    async with portal.citizen() as browser:
        page = await browser.open(path)
        assert browser.path == "/personal/entrar"
        assert page.title.startswith("Entrar")
        await browser.send("/personal/entrar", office="centro", staff_id="rocio", password="secreta")
        assert (browser.path, browser.reply.status_code) == (path, 200), "signing in leads to where one wanted to go"
        assert "Rocío" in browser.page.words
        cookie = next(one for one in browser.client.cookies.jar if one.name == "vt_central_staff")
        assert cookie.has_nonstandard_attr("HttpOnly")
        assert cookie.get_nonstandard_attr("SameSite") == "lax"
        await browser.send("/personal/salir")
        assert browser.path == "/personal/entrar"
        assert (await browser.client.get(path, follow_redirects=False)).status_code == 303
        for live in ("/oficinas-ahora/ahora", "/oficinas-ahora/stream"):
            assert (await browser.client.get(live)).status_code == 401


async def test_who_is_wrong_is_told_the_same_whatever_was_wrong(portal: Bed) -> None:
    answers = set()
    async with portal.citizen() as browser:
        for office, staff_id, password in (
            ("centro", "rocio", "otra"),  # real's rocio, at the wrong office
            ("centro", "nobody", "secreta"),
            ("nowhere", "rocio", "secreta"),
            ("centro", "x" * 200, "secreta"),
        ):
            page = await sign_in(browser, office, staff_id, password)
            answers.add((browser.reply.status_code, next(t for t in page.text if "no son correctos" in t)))
            assert page.title.startswith("Error: ")
    assert answers == {(422, "La oficina, el usuario o la contraseña no son correctos.")}


async def test_the_same_id_at_two_offices_is_two_people(portal: Bed) -> None:
    staff = staff_of(portal)
    centro = await staff.sign_in("centro", "rocio", "secreta", DESK)
    real = await staff.sign_in("real", "rocio", "otra", DESK)
    assert isinstance(centro, SignedIn)
    assert isinstance(real, SignedIn)
    assert (centro.member.display_name, real.member.display_name) == ("Rocío", "Rocío de Real")


async def test_a_clerk_is_told_where_their_work_is(portal: Bed) -> None:
    async with portal.citizen() as browser:
        page = await sign_in(browser, staff_id="ana")
        assert browser.reply.status_code == 403
        assert "Entre en la consola de su oficina" in page.words
        await sign_in(browser, staff_id="ana", password="guess")
        assert browser.reply.status_code == 422, "only behind the right password"
    assert await portal.count("staff_session") == 0


async def test_an_empty_form_keeps_what_was_typed(portal: Bed) -> None:
    async with portal.citizen() as browser:
        page = await sign_in(browser, "real", "rocio", "")
        assert (browser.reply.status_code, "Escriba el usuario" in page.words) == (422, True)
        assert {("office", "real"), ("staff_id", "rocio")} <= set(page.form("/personal/entrar").fields)


async def test_a_guesser_waits_and_nobody_else(portal: Bed) -> None:
    staff = staff_of(portal)
    for staff_id in ("rocio", "nobody"):
        codes = [await staff.sign_in("centro", staff_id, "guess", THIEF) for _ in range(FREE_TRIES + 1)]
        assert codes == [NotSignedIn("sign_in_failed")] * FREE_TRIES + [NotSignedIn("too_many_tries", 2)]
    assert isinstance(await staff.sign_in("centro", "rocio", "secreta", THIEF), NotSignedIn)
    await entered(portal)
    portal.clock.advance(seconds=2)
    await entered(portal, address=THIEF)


async def test_the_page_says_how_long_to_wait(portal: Bed) -> None:
    async with portal.citizen("en") as browser:
        for _ in range(FREE_TRIES):
            await sign_in(browser, password="guess")
        page = await sign_in(browser, password="guess")
        assert (browser.reply.status_code, browser.reply.headers["retry-after"]) == (429, "2")
        assert "Too many tries. Wait 2 seconds." in page.words


async def test_the_database_keeps_no_token(portal: Bed) -> None:
    came = await entered(portal)
    row = await portal.server.central.pool.fetchrow("SELECT * FROM staff_session")
    assert came.token not in str(dict(row))
    assert came.token.encode() not in b"".join(value for value in row.values() if isinstance(value, bytes))
    assert await staff_of(portal).member("x" * 43) is None


@pytest.mark.parametrize(
    "passes, end",
    [
        ([{"minutes": 59}] * 3, None),
        ([{"minutes": 60}], "idle"),
        ([{"minutes": 59}, {"minutes": 60}], "idle"),
        ([{"minutes": 50}] * 15, "expired"),
    ],
    ids=["input keeps it", "an hour without input", "after input too", "twelve hours in any case"],
)
async def test_a_session_ends(portal: Bed, passes: list[dict[str, Any]], end: str | None) -> None:
    came, staff = await entered(portal), staff_of(portal)
    found: Any = None
    for passed in passes:
        portal.clock.advance(**passed)
        found = await staff.member(came.token)
    assert found == (end or came.member)


async def test_a_page_that_asks_by_itself_is_no_input(portal: Bed) -> None:
    came, staff = await entered(portal), staff_of(portal)
    portal.clock.advance(minutes=30)
    assert await staff.member(came.token, is_input=False) == came.member
    portal.clock.advance(minutes=30)
    assert await staff.member(came.token, is_input=False) == "idle"


@pytest.mark.parametrize(
    "change, end",
    [
        ("DELETE FROM staff WHERE id = 'rocio'", "access"),
        ("UPDATE staff SET valid_until = '2026-01-01' WHERE id = 'rocio'", "access"),
        ("UPDATE staff SET roles = '{clerk}' WHERE id = 'rocio'", "access"),
        ("UPDATE staff SET verifier = 'another' WHERE id = 'rocio'", "password"),
    ],
)
async def test_a_session_ends_with_what_it_was_opened_for(portal: Bed, change: str, end: str) -> None:
    came = await entered(portal)
    await portal.server.central.pool.execute(change)
    assert await staff_of(portal).member(came.token) == end


async def test_a_session_outlives_a_restart_and_a_load_of_the_city(portal: Bed) -> None:
    came = await entered(portal)
    async with portal.server.central.pool.acquire() as connection:
        await load_city(connection, small_city(2), MONDAY_8H)
    other = StaffSessions(portal.server.central)
    await other.load()
    assert await other.member(came.token) == came.member


async def test_why_a_session_ended_is_told(portal: Bed) -> None:
    async with portal.citizen() as browser:
        await sign_in(browser)
        portal.clock.advance(hours=2)
        page = await browser.open("/incidencias")
        assert "nadie usó esta página" in page.words
        await browser.open("/personal/entrar?a=/incidencias&fin=" + "<b>")
        assert "<b>" not in browser.reply.text


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_signing_in_leads_nowhere_else(portal: Bed, to: str) -> None:
    async with portal.citizen() as browser:
        await sign_in(browser, to=to)
        assert (str(browser.reply.url), browser.path) == (f"{portal.server.url}/oficinas-ahora", "/oficinas-ahora")


async def test_the_second_factor_is_asked_for_behind_the_password(portal: Bed) -> None:
    secret, recovery = await factor(portal)
    async with portal.citizen() as browser:
        page = await sign_in(browser, to="/incidencias")
        assert "Código de un solo uso" in page.title
        await browser.open("/incidencias")
        assert browser.path == "/personal/entrar", "the password alone opens nothing"
        await sign_in(browser, to="/incidencias")
        page = await browser.send("/personal/codigo", code="123456")
        assert (browser.reply.status_code, "no es correcto o ya se usó" in page.words) == (422, True)
        await browser.send("/personal/codigo", code=code(portal, secret))
        assert browser.path == "/incidencias"
    async with portal.citizen() as again:
        await sign_in(again)
        await again.send("/personal/codigo", code=code(portal, secret))
        assert again.reply.status_code == 422, "each code is good once"
        await again.send("/personal/codigo", code=recovery[0].lower())
        assert again.path == "/oficinas-ahora"
    staff = staff_of(portal)
    pending = await staff.sign_in("centro", "rocio", "secreta", DESK)
    assert isinstance(pending, NotSignedIn)
    assert await staff.confirm(pending.token, recovery[0], DESK) == NotSignedIn("code_wrong", token=pending.token)
    assert isinstance(await staff.confirm(pending.token, recovery[1], DESK), SignedIn)
    assert await staff.confirm(pending.token, recovery[2], DESK) == NotSignedIn("code_late"), "it was used"


async def test_who_had_the_browser_before_has_it_no_more(portal: Bed) -> None:
    async with portal.citizen() as browser:
        await sign_in(browser, staff_id="alonso")
        token = browser.client.cookies["vt_central_staff"]
        form = browser.page.form("/personal/salir")
        form.action = "/personal/entrar"
        fields: dict[str, str | list[str]] = {"office": "centro", "staff_id": "rocio", "password": "secreta"}
        await browser.post(form, fields)
        assert await staff_of(portal).member(token) is None
        await factor(portal)
        token = browser.client.cookies["vt_central_staff"]
        await browser.post(form, fields)
        assert await portal.count("staff_session") == 1, "only what awaits its code"
        assert await staff_of(portal).member(token) is None


async def test_codes_wait_like_passwords_and_come_in_time(portal: Bed) -> None:
    secret, _ = await factor(portal)
    staff = staff_of(portal)

    async def begin() -> str:
        pending = await staff.sign_in("centro", "rocio", "secreta", DESK)
        assert isinstance(pending, NotSignedIn)
        assert pending.code == "code_needed"
        assert await staff.member(pending.token) is None
        return pending.token

    token = await begin()
    portal.clock.advance(minutes=5)
    assert await staff.confirm(token, code(portal, secret), DESK) == NotSignedIn("code_late")
    token = await begin()
    codes = [await staff.confirm(token, "000000", DESK) for _ in range(FREE_TRIES + 1)]
    assert [one.code for one in codes if isinstance(one, NotSignedIn)] == ["code_wrong"] * FREE_TRIES + [
        "too_many_tries"
    ]
    portal.clock.advance(seconds=2)
    assert isinstance(await staff.confirm(token, code(portal, secret), DESK), SignedIn)
    assert await staff.confirm("made up", "000000", DESK) == NotSignedIn("code_late")


async def test_a_second_factor_that_is_made_or_dropped_ends_sessions(portal: Bed) -> None:
    came, staff = await entered(portal), staff_of(portal)
    await factor(portal)
    assert await staff.member(came.token) == "password"
    async with portal.server.central.pool.acquire() as connection:
        await drop(connection, "centro", "rocio", Attested(actor="ops", at=portal.clock.now(), statement="lost"))
    assert await staff.member(came.token) == came.member, "it is as it was"


async def test_signing_in_and_looking_are_written_down_once_a_session(portal: Bed) -> None:
    async with portal.citizen() as browser:
        await sign_in(browser)
        for _ in range(3):
            await browser.open("/oficinas-ahora")
        await browser.open("/incidencias")
        rows = await portal.server.central.pool.fetch("SELECT actor, act, subject FROM audit ORDER BY at, act")
    assert [tuple(row) for row in rows] == [
        ("centro/rocio", "overview.looked_at", "centro"),
        ("centro/rocio", "records.looked_at", "/incidencias"),
        ("centro/rocio", "staff.signed_in", "centro/rocio"),
    ]


async def test_an_open_stream_ends_when_its_person_leaves(portal: Bed) -> None:
    async with portal.citizen() as browser:
        await sign_in(browser)
        async with browser.client.stream("GET", "/oficinas-ahora/stream", timeout=20) as stream:
            pieces = stream.aiter_bytes()
            assert b"retry" in await anext(pieces)
            await staff_of(portal).sign_out(browser.client.cookies["vt_central_staff"])
            told = b"".join([piece async for piece in pieces])
        assert b"event: fragment" in told
        assert b"event: bye" not in told
        assert (await browser.client.get("/oficinas-ahora/stream")).status_code == 401
