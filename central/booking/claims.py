"""Runs the claiming statements of `seats.sql`: once past whoever is just claiming, then once more waiting for them.

The first try skips locked seats, so nobody waits for anybody. If it finds too few, one read tells why: the request was
answered before (a double submit), the slots are really full, or their seats were only locked. Only the last is worth a
second try, without SKIP LOCKED and under a short lock timeout.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from typing import Any, Literal

import asyncpg
import msgspec
from prometheus_client import Counter

from sync.io.sql import load

queries = load("central.booking", "seats.sql")
_waiting = {name: text.replace(" SKIP LOCKED", "") for name, text in queries.items()}

_CLAIMS = Counter("ventanilla_claims_total", "Claims on seats by statement and how they ended", ["statement", "end"])

Violated = Literal["request", "person", "locator", "hold"]
_CONSTRAINTS: dict[str, Violated] = {
    "booking_reply_pkey": "request",
    "appointment_one_per_family": "person",
    "appointment_locator": "locator",
    "hold_pkey": "hold",
}


class Answered(msgspec.Struct, frozen=True):
    """The request was carried out before; `reply` is what was said then."""

    fingerprint: bytes
    reply: bytes


class Full(msgspec.Struct, frozen=True):
    """Not every slot has a seat."""


class Closed(msgspec.Struct, frozen=True):
    """Central was restored from a backup and still waits for offices."""


class Unplanned(msgspec.Struct, frozen=True):
    """Not every slot is there and open: nobody offers this time, free or taken."""


class Clash(msgspec.Struct, frozen=True):
    """A unique key stood in the way; nothing was changed."""

    key: Violated


class Won(msgspec.Struct, frozen=True):
    """The seats are ours; `row` is what the statement returned."""

    row: Any


ClaimEnd = Won | Full | Unplanned | Clash | Answered | Closed


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """What a claim is about, for finding out why it did not succeed."""

    request_id: str
    now: datetime
    office: str
    pool: str
    starts: Sequence[datetime]
    hold_id: str | None


async def claim(
    pool: Any,
    statement: str,
    arguments: Sequence[Any],
    where: Where,
    lock_timeout_ms: int,
    *,
    first_try: Callable[[], Awaitable[Any | None]] | None = None,
    gate: AbstractAsyncContextManager[Any] | None = None,
) -> ClaimEnd:
    """Claim seats by one of the statements of `seats.sql`.

    Args:
        first_try: makes the first try instead of `claim_at_once`, and ends like it.
        gate: held while the claim is looked into and tried again.

    A clash or an empty hand is looked into before it is told: a request that was already carried out always gets the answer
    of then, also if that very request took the last seat or is the booking that now stands in the person's way.
    """
    first = first_try or (lambda: claim_at_once(pool, statement, arguments))
    end = await _claim(pool, statement, arguments, where, lock_timeout_ms, first_try=first, gate=gate or nullcontext())
    _CLAIMS.labels(statement, type(end).__name__.lower()).inc()
    return end


async def _claim(
    pool: Any,
    statement: str,
    arguments: Sequence[Any],
    where: Where,
    lock_timeout_ms: int,
    *,
    first_try: Callable[[], Awaitable[Any | None]],
    gate: AbstractAsyncContextManager[Any],
) -> ClaimEnd:
    try:
        if row := await first_try():
            return Won(row)
        async with gate:
            return await _claim_again(pool, statement, arguments, where, lock_timeout_ms)
    except asyncpg.UniqueViolationError as error:
        if (key := _CONSTRAINTS.get(error.constraint_name or "")) is None:
            raise
        answered = await _why_not(pool, where)
        return answered if isinstance(answered, Answered) else Clash(key)


async def _claim_again(
    pool: Any, statement: str, arguments: Sequence[Any], where: Where, lock_timeout_ms: int
) -> Won | Full | Unplanned | Answered | Closed:
    why = await _why_not(pool, where)
    if not isinstance(why, bool):
        return why
    if not why:
        return Full()
    if row := await _claim_waiting(pool, statement, arguments, lock_timeout_ms):
        return Won(row)
    again = await _why_not(pool, where)
    return again if isinstance(again, Answered) else Full()


async def claim_at_once(pool: Any, statement: str, arguments: Sequence[Any]) -> Any | None:
    """The first try: the row, or None if too few seats were free that nobody was claiming.

    None also for whoever lost to the release of the very hold that is being confirmed: it locks hold, then seats.
    """
    try:
        return await pool.fetchrow(queries[statement], *arguments)
    except asyncpg.DeadlockDetectedError:
        return None


async def _claim_waiting(pool: Any, statement: str, arguments: Sequence[Any], lock_timeout_ms: int) -> Any | None:
    try:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = {int(lock_timeout_ms)}")
            return await connection.fetchrow(_waiting[statement], *arguments)
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        return None


async def find_answer(pool: Any, request_id: str) -> Answered | None:
    """What was answered to a request that was carried out before."""
    row = await pool.fetchrow(queries.answered, request_id)
    return None if row is None else Answered(row["fingerprint"], row["reply"])


async def _why_not(pool: Any, where: Where) -> Answered | Closed | Unplanned | bool:
    """The answer given before, or that nothing is claimed now, or that there is no such time, or whether every slot has a
    seat that was only locked.
    """
    row = await pool.fetchrow(
        queries.why_not, where.request_id, where.now, where.office, where.pool, list(where.starts), where.hold_id
    )
    if row["reply"] is not None:
        return Answered(row["fingerprint"], row["reply"])
    if row["recovering"]:
        return Closed()
    return bool(row["claimable"]) if row["planned"] else Unplanned()
