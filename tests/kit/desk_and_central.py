"""An office's console and its central for real, on a Monday morning of a small city: Postgres, SQLite, HTTP, and between the two a
network that can be cut.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from granian.constants import Interfaces
from granian.server.embed import Server

from central.exchange import leases, nodes
from central.settings import Leases
from edge_node.app import create_app
from edge_node.node import EdgeNode, running
from edge_node.settings import Central as CentralAddress
from provisioning.demo.relay import Relay
from provisioning.launchers.ports import free_port, is_listening
from sync.io.clock import truncate
from tests.kit.central_server import CentralServer, running_central
from tests.kit.edge import settings
from tests.kit.edge_end import until
from tests.kit.services import Cluster
from tests.kit.small_city import MONDAY_8H, loaded_city

CLERK, PASSWORD = "ana", "secreta"


class MorningClock:
    """The machine's monotonic clock, and a wall clock that began on that Monday at eight."""

    def __init__(self, began_at: datetime = MONDAY_8H) -> None:
        self.boot_id = "boot-1"
        self._began_at = began_at
        self._began_ns = time.monotonic_ns()

    def now(self) -> datetime:
        return truncate(self._began_at + timedelta(microseconds=(time.monotonic_ns() - self._began_ns) // 1000))

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


class DeskAndCentral:
    """What a test of both holds: the node, its console's address, central, and the line between them."""

    def __init__(self, node: EdgeNode, url: str, central: CentralServer, relay: Relay) -> None:
        self.node = node
        self.url = url
        self.central = central
        self.relay = relay

    @property
    def pool(self) -> Any:
        return self.central.central.pool

    async def connected(self, *, to: bool = True) -> None:
        """Wait until the node hears central, or does not."""
        await until(lambda: self.node.link is not None and self.node.link.connected is to)

    async def cut(self) -> None:
        await self.relay.cut()
        await self.connected(to=False)

    async def knows(self, appointment_id: str) -> None:
        """Wait until an appointment's row has come down."""
        await until(lambda: appointment_id in self.node.dispatcher.state.configuration.agenda.by_id)

    async def lend(self) -> None:
        """Central lends the office seats of the next days, and the office knows it."""
        async with self.pool.acquire() as connection:
            await leases.lend(connection, Leases(), self.node.dispatcher.state.now(), ["centro"])
        await until(lambda: bool(self.node.dispatcher.state.configuration.leases))


@asynccontextmanager
async def desk_and_central(cluster: Cluster, folder: Path, seats: int = 1) -> AsyncIterator[DeskAndCentral]:
    """Both, connected, the office's configuration come down; until the end of the block."""
    clock = MorningClock()
    with loaded_city(cluster, folder, seats) as dsn:
        async with running_central(dsn, folder, clock) as central:
            relay = Relay("127.0.0.1", 0, "127.0.0.1", central.port)
            await relay.start()
            try:
                async with _office(folder, central, relay, clock) as desk:
                    await until(lambda: "ana" in desk.node.dispatcher.state.configuration.staff)
                    await desk.connected()
                    yield desk
            finally:
                await relay.stop()


@asynccontextmanager
async def _office(
    folder: Path, central: CentralServer, relay: Relay, clock: MorningClock
) -> AsyncIterator[DeskAndCentral]:
    key = Ed25519PrivateKey.generate()
    key_file = folder / "node.pem"
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    known = settings(folder, key_file=key_file)
    public_key = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    async with central.central.pool.acquire() as connection:
        await nodes.register(
            connection, node_id=known.office.node, office=known.office.id, epoch=1, public_key=public_key
        )
    address = CentralAddress(url=f"http://127.0.0.1:{relay.port}", public_url=central.url, node_key_file=key_file)
    async with running(msgspec.structs.replace(known, central=address), clock) as node:
        port = free_port()
        server = Server(
            create_app(node), address="127.0.0.1", port=port, interface=Interfaces.ASGINL, log_enabled=False
        )
        serving = asyncio.create_task(server.serve())
        try:
            await until(lambda: is_listening("127.0.0.1", port))
            yield DeskAndCentral(node, f"http://127.0.0.1:{port}", central, relay)
        finally:
            node.stop_streams()
            server.stop()  # type: ignore[no-untyped-call]
            await asyncio.wait({serving}, timeout=5)
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
