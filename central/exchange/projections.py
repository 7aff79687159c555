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
from central.exchange.rules import KnownAppointment, presence
from sync.io.sql import load
from sync.messages import codec
from sync.messages.desk_facts import TicketWantedBack
from sync.messages.facts import (
    DayClosed,
    Fact,
    LeaseReturned,
    LeaseSold,
    TicketAccepted,
    TicketFinished,
    TicketIssued,
    TicketReleased,
)
from sync.messages.feed import Appointment, office_stream
from sync.messages.node_facts import ConfigApplied
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
    """The person of an appointment is there. What central had done with it meanwhile is one entry in the conflict inbox."""
    if fact.appointment_id is None:
        return
    office = opened.record.header.office
    row = await tx.connection.fetchrow(_queries.appointment_known, fact.appointment_id, office_stream(office))
    if row is None:
        return
    known = KnownAppointment(
        status=row["status"],
        office=row["office_id"],
        slot_start_at=row["slot_start_at"],
        attended_office=row["attended_office"],
        was_told=row["was_told"],
    )
    meaning = presence(known, office, fact.slot_start_at)
    if meaning not in ("known", "second_office", "not_theirs"):
        await tx.connection.execute(_queries.appointment_attended, fact.appointment_id, office)
    match meaning:
        case "after_cancel":
            await _note(tx, "attended_after_cancel", office, fact.appointment_id, "give_courtesy")
        case "second_office" | "not_theirs":
            detail = {"other_office": known.attended_office or known.office}
            await _note(tx, "checked_in_elsewhere", office, fact.appointment_id, "serve_here", **detail)
        case "other_slot":
            began = known.slot_start_at <= opened.happened_at
            if not began:
                await _give_up(tx, fact.appointment_id, row)
            detail = {"other_office": known.office, "seats": "kept" if began else "released"}
            await _note(tx, "attended_other_slot", office, fact.appointment_id, "none_needed", **detail)
        case _:
            pass


async def _give_up(tx: PostgresRights, appointment_id: str, row: Any) -> None:
    """The person came with the old time: the seats of the new one are free, and its office need not wait for them."""
    await tx.release_seats(appointment_id)
    await tx.connection.execute(_queries.appointment_newer, appointment_id)
    if row["fed_version"] is None:
        return
    gone = Appointment(
        id=appointment_id,
        version=row["version"] + 1,
        locator=row["locator"],
        service_id=row["service_id"],
        slot_start_at=row["slot_start_at"],
        duration_min=row["duration_min"],
        status="moved",
    )
    await tx.emit_at_end(
        office_stream(row["office_id"]),
        kind=Appointment.KIND,
        entity_id=appointment_id,
        version=gone.version,
        op="put",
        body=codec.encode(gone),
    )


async def _note(
    tx: PostgresRights, kind: str, office: str, appointment_id: str, suggestion: str, **detail: str | int
) -> None:
    key = f"{kind}:{appointment_id}:{office}"
    await tx.note(key, kind, office=office, subject_id=appointment_id, suggestion=suggestion, **detail)


async def note_configuration(tx: PostgresRights, opened: OpenedFact, fact: ConfigApplied) -> None:
    """The office works with these versions now; what a replaced node works with does not count."""
    if not opened.late:
        office, versions, states = opened.record.header.office, codec.encode(fact.versions), codec.encode(fact.states)
        await tx.connection.execute(_queries.configuration_applied, office, versions, opened.happened_at, states)


async def note_day_closed(tx: PostgresRights, opened: OpenedFact, fact: DayClosed) -> None:
    """All that the office told of this day is here, as facts come without holes; a replaced node's day is not the office's."""
    if not opened.late:
        await tx.connection.execute(_queries.day_closed, opened.record.header.office, fact.service_date)


async def account_sold(tx: PostgresRights, _opened: OpenedFact, fact: LeaseSold) -> None:
    """Seats of a lease were sold."""
    await tx.note_outcome(fact.lease_id, fact.seats, "sold")


async def account_returned(tx: PostgresRights, _opened: OpenedFact, fact: LeaseReturned) -> None:
    """Seats of a lease came back."""
    await tx.note_outcome(fact.lease_id, fact.seats, "returned")


PROJECTIONS: Mapping[type[Fact], Projection] = {
    TicketIssued: attend,
    DayClosed: note_day_closed,
    ConfigApplied: note_configuration,
    LeaseSold: account_sold,
    LeaseReturned: account_returned,
}
"""What each fact changes at central beside the rights that move. Others are only in the raw log and in the office days."""

MOVING = (LeaseSold, LeaseReturned, TicketIssued, TicketFinished, TicketReleased, TicketWantedBack, TicketAccepted)
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
    origin = Origin(office=opened.record.header.office, happened_at=opened.happened_at, by_age=opened.by_age)
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
