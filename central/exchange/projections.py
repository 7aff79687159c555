"""What central's own tables learn from a fact, and what happens to a fact that they cannot take.

A projection is idempotent by effect: the same fact again changes nothing. It runs under a savepoint of its own, so a fact
that no projection can take (poison) leaves no trace, is parked for a person to look at, and delays nobody. Everything here
can be rebuilt from the raw log.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import structlog

from sync.io.sql import load
from sync.messages.envelope import FactHeader
from sync.messages.facts import Fact, TicketIssued
from sync.protocol.store import OpenedFact, Parked

log = structlog.get_logger(__name__)

_queries = load("central.exchange", "projections.sql")

Projection = Callable[[asyncpg.Connection, FactHeader, Any], Awaitable[None]]

# Not the fact's fault: the whole transaction fails and the batch is sent again.
_TRANSIENT = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.TransactionRollbackError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    OSError,  # TimeoutError too
)


async def attend(connection: asyncpg.Connection, header: FactHeader, fact: TicketIssued) -> None:
    """The person of an appointment is there: whatever central believed, they attended."""
    if fact.appointment_id is not None:
        await connection.execute(_queries.appointment_attended, fact.appointment_id, header.office)


PROJECTIONS: Mapping[type[Fact], Projection] = {TicketIssued: attend}
"""What each fact changes at central. Facts without an entry are only in the raw log and in the office days."""


async def project(
    connection: asyncpg.Connection,
    facts: Sequence[OpenedFact],
    projections: Mapping[type[Fact], Projection] = PROJECTIONS,
) -> list[Parked]:
    """Run the projections of facts in order; give back those that could not be taken."""
    parked = []
    for opened in facts:
        projection = projections.get(type(opened.fact))
        if projection is not None and (detail := await _try(connection, projection, opened)):
            parked.append(Parked(record=opened.record, detail=detail))
    return parked


async def _try(connection: asyncpg.Connection, projection: Projection, opened: OpenedFact) -> str | None:
    """None, or what went wrong: the name of the error, never its text, which may quote the fact."""
    try:
        async with _savepoint(connection):
            await projection(connection, opened.record.header, opened.fact)
    except _TRANSIENT:
        raise
    except Exception as error:  # noqa: BLE001 - any defect of a projection parks one fact and no more
        log.warning("fact.projection_failed", **position(opened.record.header), error=type(error).__name__)
        return f"projection: {type(error).__name__}"
    return None


@asynccontextmanager
async def _savepoint(connection: asyncpg.Connection) -> AsyncIterator[None]:
    await connection.execute("SAVEPOINT projection")
    try:
        yield
    except Exception:
        await connection.execute("ROLLBACK TO SAVEPOINT projection")
        raise
    await connection.execute("RELEASE SAVEPOINT projection")


def position(header: FactHeader) -> dict[str, Any]:
    """The place of a fact, as fields of a log line."""
    return {"office": header.office, "epoch": header.epoch, "seq": header.seq, "type": header.type}
