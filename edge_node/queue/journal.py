"""The journal: facts in a dense, hash-chained sequence, and what is committed together with them.

A fact's header and body are stored as the bytes that were hashed; central gets the same bytes. Replay reads them back
from the last ``day.opened`` on and checks the chain: a row that was changed behind our back stops the node.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import msgspec

from edge_node.bulk import insert_many
from edge_node.leases.store import insert_people
from sync.io.sql import load
from sync.messages.envelope import FactHeader, FactRecord, chain, open_fact, seal
from sync.messages.facts import Fact
from sync.messages.people import PersonRequest
from sync.messages.values import GENESIS

SQL = load("edge_node.queue", "journal.sql")


class JournalBroken(RuntimeError):
    """A stored fact does not follow from the one before it: the file was changed by something else."""

    def __init__(self, epoch: int, seq: int) -> None:
        self.epoch = epoch
        self.seq = seq
        super().__init__(f"the journal's chain is broken at fact {seq} of epoch {epoch}")


class Tail(NamedTuple):
    """The end of the journal: the last fact's position and hash. Seq 0 and the genesis hash: nothing yet."""

    epoch: int
    seq: int = 0
    hash: bytes = GENESIS


class Entry(NamedTuple):
    """A fact in the journal, decoded and as its bytes."""

    record: FactRecord
    fact: Fact
    hash: bytes

    @property
    def header(self) -> FactHeader:
        return self.record.header


class Person(NamedTuple):
    """The personal row of a checked-in appointment."""

    appointment_id: str
    service_date: date
    display_name: str
    needs: tuple[str, ...]
    language: str


class Remark(NamedTuple):
    """What staff wrote for each other about a ticket's person: a line for who serves it next, the support they need."""

    ticket_id: str
    service_date: date
    note: str = ""
    noted_by: str = ""
    needs: tuple[str, ...] = ()


class PendingPrint(NamedTuple):
    """A slip on its way to a kiosk; ``message`` is the encoded ``PrintJob``, ``asked_at`` is when somebody stood there."""

    job_id: str
    device: str
    ticket_id: str
    message: bytes
    asked_at: datetime

    @property
    def row(self) -> tuple[str, str, str, bytes, str]:
        return self.job_id, self.device, self.ticket_id, self.message, written(self.asked_at)

    @property
    def given(self) -> tuple[str, str, str]:
        return self.device, self.ticket_id, written(self.asked_at)


class Batch:
    """What one transaction writes: the facts of all commands decided since the last one, and the rows that go with them."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.requests: list[tuple[str, bytes, str, bytes]] = []
        self.follow_codes: list[tuple[str, bytes, str]] = []
        self.people: list[Person] = []
        self.remarks: list[Remark] = []
        self.prints: list[PendingPrint] = []
        self.buyers: list[PersonRequest] = []

    def __bool__(self) -> bool:
        return bool(self.entries or self.requests)

    def write(self, connection: sqlite3.Connection) -> None:
        """Insert everything. Runs on the writer's thread, inside its transaction."""
        insert_many(connection, SQL.insert_fact, [_row(each) for each in self.entries])
        insert_many(connection, SQL.insert_request, self.requests)
        insert_many(connection, SQL.insert_follow_code, self.follow_codes)
        if self.people:
            connection.executemany(SQL.insert_person, map(_person_row, self.people))
        if self.remarks:
            connection.executemany(SQL.insert_remark, map(_remark_row, self.remarks))
        if self.buyers:
            insert_people(connection, self.buyers)
        if self.prints:
            connection.executemany(SQL.insert_print_job, [job.row for job in self.prints])
            connection.executemany(SQL.insert_slip_given, [job.given for job in self.prints])


def entry(tail: Tail, header: FactHeader, fact: Fact) -> Entry:
    """Seal a fact as the one that follows ``tail``."""
    record = seal(header, fact)
    return Entry(record, fact, chain(tail.hash, record))


