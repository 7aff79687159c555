"""Sessions of the console: locks, ends, second factors, the age of what is known of staff."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from click.testing import CliRunner

from edge_node.__main__ import main
from edge_node.app import create_app
from edge_node.console.reveals import note_reveal, read_reveals
from edge_node.console.staff_sessions import NotSignedIn, SignedIn
from edge_node.node import EdgeNode
from edge_node.settings import SignIn
from edge_node.uplink.link import LinkState
from sync.domain.second_factor import STEP_S, code_at, recovery_hash
from sync.domain.sign_in import FREE_TRIES
from sync.io.ids import new_id
from sync.messages.feed import Entity, SecondFactor
from tests.kit import edge as kit
from tests.kit.clock import ManualClock
from tests.kit.edge import SECRET, appointment, edge, entities, feed, staff

DESK, ELSEWHERE = "192.0.2.10", "192.0.2.66"
KEY = b"12345678901234567890"
FACTOR = SecondFactor(secret=KEY, recovery=(recovery_hash("ACDEFGHJKMNP"),))


def with_factor(staff_id: str = "boss", *roles: Any) -> Entity:
    return msgspec.structs.replace(staff(staff_id, *(roles or ("clerk", "supervisor"))), second_factor=FACTOR)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def node(tmp_path: Path, clock: ManualClock) -> AsyncIterator[EdgeNode]:
    async with edge(tmp_path / "edge", clock, rows=[*entities(), with_factor()]) as running:
        yield running


async def signed_in(node: EdgeNode, staff_id: str = "clerk-1", code: str = "") -> SignedIn:
    came = await node.sessions.sign_in(staff_id, SECRET, DESK, code)
    assert isinstance(came, SignedIn), came
    return came


def code_of(clock: ManualClock, off: int = 0) -> str:
    return code_at(KEY, int(clock.now().timestamp()) // STEP_S + off)


# ------------------------------------------------------------------------------------------------------------------ locks


async def test_a_locked_screen_is_nobodys_until_its_person_opens_it(node: EdgeNode) -> None:
    token = (await signed_in(node)).token
    await node.sessions.lock(token)
    assert node.sessions.member(token) is None
    locked = node.sessions.locked_member(token)
    assert locked is not None
    assert locked.staff_id == "clerk-1"
    assert await node.sessions.unlock_with(token, "guess", DESK) == NotSignedIn("sign_in_failed")
    assert node.sessions.member(token) is None
    assert await node.sessions.unlock_with(token, SECRET, DESK) is None
    assert node.sessions.member(token) is not None


async def test_guesses_at_a_lock_wait_like_those_at_the_door(node: EdgeNode) -> None:
    token = (await signed_in(node)).token
    await node.sessions.lock(token)
    wrong = [await node.sessions.unlock_with(token, "guess", DESK) for _ in range(FREE_TRIES + 1)]
    assert [each.code for each in wrong if each] == ["sign_in_failed"] * FREE_TRIES + ["too_many_tries"]


async def test_nobody_there_locks_the_screen_and_then_ends_the_session(node: EdgeNode, clock: ManualClock) -> None:
    token = (await signed_in(node)).token
    clock.advance(minutes=9)
    assert node.sessions.member(token) is not None
    node.sessions.touch(token)
    clock.advance(minutes=9)
    assert node.sessions.member(token) is not None
    clock.advance(minutes=1)
    assert node.sessions.member(token) is None
    assert node.sessions.locked_member(token) is not None
    node.sessions.touch(token)
    assert node.sessions.member(token) is None, "input at a locked screen opens nothing"
    clock.advance(hours=4)
    assert node.sessions.locked_member(token) is None
    assert node.sessions.why_ended(token) == "idle"
    await node.sessions.sweep()
    assert node.sessions.why_ended(token) == "idle"


async def test_a_clock_that_is_set_locks_and_opens_nothing(node: EdgeNode, clock: ManualClock) -> None:
    token = (await signed_in(node)).token
    clock.step(hours=2)
    assert node.sessions.member(token) is not None


async def test_locks_and_idle_time_outlive_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    async with edge(tmp_path / "edge", clock, rows=entities()) as node:
        locked, idle, busy = [(await signed_in(node, name)).token for name in ("clerk-1", "clerk-2", "clerk-3")]
        await node.sessions.lock(locked)
        clock.advance(minutes=5)
        node.sessions.touch(busy)
        await node.sessions.keep_seen()
    clock.advance(minutes=6)
    async with edge(tmp_path / "edge", clock) as node:
        who = [node.sessions.member(token) for token in (locked, idle, busy)]
        assert [each is not None for each in who] == [False, False, True]
        assert all(node.sessions.locked_member(token) is not None for token in (locked, idle))


async def test_a_session_ends_by_age_whatever_is_done(node: EdgeNode, clock: ManualClock) -> None:
    token = (await signed_in(node)).token
    for _ in range(12 * 12):
        clock.advance(minutes=5)
        node.sessions.touch(token)
    assert node.sessions.member(token) is None
    assert node.sessions.why_ended(token) == "expired"


async def test_signing_out_everywhere_ends_ones_own_sessions_and_no_others(node: EdgeNode) -> None:
    here, there, colleague = [(await signed_in(node, name)).token for name in ("clerk-1", "clerk-1", "clerk-2")]
    await node.sessions.sign_out_everywhere("clerk-1")
    assert [node.sessions.member(token) is None for token in (here, there, colleague)] == [True, True, False]
    assert node.sessions.why_ended(there) == "everywhere"


# --------------------------------------------------------------------------------------------------------- second factor


async def test_a_code_comes_behind_a_right_password_and_counts_once(tmp_path: Path, clock: ManualClock) -> None:
    async with edge(tmp_path / "edge", clock, rows=[*entities(), with_factor()]) as node:
        assert await node.sessions.sign_in("boss", "guess", DESK, code_of(clock)) == NotSignedIn("sign_in_failed")
        asked = await node.sessions.sign_in("boss", SECRET, DESK)
        assert isinstance(asked, NotSignedIn)
        assert asked.code == "code_needed"
        code = code_of(clock)
        assert isinstance(await node.sessions.confirm(asked.pending, code, DESK), SignedIn)
        assert await node.sessions.confirm(asked.pending, code_of(clock, 1), DESK) == NotSignedIn("code_late")
        again = await node.sessions.sign_in("boss", SECRET, DESK, code)
        assert isinstance(again, NotSignedIn)
        assert again.code == "code_wrong"
    async with edge(tmp_path / "edge", clock) as node:  # a restart forgets no code
        replayed = await node.sessions.sign_in("boss", SECRET, ELSEWHERE, code)
        assert isinstance(replayed, NotSignedIn)
        clock.advance(seconds=STEP_S)
        await signed_in(node, "boss", code_of(clock))


async def test_a_recovery_code_is_good_once(node: EdgeNode) -> None:
    await signed_in(node, "boss", "acde-fghj-kmnp")
    again = await node.sessions.sign_in("boss", SECRET, DESK, "ACDEFGHJKMNP")
    assert isinstance(again, NotSignedIn)
    assert again.code == "code_wrong"


async def test_guesses_of_codes_wait_and_a_right_password_does_not_make_them_good(node: EdgeNode) -> None:
    came = [await node.sessions.sign_in("boss", SECRET, DESK, f"00000{n}") for n in range(FREE_TRIES + 1)]
    assert [each.code for each in came if isinstance(each, NotSignedIn)] == [
        *["code_wrong"] * FREE_TRIES,
        "too_many_tries",
    ]


async def test_a_password_that_was_right_is_not_right_for_ever(node: EdgeNode, clock: ManualClock) -> None:
    asked = await node.sessions.sign_in("boss", SECRET, DESK)
    assert isinstance(asked, NotSignedIn)
    clock.advance(minutes=5)
    assert await node.sessions.confirm(asked.pending, code_of(clock), DESK) == NotSignedIn("code_late")


async def test_a_new_second_factor_ends_what_was_open(node: EdgeNode, clock: ManualClock) -> None:
    token = (await signed_in(node, "clerk-1")).token
    await feed(node, with_factor("clerk-1", "clerk"))
    assert node.sessions.member(token) is None
    assert node.sessions.why_ended(token) == "password"
    await signed_in(node, "clerk-1", code_of(clock))


async def test_where_it_is_required_who_has_none_works_as_a_clerk(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = kit.settings
    strict = SignIn(supervisor_code="required")
    monkeypatch.setattr(kit, "settings", lambda *a, **k: msgspec.structs.replace(plain(*a, **k), sign_in=strict))
    async with edge(tmp_path / "edge", clock, rows=entities()) as node:
        assert not (await signed_in(node, "boss")).member.supervisor
        await feed(node, with_factor())
        assert (await signed_in(node, "boss", code_of(clock))).member.supervisor


# ------------------------------------------------------------------------------------------------------------ allowed age


async def test_after_days_without_central_clerks_come_only_while_the_supervision_is_there(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with edge(tmp_path / "edge", clock, rows=entities()) as node:
        node.sessions._heard._connected = lambda: node.link is not None and node.link.connected
        node.link = LinkState(connected=True)
        await node.sessions._heard.watch()
        node.link = LinkState(connected=False)
        clock.advance(hours=71)
        await signed_in(node, "clerk-1")
        clock.advance(hours=1)
        assert await node.sessions.sign_in("clerk-2", SECRET, DESK) == NotSignedIn("too_old")
        boss = await signed_in(node, "boss")
        await signed_in(node, "clerk-2")
        await node.sessions.sign_out(boss.token)
        assert await node.sessions.sign_in("clerk-3", SECRET, DESK) == NotSignedIn("too_old")
    async with edge(tmp_path / "edge", clock) as node:
        node.sessions._heard._connected = lambda: False
        assert node.sessions._heard.age() >= timedelta(hours=72), "a restart does not make it fresh"


# ------------------------------------------------------------------------------------------------------- over the network


@contextlib.asynccontextmanager
async def browser_at(node: EdgeNode) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(node), client=(DESK, 5000))  # type: ignore[arg-type] # one of both ASGI types
    async with httpx.AsyncClient(transport=transport, base_url="http://edge") as http:
        await http.get("/sign-in")
        yield http


async def post(http: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    return await http.post(path, data={**form, "_csrf_token": http.cookies["vt_edge_centro_csrf"]})


async def command(http: httpx.AsyncClient, verb: str, **body: Any) -> httpx.Response:
    headers = {"x-csrf-token": http.cookies["vt_edge_centro_csrf"]}
    return await http.post(f"/api/v1/commands/{verb}", json={"request_id": new_id(), **body}, headers=headers)


async def visit_of_fatima(node: EdgeNode, http: httpx.AsyncClient, row: Any) -> str:
    """Fátima has come and is called at counter 1; the counter session."""
    await post(http, "/sign-in", staff_id="clerk-1", password=SECRET)
    session: str = (await command(http, "open_counter", counter="1")).json()["session"]["session"]
    assert (await command(http, "check_in", appointment_id=row.id)).status_code == 200
    called = (await command(http, "call_next", session=session)).json()
    assert called.get("ticket", {}).get("state") == "called", called
    return session


async def test_a_locked_screen_gets_nothing_and_its_visit_goes_on(tmp_path: Path, clock: ManualClock) -> None:
    row = appointment(clock.now() + timedelta(minutes=1), display_name="Fátima M.")
    async with edge(tmp_path / "edge", clock, rows=[*entities(), row]) as node, browser_at(node) as http:
        session = await visit_of_fatima(node, http, row)
        assert "Fátima M." in (await http.get("/")).text
        clock.advance(seconds=5)
        assert (await post(http, "/lock")).headers["location"] == "/sign-in"
        for path in ("/", "/counter", "/supervise", "/me", "/?panel=transfer"):
            assert (await http.get(path)).headers["location"] == "/sign-in", path
        for path in ("/api/v1/queue", "/api/v1/agenda", "/api/v1/live", "/api/v1/me"):
            assert (await http.get(path)).status_code == 401, path
        assert (await command(http, "recall", session=session)).status_code == 401
        lock = (await http.get("/sign-in")).text
        assert "Pantalla bloqueada" in lock
        assert "Fátima" not in lock
        assert session in node.dispatcher.state.day.sessions
        assert (await post(http, "/unlock", password="guess")).status_code == 422
        assert (await post(http, "/unlock", password=SECRET)).headers["location"] == "/"
        page = (await http.get("/")).text
        assert "Mostrar" in page
        assert "Fátima M." not in page


async def test_a_person_is_shown_from_the_call_until_a_minute_without_input_and_again_on_request(
    tmp_path: Path, clock: ManualClock
) -> None:
    row = appointment(clock.now() + timedelta(minutes=1), display_name="Fátima M.")
    async with edge(tmp_path / "edge", clock, rows=[*entities(), row]) as node, browser_at(node) as http:
        await post(http, "/sign-in", staff_id="clerk-1", password=SECRET)
        assert "Fátima" not in (await http.get("/api/v1/queue")).text
        assert "Fátima" not in (await http.get("/api/v1/agenda")).text
        await visit_of_fatima(node, http, row)
        clock.advance(seconds=59)
        assert "Fátima M." in (await http.get("/", headers={"x-news": "1"})).text, "a look by itself is no input"
        clock.advance(seconds=1)
        assert "Fátima M." not in (await http.get("/", headers={"x-news": "1"})).text
        assert "Fátima" not in (await http.get("/api/v1/queue")).text
        assert "Fátima M." not in (await http.get("/")).text, "nor does somebody who comes back see it by itself"
        assert await node.writer.run(lambda db: read_reveals(db, clock.now())) == []
        await post(http, "/show-person")
        assert "Fátima M." in (await http.get("/")).text
        (told,) = await node.writer.run(lambda db: read_reveals(db, clock.now()))
        assert (told.staff_id, told.appointment_id) == ("clerk-1", row.id)
        await post(http, "/presence", idle="1")
        assert "Fátima M." not in (await http.get("/")).text


async def test_reveals_are_listed_by_a_command(tmp_path: Path) -> None:
    async with edge(tmp_path / "edge", rows=entities()) as node:
        member = (await signed_in(node)).member
        await note_reveal(node.writer, member, new_id(), None, node.dispatcher.state.now())
    config = tmp_path / "edge.toml"
    config.write_text(f'[office]\nid = "centro"\nnode = "centro-1"\n[data]\nfolder = "{tmp_path / "edge"}"\n', "utf-8")
    listed = CliRunner().invoke(main, ["reveals", "--config", str(config), "--days", "1"])
    assert listed.exit_code == 0, listed.output
    assert '"staff_id":"clerk-1"' in listed.output


async def test_an_act_of_an_ended_session_is_told_and_the_visit_stands(tmp_path: Path, clock: ManualClock) -> None:
    row = appointment(clock.now() + timedelta(minutes=1), display_name="Fátima M.")
    async with edge(tmp_path / "edge", clock, rows=[*entities(), row]) as node, browser_at(node) as http:
        session = await visit_of_fatima(node, http, row)
        clock.advance(hours=4)
        reply = await post(http, "/act/recall", session=session)
        assert reply.headers["location"] == "/sign-in?unsent=1"
        page = (await http.get("/sign-in?unsent=1")).text
        assert "Lo último que pulsó no se ha hecho" in page
        assert "nadie usó este equipo" in page
        await post(http, "/sign-in", staff_id="clerk-1", password=SECRET)
        work = (await http.get("/")).text
        assert "Ha venido" in work
        assert session in node.dispatcher.state.day.sessions


async def test_another_persons_sign_in_ends_the_lock_and_leaves_the_counter(node: EdgeNode) -> None:
    async with browser_at(node) as http:
        await post(http, "/sign-in", staff_id="clerk-1", password=SECRET)
        assert (await command(http, "open_counter", counter="1")).status_code == 200
        await post(http, "/lock")
        former = http.cookies["vt_edge_centro"]
        assert (await http.get("/sign-in?other=1")).text.count('name="staff_id"') == 1
        assert (await post(http, "/sign-in", staff_id="clerk-2", password=SECRET)).headers["location"] == "/"
        assert (await http.get("/api/v1/me")).json()["staff_id"] == "clerk-2"
        assert node.sessions.locked_member(former) is None
        assert [each.staff_id for each in node.dispatcher.state.day.sessions.values()] == ["clerk-1"]


async def test_keys_go_with_the_person_and_bad_ones_are_refused_with_a_sentence(tmp_path: Path) -> None:
    async with edge(tmp_path / "edge", rows=entities()) as node, browser_at(node) as http:
        await post(http, "/sign-in", staff_id="clerk-1", password=SECRET)
        bare, twice = await post(http, "/me/keys", F8="n"), await post(http, "/me/keys", F8="F9")
        assert (bare.status_code, twice.status_code) == (422, 422)
        assert "Llamar siguiente: n no puede ser." in bare.text
        assert "F9 está puesta a la vez en Llamar siguiente y en Repetir llamada." in twice.text
        assert (await post(http, "/me/keys", F8="F3")).status_code == 303
    async with edge(tmp_path / "edge") as node:
        assert node.own_keys.of("clerk-1")["F8"] == "F3"
        assert node.own_keys.of("clerk-2")["F8"] == "F8"
