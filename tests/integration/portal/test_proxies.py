"""Whose address counts when forms come too fast: a browser's, also behind a proxy, and never what a browser says itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from tests.kit.central_server import CentralServer
from tests.kit.clock import ManualClock
from tests.kit.small_city import MONDAY_8H

LOCAL = "127.0.0.1"


async def counted(server: CentralServer, *forwarded: str) -> Sequence[str]:
    """Send a form with these headers. Returns the addresses that were counted."""
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=server.url) as client:
            token = (await client.get("/cita")).cookies["vt_central_csrf"]
            headers = [("x-forwarded-for", one) for one in forwarded]
            form = {"code": "K7M-4QX", "doc": "0001", "_csrf_token": token}
            reply = await client.post("/cita", data=form, headers=headers)
            assert reply.status_code == 404
        buckets: dict[tuple[str, str], object] = server._app.state.portal.throttle._buckets
        return [address for kind, address in buckets if kind == "address"]
    finally:
        await server.stop()


@pytest.mark.parametrize(
    "trusted, forwarded, address",
    [
        ((), ["203.0.113.7"], LOCAL),
        (("10.0.0.0/8",), ["203.0.113.7"], LOCAL),
        (("127.0.0.0/8",), [], LOCAL),
        (("127.0.0.0/8",), ["203.0.113.7"], "203.0.113.7"),
        (("127.0.0.1",), ["2001:db8::7"], "2001:db8::7"),
        (("127.0.0.0/8",), ["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        (("127.0.0.0/8",), ["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
        (("127.0.0.0/8", "10.0.0.0/8"), ["198.51.100.1, 203.0.113.7, 10.1.2.3"], "203.0.113.7"),
    ],
)
async def test_the_last_address_that_no_proxy_of_ours_has_is_counted(
    portal_dsn: str, portal_folder: Path, trusted: tuple[str, ...], forwarded: list[str], address: str
) -> None:
    server = CentralServer(portal_dsn, portal_folder, ManualClock(MONDAY_8H), trusted)
    assert await counted(server, *forwarded) == [address]
