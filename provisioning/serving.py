"""Runs a server's application under granian in this process's own event loop, so that a stop is ours to order.

On SIGTERM or SIGINT: first the application ends what would keep a connection open (streams, long-polls), then nothing more
is accepted, then what is still open gets a short grace and is cut.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Any

import structlog
from granian.constants import Interfaces
from granian.server.embed import Server

from provisioning.collector import spare_what_boot_made

DRAIN_S = 0.2
GRACE_S = 2.0
BACKLOG = 1024
log = structlog.get_logger()


async def serve(app: Any, host: str, port: int, before_stop: Callable[[], None], *, with_lifespan: bool = True) -> None:
    """Serve until a signal.

    Args:
        app: the ASGI application.
        before_stop: ends what would keep a connection open.
        with_lifespan: let the application's own lifespan run; false where the process starts its parts itself.
    """
    interface = Interfaces.ASGI if with_lifespan else Interfaces.ASGINL
    server = Server(app, address=host, port=port, interface=interface, log_enabled=False, backlog=BACKLOG)
    spare_what_boot_made()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    serving = asyncio.create_task(server.serve(), name="http")
    asked = asyncio.create_task(stop.wait())
    log.info("http.serving", host=host, port=port)
    await asyncio.wait({serving, asked}, return_when=asyncio.FIRST_COMPLETED)
    before_stop()
    if not serving.done():
        log.info("process.stopping")
        await asyncio.sleep(DRAIN_S)
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait({serving}, timeout=GRACE_S)
    for task in (asked, serving):
        task.cancel()
    results = await asyncio.gather(serving, asked, return_exceptions=True)
    if isinstance(results[0], Exception):
        raise results[0]
