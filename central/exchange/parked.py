"""Facts that are in the raw log and in no projection: listed, looked at without what they say, replayed after a fix.

A replay does for each fact what ingest would do now: under the lock on its office's authority, in the order of the log, with the
effects that its node has authority for by now. Projections are idempotent and effects go by tenure and by seat, so a fact that
comes behind its successors does no harm; one that fails again stays parked and delays no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from central.audit import Attested, note
from central.exchange.folding import record_of
from central.exchange.projections import PROJECTIONS, Projection
from central.exchange.store import transaction_on
from sync.io.sql import load
from sync.messages.facts import Fact
from sync.protocol.uplink import open_facts

_queries = load("central.exchange", "parked.sql")


class ParkedFact(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that waits for a fix."""

    office: str
    epoch: int
    seq: int
    type: str
    detail: str
    parked_at: datetime

    @property
    def place(self) -> str:
        """Its name for people: ``centro:1:57``."""
        return f"{self.office}:{self.epoch}:{self.seq}"


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """How a replay went."""

    taken: int
    left: int


async def listed(connection: Any) -> list[ParkedFact]:
    """Every parked fact, in the order of the logs."""
    return [ParkedFact(**row) for row in await connection.fetch(_queries.listed)]


async def shown(connection: Any, office: str, epoch: int, seq: int) -> dict[str, Any] | None:
    """What can be said of a parked fact without quoting it; None when it was never parked."""
    row = await connection.fetchrow(_queries.shown, office, epoch, seq)
    return None if row is None else {**row, "hash": row["hash"].hex()}


async def replay(
    connection: Any, who: Attested, projections: Mapping[type[Fact], Projection] = PROJECTIONS
) -> Replayed:
    """Project every parked fact again; what works now is parked no more. Safe to repeat."""
    waiting = await listed(connection)
    taken = 0
    for one in waiting:
        taken += await _again(connection, who, one, projections)
    return Replayed(taken=taken, left=len(waiting) - taken)


async def _again(connection: Any, who: Attested, one: ParkedFact, projections: Mapping[type[Fact], Projection]) -> bool:
    place = (one.office, one.epoch, one.seq)
    async with transaction_on(connection, projections) as tx:
        authority = await tx.lock_authority(one.office)
        row = await connection.fetchrow(_queries.still_parked, *place)
        if row is None:  # another replay was faster
            return True
        *fields, received_at = row
        opened, _ = open_facts([record_of(fields)])
        late = authority is not None and one.epoch < authority.epoch
        facts = [
            msgspec.structs.replace(each, late=late, happened_at=min(each.happened_at, received_at)) for each in opened
        ]
        if not facts or await tx.project(facts):
            return False
        await connection.execute(_queries.taken, *place, who.at)
        await note(connection, who, "fact.replayed", one.place, office=one.office)
    return True
