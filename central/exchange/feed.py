"""How any feature of central tells the offices of a change: one feed row in the transaction that makes the change.

A feature calls ``emit`` as the last thing of its transaction, streams in sorted order (``emit_all`` sorts): the stream's
head is locked until commit, which makes commit order the order of rows, and sorting makes deadlocks impossible.

A hot statement embeds the same in its own CTE, so that the whole booking stays one statement; the function is the last lock
that it takes. The main SELECT must read from the CTE that calls it, or Postgres never runs it::

    WITH claimed AS (UPDATE seat SET ... RETURNING ...),
         booked AS (INSERT INTO appointment ... SELECT ... FROM claimed RETURNING id),
         fed AS (SELECT p.fed_seq FROM booked, feed_put($1, 'appointment', booked.id::text, 1, 'put', $2) p)
    SELECT booked.id, fed.fed_seq FROM booked LEFT JOIN fed ON true

where ``$1`` is ``office_stream(office)`` and ``$2`` is ``sync.messages.codec.encode(appointment)``. Nothing else is to be
done: central notices a moved head within some 40 ms and answers the offices' long-polls.
"""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg

from sync.io.sql import load
from sync.messages import codec
from sync.messages.feed import (
    Appointment,
    Counter,
    Entity,
    Holiday,
    Lease,
    Neighbour,
    NodeKey,
    NumberFloor,
    Office,
    OfficePolicy,
    Op,
    PersonErased,
    QrKey,
    Service,
    Staff,
    TicketClosed,
    TicketGrant,
    TicketTaken,
    WaitModel,
)

_queries = load("central.exchange", "feed.sql")


def entity_id(entity: Entity) -> str:
    """The id of an entity within its kind."""
    match entity:
        case Service() | Office() | Neighbour() | Counter() | Staff() | Appointment():
            return entity.id
        case TicketGrant() | TicketClosed() | TicketTaken() | Lease() | PersonErased():
            return entity.id
        case NodeKey():
            return entity.office
        case NumberFloor():
            return entity.service_date.isoformat()
        case QrKey():
            return entity.kid
        case Holiday():
            return entity.day.isoformat()
        case OfficePolicy():
            return entity.effective_from.isoformat()
        case WaitModel():
            return "present"
        case _:
            raise TypeError(f"{type(entity).__name__} is no kind of feed row")


async def emit(connection: asyncpg.Connection, stream: str, entity: Entity) -> None:
    """Put an entity's full new state on a stream, inside the caller's transaction and as its last statement.

    Appointments carry their own version and always make a row. Other kinds make one only when their state is not what the
    stream already has, so a city can be loaded again and again.
    """
    body = codec.encode(entity)
    if isinstance(entity, Appointment):
        await connection.fetchrow(_queries.feed_put, stream, entity.KIND, entity.id, entity.version, "put", body)
    else:
        await connection.fetchrow(_queries.feed_put_changed, stream, entity.KIND, entity_id(entity), body)


async def emit_all(connection: asyncpg.Connection, entities: Iterable[tuple[str, Entity]]) -> None:
    """``emit`` for many (stream, entity) pairs, in the order of the streams, each stream's in the order given."""
    for stream, entity in sorted(entities, key=lambda pair: pair[0]):
        await emit(connection, stream, entity)


async def withdraw(connection: asyncpg.Connection, stream: str, kind: str, entity_id: str, *, version: int) -> None:
    """Take an entity off a stream (``del``): only what leaves by date, or was configured away."""
    op: Op = "del"
    await connection.fetchrow(_queries.feed_put, stream, kind, entity_id, version, op, b"{}")
