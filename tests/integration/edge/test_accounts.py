"""Signing in at the console with the municipal account: by a provider that others wrote, and by one that lies."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from edge_node.settings import read_settings
from edge_node.uplink.link import LinkState
from provisioning.settings import SettingsError
from sync.domain.second_factor import STEP_S, code_at, recovery_hash
from sync.messages.feed import SecondFactor
from tests.integration.edge.clerk import Clerk, clerk_at
from tests.kit.clock import ManualClock
from tests.kit.console_server import Console, console, office
from tests.kit.edge import OFFICE, feed, staff
from tests.kit.identity_provider import (
    CLIENT,
    IdentityProvider,
    answer_there,
    foreign_provider,
    identity_provider,
    settings,
    unsigned,
)

BEGIN, RETURN = "/sign-in/account", "/sign-in/account/return"
BUTTON = "Entrar con la cuenta municipal"
SESSION, KEPT = f"vt_edge_{OFFICE}", f"vt_edge_{OFFICE}_account"
SILENT = "La cuenta municipal no responde ahora. Entre con su usuario y su contraseña."
LATE = "Esta entrada ha caducado o ya se usó."
REFUSED = "No se ha podido comprobar su cuenta municipal."
NOT_ASKED = "La cuenta municipal no le ha pedido que se identifique otra vez, y aquí hace falta."
CODE_LATE = "Ha pasado demasiado tiempo."
TOO_OLD = "Sin conexión con central desde hace días"
UNKNOWN = "Su cuenta municipal no tiene acceso aquí. Pídalo a su responsable."
KEY = b"12345678901234567890"
FACTOR = SecondFactor(secret=KEY, recovery=(recovery_hash("ACDEFGHJKMNP"),))


class AccountDesk:
    """A console and the provider that it believes."""

    def __init__(self, served: Console, provider: IdentityProvider, clock: ManualClock) -> None:
        self.served = served
        self.provider = provider
        self.clock = clock

    def says(self, name: str, **more: Any) -> None:
        """Who is signed in at the provider from now on."""
        self.provider.user = {"sub": "f-1", "preferred_username": name, **more}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[AccountDesk]:
    clock = ManualClock()
    boss = msgspec.structs.replace(staff("boss", "clerk", "supervisor"), second_factor=FACTOR)
    async with identity_provider(clock.now) as provider:
        rules = settings(provider.url, tmp_path, second_factor_amr=("mfa",))
        async with console(tmp_path / "edge", [*office(), boss], clock, single_sign_on=rules) as served:
            there = AccountDesk(served, provider, clock)
            there.says("clerk-1")
            yield there


async def follow(clerk: Clerk, path: str = BEGIN) -> tuple[httpx.Response, str]:
    reply = await clerk.http.get(path, follow_redirects=True)
    return reply, unescape(reply.text)


async def way_back(clerk: Clerk) -> str:
    """Begin, and where the provider leads back to."""
    begun = await clerk.http.get(BEGIN)
    assert begun.status_code == 303
    return (await clerk.http.get(begun.headers["location"])).headers["location"]


async def test_a_provider_that_others_wrote(tmp_path: Path) -> None:
    with foreign_provider({"sub": "f-1", "preferred_username": "clerk-1"}) as issuer:
        clock = ManualClock(datetime.now(UTC))
        async with (
            console(tmp_path / "edge", None, clock, single_sign_on=settings(issuer, tmp_path)) as served,
            clerk_at(served) as clerk,
        ):
            assert BUTTON in await clerk.page("/sign-in")
            there, _ = await follow(clerk)
            assert str(there.url).startswith(f"{issuer}/oauth2/authorize")
            assert (await answer_there(clerk.http, there, sub="f-1")).headers["location"] == "/"
            assert (await clerk.http.get("/api/v1/me")).json()["staff_id"] == "clerk-1"


async def test_a_clerk_comes_by_the_account_and_the_node_keeps_nothing_of_it(desk: AccountDesk) -> None:
    async with clerk_at(desk.served) as clerk:
        with capture_logs() as logs:
            reply, _ = await follow(clerk)
        assert (reply.url.path, reply.status_code) == ("/counter", 200)
        assert [(one["staff"], one["method"]) for one in logs if one["event"] == "staff.signed_in"] == [
            ("clerk-1", "account")
        ]
        assert (desk.provider.asked[0]["prompt"], desk.provider.asked[0]["max_age"]) == ("login", "0")
        assert KEPT not in clerk.http.cookies
        rows = await desk.served.node.writer.run(lambda db: db.execute("SELECT * FROM staff_session").fetchall())
        assert len(rows) == 1
        assert "opaque" not in str(rows)
        assert desk.provider.asked[0]["nonce"] not in str(rows)
        reply, _ = await follow(clerk)
        assert len(desk.provider.asked) == 1, "nobody signs in twice"
        await clerk.post("/sign-out", {})
        assert (await clerk.http.get("/")).headers["location"] == "/sign-in"


async def test_without_an_issuer_there_is_no_button_and_no_route(tmp_path: Path) -> None:
    async with console(tmp_path / "edge") as served, clerk_at(served) as clerk:
        assert "cuenta municipal" not in await clerk.page("/sign-in")
        for path in (BEGIN, RETURN):
            assert (await clerk.http.get(path)).status_code == 404


def test_without_an_issuer_no_library_is_loaded() -> None:
    loaded = "import sys, edge_node.app; sys.exit('authlib' in sys.modules or 'joserfc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loaded], timeout=60, check=False).returncode == 0


async def test_while_the_office_is_cut_off_there_is_the_password(desk: AccountDesk) -> None:
    async with clerk_at(desk.served) as clerk:
        desk.served.node.link_changed(LinkState(connected=False, lost_at=desk.clock.now()))
        assert BUTTON not in await clerk.page("/sign-in")
        await clerk.sign_in("clerk-1")
        assert (await clerk.http.get("/api/v1/me")).status_code == 200
        await clerk.post("/sign-out", {})
        desk.served.node.link_changed(LinkState(connected=True))
        assert BUTTON in await clerk.page("/sign-in")


@pytest.mark.parametrize(
    "planted, status, said",
    [
        ({"planted": {"nonce": "another"}}, 422, REFUSED),
        ({"planted": {"iss": "https://evil.example"}}, 422, REFUSED),
        ({"planted": {"aud": "another-client"}}, 422, REFUSED),
        ({"planted": {"exp": 1}}, 422, REFUSED),
        ({"planted": {"auth_time": None}}, 422, NOT_ASKED),
        ({"planted": {"auth_time": 1}}, 422, NOT_ASKED),
        ({"sign": unsigned}, 422, REFUSED),
        ({"answer": {"code": "made-up"}}, 422, REFUSED),
        ({"answer": {"state": "made-up"}}, 422, LATE),
        ({"user": None}, 422, "No ha entrado con la cuenta municipal."),
        ({"status": 500}, 503, SILENT),
        ({"described": {"issuer": "https://evil.example"}}, 503, SILENT),
    ],
)
async def test_what_does_not_hold_opens_nothing(
    desk: AccountDesk, planted: dict[str, Any], status: int, said: str
) -> None:
    async with clerk_at(desk.served) as clerk, desk.provider.lying(**planted):
        reply, text = await follow(clerk)
        assert (reply.status_code, said in text) == (status, True)
        assert SESSION not in clerk.http.cookies
        assert 'href="/sign-in?lang=en"' in text, "the address of the return stands in no link"
        await clerk.sign_in("clerk-1")
        assert (await clerk.http.get("/api/v1/me")).status_code == 200, "the password is good as ever"


async def test_a_return_belongs_to_its_browser_and_counts_once(desk: AccountDesk) -> None:
    async with clerk_at(desk.served) as thief, clerk_at(desk.served) as victim:
        back = await way_back(thief)
        for _ in range(2):
            reply, text = await follow(victim, back)
            assert (reply.status_code, LATE in text) == (422, True)
            await way_back(victim)
        assert desk.provider.exchanged == [], "the provider is not asked"
        await follow(thief, back)
        assert (await thief.http.get("/api/v1/me")).status_code == 200
        reply, text = await follow(thief, back)
        assert LATE in text
        back = await way_back(victim)
        desk.clock.advance(minutes=11)
        reply, text = await follow(victim, back)
        assert LATE in text


async def test_our_own_rows_say_who_may_come(desk: AccountDesk) -> None:
    async with clerk_at(desk.served) as clerk:
        desk.says("nobody", roles=["supervisor"])
        reply, text = await follow(clerk)
        assert (reply.status_code, UNKNOWN in text) == (403, True)
        await feed(desk.served.node, staff("clerk-1", valid_until=desk.clock.now()))
        desk.says("clerk-1")
        reply, text = await follow(clerk)
        assert (reply.status_code, UNKNOWN in text) == (403, True)
        desk.says("CLERK-2", roles=["supervisor"])
        await follow(clerk)
        assert (await clerk.http.get("/api/v1/me")).json()["roles"] == ["clerk"]


@pytest.mark.parametrize("said, is_asked", [({}, True), ({"amr": ["pwd"]}, True), ({"amr": ["pwd", "mfa"]}, False)])
async def test_a_second_factor_is_asked_for_unless_the_provider_has(
    desk: AccountDesk, said: dict[str, Any], is_asked: bool
) -> None:
    desk.says("boss", **said)
    async with clerk_at(desk.served) as clerk:
        with capture_logs() as logs:
            _, text = await follow(clerk)
            if is_asked:
                assert "Código de un solo uso" in text
                assert SESSION not in clerk.http.cookies
                pending = text.split('name="pending" value="')[1].split('"')[0]
                wrong = await clerk.post("/sign-in/code", {"pending": pending, "code": "000000"})
                assert wrong.status_code == 422
                right = code_at(KEY, int(desk.clock.now().timestamp()) // STEP_S)
                await clerk.post("/sign-in/code", {"pending": pending, "code": right})
        assert (await clerk.http.get("/api/v1/me")).json()["roles"] == ["clerk", "supervisor"]
    methods = [one["method"] for one in logs if one["event"] == "staff.signed_in"]
    assert methods == ["account_code" if is_asked else "account"]


async def code_wanted(clerk: Clerk) -> str:
    """Come by the account; the word that stands for it until the code comes."""
    _, text = await follow(clerk)
    return text.split('name="pending" value="')[1].split('"')[0]


@pytest.mark.parametrize("gone", ["its time is over", "it is deleted", "its second factor is"])
async def test_who_lost_access_before_the_code_stays_outside(desk: AccountDesk, gone: str) -> None:
    node, boss = desk.served.node, staff("boss", "clerk", "supervisor")
    desk.says("boss")
    async with clerk_at(desk.served) as clerk:
        pending = await code_wanted(clerk)
        if gone == "it is deleted":
            await node.writer.run(lambda db: db.execute("DELETE FROM entity WHERE entity_id = 'boss'").rowcount)
            await node.feed_applied()
        elif gone == "its time is over":
            past = msgspec.structs.replace(boss, second_factor=FACTOR, valid_until=desk.clock.now())
            await feed(node, past)
        else:
            await feed(node, boss)
        right = code_at(KEY, int(desk.clock.now().timestamp()) // STEP_S)
        reply = await clerk.post("/sign-in/code", {"pending": pending, "code": right})
        assert (reply.status_code, CODE_LATE in unescape(reply.text)) == (422, True)
        assert SESSION not in clerk.http.cookies


async def test_long_without_central_an_account_is_no_more_than_a_password(desk: AccountDesk) -> None:
    heard = desk.served.node.sessions._heard
    heard._connected = lambda: False
    desk.clock.advance(hours=73)
    async with clerk_at(desk.served) as clerk, clerk_at(desk.served) as boss:
        reply, text = await follow(clerk)
        assert (reply.status_code, TOO_OLD in text) == (422, True)
        assert SESSION not in clerk.http.cookies
        desk.says("boss", amr=["mfa"])
        await follow(boss)
        assert (await boss.http.get("/api/v1/me")).json()["staff_id"] == "boss", "the supervision always comes"
        desk.says("clerk-1")
        await follow(clerk)
        assert (await clerk.http.get("/api/v1/me")).json()["staff_id"] == "clerk-1"


async def test_a_counter_that_somebody_took_meanwhile_stays_theirs(desk: AccountDesk) -> None:
    async with clerk_at(desk.served, "clerk-1", "3") as clerk, clerk_at(desk.served, "clerk-2") as other:
        await clerk.post("/lock", {})
        back = await way_back(clerk)
        await other.post("/counter", {"counter": "3", "take_over": "yes", "confirmed": "yes"})
        reply, _ = await follow(clerk, back)
        assert (reply.url.path, reply.status_code) == ("/counter", 200)
        sessions = desk.served.node.dispatcher.state.day.sessions.values()
        assert [(one.counter, one.staff_id) for one in sessions] == [("3", "clerk-2")]


async def test_a_counter_is_not_taken_back_from_who_took_it_in_the_same_moment(
    desk: AccountDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatcher = desk.served.node.dispatcher
    async with clerk_at(desk.served, "clerk-1", "3") as clerk, clerk_at(desk.served, "clerk-2") as other:
        await clerk.post("/lock", {})
        back, submit = await way_back(clerk), dispatcher.submit

        async def after_another(command: Any, actor: Any, *more: Any, **names: Any) -> Any:
            monkeypatch.setattr(dispatcher, "submit", submit)
            await other.post("/counter", {"counter": "3", "take_over": "yes", "confirmed": "yes"})
            return await submit(command, actor, *more, **names)

        monkeypatch.setattr(dispatcher, "submit", after_another)
        await follow(clerk, back)
        assert (await clerk.http.get("/api/v1/me")).json()["staff_id"] == "clerk-1"
        assert [(one.counter, one.staff_id) for one in dispatcher.state.day.sessions.values()] == [("3", "clerk-2")]


async def test_a_locked_screen_that_somebody_else_took_meanwhile_is_its_persons_no_more(desk: AccountDesk) -> None:
    async with clerk_at(desk.served, "clerk-1", "3") as screen:
        await screen.post("/lock", {})
        back = await way_back(screen)
        await screen.sign_in("clerk-2", "4")
        there = screen.http.cookies[SESSION]
        await follow(screen, back)
        assert (await screen.http.get("/api/v1/me")).json()["staff_id"] == "clerk-1", "who came last sits there"
        assert desk.served.node.sessions.member(there) is None
        counters = {one.staff_id: one.counter for one in desk.served.node.dispatcher.state.day.sessions.values()}
        assert counters == {"clerk-1": "3", "clerk-2": "4"}, "each has their own"


async def test_a_locked_screen_opens_by_the_account_and_the_counter_goes_along(desk: AccountDesk) -> None:
    async with clerk_at(desk.served, "clerk-1", "3") as clerk:
        await clerk.post("/lock", {})
        assert BUTTON in await clerk.page("/sign-in")
        reply, _ = await follow(clerk)
        assert (reply.url.path, reply.status_code) == ("/", 200)
        assert (await clerk.http.get("/api/v1/me")).json()["staff_id"] == "clerk-1"
        assert [one.counter for one in desk.served.node.dispatcher.state.day.sessions.values()] == ["3"]


async def test_in_practice_there_is_no_account(desk: AccountDesk) -> None:
    async with clerk_at(desk.served, "clerk-1") as clerk:
        await clerk.post("/practice", {})
        assert "Práctica" in await clerk.page("/counter") or "práctica" in await clerk.page("/")
        assert (await clerk.http.get(BEGIN)).status_code == 404


async def test_certificates_that_are_not_there_are_named(tmp_path: Path) -> None:
    rules = settings("https://id.example", tmp_path, ca_file=tmp_path / "ca.pem")
    with pytest.raises(SettingsError, match=r"single_sign_on\.ca_file: cannot read .+ca\.pem: No such file"):
        async with console(tmp_path / "edge", single_sign_on=rules):
            pass


def test_the_console_has_to_know_its_own_address(tmp_path: Path) -> None:
    config = tmp_path / "edge.toml"
    config.write_text(
        f'[office]\nid = "centro"\nnode = "centro-1"\n[data]\nfolder = "{tmp_path}"\n'
        f'[single_sign_on]\nissuer = "https://id.example"\nclient_id = "{CLIENT}"\n',
        encoding="utf-8",
    )
    with pytest.raises(SettingsError, match="return_url"):
        read_settings(config)