def read_day(connection: sqlite3.Connection, epoch: int) -> tuple[list[Entry], Tail]:
    """The facts from the last ``day.opened`` of an epoch (or its first fact) to its end, and the journal's tail.

    Raises:
        JournalBroken: the chain does not hold.
        MalformedMessage: a body that this very program wrote cannot be read.
    """
    first = connection.execute(SQL.last_day_opened, {"epoch": epoch}).fetchone()[0] or 1
    tail = Tail(epoch, first - 1, _hash_before(connection, epoch, first))
    entries: list[Entry] = []
    for row in connection.execute(SQL.facts_from, {"epoch": epoch, "seq": first}):
        record = _record(epoch, row)
        if row[0] != tail.seq + 1 or chain(tail.hash, record) != row[-1]:
            raise JournalBroken(epoch, row[0])
        tail = Tail(epoch, row[0], row[-1])
        entries.append(Entry(record, open_fact(record), row[-1]))
    return entries, tail


def read_had_a_day(connection: sqlite3.Connection, epoch: int) -> bool:
    """Whether an epoch had a service day before that which ``read_day`` reads."""
    return bool(connection.execute(SQL.had_a_day, {"epoch": epoch}).fetchone()[0])


def read_beyond_the_day(connection: sqlite3.Connection, epoch: int) -> list[tuple[int, Fact]]:
    """The facts of this life of the node that outlive their service day, each with its seq."""
    return [
        (row[0], open_fact(_record(epoch, row)))
        for row in connection.execute(SQL.facts_beyond_the_day, {"epoch": epoch})
    ]


def hash_at(connection: sqlite3.Connection, epoch: int, seq: int) -> bytes | None:
    """The chain's hash behind a fact; none when the journal does not have it."""
    row = connection.execute(SQL.hash_of, {"epoch": epoch, "seq": seq}).fetchone()
    return bytes(row[0]) if row is not None else None


def written(at: datetime) -> str:
    """A UTC instant as it stands in the database, with milliseconds, so that text order is time order."""
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"


def read_people(connection: sqlite3.Connection) -> dict[str, Person]:
    """The personal rows that are kept, by appointment."""
    rows = connection.execute(SQL.people)
    return {row[0]: Person(row[0], date.fromisoformat(row[1]), row[2], tuple(row[3].split()), row[4]) for row in rows}


def read_remarks(connection: sqlite3.Connection) -> dict[str, Remark]:
    """The remarks that are kept, by ticket."""
    rows = connection.execute(SQL.remarks)
    return {row[0]: Remark(row[0], date.fromisoformat(row[1]), row[2], row[3], tuple(row[4].split())) for row in rows}


class StoredReply(NamedTuple):
    """The answer to a request, and what it asked (none: a build stored it that did not say)."""

    body: bytes
    asked: bytes | None


def find_replies(connection: sqlite3.Connection, request_ids: Iterable[str]) -> dict[str, StoredReply]:
    """Stored replies of those of the requests that were carried out."""
    found: dict[str, StoredReply] = {}
    for request_id in request_ids:
        row = connection.execute(SQL.find_reply, {"request_id": request_id}).fetchone()
        if row is not None:
            found[request_id] = StoredReply(*row)
    return found


def _hash_before(connection: sqlite3.Connection, epoch: int, seq: int) -> bytes:
    if seq == 1:
        return GENESIS
    row = connection.execute(SQL.hash_of, {"epoch": epoch, "seq": seq - 1}).fetchone()
    if row is None:
        raise JournalBroken(epoch, seq - 1)
    return bytes(row[0])


def _row(each: Entry) -> tuple[object, ...]:
    h = each.record.header
    return (
        h.epoch,
        h.seq,
        h.office,
        h.type,
        h.v,
        h.request_id,
        h.actor_id,
        h.device_id,
        written(h.occurred_at),
        h.boot_id,
        h.mono_ns,
        bytes(each.record.body),
        each.hash,
    )


def _record(epoch: int, row: Sequence[Any]) -> FactRecord:
    seq, office, kind, v, request_id, actor_id, device_id, occurred_at, boot_id, mono_ns, body, _hash = row
    header = msgspec.convert(
        [office, epoch, seq, kind, v, request_id, actor_id, device_id, occurred_at, boot_id, mono_ns], FactHeader
    )
    return FactRecord(header=header, body=msgspec.Raw(body))


def _remark_row(remark: Remark) -> tuple[str, str, str, str, str]:
    return remark.ticket_id, remark.service_date.isoformat(), remark.note, remark.noted_by, " ".join(remark.needs)


def _person_row(person: Person) -> tuple[str, str, str, str, str]:
    return (
        person.appointment_id,
        person.service_date.isoformat(),
        person.display_name,
        " ".join(person.needs),
        person.language,
    )
