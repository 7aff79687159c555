"""Runs an application under granian in this process's own event loop, so that a stop is ours to order.

On SIGTERM or SIGINT: first tell the application (`stopping` ends every stream and long-poll), then stop accepting, then
close. Whatever is still open after the grace is cut.
"""

import asyncio
import signal
from collections.abc import Callable
from typing import Any

import structlog
from granian.constants import Interfaces
from granian.server.embed import Server

log = structlog.get_logger(__name__)

DRAIN_S = 0.2
GRACE_S = 3.0


async def serve(app: Any, host: str, port: int, tell: Callable[[], None]) -> None:
    """Serve until a signal.

    Args:
        app: the ASGI application; its lifespan runs.
        tell: called when the process is to stop, before connections are closed.
    """
    server = Server(app, address=host, port=port, interface=Interfaces.ASGI, log_enabled=False, backlog=1024)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    serving = asyncio.create_task(server.serve())
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        log.info("process.stopping")
        tell()
        await asyncio.sleep(DRAIN_S)
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait({serving}, timeout=GRACE_S)
    stopped.cancel()
    serving.cancel()
    await asyncio.gather(serving, stopped, return_exceptions=True)
