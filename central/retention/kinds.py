"""How each kind of data is deleted and counted, and how old the oldest of it is. Each act is bounded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from central.booking.claims import queries as seats
from central.exchange.feed import withdraw
from central.exchange.past_days import count_past_days, withdraw_past_days
from sync.domain.service_day import service_date, starts_at
from sync.io.sql import load
from sync.messages.feed import Appointment, office_stream

queries = load("central.retention")

Forget = Callable[[Any, datetime, int], Awaitable[int]]
Count = Callable[[Any, datetime, int], Awaitable[int]]
Oldest = Callable[[Any], Awaitable[datetime | None]]


class Kind(msgspec.Struct, frozen=True):
    """The three acts on a kind, on a connection: of what ended before an instant, at most so many rows."""

    forget: Forget
    count: Count
    oldest: Oldest


def by_statement(kind: str) -> Kind:
    """A kind whose acts are one statement each, by its name."""

    async def forget(connection: Any, before: datetime, most: int) -> int:
        return changed(await connection.execute(queries[f"forget_{kind}"], before, most))

    async def count(connection: Any, before: datetime, most: int) -> int:
        return int(await connection.fetchval(queries[f"count_{kind}"], before, most))

    return Kind(forget, count, _oldest(kind))


def kept(kind: str) -> Kind:
    """A kind that is never deleted."""

    async def none(_connection: Any, _before: datetime, _most: int) -> int:
        return 0

    return Kind(none, none, _oldest(kind))


def changed(tag: str) -> int:
    """How many rows a command changed, as its tag says: `UPDATE 3`."""
    return int(tag.rpartition(" ")[2])


def _oldest(kind: str) -> Oldest:
    async def oldest(connection: Any) -> datetime | None:
        found: datetime | None = await connection.fetchval(queries[f"oldest_{kind}"])
        return found

    return oldest


async def _release_holds(connection: Any, before: datetime, most: int) -> int:
    """With their seats, by the statement that does so every few seconds anyway."""
    row = await connection.fetchrow(seats.release_expired, before, most)
    return int(row["holds"])


async def _count_holds(connection: Any, before: datetime, most: int) -> int:
    return int(await connection.fetchval(queries.count_holds, before, most))


async def _forget_reports(connection: Any, before: datetime, most: int) -> int:
    """What was counted of past days; of each of its tables at most so many."""
    statements = (queries.forget_overrides, queries.forget_held, queries.forget_reports)
    return sum([changed(await connection.execute(each, before, most)) for each in statements])


async def _forget_closures(connection: Any, before: datetime, most: int) -> int:
    """Runs that ended, first what they moved."""
    gone = changed(await connection.execute(queries.forget_closure_items, before, most))
    return gone or changed(await connection.execute(queries.forget_closures, before, most))


async def _clear_streams(connection: Any, before: datetime, most: int) -> int:
    """Take off the offices' streams the appointments and grants of days that are over."""
    for row in await connection.fetch(queries.streams):
        stream, zone = office_stream(row["office"]), ZoneInfo(row["time_zone"])
        day = service_date(before, zone)
        past = await connection.fetch(queries.past_on_stream, stream, starts_at(day, zone), most)
        for each in past:
            await withdraw(connection, stream, Appointment.KIND, each["entity_id"], version=each["version"])
        if gone := len(past) or await withdraw_past_days(connection, stream, day, most):
            return gone
    return 0


async def _count_streams(connection: Any, before: datetime, most: int) -> int:
    count = 0
    for row in await connection.fetch(queries.streams):
        stream, zone = office_stream(row["office"]), ZoneInfo(row["time_zone"])
        day = service_date(before, zone)
        count += len(await connection.fetch(queries.past_on_stream, stream, starts_at(day, zone), most - count))
        count += await count_past_days(connection, stream, day, most - count)
    return count


async def _oldest_on_streams(connection: Any) -> datetime | None:
    found = [
        await connection.fetchval(queries.oldest_on_stream, office_stream(row["office"]))
        for row in await connection.fetch(queries.streams)
    ]
    return min((at for at in found if at is not None), default=None)


KINDS: dict[str, Kind] = {
    **{
        kind: by_statement(kind)
        for kind in ("people", "drafts", "unsent", "sessions", "mails", "replies", "lookups", "tokens", "feed", "runs")
    },
    "reports": msgspec.structs.replace(by_statement("reports"), forget=_forget_reports),
    "closures": msgspec.structs.replace(by_statement("closures"), forget=_forget_closures),
    "holds": Kind(_release_holds, _count_holds, _oldest("holds")),
    "streams": Kind(_clear_streams, _count_streams, _oldest_on_streams),
    **{kind: kept(kind) for kind in ("facts", "audit", "appointments", "conflicts", "parked", "leases", "policies")},
}
