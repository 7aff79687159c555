"""Today's tickets by how they stand, what was done with one, and what waits to be sent to central."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_node.console import journal_lines
from edge_node.console.day_list import PER_PAGE
from sync.messages.fact_types import FACTS
from tests.integration.edge.clerk import Clerk, clerk_at, seen, session
from tests.kit.console_server import Console
from tests.kit.desk_and_central import desk_and_central
from tests.kit.edge_end import until
from tests.kit.services import Cluster
from ui.catalog import load_catalog
from ui.locales import STAFF_LOCALES


async def test_a_ticket_that_is_long_over_is_found_with_its_history_and_its_proof(
    served: Console, clerk: Clerk
) -> None:
    first, second = await served.walk_in(), await served.walk_in()
    here = session(served)
    for ticket in (first, second):
        await clerk.act("call_next", session=here, after=seen(served))
        for verb in ("start", "finish"):
            await clerk.act(verb, session=here, ticket_id=ticket.ticket_id)
    assert f"/attendance/{first.ticket_id}" not in await clerk.page(), "the work screen offers the last visit only"
    assert 'Terminados\u00a0<span class="soft">(2)' in await clerk.page("/day")
    page = await clerk.page(f"/day?tab=over&ticket={first.ticket_id}")
    assert f'href="/attendance/{first.ticket_id}"' in page
    found = [
        page.index(words)
        for words in ("Turno dado: Padrón", "Llamado al puesto 4", "Ha venido", "Finalizado: resuelto")
    ]
    assert found == sorted(found)
    assert "La persona, en el quiosco" in page
    assert "Clerk-1" in page


async def test_every_part_has_its_tickets(served: Console, clerk: Clerk) -> None:
    tickets = [await served.walk_in() for _ in range(4)]
    here = session(served)
    await clerk.act("leave", session=here, ticket_id=tickets[0].ticket_id)
    await clerk.act("park", session=here, ticket_id=tickets[1].ticket_id, reason="form")
    await clerk.act("call_next", session=here)
    await clerk.act("no_show", session=here, ticket_id=tickets[2].ticket_id)
    for tab, label, state in (
        ("waiting", "B4", "Espera"),
        ("parked", "B2", "Aparcado"),
        ("missed", "B3", "No presentado"),
        ("over", "B1", "Sin atender"),
    ):
        page = await clerk.page(f"/day?tab={tab}")
        assert f'aria-label="Ver {label}"' in page
        assert page.count('aria-label="Ver ') == 1
        assert state in page
    page = await clerk.page(f"/day?ticket={tickets[0].ticket_id}")
    assert "Se ha ido" in page
    assert "/attendance/" not in page, "nobody was served"
    assert 'aria-label="Ver B1"' in page, "its part is opened by itself"


async def test_a_long_day_comes_in_pages(served: Console, clerk: Clerk) -> None:
    for _ in range(PER_PAGE + 1):
        await served.walk_in()
    first, second = await clerk.page("/day"), await clerk.page("/day?page=2")
    assert (first.count('aria-label="Ver '), second.count('aria-label="Ver ')) == (PER_PAGE, 1)
    assert "página 1 de 2" in first
    assert "página 2 de 2" in await clerk.page("/day?page=99")


@pytest.mark.parametrize(
    "path",
    ["/day?tab=x&page=-1&ticket=%00", "/day?ticket=01a202c9-0000-7000-8000-000000000001", "/day?page=9999999999"],
)
async def test_addresses_that_make_no_sense_break_nothing(served: Console, clerk: Clerk, path: str) -> None:
    assert (await clerk.http.get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/day", "/pending"])
async def test_strangers_see_nothing(served: Console, path: str) -> None:
    async with clerk_at(served) as stranger:
        assert (await stranger.http.get(path)).headers["location"] == "/sign-in"


async def test_a_node_that_works_alone_has_nothing_to_send(served: Console, clerk: Clerk) -> None:
    assert "no hay nada que enviar" in await clerk.page("/pending")


@pytest.mark.parametrize("locale", STAFF_LOCALES)
def test_every_fact_that_is_told_has_words(locale: str) -> None:
    words = load_catalog(strict=True).words(locale)
    assert set(FACTS) >= journal_lines.TOLD
    for tag in journal_lines.TOLD - {"ticket.abandoned"}:
        assert words.text(f"console.fact.{tag}", counter="1", service="x", outcome="y")


@pytest.mark.postgres
async def test_what_waits_for_central_is_listed_until_it_has_gone(postgres_cluster: Cluster, tmp_path: Path) -> None:
    async with desk_and_central(postgres_cluster, tmp_path) as desk:
        served = Console(desk.node, desk.url)
        async with clerk_at(served) as clerk:
            await clerk.http.get("/sign-in")
            await clerk.post("/sign-in", {"staff_id": "ana", "password": "secreta"})
            await clerk.post("/counter", {"counter": "1"})
            await until(lambda: desk.node.link is not None and desk.node.link.pending_facts == 0)
            await desk.cut()
            await served.walk_in("viaje")
            page = await clerk.page()
            assert 'href="/pending"' in page
            assert "Sin conexión con central: <strong>1 operación pendiente de enviar" in page
            page = await clerk.page("/pending")
            assert "1 operación está guardada en esta oficina y saldrá sola" in page
            assert "Sin conexión desde el" in page
            assert "K1" in page
            assert "Turno dado: Viaje" in page
            await served.walk_in("viaje")
            assert "2 operaciones, las más recientes primero" in await clerk.page("/pending")
            await desk.relay.heal()
            await desk.connected()
            await until(lambda: desk.node.link is not None and desk.node.link.pending_facts == 0)
            assert "central lo tiene todo" in await clerk.page("/pending")
