"""The small window over plain HTTP: what it shows, where its forms lead, and who is told to go to the large one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.edge.clerk import Clerk, clerk_at, session
from tests.kit.console_server import Console, console


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Console]:
    async with console(tmp_path / "edge") as served:
        yield served


@pytest.fixture
async def clerk(served: Console) -> AsyncIterator[Clerk]:
    async with clerk_at(served, "clerk-1", "4") as clerk:
        yield clerk


async def test_a_visit_from_call_to_end_without_leaving_the_window(served: Console, clerk: Clerk) -> None:
    first = await served.walk_in()
    await served.walk_in("registro")
    page = await clerk.page("/widget")
    assert "Siguiente: B1, " in page
    assert "En espera: 2" in page
    here = {"session": session(served), "here": "/widget"}
    page = await clerk.act("call_next", **here)
    assert 'class="console widget"' in page
    assert "Llamado B1" in page
    for shown in ('data-verb="start"', 'data-verb="recall"', 'data-verb="no_show"'):
        assert shown in page
    mine = {**here, "ticket_id": first.ticket_id}
    page = await clerk.act("start", **mine)
    assert 'data-verb="finish"' in page
    assert 'data-verb="call_next"' in page
    page = await clerk.act("finish", **mine)
    assert "B1 finalizado" in page
    assert "Sin visita" in page
    assert served.tickets("finished") == ["B1"]


async def test_what_is_refused_is_said_there(served: Console, clerk: Clerk) -> None:
    waiting = await served.walk_in()
    page = await clerk.act("finish", session=session(served), ticket_id=waiting.ticket_id, here="/widget")
    assert 'class="console widget"' in page
    assert "Ese turno ya no está así" in page


async def test_a_counter_on_pause_goes_on_from_there(served: Console, clerk: Clerk) -> None:
    await clerk.act("pause_counter", session=session(served), reason="rest")
    page = await clerk.page("/widget")
    assert 'data-verb="resume_counter"' in page
    assert 'data-verb="call_next"' not in page


async def test_who_is_not_at_work_is_led_to_the_large_one(served: Console) -> None:
    async with clerk_at(served) as nobody:
        assert "Entre en la consola completa" in await nobody.page("/widget")
    async with clerk_at(served, "clerk-2") as idle:
        page = await idle.page("/widget")
        assert "Abra un puesto en la consola completa" in page
        assert "Look again" in await idle.page("/widget?lang=en")


async def test_the_window_is_offered_in_the_help_of_every_page(clerk: Clerk) -> None:
    assert 'href="/widget"' in await clerk.page()
