"""Central's real application behind its real HTTP server, on the test's own event loop and a free port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from granian.constants import Interfaces
from granian.server.embed import Server

from central.app import create_app
from central.context import Central
from central.exchange.service import Exchange
from central.settings import Database, Http, Keys, Settings
from provisioning.launchers.ports import free_port, is_listening
from sync.io.clock import Clock
from sync.io.single_sign_on.settings import SingleSignOn

STOP_S = 5.0


class CentralServer:
    """A central that can be stopped and started again on the same port."""

    def __init__(
        self,
        dsn: str,
        folder: Path,
        clock: Clock | None = None,
        trusted_proxies: tuple[str, ...] = (),
        single_sign_on: SingleSignOn | None = None,
    ) -> None:
        self.port = free_port()
        self._settings = Settings(
            http=Http(port=self.port, public_url=self.url, trusted_proxies=trusted_proxies),
            database=Database(dsn=dsn, pool_min=2, pool_max=8),
            keys=Keys(folder=folder / "keys", create_missing=True),
            single_sign_on=single_sign_on or SingleSignOn(),
        )
        self._clock = clock
        self._app: Any = None
        self._server: Any = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def exchange(self) -> Exchange:
        exchange: Exchange = self._app.state.exchange
        return exchange

    @property
    def central(self) -> Central:
        central: Central = self._app.state.central
        return central

    async def start(self) -> None:
        self._app = create_app(self._settings, self._clock)
        self._server = Server(
            self._app, address="127.0.0.1", port=self.port, interface=Interfaces.ASGI, log_enabled=False
        )
        self._serving = asyncio.create_task(self._server.serve())
        while not is_listening("127.0.0.1", self.port):
            assert not self._serving.done(), self._serving.result()
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """As a signal would: tell the application, then close."""
        if self._serving is None:
            return
        self.central.stopping.set()
        self._server.stop()
        await asyncio.wait([self._serving], timeout=STOP_S)
        assert self._serving.done(), "central did not stop"
        self._serving = None


@asynccontextmanager
async def running_central(
    dsn: str, folder: Path, clock: Clock | None = None, single_sign_on: SingleSignOn | None = None
) -> AsyncIterator[CentralServer]:
    """A central while inside."""
    server = CentralServer(dsn, folder, clock, single_sign_on=single_sign_on)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
