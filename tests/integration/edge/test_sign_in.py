"""Signing in under guesses, in a rush, and behind a changed password."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
from argon2 import PasswordHasher

from edge_node.app import create_app
from edge_node.console.staff_sessions import NotSignedIn, SignedIn
from edge_node.node import EdgeNode
from sync.domain import sign_in as rules
from sync.io.sign_in_door import MAX_AT_THE_DOOR, MAX_FROM_A_PLACE
from tests.kit.clock import ManualClock
from tests.kit.edge import SECRET, edge, entities, feed, staff

DESK, THIEF = "192.0.2.10", "192.0.2.66"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def node(tmp_path: Path, clock: ManualClock) -> AsyncIterator[EdgeNode]:
    async with edge(tmp_path / "edge", clock, rows=entities()) as running:
        yield running


async def guess(node: EdgeNode, times: int, staff_id: str = "clerk-1") -> list[str]:
    came = [await node.sessions.sign_in(staff_id, "guess", THIEF) for _ in range(times)]
    return [each.code for each in came if isinstance(each, NotSignedIn)]


def another_password(staff_id: str) -> msgspec.Struct:
    verifier = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash("another one")
    return msgspec.structs.replace(staff(staff_id), verifier=verifier)


async def test_a_guesser_waits_and_the_clerk_does_not(node: EdgeNode, clock: ManualClock) -> None:
    for staff_id in ("clerk-1", "nobody"):
        codes = await guess(node, rules.FREE_TRIES + 1, staff_id)
        assert codes == ["sign_in_failed"] * rules.FREE_TRIES + ["too_many_tries"]
    assert await node.sessions.sign_in("clerk-1", SECRET, THIEF) == NotSignedIn("too_many_tries", 2)
    assert isinstance(await node.sessions.sign_in("clerk-1", SECRET, DESK), SignedIn)
    clock.advance(seconds=2)
    assert isinstance(await node.sessions.sign_in("clerk-1", SECRET, THIEF), SignedIn)


async def test_a_rush_is_told_to_come_again_and_who_waits_gets_in(
    node: EdgeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify, go = node.sessions._passwords.verify, threading.Event()

    def slow(verifier: str, secret: str) -> bool:
        go.wait(10)
        return verify(verifier, secret)

    monkeypatch.setattr(node.sessions._passwords, "verify", slow)
    from_one = [asyncio.create_task(node.sessions.sign_in("clerk-1", SECRET, THIEF)) for _ in range(100)]
    from_all = [asyncio.create_task(node.sessions.sign_in("clerk-2", SECRET, f"10.0.0.{n}")) for n in range(100)]
    refused = 200 - MAX_AT_THE_DOOR
    async with asyncio.timeout(5):
        while sum(task.done() for task in (*from_one, *from_all)) < refused:  # noqa: ASYNC110 - a task has no count
            await asyncio.sleep(0.01)
    go.set()
    came = await asyncio.gather(*from_one, *from_all)
    assert {each for each in came if isinstance(each, NotSignedIn)} == {NotSignedIn("retry", 2)}
    assert [isinstance(each, SignedIn) for each in came[:100]].count(True) == MAX_FROM_A_PLACE
    assert [isinstance(each, SignedIn) for each in came].count(True) == MAX_AT_THE_DOOR
    assert isinstance(await node.sessions.sign_in("clerk-1", SECRET, THIEF), SignedIn)


async def test_a_changed_password_ends_the_sessions_of_the_former_one(tmp_path: Path, clock: ManualClock) -> None:
    async with edge(tmp_path / "edge", clock, rows=entities()) as node:
        first, other, colleague = [
            await node.sessions.sign_in(staff_id, SECRET, DESK) for staff_id in ("clerk-1", "clerk-1", "clerk-2")
        ]
        assert isinstance(first, SignedIn)
        assert isinstance(other, SignedIn)
        assert isinstance(colleague, SignedIn)
        await feed(node, another_password("clerk-1"))  # type: ignore[arg-type] # a row of the feed
        assert [node.sessions.member(each.token) for each in (first, other)] == [None, None]
        assert node.sessions.member(colleague.token) is not None
        fresh = await node.sessions.sign_in("clerk-1", "another one", DESK)
        assert isinstance(fresh, SignedIn)
        left = await node.writer.run(lambda db: db.execute("SELECT staff_id FROM staff_session").fetchall())
    assert sorted(row[0] for row in left) == ["clerk-1", "clerk-2"]
    async with edge(tmp_path / "edge", clock) as node:
        assert node.sessions.member(first.token) is None
        assert node.sessions.member(fresh.token) is not None


async def test_the_page_says_how_long_to_wait_in_the_staffs_language(node: EdgeNode) -> None:
    transport = httpx.ASGITransport(create_app(node), client=(THIEF, 5000))  # type: ignore[arg-type] # one of both ASGI types
    async with httpx.AsyncClient(transport=transport, base_url="http://edge") as http:
        await http.get("/sign-in")
        token = http.cookies["vt_edge_centro_csrf"]

        async def post(language: str) -> httpx.Response:
            form = {"staff_id": "clerk-1", "password": "guess", "_csrf_token": token}
            return await http.post("/sign-in", data=form, headers={"accept-language": language})

        wrong = [(await post("es")).status_code for _ in range(rules.FREE_TRIES)]
        spanish, english = await post("es"), await post("en")
        body = {"staff_id": "clerk-1", "secret": "guess"}
        program = await http.post("/api/v1/sign-in", json=body, headers={"x-csrf-token": token})
    assert wrong == [422] * rules.FREE_TRIES
    assert (spanish.status_code, spanish.headers["retry-after"]) == (429, "2")
    assert "Demasiados intentos. Espere 2 segundos." in spanish.text
    assert "Too many" in english.text
    assert (program.status_code, program.headers["retry-after"]) == (429, "2")
    assert program.json()["code"] == "too_many_tries"
