"""Practice: an invented office that reaches nothing of the real one, whatever a browser does; rooms are few and end."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from edge_node.console.staff_sessions import Member
from edge_node.practice import rooms
from edge_node.practice.office import rows
from edge_node.practice.people import LEFT_FOR_THE_LEARNER, MOST_WAITING, People
from tests.kit.console_server import Console
from tests.kit.edge import OFFICE, SECRET, edge

ROOM = f"vt_edge_{OFFICE}_practice_room"


def form_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    body = re.search(rf'<form[^>]*action="{action}".*?</form>', page, re.DOTALL)
    assert body is not None, page
    return dict(re.findall(r'name="([^"]+)" value="([^"]*)"', body[0]))


@asynccontextmanager
async def signed_in(served: Console, staff_id: str = "clerk-1") -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=served.url, follow_redirects=True) as http:
        page = (await http.get("/sign-in")).text
        await http.post("/sign-in", data={**form_of(page, "/sign-in"), "staff_id": staff_id, "password": SECRET})
        yield http


async def begin(http: httpx.AsyncClient) -> httpx.Response:
    page = (await http.get("/practice")).text
    return await http.post("/practice", data=form_of(page, "/practice"))


def tail(served: Console) -> int:
    return served.node.dispatcher.state.tail.seq


async def test_practice_is_an_office_in_full_swing(served: Console) -> None:
    async with signed_in(served) as http:
        page = (await begin(http)).text
    assert "PRÁCTICA: nada de esto es real" in page
    assert "Práctica, puesto 3" in page
    waiting = re.search(r"En espera: (\d+)", page)
    assert waiting is not None
    assert 10 <= int(waiting[1]) <= 16
    longest = re.search(r"la más larga, (\d+)", page)
    assert longest is not None
    assert int(longest[1]) >= 15, "they have waited for some twenty minutes"


async def test_the_invented_office_has_a_name_in_the_learners_language(served: Console) -> None:
    async with signed_in(served) as http:
        http.headers["accept-language"] = "en"
        page = (await begin(http)).text
    assert "Practice, desk 3" in page


async def test_nothing_of_practice_is_in_the_real_journal(served: Console) -> None:
    async with signed_in(served) as http:
        before = tail(served)
        page = (await begin(http)).text
        called = await http.post("/act/call_next", data=form_of(page, "/act/call_next"))
        assert "Llamado" in called.text
        page = (await http.get("/?panel=give")).text
        given = await http.post("/act/take_ticket", data={**form_of(page, "/act/take_ticket"), "service": "padron"})
        assert "dado" in given.text
        assert tail(served) == before
        assert served.node.dispatcher.state.day.tickets == {}
        assert not any(name.endswith(("centro_desk", "centro_said", "centro_counter")) for name in http.cookies)


async def test_a_page_of_practice_is_worth_nothing_after_it(served: Console) -> None:
    """Another tab still shows a form of practice: a ticket given there must not be a real one."""
    async with signed_in(served) as http:
        await begin(http)
        stale = (await http.get("/?panel=give")).text
        await http.post("/practice/leave", data=form_of(stale, "/practice/leave"))
        assert ROOM not in http.cookies
        fields = {**form_of(stale, "/act/take_ticket"), "service": "padron"}
        await http.get("/counter")
        answer = await http.post("/act/take_ticket", data=fields)
        assert "Turno" not in answer.text
        assert served.node.dispatcher.state.day.tickets == {}


async def test_a_browser_whose_room_is_gone_reaches_nothing(served: Console) -> None:
    async with signed_in(served) as http:
        await begin(http)
        page = (await http.get("/?panel=give")).text
        http.cookies.set(ROOM, "gone")
        before = tail(served)
        answer = await http.post(
            "/act/take_ticket", data={**form_of(page, "/act/take_ticket"), "service": "padron"}, follow_redirects=False
        )
        assert (answer.status_code, answer.headers["location"]) == (303, "/practice?over=yes")
        asked = await http.post("/api/v1/commands/take_ticket", json={})
        assert asked.status_code == 401
        assert tail(served) == before
        over = await http.get("/")
        assert "La práctica ha terminado" in over.text


async def test_who_has_a_counter_open_closes_it_first(served: Console) -> None:
    async with signed_in(served) as http:
        page = (await http.get("/counter?counter=2")).text
        fields = {**form_of(page, "/counter"), "primary": "padron"}
        await http.post("/counter", data=fields)
        page = (await http.get("/practice")).text
        assert "Ciérrelo antes de practicar" in page
        refused = await http.post("/practice", data={"_csrf_token": http.cookies[f"vt_edge_{OFFICE}_csrf"]})
        assert refused.status_code == 409
        assert ROOM not in http.cookies


async def test_signing_out_ends_the_practice_for_who_comes_next(served: Console) -> None:
    async with signed_in(served) as http:
        page = (await begin(http)).text
        left = await http.post("/sign-out", data=form_of(page, "/sign-out"))
        assert left.url.path == "/sign-in"
        page = (await http.get("/sign-in")).text
        came = await http.post(
            "/sign-in", data={**form_of(page, "/sign-in"), "staff_id": "clerk-2", "password": SECRET}
        )
        assert "PRÁCTICA" not in came.text
        assert "¿En qué puesto trabaja?" in came.text


async def test_rooms_are_few_and_idle_ones_end(served: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "MOST", 1)
    monkeypatch.setattr(rooms, "LOOK_S", 0.05)
    async with signed_in(served) as one, signed_in(served, "clerk-2") as other:
        await begin(one)
        assert "ventanilla_practices 1.0" in (await one.get("/metrics")).text
        full = await begin(other)
        assert full.status_code == 503
        assert "demasiadas personas practicando" in full.text
        monkeypatch.setattr(rooms, "IDLE_S", 0)
        for _ in range(100):
            if "ventanilla_practices 0.0" in (await other.get("/metrics")).text:
                break
        else:
            raise AssertionError("an idle practice does not end")
        assert "La práctica ha terminado" in (await one.get("/")).text


async def test_a_shutdown_ends_practice_first(served: Console) -> None:
    async with signed_in(served) as http:
        await begin(http)
        async with asyncio.timeout(5), http.stream("GET", "/api/v1/live") as stream:
            lines = stream.aiter_lines()
            await anext(lines)
            served.node.stop_streams()
            assert "event: bye" in [line async for line in lines]


async def test_practice_leaves_no_folder(served: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    async with signed_in(served) as http:
        page = (await begin(http)).text
        assert len(list((tmp_path / "scratch").glob("ventanilla-practice-*"))) == 1
        await http.post("/practice/leave", data=form_of(page, "/practice/leave"))
        assert list((tmp_path / "scratch").iterdir()) == []


async def test_people_come_and_are_served_and_somebody_is_always_left(tmp_path: Path) -> None:
    learner = Member(staff_id="ana", display_name="Ana", roles=("clerk",), console="console-1")
    async with edge(tmp_path / "edge", rows=rows(OFFICE, "Africa/Ceuta", learner, datetime.now(UTC))) as node:
        day, people = node.dispatcher.state.day, People(node, seed=7)
        await people.come_to_work()
        for _ in range(10):
            await people.arrive()
        await people.begin()
        assert [ticket.state for ticket in day.tickets.values()].count("serving") == 2
        for now_s in range(1, 3600):
            await people.move(now_s)
            assert LEFT_FOR_THE_LEARNER <= len(day.waiting) <= MOST_WAITING
        assert [ticket.state for ticket in day.tickets.values()].count("finished") > 20
