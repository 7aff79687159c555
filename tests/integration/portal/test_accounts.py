"""Signing in at central with the municipal account: by a provider that others wrote, and by one that lies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from central.app import create_app
from central.settings import Keys, Settings
from central.staff.account_routes import COOKIE
from provisioning.settings import SettingsError
from sync.io.single_sign_on.settings import SingleSignOn
from sync.io.single_sign_on.sign_on import MAX_AT_ONCE
from tests.integration.portal.account_bed import (
    BEGIN,
    BUTTON,
    LATE,
    NAMES_ITSELF,
    NOT_ASKED,
    REFUSED,
    RETURN,
    SESSION,
    SILENT,
    UNKNOWN,
    AccountBed,
    account_bed,
    stopped_at,
    way_back,
)
from tests.integration.portal.conftest import Bed, running_portal
from tests.integration.portal.manager import sign_in
from tests.kit.clock import ManualClock
from tests.kit.identity_provider import (
    CLIENT,
    SECRET,
    answer_there,
    foreign_provider,
    settings,
    unsigned,
)
from tests.kit.small_city import MONDAY_8H


@pytest.fixture
async def bed(portal_dsn: str, portal_folder: Path, tmp_path: Path) -> AsyncIterator[AccountBed]:
    async with account_bed(portal_dsn, portal_folder, tmp_path) as there:
        yield there


async def test_a_provider_that_others_wrote(portal_dsn: str, portal_folder: Path, tmp_path: Path) -> None:
    alonso = {"sub": "f-1", "preferred_username": "Alonso"}
    nobody = {"sub": "f-2", "preferred_username": "nobody"}
    clock = ManualClock(datetime.now(UTC))
    with foreign_provider(alonso, nobody) as issuer:
        async with (
            running_portal(portal_dsn, portal_folder, clock, settings(issuer, tmp_path)) as portal,
            portal.citizen() as browser,
        ):
            page = await browser.open("/incidencias")
            assert BUTTON in page.words
            there = await browser.client.get(next(link for link in page.links if link.startswith(BEGIN)))
            assert str(there.url).startswith(f"{issuer}/oauth2/authorize")
            no = await answer_there(browser.client, there, action="deny")
            assert (no.status_code, LATE in no.text) == (422, True), "this one forgets the state of whom it refuses"
            assert BUTTON in no.text

            stranger = await answer_there(browser.client, await browser.client.get(BEGIN), sub="f-2")
            assert (stranger.status_code, UNKNOWN in stranger.text) == (403, True)

            there = await browser.client.get(f"{BEGIN}?a=/incidencias")
            came = await answer_there(browser.client, there, sub="f-1")
            assert (came.url.path, came.status_code) == ("/incidencias", 200)
            assert "Alonso" in came.text
            again = await answer_there(browser.client, there, sub="f-1")
            assert LATE in again.text, "what was begun once is taken up once"
            assert await portal.count("audit", "act = 'staff.signed_in'") == 1


async def test_who_is_signed_in_goes_where_they_wanted_and_central_keeps_nothing_of_the_provider(
    bed: AccountBed,
) -> None:
    async with bed.citizen() as browser:
        await browser.open(f"{BEGIN}?a=/cierres/centro")
        assert (browser.path, browser.reply.status_code) == ("/cierres/centro", 200)
        asked, exchanged = bed.provider.asked[0], bed.provider.exchanged[0]
        assert {asked["scope"], asked["prompt"], asked["ui_locales"]} == {"openid profile", "login", "es"}
        assert asked["acr_values"] == "loa-2"
        assert exchanged["code_verifier"] not in asked.values()
        assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43
        assert COOKIE not in browser.client.cookies
        row = dict(await bed.portal.server.central.pool.fetchrow("SELECT * FROM staff_session"))
        assert (row["office_id"], row["staff_id"]) == ("centro", "alonso")
        assert not any("opaque" in str(value) or asked["state"] in str(value) for value in row.values())
        await browser.open(BEGIN)
        assert (browser.path, len(bed.provider.asked)) == ("/oficinas-ahora", 1), "nobody signs in twice"
        await browser.send("/personal/salir")
        assert await bed.sessions() == 0
    assert await bed.methods() == ["centro/alonso account"]


async def test_the_record_says_by_what_somebody_signed_in(bed: AccountBed) -> None:
    async with bed.citizen() as browser:
        await sign_in(browser, staff_id="alonso")
        await browser.send("/personal/salir")
        await browser.open(BEGIN)
        page = await browser.open("/registro?oficina=centro")
    assert await bed.methods() == ["centro/alonso password", "centro/alonso account"]
    assert "Entró en la central con contraseña" in page.words
    assert "Entró en la central con la cuenta municipal" in page.words


async def test_without_an_issuer_there_is_no_button_and_no_route(portal: Bed) -> None:
    async with portal.citizen() as browser:
        page = await browser.open("/personal/entrar")
        assert "cuenta municipal" not in page.words
        for path in (BEGIN, RETURN):
            assert (await browser.client.get(path)).status_code == 404


async def test_signing_in_leads_nowhere_else(bed: AccountBed) -> None:
    for wanted in (
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:x",
        "/\r\nevil",
        "\\\\evil",
    ):
        async with bed.citizen() as browser:
            reply = await browser.client.get(BEGIN, params={"a": wanted})
            assert (reply.url.host, reply.url.path) == ("127.0.0.1", "/oficinas-ahora"), wanted


def by_secret(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Signed with what the client knows itself."""
    return jwt.encode({**header, "alg": "HS256"}, claims, OctKey.import_key(SECRET), algorithms=["HS256"])


