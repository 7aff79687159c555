"""The conflict inbox: what happened on both sides of a cut, one entry per divergence, until a person has dealt with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

import msgspec

from central.audit import Attested, note
from central.exchange.store import transaction_on
from sync.io.sql import load
from sync.protocol.handover import send_elsewhere
from sync.protocol.rights import ConflictKind

_queries = load("central.exchange", "conflicts.sql")

OwnKind = Literal["second_appointment", "document_unclear"]
"""What only central finds, when the person of a sale arrives (central.booking.sold)."""
KINDS: tuple[str, ...] = (*get_args(ConflictKind), *get_args(OwnKind))
SHOWN = timedelta(days=7)
"""How long a resolved entry is still listed."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A divergence, what to do about it, and who did."""

    key: str
    kind: str
    office: str
    subject_id: str
    suggestion: str
    detail: Mapping[str, str | int]
    noted_at: datetime
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    resolution: str | None = None


async def listed(connection: Any, now: datetime) -> list[Entry]:
    """Open entries, the oldest first, then those resolved lately."""
    rows = await connection.fetch(_queries.listed, now - SHOWN)
    return [msgspec.convert({**row, "detail": msgspec.json.decode(row["detail"])}, Entry) for row in rows]


async def resolve(connection: Any, who: Attested, key: str) -> bool:
    """Close an entry with what was done about it; False when there is no open one."""
    async with transaction_on(connection):
        office = await connection.fetchval(_queries.resolve, key, who.at, who.actor, who.statement)
        if office is not None:
            await note(connection, who, "conflict.resolved", key, office=office)
    return office is not None


async def send_ticket(connection: Any, who: Attested, ticket_id: str, office: str) -> bool:
    """Send a ticket that no office has accepted to another one; False when it is not on its way, or there is no such office."""
    async with transaction_on(connection) as tx:
        sent = await send_elsewhere(tx, ticket_id, office)
        if sent:
            await note(connection, who, "ticket.sent_elsewhere", ticket_id, office=office, to_office=office)
    return sent


async def open_by_kind(connection: Any) -> dict[str, int]:
    """How many entries are open, of every kind."""
    rows = await connection.fetch(_queries.open_by_kind)
    return dict.fromkeys(KINDS, 0) | {row["kind"]: row["conflicts"] for row in rows}
