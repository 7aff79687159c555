"""A Litestar application inside a running event loop.

uvicorn, because it can be given an open socket and lives beside the MQTT link in one loop; granian's embedded server is
experimental and takes no socket (docs/decisions.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

import uvicorn
from litestar import Litestar

DRAIN_S = 2


class PortTakenError(Exception):
    """Another process has the port."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host} is taken; set another one under [http]")


@contextlib.asynccontextmanager
async def serving(
    app: Litestar, host: str, port: int, *, before_stop: Callable[[], None] = lambda: None
) -> AsyncIterator[int]:
    """Serve until the block ends; gives the port.

    Args:
        before_stop: ends open streams, for which the server would wait.

    Raises:
        PortTakenError: the port is not free.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=DRAIN_S, server_header=False
    )
    server = _QuietServer(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    try:
        await asyncio.wait({task, started := asyncio.create_task(server.ready.wait())}, return_when="FIRST_COMPLETED")
        started.cancel()
        if task.done():
            task.result()
        yield int(listener.getsockname()[1])
    finally:
        before_stop()
        server.should_exit = True
        await task
        listener.close()


class _QuietServer(uvicorn.Server):
    """Says when it is ready. Signals belong to the process, not to its web server."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTakenError(host, port) from error
    listener.setblocking(False)
    return listener
