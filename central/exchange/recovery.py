"""Central was restored from a backup: begin a new life, wait for the offices, open again (``sync.protocol.recovery``)."""

from __future__ import annotations

from typing import Any

from central.audit import Attested, note
from central.exchange.store import transaction_on
from sync.io.sql import load
from sync.protocol.recovery import skip

_queries = load("central.exchange", "recovery.sql")


async def begin(connection: Any, who: Attested) -> list[str]:
    """Give the restored database a new gen and close booking until the offices have reported; which ones are awaited.

    To be done before any process of central is started on it.
    """
    async with transaction_on(connection):
        row = await connection.fetchrow(_queries.begin_life, who.at)
        await note(connection, who, "central.restored", row["gen"], office=None, awaited=len(row["awaited"]))
    return list(row["awaited"])


async def skip_office(connection: Any, who: Attested, office: str) -> bool:
    """Do not wait for an office any more; False when nobody waits for it. What only it knows may be sold twice."""
    async with transaction_on(connection) as tx:
        was_awaited = await skip(tx, office)
        if was_awaited:
            await note(connection, who, "office.skipped", office, office=office)
    return was_awaited


async def awaited(connection: Any) -> list[str]:
    """Offices whose report is still awaited; none when central is open."""
    return [row["office"] for row in await connection.fetch(_queries.awaited_offices)]
