"""Takes off the offices' streams what belongs to days that are over: grants, voids, floors of labels, people that were erased."""

from __future__ import annotations

from datetime import date
from typing import Any

from central.exchange.feed import withdraw
from sync.io.sql import load
from sync.messages.feed import NumberFloor, PersonErased, TicketClosed, TicketGrant, TicketTaken

_queries = load("central.exchange", "past_days.sql")

OF_A_DAY = [NumberFloor.KIND, PersonErased.KIND, TicketClosed.KIND, TicketGrant.KIND, TicketTaken.KIND]


async def count_past_days(connection: Any, stream: str, before: date, most: int) -> int:
    """How many rows `withdraw_past_days` would take off."""
    return len(await connection.fetch(_queries.past, stream, OF_A_DAY, before, most))


async def withdraw_past_days(connection: Any, stream: str, before: date, most: int) -> int:
    """Take rows of days before a service date off a stream, in the caller's transaction.

    Returns:
        how many were taken off, `most` at the most.
    """
    rows = await connection.fetch(_queries.past, stream, OF_A_DAY, before, most)
    for row in rows:
        await withdraw(connection, stream, row["kind"], row["entity_id"], version=row["version"])
    return len(rows)
