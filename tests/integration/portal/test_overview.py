"""The city on one page, and the front page's live waits: what they say before, during and after a cut."""

from __future__ import annotations

import re
from typing import Any, get_args, get_type_hints

import httpx
import msgspec
import pytest

from central.exchange import metrics
from central.exchange.conflicts import KINDS
from central.exchange.feed import emit
from central.exchange.leases import Lent, lend
from central.settings import Leases
from edge_node.queue import configuration
from sync.messages.feed import Counter
from sync.messages.node_facts import ConfigApplied
from sync.messages.wire import SnapshotRow
from sync.protocol.rights import Conflict
from tests.integration.portal.conftest import Bed
from tests.integration.portal.manager import sign_in

SUGGESTIONS = get_args(get_type_hints(Conflict)["suggestion"])


async def overview(portal: Bed) -> dict[str, Any]:
    """The JSON, by office."""
    async with httpx.AsyncClient(base_url=portal.server.url) as client:
        reply = await client.get("/api/v1/overview")
        assert reply.status_code == 200
        return {office["office"]: office for office in reply.json()["offices"]}


async def test_a_cut_shows_and_a_heal_converges(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    async with portal.office() as office, portal.citizen() as citizen:
        await sign_in(citizen)
        office.open("1")
        for _ in range(3):
            office.take("padron")
        await office.send()
        await portal.server.exchange.hearing.flush()
        portal.clock.advance(seconds=2)
        before = await overview(portal)
        assert before["centro"]["link"] == "live"
        assert before["centro"]["acked_seq"] == before["centro"]["folded_seq"] == office.queue.day.seq
        assert before["centro"]["open_by_state"] == {"called": 0, "missed": 0, "parked": 0, "serving": 0, "waiting": 3}
        assert before["real"]["link"] == "no_node"
        page = await citizen.open("/")
        assert "3 personas" in page.words

        portal.clock.advance(seconds=15)
        office.take("padron")  # the office goes on without us
        cut = await overview(portal)
        assert (cut["centro"]["link"], cut["centro"]["waiting"]) == ("silent", 3)
        assert "Datos en directo no disponibles desde las 10:00" in (await citizen.open("/")).words
        page = await citizen.open("/oficinas-ahora")
        assert "Sin contacto" in page.words
        assert page.words.count("esperando") == 2, "the city's and Centro's; of an office without node nobody knows"
        assert "P3" in (await citizen.open("/oficina-ahora/centro")).words
        arabic = await citizen.open("/?lang=ar")
        assert "10:00" in arabic.words

        await office.send()
        await portal.server.exchange.hearing.flush()
        portal.clock.advance(seconds=2)
        after = await overview(portal)
        assert (after["centro"]["link"], after["centro"]["waiting"]) == ("live", 4)
        assert after["centro"]["acked_seq"] == office.queue.day.seq


async def test_an_office_that_was_put_back_in_time_looks_so_and_promises_nothing(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    async with portal.office() as office, portal.citizen() as citizen:
        await sign_in(citizen)
        office.open("1")
        await office.send()
        await portal.server.exchange.hearing.flush()
        portal.clock.advance(seconds=2)
        assert "Sin espera" in (await citizen.open("/")).words
        assert "Sin autoridad" not in (await citizen.open("/oficinas-ahora")).words
        code = office.take("padron")
        await office.send()
        assert "en unos minutos" in (await citizen.open(f"/t/{code}")).words

        await office.hello(rolled_back=True)
        portal.clock.advance(seconds=2)
        assert (await overview(portal))["centro"]["is_rolled_back"] is True
        assert "Sin autoridad" in (await citizen.open("/oficinas-ahora")).words
        page = await citizen.open("/")
        assert "Ahora no da turnos" in page.words
        assert "Sin espera" not in page.words
        assert "en unos minutos" not in (await citizen.open(f"/t/{code}")).words, "nobody is called"
        for language, words in (("en", "Gives no tickets right now"), ("ar", "لا يعطي تذاكر الآن")):
            assert words in (await citizen.open(f"/?lang={language}")).words

        await office.hello()
        portal.clock.advance(seconds=2)
        assert (await overview(portal))["centro"]["is_rolled_back"] is False, "a supervisor vouched for it"


@pytest.mark.parametrize("portal_dsn", [3], indirect=True)
async def test_lent_seats_have_a_page_in_both_languages(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await sign_in(citizen)
        page = await citizen.open("/cupos-cedidos")
        assert "No hay cupos cedidos" in page.words
        assert "No seats are lent" in (await citizen.open("/cupos-cedidos?lang=en")).words
    async with portal.office(), portal.citizen() as citizen:
        await sign_in(citizen)
        async with portal.server.central.pool.acquire() as connection:
            lent = await lend(connection, Leases(horizon_days=3), portal.clock.now(), ["centro"])
        assert isinstance(lent, Lent)
        assert lent.seats > 0
        page = await citizen.open("/cupos-cedidos?lang=en")
        assert "Centro" in page.words
        assert str(lent.seats // lent.leases) in page.words
        assert not re.search("[0-9a-f]{8}-[0-9a-f]{4}", page.words), "the end of a lease's id is enough"


async def test_parked_facts_have_a_page_in_both_languages(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await sign_in(citizen)
        assert "No hay hechos apartados" in (await citizen.open("/hechos-apartados")).words
        assert "No facts are parked" in (await citizen.open("/hechos-apartados?lang=en")).words


async def test_conflicts_have_a_page_with_words_for_every_kind(portal: Bed) -> None:
    await portal.server.central.pool.executemany(
        "INSERT INTO conflict (key, kind, office, subject_id, suggestion, detail) VALUES ($1, $1, 'centro', '', $2, '{}')",
        [(kind, SUGGESTIONS[n % len(SUGGESTIONS)]) for n, kind in enumerate(KINDS)],
    )
    async with portal.citizen() as citizen:
        await sign_in(citizen)
        page = await citizen.open("/incidencias")
        assert "Vino con una cita ya anulada" in page.words
        assert "Dar preferencia por cortesía" in page.words
        english = await citizen.open("/incidencias?lang=en")
        assert "Came with a cancelled appointment" in english.words
        assert "central.conflict" not in page.words + english.words
        assert "central.suggestion" not in page.words + english.words


async def states(pool: Any) -> dict[str, str]:
    """What an edge says that has all of centro's rows."""
    told = await pool.fetch("SELECT * FROM feed_entity WHERE stream IN ('global', 'office:centro')")
    return configuration.states([SnapshotRow(**{**row, "body": msgspec.Raw(row["body"])}) for row in told])


async def test_published_and_applied_configuration_and_what_is_still_to_come(portal: Bed) -> None:
    async with portal.office() as office, portal.citizen() as citizen:
        await sign_in(citizen)
        pool = portal.server.central.pool
        rows = await pool.fetch(
            "SELECT kind, max(version) AS version FROM feed_entity WHERE stream IN ('global', 'office:centro') GROUP BY 1"
        )
        published = {row["kind"]: row["version"] for row in rows}
        office.queue.write((ConfigApplied(versions=published, states=await states(pool)),), portal.clock.now())
        await office.send()
        await office._post(
            "hello", office.node.hello(clock_at=portal.clock.now(), last_seq=len(office.queue.journal) + 7)
        )
        portal.clock.advance(seconds=2)
        assert (await overview(portal))["centro"]["configuration_behind"] == []
        assert (await overview(portal))["real"]["configuration_behind"] is None
        assert "Por recibir 7" in (await citizen.open("/oficinas-ahora")).words
        page = await citizen.open("/oficina-ahora/centro")
        assert "Configuración al día" in page.words
        assert "Por recibir 7" in page.words

        async with pool.acquire() as connection:
            await emit(connection, "office:centro", Counter(id="1", zone="b", primary=("padron",)))
        portal.clock.advance(seconds=2)
        behind = (await overview(portal))["centro"]["configuration_behind"]
        assert behind == [{"kind": "counter", "published": 2, "applied": 1}]
        assert "Configuración pendiente de aplicar" in (await citizen.open("/oficinas-ahora")).words
        assert "counter publicada 2, aplicada 1" in (await citizen.open("/oficina-ahora/centro")).words

        office.queue.write((ConfigApplied(versions=published | {"counter": 2}),), portal.clock.now())
        await office.send()
        portal.clock.advance(seconds=2)
        assert (await overview(portal))["centro"]["configuration_behind"] == [], "an older build tells versions only"

        office.queue.write(
            (ConfigApplied(versions=published | {"counter": 2}, states=await states(pool)),), portal.clock.now()
        )
        await office.send()
        portal.clock.advance(seconds=2)
        assert (await overview(portal))["centro"]["configuration_behind"] == []
        async with pool.acquire() as connection:
            await emit(connection, "office:centro", Counter(id="new", zone="b", primary=("padron",)))
        portal.clock.advance(seconds=2)
        behind = (await overview(portal))["centro"]["configuration_behind"]
        assert behind == [{"kind": "counter", "published": 2, "applied": 2}], "one row is behind the newest of its kind"
        assert "counter con cambios sin aplicar" in (await citizen.open("/oficina-ahora/centro")).words
        await portal.server.exchange.measure()
        assert metrics.BEHIND.labels("centro")._value.get() == 1
        assert metrics.LAG_FACTS.labels("centro")._value.get() == 7 - 2, "two more were told since"
        assert metrics.DISK_FREE.labels("centro")._value.get() == 10**9


async def test_heads_tell_what_an_office_has_still_to_hear(portal: Bed) -> None:
    heads = (await overview(portal))["centro"]["heads"]
    assert set(heads) == {"global", "office:centro"}
    assert heads["office:centro"] >= 1


async def test_the_front_page_follows_by_stream_and_poll(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        body = (await citizen.client.get("/esperas/ahora")).json()
        assert body["items"][0]["id"] == "waits"
        await sign_in(citizen)
        body = (await citizen.client.get("/oficinas-ahora/ahora")).json()
        assert [item["id"] for item in body["items"]] == ["notice", "totals", "offices"]
