"""What is written down about a service day: the facts of an office and the acts at central. Read only, and never all at once.

Two logs tell who did what. An office's journal has what happened at its counters and consoles, with the person who did it and
the device; central's record has what people did here. Neither has personal data of citizens: ids, codes and labels.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from central.exchange.folding import opened_fact, record_of
from sync.domain.check_in import normalise_locator
from sync.domain.service_day import ends_at, starts_at
from sync.io.sql import load
from sync.messages.envelope import FactHeader
from sync.messages.facts import Fact, TicketAccepted, TicketIssued, TicketRelabelled

queries = load("central.staff", "audit_log.sql")

SHOWN = 100
"""Entries of a list on a page."""
AT_ONCE = 1000
LABELS = 5000
"""Tickets of an office and day at most; three digits a series give fewer."""
LIFE = 500
MAILS = ("confirmed", "moved", "cancelled", "offered")
AROUND = timedelta(days=1)
"""A day can be opened early or late, on a clock that was wrong."""


class Span(msgspec.Struct, frozen=True):
    """Where a service day stands in an office's journal; a day that went on in another life of its node has several."""

    epoch: int
    first_seq: int
    end_seq: int


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Something that somebody did at central.

    Args:
        subject: an id of what it was about: an office, an appointment, a person of staff, a page.
        detail: ids and codes.
    """

    audit_id: str
    at: datetime
    actor: str
    act: str
    subject: str
    attested: str
    detail: dict[str, str | int]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A fact of an office's journal, with the label of its ticket; empty where it is about none."""

    header: FactHeader
    fact: Fact
    label: str = ""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment without its person."""

    appointment_id: str
    version: int
    status: str
    locator: str
    service_id: str
    slot_start_at: datetime
    channel: str
    booked_at: datetime
    changed_at: datetime


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that was written, without what it said."""

    kind: str
    state: str
    queued_at: datetime
    ended_at: datetime | None


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """All that is written about one ticket or appointment, each list in order."""

    kind: Literal["ticket", "appointment"]
    name: str
    kept: Kept | None
    facts: tuple[Told, ...]
    acts: tuple[Act, ...]
    mails: tuple[Mail, ...]


class Day:
    """A service day of an office, as it is written down."""

    def __init__(self, office: str, day: date, zone: ZoneInfo, spans: Sequence[Span]) -> None:
        self.office = office
        self.day = day
        self.zone = zone
        self.spans = spans

    @classmethod
    async def find(cls, connection: Any, office: str, day: date, zone: ZoneInfo) -> Day:
        """Look the day up; one that never opened has no facts."""
        around = starts_at(day, zone) - AROUND, ends_at(day, zone) + AROUND
        spans = []
        for row in await connection.fetch(queries.days_opened, office, *around):
            body = msgspec.json.decode(row["body"]) if row["body"] else {}
            if isinstance(body, dict) and body.get("service_date") == day.isoformat():
                spans.append(Span(row["epoch"], row["seq"], row["end_seq"]))
        return cls(office, day, zone, spans)

    async def facts(
        self,
        connection: Any,
        *,
        person: str = "",
        people_only: bool = False,
        after: tuple[int, int] = (0, 0),
        most: int = SHOWN,
    ) -> list[tuple[FactHeader, Fact]]:
        """Facts behind a place, in the order of the journal, at most so many."""
        found: list[tuple[FactHeader, Fact]] = []
        for span in self.spans:
            if span.epoch < after[0] or len(found) >= most:
                continue
            first = max(span.first_seq, after[1] + 1) if span.epoch == after[0] else span.first_seq
            rows = await connection.fetch(
                queries.facts, self.office, span.epoch, first, span.end_seq, person, people_only, most - len(found)
            )
            found += _facts(rows)
        return found

    async def labels(self, connection: Any) -> dict[str, str]:
        """The label of each ticket of the day, by id."""
        labels: dict[str, str] = {}
        for span in self.spans:
            at = self.office, span.epoch, span.first_seq, span.end_seq, LABELS
            for _, fact in _facts(await connection.fetch(queries.labelled, *at)):
                if isinstance(fact, TicketIssued | TicketAccepted | TicketRelabelled):
                    labels[fact.ticket_id] = fact.label
        return labels

    async def naming(self, connection: Any, ids: Sequence[str]) -> list[tuple[FactHeader, Fact]]:
        """The facts of the day that name one of some ids."""
        found: list[tuple[FactHeader, Fact]] = []
        for span in self.spans:
            at = self.office, span.epoch, span.first_seq, span.end_seq, list(ids), LIFE
            found += _facts(await connection.fetch(queries.naming, *at))
        return found[:LIFE]

    async def life(self, connection: Any, typed: str) -> Life | None:
        """What is written about the ticket with a label, or the appointment with a locator, of this day; none: there is none."""
        wanted, labels = typed.strip().upper(), await self.labels(connection)
        ids = [ticket for ticket, label in labels.items() if label == wanted]
        if ids:
            return await self._life(connection, wanted, ids, labels)
        if (locator := normalise_locator(typed)) is None:
            return None
        rows = await connection.fetch(queries.appointments, self.day, self.office, locator)
        if not rows:
            return None
        ids = [row["appointment_id"] for row in rows]
        return await self._life(connection, locator, ids, labels, kept=_kept(rows[0]))

    async def _life(
        self, connection: Any, name: str, ids: list[str], labels: dict[str, str], *, kept: Kept | None = None
    ) -> Life:
        kind: Literal["ticket", "appointment"] = "ticket" if kept is None else "appointment"
        facts = await self.naming(connection, ids)
        others = [other for _, fact in facts for other in _of_one(fact) if other not in ids]
        if others:  # a ticket and its appointment are one visit
            ids = [*ids, *dict.fromkeys(others)]
            facts = await self.naming(connection, ids)
        appointments = [
            fact.appointment_id for _, fact in facts if isinstance(fact, TicketIssued) and fact.appointment_id
        ]
        if kept is None and appointments:
            row = await connection.fetchrow(queries.appointment, appointments[0])
            kept = _kept(row) if row is not None else None
        acts = await connection.fetch(queries.acts_on, ids, LIFE)
        mails = await connection.fetch(queries.mails, list(MAILS), kept.appointment_id) if kept is not None else ()
        return Life(
            kind=kind,
            name=name,
            kept=kept,
            facts=tuple(told(facts, labels)),
            acts=tuple(map(act_of, acts)),
            mails=tuple(msgspec.convert(dict(row), Mail) for row in mails),
        )


