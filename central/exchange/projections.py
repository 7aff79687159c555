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

from central.exchange.folding import position
from central.exchange.rights_store import PostgresRights
from sync.io.sql import load
from sync.messages.facts import (
    Fact,
    LeaseReturned,
    LeaseSold,
    TicketAccepted,
    TicketFinished,
    TicketIssued,
    TicketReleased,
)
from sync.protocol.effects import take_effect
from sync.protocol.rights import Origin
from sync.protocol.store import OpenedFact, Parked

log = structlog.get_logger(__name__)

_queries = load("central.exchange", "projections.sql")

Projection = Callable[[PostgresRights, OpenedFact, Any], Awaitable[None]]
"""Gets the transaction, the fact with where it comes from, and the fact itself in its own type."""

# Not the fact's fault: the whole transaction fails and the batch is sent again.
_TRANSIENT = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.TransactionRollbackError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    OSError,  # TimeoutError too
)


async def attend(tx: PostgresRights, opened: OpenedFact, fact: TicketIssued) -> None:
    """The person of an appointment is there: whatever central believed, they attended."""
    if fact.appointment_id is not None:
        office = opened.record.header.office
        await tx.connection.execute(_queries.appointment_attended, fact.appointment_id, office)


async def account_sold(tx: PostgresRights, _opened: OpenedFact, fact: LeaseSold) -> None:
    """Seats of a lease were sold."""
    await tx.note_outcome(fact.lease_id, fact.seats, "sold")


async def account_returned(tx: PostgresRights, _opened: OpenedFact, fact: LeaseReturned) -> None:
    """Seats of a lease came back."""
    await tx.note_outcome(fact.lease_id, fact.seats, "returned")


PROJECTIONS: Mapping[type[Fact], Projection] = {
    TicketIssued: attend,
    LeaseSold: account_sold,
    LeaseReturned: account_returned,
}
"""What each fact changes at central beside the rights that move. Others are only in the raw log and in the office days."""

MOVING = (LeaseSold, LeaseReturned, TicketFinished, TicketReleased, TicketAccepted)
"""The facts that ``take_effect`` moves anything for; the rest, nearly all, need no savepoint."""


async def project(
    tx: PostgresRights,
    facts: Sequence[OpenedFact],
    projections: Mapping[type[Fact], Projection] = PROJECTIONS,
) -> list[Parked]:
    """Run projections and effects of facts in order; give back those that could not be taken."""
    return [
        Parked(record=opened.record, detail=detail)
        for opened in facts
        if (projection := projections.get(type(opened.fact))) or isinstance(opened.fact, MOVING)
        if (detail := await _try(tx, projection, opened))
    ]


async def _try(tx: PostgresRights, projection: Projection | None, opened: OpenedFact) -> str | None:
    """None, or what went wrong: the name of the error, never its text, which may quote the fact."""
    origin = Origin(office=opened.record.header.office, happened_at=opened.happened_at)
    queued = len(tx.queued)
    try:
        async with savepoint(tx.connection):
            if projection is not None:
                await projection(tx, opened, opened.fact)
            await take_effect(tx, origin, opened.fact, late=opened.late)
    except _TRANSIENT:
        raise
    except Exception as error:  # noqa: BLE001 - any defect of a projection parks one fact and no more
        del tx.queued[queued:]
        log.warning("fact.projection_failed", **position(opened.record.header), error=type(error).__name__)
        return f"projection: {type(error).__name__}"
    return None


@asynccontextmanager
async def savepoint(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """What the block does stands whole or not at all, inside the transaction that is open."""
    await connection.execute("SAVEPOINT projection")
    try:
        yield
    except Exception:
        await connection.execute("ROLLBACK TO SAVEPOINT projection")
        raise
    await connection.execute("RELEASE SAVEPOINT projection")