def by_stranger(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Signed by another key that calls itself the provider's."""
    return jwt.encode(header, claims, RSAKey.generate_key(2048, {"kid": header["kid"]}))


def cut(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return by_stranger(header, claims).rpartition(".")[0] + "."


PLANTED: dict[str, dict[str, Any]] = {
    "another nonce": {"planted": {"nonce": "another"}},
    "no nonce": {"planted": {"nonce": None}},
    "another issuer": {"planted": {"iss": "https://evil.example"}},
    "no issuer": {"planted": {"iss": None}},
    "another audience": {"planted": {"aud": "another-client"}},
    "no audience": {"planted": {"aud": None}},
    "for two, not told for whom": {"planted": {"aud": [CLIENT, "another-client"]}},
    "for another who may show it to us": {"planted": {"aud": [CLIENT, "another-client"], "azp": "another-client"}},
    "for another, asked for by us": {"planted": {"aud": "another-client", "azp": CLIENT}},
    "expired": {"planted": {"exp": int(MONDAY_8H.timestamp()) - 61}},
    "no end": {"planted": {"exp": None}},
    "an end that is no number": {"planted": {"exp": "tomorrow"}},
    "not yet": {"planted": {"nbf": int(MONDAY_8H.timestamp()) + 120}},
    "issued tomorrow": {"planted": {"iat": int(MONDAY_8H.timestamp()) + 86400}},
    "no subject": {"planted": {"sub": None}},
    "of another access token": {"planted": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}},
    "methods that are no list": {"planted": {"amr": {"mfa": True}}},
    "alg none": {"sign": unsigned},
    "alg HS256 by our own secret": {"sign": by_secret},
    "signed by a stranger": {"sign": by_stranger},
    "without its signature": {"sign": cut},
    "a key that the provider does not have": {"header": {"kid": "k9"}},
    "no token at all": {"sign": lambda *_: "not.a.token"},
    "not even text": {"sign": lambda *_: 7},
    "a code for another": {"answer": {"code": "made-up"}},
    "no code": {"answer": {"code": None}},
    "a code without an end": {"answer": {"code": "x" * 5000}},
    "another provider in the answer": {"answer": {"iss": "https://evil.example"}},
    "an error of no kind": {"answer": {"code": None, "error": "invalid_scope"}},
    "the client is unknown": {"status": 401},
}  # fmt: skip


async def test_what_does_not_hold_opens_nothing(bed: AccountBed) -> None:
    for name, planted in PLANTED.items():
        async with bed.citizen() as browser, bed.provider.lying(**planted):
            page = await browser.open(BEGIN)
            assert (browser.reply.status_code, REFUSED in page.words) == (422, True), name
            assert SESSION not in browser.client.cookies, name
            assert (await stopped_at(browser, "/oficinas-ahora")).status_code == 303, name
    assert await bed.portal.count("staff_session") == 0
    async with bed.citizen() as browser:
        await browser.open(BEGIN)
        assert browser.path == "/oficinas-ahora", "the honest one is believed"


async def test_a_provider_that_asked_nobody_now_is_no_proof_on_a_shared_pc(bed: AccountBed) -> None:
    now = int(bed.portal.clock.now().timestamp())
    for said in (None, now - 3600):
        async with bed.citizen() as browser, bed.provider.lying(planted={"auth_time": said}):
            page = await browser.open(f"{BEGIN}?a=/incidencias")
            assert (browser.reply.status_code, NOT_ASKED in page.words) == (422, True)
            assert SESSION not in browser.client.cookies
            assert f"{BEGIN}?a=%2Fincidencias" in page.links
    async with bed.citizen("en") as browser, bed.provider.lying(planted={"auth_time": None}):
        page = await browser.open(BEGIN)
        assert "The municipal account did not ask you again who you are, which is needed here." in page.words


async def test_a_provider_that_promises_to_name_itself_has_to(bed: AccountBed) -> None:
    async with bed.citizen() as browser, bed.provider.lying(described={NAMES_ITSELF: True}):
        page = await browser.open(BEGIN)
        assert (browser.reply.status_code, REFUSED in page.words) == (422, True)
        bed.provider.answer = {"iss": bed.provider.url}
        await browser.open(BEGIN)
        assert browser.path == "/oficinas-ahora"


SILENCE: dict[str, dict[str, Any]] = {
    "its token endpoint is broken": {"status": 500},
    "it has too much to do": {"status": 429},
    "it says so itself": {"answer": {"code": None, "error": "temporarily_unavailable"}},
    "it has no keys": {"published": []},
    "its keys stand nowhere": {"described": {"jwks_uri": None}},
    "it calls itself something else": {"described": {"issuer": "https://evil.example"}},
    "it leads to a place without TLS": {"described": {"token_endpoint": "http://evil.example/token"}},
    "it describes nothing": {"described": {"subject_types_supported": 3}},
}


async def test_a_provider_that_says_nothing_usable_leaves_the_password(bed: AccountBed) -> None:
    for name, planted in SILENCE.items():
        bed.portal.clock.advance(hours=1)  # what is known of the provider is old
        async with bed.citizen() as browser, bed.provider.lying(**planted):
            page = await browser.open(f"{BEGIN}?a=/incidencias")
            assert (browser.reply.status_code, SILENT in page.words) == (503, True), name
            assert SESSION not in browser.client.cookies, name
            await browser.send("/personal/entrar", office="centro", staff_id="alonso", password="secreta")
            assert browser.path == "/incidencias", "where one wanted to go is not forgotten"
    assert await bed.methods() == ["centro/alonso password"] * len(SILENCE)


async def test_who_cancels_is_where_they_began(bed: AccountBed) -> None:
    async with bed.citizen() as browser, bed.provider.lying(user=None):
        page = await browser.open(f"{BEGIN}?a=/incidencias")
        assert browser.reply.status_code == 422
        assert "No ha entrado con la cuenta municipal." in page.words
        assert f"{BEGIN}?a=%2Fincidencias" in page.links
        assert bed.provider.exchanged == []


async def test_nobody_waits_for_a_provider_that_hangs_or_is_gone(
    bed: AccountBed, portal_dsn: str, portal_folder: Path, tmp_path: Path
) -> None:
    bed.provider.gate.clear()
    hanging = settings(bed.provider.url, tmp_path, timeout_s=1)
    async with (
        running_portal(portal_dsn, portal_folder, bed.portal.clock, hanging) as portal,
        portal.citizen("en") as browser,
    ):
        async with asyncio.timeout(5):
            page = await browser.open(BEGIN)
        assert browser.reply.status_code == 503
        assert "The municipal account does not answer now. Sign in with your user name and password." in page.words
    gone = settings("http://127.0.0.1:9", tmp_path)
    async with running_portal(portal_dsn, portal_folder, None, gone) as portal, portal.citizen() as browser:
        page = await browser.open(BEGIN)
        assert (browser.reply.status_code, SILENT in page.words) == (503, True)


async def test_a_return_belongs_to_the_browser_that_began_it(bed: AccountBed) -> None:
    async with bed.citizen() as thief, bed.citizen() as victim:
        back = await way_back(thief)
        page = await victim.open(back)
        assert (victim.reply.status_code, LATE in page.words) == (422, True), "nothing was begun there"
        await way_back(victim)
        page = await victim.open(back)
        assert (victim.reply.status_code, LATE in page.words) == (422, True), "another thing was begun there"
        assert SESSION not in victim.client.cookies
        assert bed.provider.exchanged == [], "the provider is not asked"
    assert await bed.methods() == []


async def test_a_cookie_that_is_not_ours_is_nothing(bed: AccountBed) -> None:
    for cookie in ("", "x", "é", "gAAAAA" + "A" * 200, "A" * 5000):
        async with bed.citizen() as browser:
            back = await way_back(browser)
            browser.client.cookies.clear()
            reply = await browser.client.get(back, headers={b"cookie": f"{COOKIE}={cookie}".encode()})
            assert (reply.status_code, LATE in reply.text) == (422, True), cookie


async def test_a_return_counts_once_and_for_ten_minutes(bed: AccountBed) -> None:
    async with bed.citizen() as browser:
        back = await way_back(browser)
        kept = browser.client.cookies[COOKIE]
        await browser.open(back)
        assert browser.path == "/oficinas-ahora"
        browser.client.cookies.clear()
        page = await browser.open(back)
        assert LATE in page.words
        reply = await browser.client.get(back, headers={"cookie": f"{COOKIE}={kept}"})
        assert REFUSED in reply.text, "who kept the cookie has a code that is used up"

        back = await way_back(browser)
        bed.portal.clock.advance(minutes=10, seconds=1)
        page = await browser.open(back)
        assert (browser.reply.status_code, LATE in page.words) == (422, True)
    assert await bed.methods() == ["centro/alonso account"]


async def test_the_provider_may_change_its_keys(bed: AccountBed) -> None:
    async with bed.citizen() as browser:
        await browser.open(BEGIN)
        await browser.send("/personal/salir")
        bed.portal.clock.advance(minutes=2)
        bed.provider.new_key()
        await browser.open(BEGIN)
        assert browser.path == "/oficinas-ahora"


async def test_a_rush_of_returns_does_not_heap_up(bed: AccountBed) -> None:
    browsers = [bed.citizen() for _ in range(MAX_AT_ONCE + 3)]
    try:
        ways = [await way_back(browser) for browser in browsers]
        bed.provider.gate.clear()
        tasks = [asyncio.create_task(one.client.get(way)) for one, way in zip(browsers, ways, strict=True)]
        async with asyncio.timeout(10):
            while sum(task.done() for task in tasks) < 3:  # noqa: ASYNC110 - a task has no count
                await asyncio.sleep(0.01)
        bed.provider.gate.set()
        replies = await asyncio.gather(*tasks)
        busy = [one for one in replies if "Ahora entran muchas personas" in one.text]
        assert {one.status_code for one in busy} == {503}
        assert len(busy) == 3
        assert {one.url.path for one in replies if one not in busy} == {"/oficinas-ahora"}
    finally:
        for browser in browsers:
            await browser.client.aclose()


async def test_a_form_that_waits_is_not_promised_what_cannot_be_kept(bed: AccountBed) -> None:
    async with bed.citizen() as browser:
        await browser.open(f"{BEGIN}?a=/normas/centro/cambiar")
        form = browser.page.form("/cambiar")
        await bed.change_staff("DELETE FROM staff_session")
        browser._show(await browser.post(form, {}))
        assert (browser.reply.status_code, BUTTON in browser.page.words) == (401, True)
        assert "Con la cuenta municipal no se conserva lo que escribió" in browser.page.words


def test_certificates_that_are_not_there_are_named_before_anything_is_opened(
    portal_folder: Path, tmp_path: Path
) -> None:
    rules = settings("https://id.example", tmp_path, ca_file=tmp_path / "ca.pem")
    keys = Keys(folder=portal_folder / "keys", create_missing=True)
    with pytest.raises(SettingsError, match=r"single_sign_on\.ca_file: cannot read .+ca\.pem: No such file"):
        create_app(Settings(keys=keys, single_sign_on=rules))


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://provider.example"},
        {"issuer": "ftp://provider.example"},
        {"issuer": "https://provider.example?x=1"},
        {"issuer": "https://provider.example", "client_id": ""},
        {"issuer": "https://provider.example", "return_url": "provider"},
        {"issuer": "https://provider.example", "timeout_s": 0},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        SingleSignOn(**{"client_id": CLIENT, **wrong})
