"""The most that one POST can cost nothing: Litestar under granian in one process, JSON in, JSON out, no work.

Run as ``python -m tests.bench.limits.bare_post PORT``; it serves ``POST /echo`` until SIGTERM.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

import msgspec
import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar, Request, Response, post


@post("/echo", status_code=200)
async def echo(request: Request[Any, Any, Any]) -> Response[bytes]:
    body = msgspec.json.decode(await request.body())
    return Response(msgspec.json.encode({"echo": body}), media_type="application/json")


async def serve(port: int) -> None:
    app = Litestar([echo], openapi_config=None, logging_config=None)
    server = Server(app, "127.0.0.1", port, interface=Interfaces.ASGINL, log_enabled=False, backlog=1024)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
