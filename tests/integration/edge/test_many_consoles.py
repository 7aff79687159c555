"""Many consoles at one node: who acts does not wait for who looks, and what pages share is nobody's own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from edge_node.console import frame
from sync.io.ids import new_id
from tests.kit.console_server import Console, console, office, today_at
from tests.kit.edge import OFFICE, SECRET

CSRF = f"vt_edge_{OFFICE}_csrf"
_HIDDEN = r'name="{}" value="([^"]+)"'


@asynccontextmanager
async def at_work(served: Console, staff_id: str, counter: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser whose pages are asked for by their script."""
    async with httpx.AsyncClient(base_url=served.url, headers={"hx-request": "true", "accept-language": "es"}) as http:
        await http.get("/api/v1/services")
        http.headers["x-csrf-token"] = http.cookies[CSRF]
        await http.post("/api/v1/sign-in", json={"staff_id": staff_id, "secret": SECRET})
        opened = {"request_id": new_id(), "counter": counter}
        assert (await http.post("/api/v1/commands/open_counter", json=opened)).status_code == 200
        yield http


async def test_an_act_is_answered_while_all_turns_of_looks_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = asyncio.Semaphore(0)
    monkeypatch.setattr(frame, "look_turns", lambda: turns)
    async with console(tmp_path) as served, at_work(served, "clerk-1", "4") as http:
        await served.walk_in()
        looking = asyncio.create_task(http.get("/"))
        session = next(iter(served.node.dispatcher.state.day.sessions))
        fields = {"request_id": new_id(), "session": session, "_csrf_token": http.cookies[CSRF]}
        done = await http.post("/act/call_next", data=fields)
        assert done.status_code == 200
        assert not looking.done()
        turns.release()
        looked = await looking
        assert looked.status_code == 200
        position = r'data-position="([^"]+)"'
        assert re.findall(position, looked.text) == re.findall(position, done.text), (
            "it shows what has been done meanwhile"
        )


async def test_pages_with_the_same_rows_share_no_token_and_no_request_id(tmp_path: Path) -> None:
    rows = office([today_at(20), today_at(40, "padron")])
    async with (
        console(tmp_path, rows) as served,
        at_work(served, "clerk-1", "4") as one,
        at_work(served, "clerk-2", "5") as other,
    ):
        await served.walk_in()
        pages = [(await http.get(path)).text for http in (one, other, one) for path in ("/", "/?panel=give")]
        ids = [found for page in pages for found in re.findall(_HIDDEN.format("request_id"), page)]
        assert len(ids) == len(set(ids))
        for page, http in zip(pages, (one, one, other, other, one, one), strict=True):
            assert set(re.findall(_HIDDEN.format("_csrf_token"), page)) == {http.cookies[CSRF]}
        assert [set(re.findall(_HIDDEN.format("here"), page)) for page in pages] == [{"/"}, {"/?panel=give"}] * 3
        bare = {re.sub(_HIDDEN.format("(?:request_id|_csrf_token)"), "", _agenda(page)) for page in pages[::2]}
        assert len(bare) == 1, "the agenda of both is the same but for what is their own"


async def test_a_row_follows_what_happens_to_its_person(tmp_path: Path) -> None:
    booking = today_at(20)
    async with console(tmp_path, office([booking])) as served, at_work(served, "clerk-1", "4") as http:
        await http.get("/")
        assert f'action="/act/check_in" id="check-in-{booking.id}"' in (await http.get("/")).text
        fields = {"request_id": new_id(), "appointment_id": booking.id, "_csrf_token": http.cookies[CSRF]}
        assert (await http.post("/act/check_in", data=fields)).status_code == 200
        assert "/act/check_in" not in _agenda((await http.get("/")).text)


def _agenda(page: str) -> str:
    found = re.search(r'id="agenda".*?</section>', page, re.DOTALL)
    assert found is not None
    return found[0]
