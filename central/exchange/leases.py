"""Seats lent to offices: lending, asking back, taking back, and the account of each lease.

The rules are in ``sync.protocol.lease``; here are transactions, one per office and day, under the lock on the office's authority
so that nothing is lent to a node that is just being replaced.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from central.audit import Attested, note
from central.exchange.rules import LendableSlot, seats_to_lend
from central.exchange.store import PostgresCentralTx, transaction_on
from central.settings import Leases
from sync.domain.service_day import service_date
from sync.io.ids import new_id
from sync.io.sql import load
from sync.messages import codec
from sync.messages.feed import Lease
from sync.protocol import lease as rules

_queries = load("central.exchange", "leases.sql")

ENDS = ("granted", "sold", "returned", "reclaimed", "lapsed", "outstanding")
SHOWN = timedelta(days=30)
"""How long a settled lease stays on the page."""


class Lent(msgspec.Struct, frozen=True, kw_only=True):
    """What was lent just now."""

    leases: int
    seats: int


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """The account of one lease: granted = sold + returned + reclaimed + lapsed + outstanding.

    Args:
        is_orphan: its holder was replaced: nobody sells it, and only a person can take it back before its slots begin.
    """

    lease_id: str
    office: str
    fence: int
    lent_at: datetime
    first_at: datetime
    last_at: datetime
    is_recalled: bool
    is_orphan: bool
    is_settled: bool
    granted: int
    sold: int
    returned: int
    reclaimed: int
    lapsed: int
    outstanding: int


async def lend(
    connection: Any, settings: Leases, now: datetime, offices: Sequence[str] = ()
) -> Lent | Literal["recovering", "no_node"]:
    """Lend seats of the days from tomorrow to the horizon to every office with a node. Safe to repeat.

    Args:
        offices: only these, each of which must have a node; all when empty.
    """
    leases = seats = 0
    holders = await connection.fetch(_queries.holders)
    if set(offices) - {row["office"] for row in holders}:
        return "no_node"
    for row in holders:
        if offices and row["office"] not in offices:
            continue
        today = service_date(now, ZoneInfo(row["time_zone"]))
        for ahead in range(1, settings.horizon_days + 1):
            lent = await _lend_day(connection, row["office"], today + timedelta(days=ahead), settings.seats_per_slot)
            if lent == "recovering":
                return lent
            leases, seats = leases + bool(lent), seats + lent
    return Lent(leases=leases, seats=seats)


async def recall(connection: Any, who: Attested, lease_id: str) -> bool:
    """Ask an office for the unsold seats of a lease; False for an unknown lease."""
    async with _locked(connection, lease_id) as tx:
        known = await rules.recall(tx, lease_id)
        if known and (state := await tx.lease(lease_id)) is not None:
            await note(connection, who, "lease.recalled", lease_id, office=state.office)
    return known


async def reclaim(connection: Any, who: Attested, lease_id: str) -> int | None:
    """Take back what is outstanding of a lease, because a person attests that its holder cannot sell it any more.

    Returns:
        how many seats are free now; None for an unknown lease.
    """
    async with _locked(connection, lease_id) as tx:
        if (state := await tx.lease(lease_id)) is None:
            return None
        freed = await rules.reclaim(tx, lease_id)
        await note(connection, who, "lease.reclaimed", lease_id, office=state.office, seats=len(freed))
    return len(freed)


async def settle(connection: Any, now: datetime) -> int:
    """Take leases of which nothing is outstanding off their offices' streams; how many."""
    settled = 0
    for row in await connection.fetch(_queries.unsettled):
        async with _locked(connection, row["lease_id"]) as tx:
            if await rules.settle_over(tx, row["lease_id"], now):
                await connection.execute(_queries.settled, row["lease_id"], now)
                settled += 1
    return settled


async def statements(connection: Any, now: datetime) -> list[Statement]:
    """The accounts of all leases that are open or were settled lately, by office and day."""
    return [_statement(row) for row in await connection.fetch(_queries.statements, now, now - SHOWN)]


def totals(accounts: Sequence[Statement]) -> dict[str, int]:
    """Seats of open leases by what became of them; ``orphan`` are outstanding on a node that was replaced."""
    open_ones = [one for one in accounts if not one.is_settled]
    ends = {end: sum(getattr(one, end) for one in open_ones) for end in ENDS}
    return ends | {"orphan": sum(one.outstanding for one in open_ones if one.is_orphan)}


@asynccontextmanager
async def _locked(connection: Any, lease_id: str) -> AsyncIterator[PostgresCentralTx]:
    """A transaction that holds the authority over a lease's office, as ingest does: seats and leases are locked after it, in
    whatever order.
    """
    async with transaction_on(connection) as tx:
        office = await connection.fetchval(_queries.holder_of, lease_id)
        if office is not None:
            await tx.lock_authority(office)
        yield tx


async def _lend_day(connection: Any, office: str, day: date, per_slot: int) -> int | Literal["recovering"]:
    async with transaction_on(connection) as tx:
        authority = await tx.lock_authority(office)
        if await tx.awaited():
            return "recovering"
        slots = [_slot(row) for row in await connection.fetch(_queries.lendable, office, day, day)]
        wanted = seats_to_lend(slots, per_slot)
        if not wanted or authority is None:
            return 0
        granted = await rules.grant(
            tx,
            office,
            Lease(
                id=new_id(),
                fence=authority.epoch,
                seats=tuple(wanted),
                sell_until=max(seat.start_at for seat in wanted),
            ),
        )
    return len(granted.seats) if granted is not None else 0


def _slot(row: Any) -> LendableSlot:
    return LendableSlot(
        slot_id=row["slot_id"],
        start_at=row["start_at"],
        duration_min=row["duration_min"],
        services=tuple(row["services"]),
        capacity=row["capacity"],
        leased=row["leased"],
        free_numbers=tuple(row["free_numbers"]),
    )


def _statement(row: Any) -> Statement:
    return Statement(
        lease_id=row["lease_id"],
        office=row["office"],
        fence=row["fence"],
        lent_at=row["lent_at"],
        first_at=row["first_at"],
        last_at=row["last_at"],
        is_recalled=codec.decode(row["body"], Lease).recalled,
        is_orphan=row["present_epoch"] is not None and row["present_epoch"] > row["fence"],
        is_settled=row["settled_at"] is not None,
        **{name: row[name] for name in ENDS},
    )