def told(facts: Iterable[tuple[FactHeader, Fact]], labels: dict[str, str]) -> list[Told]:
    """Facts with the labels of their tickets."""
    return [
        Told(header=header, fact=fact, label=labels.get(getattr(fact, "ticket_id", ""), "")) for header, fact in facts
    ]


async def acts(
    connection: Any,
    since: datetime,
    before: datetime,
    *,
    office: str | None,
    person: str = "",
    after: tuple[datetime, str] | None = None,
    most: int = SHOWN,
) -> list[Act]:
    """What people did at central, oldest first.

    Args:
        office: acts about it or done at it, whoever did them; none: of the whole city.
        after: time and id of the last one that was seen.
    """
    at, audit_id = after or (None, None)
    return [
        act_of(row) for row in await connection.fetch(queries.acts, since, before, office, person, at, audit_id, most)
    ]


async def is_staff(connection: Any, office: str, typed: str) -> bool:
    """Whether a user name, or one behind its office and a slash, is somebody's of staff."""
    of, _, staff_id = typed.rpartition("/")
    return bool(await connection.fetchval(queries.is_staff, of or office, staff_id))


async def all_facts(connection: Any, day: Day) -> AsyncIterator[list[Told]]:
    """Every fact of a day, some at a time; with a pool for a connection, nothing is held between them."""
    labels, after = await day.labels(connection), (0, 0)
    while facts := await day.facts(connection, after=after, most=AT_ONCE):
        yield told(facts, labels)
        after = (facts[-1][0].epoch, facts[-1][0].seq)


async def all_acts(connection: Any, since: datetime, before: datetime, office: str | None) -> AsyncIterator[list[Act]]:
    """Every act at central, some at a time; with a pool for a connection, nothing is held between them."""
    after = None
    while found := await acts(connection, since, before, office=office, after=after, most=AT_ONCE):
        yield found
        after = (found[-1].at, found[-1].audit_id)


def act_of(row: Any) -> Act:
    return msgspec.convert({**row, "detail": msgspec.json.decode(row["detail"])}, Act)


def _facts(rows: Iterable[Any]) -> list[tuple[FactHeader, Fact]]:
    return [(record.header, opened_fact(record)) for record in map(record_of, rows)]


def _of_one(fact: Fact) -> Iterable[str]:
    """Ids of the ticket and the appointment that a fact ties together."""
    if isinstance(fact, TicketIssued | TicketAccepted) and fact.appointment_id is not None:
        return (fact.ticket_id, fact.appointment_id)
    return ()


def _kept(row: Any) -> Kept:
    return msgspec.convert(dict(row), Kept)
