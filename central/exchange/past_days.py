"""Takes off the offices' streams what belongs to days that are over: grants, voids, floors of labels; and forgets old tokens."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from central.exchange.feed import withdraw
from sync.domain.service_day import service_date
from sync.io.sql import load
from sync.messages.feed import NumberFloor, TicketClosed, TicketGrant, office_stream

_queries = load("central.exchange", "past_days.sql")

OF_A_DAY = [NumberFloor.KIND, TicketClosed.KIND, TicketGrant.KIND]
KEEP_ROWS = timedelta(days=2)
KEEP_TOKENS = timedelta(days=14)
"""As long as feed rows: a node that was away tells of its days, and the largest tenure still decides."""
AT_ONCE = 200


async def forget_past_days(connection: Any, now: datetime) -> int:
    """Safe to repeat. Returns how many rows were taken off."""
    gone = 0
    for row in await connection.fetch(_queries.zones):
        today = service_date(now, ZoneInfo(row["time_zone"]))
        stream = office_stream(row["office"])
        while left := await _withdraw(connection, stream, today - KEEP_ROWS):
            gone += left
    await connection.execute(_queries.forget_tokens, (now - KEEP_TOKENS).date())
    return gone


async def _withdraw(connection: Any, stream: str, before: date) -> int:
    async with connection.transaction():
        rows = await connection.fetch(_queries.past, stream, OF_A_DAY, before, AT_ONCE)
        for row in rows:
            await withdraw(connection, stream, row["kind"], row["entity_id"], version=row["version"])
    return len(rows)
