"""A replaced node meets central again: what it still had to tell is taken, and it learns that it is fenced, for ever."""

from __future__ import annotations

import asyncio

import pytest

from provisioning.demo.relay import Relay
from tests.kit.central_server import CentralServer
from tests.kit.edge_end import EdgeEnd, until
from tests.kit.facts import printed_run

pytestmark = pytest.mark.postgres
REPLACE = "UPDATE office_authority SET epoch = 2, last_seq = 0, last_hash = decode(repeat('00', 32), 'hex')"


async def fence_of(edge: EdgeEnd) -> int:
    row = await edge.writer.run(lambda db: db.execute("SELECT epoch FROM fence").fetchone())
    return 0 if row is None else int(row[0])


async def test_the_rest_of_its_facts_arrives_and_the_fence_is_kept(
    central: CentralServer, relay: Relay, edge: EdgeEnd
) -> None:
    await edge.commit(printed_run(1, 3))
    await until(lambda: edge.uplink.state.acked_seq == 3)
    await relay.cut()
    await until(lambda: not edge.uplink.state.connected)
    await central.central.pool.execute(REPLACE)
    await edge.commit(printed_run(4, 900))
    await relay.heal()

    await until(lambda: edge.uplink.state.acked_seq == 900)
    assert edge.uplink.state.fenced_by == 2
    assert edge.uplink.state.halted is None
    assert await fence_of(edge) == 2
    assert await central.central.pool.fetchval("SELECT count(*) FROM fact WHERE office = 'centro' AND epoch = 1") == 900


async def test_a_node_that_is_connected_learns_it_from_its_long_poll(central: CentralServer, edge: EdgeEnd) -> None:
    await until(lambda: edge.news)
    await central.central.pool.execute(REPLACE)
    await until(lambda: edge.uplink.state.fenced_by == 2, within_s=30)
    assert await fence_of(edge) == 2


async def test_central_hears_within_seconds_that_a_node_was_put_back_and_that_somebody_vouched_for_it(
    central: CentralServer, edge: EdgeEnd
) -> None:
    async def told() -> bool:
        where = "SELECT rolled_back FROM office_link WHERE office = 'centro'"
        return bool(await central.central.pool.fetchval(where))

    await until(lambda: edge.uplink.state.connected)
    assert not await told()
    for standing in (True, False):
        edge.is_rolled_back = standing
        for _ in range(100):
            if await told() is standing:
                break
            await asyncio.sleep(0.1)
        assert await told() is standing


async def test_a_fenced_node_does_not_speak_of_the_office(central: CentralServer, relay: Relay, edge: EdgeEnd) -> None:
    await until(lambda: edge.uplink.state.connected)
    await relay.cut()
    await central.central.pool.execute(REPLACE)
    edge.is_rolled_back = True
    await relay.heal()
    await until(lambda: edge.uplink.state.fenced_by == 2, within_s=30)
    assert not await central.central.pool.fetchval("SELECT rolled_back FROM office_link WHERE office = 'centro'")
