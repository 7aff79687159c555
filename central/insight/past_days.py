"""Past service days of an office as they are in the raw log: what replays and the model of waiting read."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import msgspec

from central.exchange.folding import opened_fact, record_of
from sync.io.sql import load
from sync.messages.envelope import FactHeader
from sync.messages.facts import DayOpened, Fact

queries = load("central.insight")

AT_ONCE = 2000
Journal = list[tuple[FactHeader, Fact]]


class PastDay(msgspec.Struct, frozen=True, kw_only=True):
    """A service day and where its facts stand; a day that went on in another life of the node has several."""

    office: str
    service_date: date
    epoch: int
    first_seq: int
    end_seq: int


async def days_of(connection: Any, office: str, since: datetime, before: date) -> list[PastDay]:
    """The days of an office that opened since an instant and are over, oldest first.

    Args:
        before: this service date and later ones are left out.
    """
    days = []
    for row in await connection.fetch(queries.days_opened, office, since):
        opened = opened_fact(record_of(row[:-1]))
        if isinstance(opened, DayOpened) and opened.service_date < before:
            days.append(
                PastDay(
                    office=office,
                    service_date=opened.service_date,
                    epoch=row["epoch"],
                    first_seq=row["seq"],
                    end_seq=row["end_seq"],
                )
            )
    return days


async def journal_of(connection: Any, day: PastDay) -> Journal:
    """The facts of a day, in order."""
    journal: Journal = []
    seq = day.first_seq
    while True:
        rows = await connection.fetch(queries.facts_of_day, day.office, day.epoch, seq, day.end_seq, AT_ONCE)
        journal += ((record.header, opened_fact(record)) for record in map(record_of, rows))
        if len(rows) < AT_ONCE:
            return journal
        seq = rows[-1]["seq"] + 1


async def booked_on(connection: Any, office: str, days: Iterable[date]) -> dict[date, int]:
    """How many appointments stood for each day, come or not."""
    rows = await connection.fetch(queries.booked_on, office, list(days))
    return {row["service_date"]: row["booked"] for row in rows}
