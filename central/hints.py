"""Tells the other processes, and this one, that something changed: by NOTIFY, a moment after the commit.

Not in the transaction that changes it: Postgres lets transactions that notify commit only one after the other, database-wide
and each with its own flush, which makes bookings several times slower. A transaction that only notifies writes nothing and
flushes nothing. What a crash in between loses is a hint: whoever listens also looks by itself every few seconds.
"""

import asyncio
from typing import Any

import asyncpg
import structlog

log = structlog.get_logger(__name__)

GATHER_S = 0.01
"""How long hints are gathered before they go out together."""
MOST = 500

NOTIFY = "SELECT pg_notify(channel, payload) FROM unnest($1::text[], $2::text[]) AS hint (channel, payload)"


class Hints:
    """Gathers hints and sends them.

    Args:
        pool: its connections notify; a listener hears it like any other process's.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._pending: dict[tuple[str, str], None] = {}
        self._some = asyncio.Event()

    def tell(self, channel: str, payload: str) -> None:
        """Have a hint sent soon; the same one twice is one. Call it after the commit."""
        if len(self._pending) < MOST:
            self._pending[channel, payload] = None
        self._some.set()

    async def run(self) -> None:
        """Send until cancelled; what cannot be sent is dropped."""
        while True:
            await self._some.wait()
            await asyncio.sleep(GATHER_S)
            self._some.clear()
            pending, self._pending = list(self._pending), {}
            try:
                await self._pool.execute(NOTIFY, [one for one, _ in pending], [payload for _, payload in pending])
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("hints.lost", count=len(pending), error=type(error).__name__)
