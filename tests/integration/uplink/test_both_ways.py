"""Facts go up and rows come down between the two real ends, through cuts and restarts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from central.exchange.feed import emit
from central.retention.kinds import KINDS
from provisioning.demo.relay import Relay
from sync.io.clock import SystemClock
from sync.messages.facts import TicketPrinted
from sync.messages.feed import GLOBAL, Appointment, Counter, Entity, office_stream
from tests.kit.central_server import CentralServer
from tests.kit.edge_end import EdgeEnd, until
from tests.kit.facts import printed_run, raw_record, uuid_of

STREAM = office_stream("centro")
pytestmark = pytest.mark.postgres


def appointment(number: int, version: int = 1) -> Appointment:
    return Appointment(
        id=uuid_of(number),
        version=version,
        locator="ACDEFG",
        service_id="padron",
        slot_start_at=datetime.now(UTC) + timedelta(days=1),  # past ones are withdrawn by booking's upkeep
        duration_min=10,
        status="booked",
        display_name="Fátima M.",
    )


def has_more_news(edge: EdgeEnd, known: int) -> bool:
    return len(edge.news) > known


async def put(central: CentralServer, stream: str, entity: Entity) -> None:
    async with central.central.pool.acquire() as connection, connection.transaction():
        await emit(connection, stream, entity)


async def raw_log(central: CentralServer, office: str = "centro") -> list[Any]:
    rows = await central.central.pool.fetch("SELECT seq, hash FROM fact WHERE office = $1 ORDER BY seq", office)
    return [(row["seq"], row["hash"]) for row in rows]


async def journal(edge: EdgeEnd) -> list[Any]:
    return await edge.writer.run(lambda c: c.execute("SELECT seq, hash FROM fact ORDER BY seq").fetchall())


async def converged(central: CentralServer, edge: EdgeEnd) -> bool:
    return await journal(edge) == await raw_log(central) and edge.uplink.state.pending_facts == 0


async def test_facts_arrive_with_their_hashes_and_are_acknowledged(central: CentralServer, edge: EdgeEnd) -> None:
    await edge.commit(printed_run(1, 3))
    await until(lambda: edge.uplink.state.acked_seq == 3)

    assert await journal(edge) == await raw_log(central)
    assert (await edge.acked()).seq == 3
    assert edge.uplink.state.pending_facts == 0
    assert central.exchange.days["centro"].seq == 3


async def test_a_confirmed_appointment_is_in_the_agenda_within_a_second(central: CentralServer, edge: EdgeEnd) -> None:
    await until(lambda: central.exchange.hearing.open_polls == 1)
    taken_s = []
    for number in range(1, 6):
        known = len(edge.news)
        await put(central, STREAM, appointment(number))
        taken_s.append(await until(partial(has_more_news, edge, known)))

    assert max(taken_s) < 1.0
    assert sorted(row.entity_id for row in await edge.entities()) == [uuid_of(n) for n in range(1, 6)]


async def test_rows_are_told_even_if_telling_failed_once(central: CentralServer, edge: EdgeEnd) -> None:
    await until(lambda: edge.news)
    edge.news.clear()
    edge.deaf_once = True
    await put(central, STREAM, appointment(1))
    await until(lambda: edge.news == [None])
    assert [row.entity_id for row in await edge.entities()] == [uuid_of(1)]


async def test_rows_that_were_there_before_come_as_a_snapshot(
    central: CentralServer, relay: Relay, edge: EdgeEnd
) -> None:
    await until(lambda: edge.news)  # the empty snapshot of the first contact
    await relay.cut()
    await put(central, STREAM, Counter(id="1", zone="a", primary=("padron",)))
    await put(central, STREAM, Counter(id="1", zone="b", primary=("padron",)))
    await put(central, office_stream("real"), Counter(id="9", zone="a", primary=()))
    await relay.heal()
    await until(lambda: edge.news[-1] is not None and len(edge.news[-1]) == 2)

    assert [(e.entity_id, e.version) for e in await edge.entities()] == [("1", 2)]


def knocks(edge: EdgeEnd) -> float:
    """How often central did not open."""
    at_hello = {"loop": "hello", "code": "unreachable"}
    return edge.registry.get_sample_value("ventanilla_uplink_failures_total", at_hello) or 0.0


async def test_a_cut_is_noticed_and_its_heal_within_two_seconds(
    central: CentralServer, relay: Relay, edge: EdgeEnd
) -> None:
    await until(lambda: edge.uplink.state.connected)
    await until(lambda: edge.news)
    await relay.cut()
    await until(lambda: not edge.uplink.state.connected, within_s=1)
    await edge.commit(printed_run(1, 700))
    await put(central, STREAM, appointment(1))
    await until(lambda: knocks(edge) >= 5)  # often enough for a plain backoff to have grown
    assert edge.uplink.state.pending_facts == 700
    await relay.heal()

    assert await until(lambda: edge.uplink.state.connected) < 2.5
    await until(lambda: converged(central, edge))
    await until(lambda: edge.news[-1] is not None)
    assert [e.entity_id for e in await edge.entities()] == [uuid_of(1)]


@pytest.mark.slow
async def test_a_silent_cut_is_noticed_and_healed(central: CentralServer, relay: Relay, edge: EdgeEnd) -> None:
    await until(lambda: edge.news)
    await relay.cut(silent=True)
    await until(lambda: not edge.uplink.state.connected, within_s=12)
    await edge.commit(printed_run(1, 5))
    await put(central, GLOBAL, Counter(id="1", zone="a", primary=()))
    await relay.heal()

    assert await until(lambda: edge.uplink.state.connected) < 8
    await until(lambda: converged(central, edge))
    await until(lambda: edge.news[-1] is not None)


async def test_cuts_in_the_middle_of_bodies_lose_and_double_nothing(
    central: CentralServer, relay: Relay, edge: EdgeEnd
) -> None:
    written = 0
    for _ in range(8):
        await edge.commit(printed_run(written + 1, written + 400))
        written += 400
        await put(central, STREAM, appointment(written))
        await asyncio.sleep(0.015)
        await relay.cut()
        await relay.heal()
    await until(lambda: converged(central, edge), within_s=20)
    await until(lambda: cursor_at_head(central, edge), within_s=20)

    assert [seq for seq, _ in await raw_log(central)] == list(range(1, written + 1))
    assert len(await edge.entities()) == 8


async def cursor_at_head(central: CentralServer, edge: EdgeEnd) -> bool:
    rows = await central.central.pool.fetch("SELECT stream, head, hash FROM stream_head WHERE stream = $1", STREAM)
    query = "SELECT stream, seq, hash FROM cursor WHERE stream = ?"
    cursors = await edge.writer.run(lambda c: c.execute(query, (STREAM,)).fetchall())
    return [tuple(row) for row in rows] == cursors


async def test_a_restart_of_central_costs_nothing(central: CentralServer, edge: EdgeEnd) -> None:
    await edge.commit(printed_run(1, 10))
    await until(lambda: edge.uplink.state.acked_seq == 10)
    await central.stop()
    await until(lambda: not edge.uplink.state.connected)
    await edge.commit(printed_run(11, 20))
    await central.start()
    await until(lambda: converged(central, edge))

    assert central.exchange.days["centro"].seq == 20  # ten of them rebuilt from the raw log


async def test_a_restart_of_the_edge_costs_nothing(central: CentralServer, edge: EdgeEnd) -> None:
    await put(central, STREAM, appointment(1))
    await edge.commit(printed_run(1, 10))
    await until(lambda: edge.uplink.state.acked_seq == 10)
    await until(lambda: cursor_at_head(central, edge))
    await edge.stop()
    await put(central, STREAM, appointment(2))
    edge.news.clear()
    await edge.start()
    await edge.commit(printed_run(11, 12))
    await until(lambda: converged(central, edge))
    await until(lambda: cursor_at_head(central, edge))

    assert [len(rows) if rows is not None else None for rows in edge.news] == [1]  # the new row, and no snapshot


async def test_a_pruned_feed_is_replaced_by_a_snapshot(central: CentralServer, relay: Relay, edge: EdgeEnd) -> None:
    await put(central, STREAM, appointment(1))
    await until(lambda: cursor_at_head(central, edge))
    await relay.cut()
    await put(central, STREAM, appointment(2))
    await put(central, STREAM, appointment(3))
    pool = central.central.pool
    await pool.execute("UPDATE feed SET created_at = created_at - interval '15 days' WHERE seq <= 2")
    assert await KINDS["feed"].forget(pool, central.central.clock.now() - timedelta(days=14), 500) == 2
    await relay.heal()
    await until(lambda: cursor_at_head(central, edge))

    assert edge.news[-1] is None
    assert [e.entity_id for e in await edge.entities()] == [uuid_of(1), uuid_of(2), uuid_of(3)]


async def test_a_poison_fact_is_parked_and_the_stream_goes_on(central: CentralServer, edge: EdgeEnd) -> None:
    poison = raw_record(TicketPrinted.TYPE, TicketPrinted.V, 2, b'{"ticket_id":7}')
    await edge.commit([*printed_run(1, 1), poison, *printed_run(3, 4)])
    await until(lambda: edge.uplink.state.acked_seq == 4)

    parked = await central.central.pool.fetch("SELECT seq, type FROM fact_parked")
    assert [tuple(row) for row in parked] == [(2, "ticket.printed")]
    assert await journal(edge) == await raw_log(central)
    assert central.exchange.days["centro"].seq == 4


async def test_a_copied_journal_is_halted(central: CentralServer, edge: EdgeEnd) -> None:
    await edge.commit(printed_run(1, 3))
    await until(lambda: edge.uplink.state.acked_seq == 3)
    await edge.stop()
    for file in edge.folder.iterdir():
        file.unlink()
    await edge.start()
    await edge.commit(printed_run(1, 5, salt=1))
    await until(lambda: edge.uplink.state.halted == "fork")

    assert len(await raw_log(central)) == 3
    assert edge.uplink.state.pending_facts > 0


class SlowClock(SystemClock):
    """Three hours behind."""

    def now(self) -> datetime:
        return super().now() - timedelta(hours=3)


async def test_a_wrong_clock_is_corrected_by_what_central_says(central: CentralServer, edge: EdgeEnd) -> None:
    await edge.stop()

    edge.clock = SlowClock()
    await edge.start()
    await edge.commit(printed_run(1, 1))
    await until(lambda: edge.uplink.state.acked_seq == 1)

    assert edge.uplink.state.clock_offset_ms == pytest.approx(3 * 3600 * 1000, abs=2000)
