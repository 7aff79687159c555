"""Trying a policy on an office's last days from a page: a few days, one try at a time, and not for long."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from central.offices.catalogue import OfficeRecord
from central.policy.replays import Replayed, replayed
from sync.domain.replays.compare import Comparison, compare
from sync.messages.policy import Policy

DAYS: Final = 5
"""Of an office's days that are over; a day of some hundred visits takes a twentieth of a second."""
LONGEST_S: Final = 20

NoTrial = Literal["busy", "nobody", "too_long"]


class Trial(msgspec.Struct, frozen=True):
    """What a policy would have changed. ``chosen``: calls out of order, which the replay made by the rule."""

    comparison: Comparison
    chosen: int


class Trials:
    """Runs one try at a time in this process: pages for everybody else go on beside it."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._running: asyncio.Task[Replayed] | None = None

    async def run(self, pool: Any, office: OfficeRecord, now: datetime, policy: Policy) -> Trial | NoTrial:
        """Run the last days again; or why not: somebody else is trying, nobody was called on them, it took too long.

        A replay runs in a thread, which nobody can stop. So one that took too long, or whose page was left, ends with the day
        that it is at, and only then is it somebody else's turn.
        """
        if self._turn.locked():
            return "busy"
        await self._turn.acquire()
        self._running = running = asyncio.create_task(_replay(pool, office, now, policy))
        running.add_done_callback(lambda _: self._turn.release())
        try:
            await asyncio.wait({running}, timeout=LONGEST_S)
            if not running.done():
                return "too_long"
        finally:
            running.cancel()
        days, chosen = running.result()
        return Trial(compare(days), chosen) if days else "nobody"


async def _replay(pool: Any, office: OfficeRecord, now: datetime, policy: Policy) -> Replayed:
    async with pool.acquire() as connection:
        return await replayed(connection, office, now, DAYS, policy)
