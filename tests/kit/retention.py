"""Carrying the rules of retention out beside a running central, which does so itself a minute after its start."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from central.retention.service import Done, carry_out
from central.settings import Settings

TRIES, PAUSE_S = 100, 0.05


async def carried_out(pool: Any, settings: Settings, now: datetime) -> list[Done]:
    """What each rule did; waits until nobody else is at it."""
    for _ in range(TRIES):
        if (done := await carry_out(pool, settings, now)) is not None:
            return done
        await asyncio.sleep(PAUSE_S)
    raise TimeoutError
