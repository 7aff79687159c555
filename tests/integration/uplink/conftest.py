"""Both ends for real: central on Postgres behind HTTP, an edge over SQLite, and a network between them that can be cut."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from central.exchange import nodes
from provisioning.demo.relay import Relay
from tests.kit.central_database import ADD_OFFICE, Clusters, migrate_central
from tests.kit.central_server import CentralServer, running_central
from tests.kit.edge_end import EdgeEnd


@pytest.fixture
def dsn(clusters: Clusters) -> Iterator[str]:
    """One Postgres is enough here: statements have their own tests on both."""
    cluster = clusters["wheel"]
    with cluster.fresh(cluster.template("central", migrate_central)) as dsn:
        yield dsn


@pytest.fixture
async def central(dsn: str, tmp_path: Path) -> AsyncIterator[CentralServer]:
    async with running_central(dsn, tmp_path / "central") as server:
        await server.central.pool.executemany(ADD_OFFICE, [("centro",), ("real",)])
        yield server


@pytest.fixture
async def relay(central: CentralServer) -> AsyncIterator[Relay]:
    relay = Relay("127.0.0.1", 0, "127.0.0.1", central.port)
    await relay.start()
    yield relay
    await relay.stop()


@pytest.fixture
async def edge(central: CentralServer, relay: Relay, tmp_path: Path) -> AsyncIterator[EdgeEnd]:
    """A registered, running edge of ``centro`` that reaches central by the relay only."""
    folder = tmp_path / "edge"
    folder.mkdir()
    edge = EdgeEnd(folder, f"http://127.0.0.1:{relay.port}")
    await enrol(central, edge)
    await edge.start()
    yield edge
    await edge.stop()


async def enrol(central: CentralServer, edge: EdgeEnd) -> None:
    """Register the edge's key at central."""
    node = edge.node
    async with central.central.pool.acquire() as connection:
        registered = await nodes.register(
            connection, node_id=node.node, office=node.office, epoch=node.epoch, public_key=edge.public_key
        )
        if registered == "registered":  # the offices were told its key; the tests begin with empty streams
            await connection.execute("TRUNCATE feed, feed_entity, stream_head")
    assert registered in ("registered", "unchanged")
