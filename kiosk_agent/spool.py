"""What a kiosk must not forget: requests under way, slips to print, acks without answer, the office's last config.

One SQLite file, on the disk before anything leaves the machine (``synchronous = FULL``). What follows from one event is
written in one transaction, then delivered: after a crash at any point the same things are delivered again, and the same id
makes them harmless.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import aiosqlite
import msgspec

from sync.io import sql
from sync.messages.codec import decode, encode
from sync.messages.topics import KioskCommand, KioskTellReserved, PrintedAck, PrintFailedAck, PrintJob, Slip
from sync.messages.values import Uuid

_SQL = sql.load("kiosk_agent", "spool.sql")
_TABLES = (
    _SQL.create_command,
    _SQL.create_print_job,
    _SQL.create_ack,
    _SQL.create_kept,
    _SQL.create_taken,
    _SQL.create_seen,
)

CommandState = Literal["open", "given_up", "answered"]
JobState = Literal["waiting", "started", "done"]
PaperAck = PrintedAck | PrintFailedAck


class SpoolTakenError(Exception):
    """Another process works on this spool."""


class SpooledCommand(msgspec.Struct, frozen=True):
    command: KioskCommand
    state: CommandState


class OpenCommand(msgspec.Struct, frozen=True):
    command: KioskCommand
    asked_at: datetime


class SpooledJob(msgspec.Struct, frozen=True):
    job: PrintJob
    added_at: datetime
    state: JobState


class Taken(msgspec.Struct, frozen=True):
    """A ticket that the kiosk gave by itself, and when by each of its clocks."""

    told: KioskTellReserved
    taken_at: datetime
    boot_id: str
    mono_ns: int


class Seen(msgspec.Struct, frozen=True):
    """A number that leaves this kiosk."""

    service_date: date
    series: str
    number: int


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from one event, to be written together.

    Args:
        settled: a request and the state it is in now.
    """

    commands: tuple[KioskCommand, ...] = ()
    settled: tuple[Uuid, CommandState] | None = None
    jobs: tuple[PrintJob, ...] = ()
    acks: tuple[PaperAck, ...] = ()
    taken: tuple[Taken, ...] = ()
    seen: tuple[Seen, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.commands or self.settled or self.jobs or self.acks or self.taken)


Statement = tuple[str, dict[str, object]]


class Spool:
    """The open file."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._db = connection
        self._writing = asyncio.Lock()

    async def write(self, entry: Entry, now: datetime) -> None:
        """Write all of it, or nothing."""
        at = _text(now)
        steps: list[Statement] = []
        for command in entry.commands:
            row: dict[str, object] = {"request_id": command.request_id, "body": encode(command), "asked_at": at}
            steps.append((_SQL.add_command, row))
        if entry.settled is not None:
            request_id, state = entry.settled
            steps.append((_SQL.settle_command, {"request_id": request_id, "state": state}))
        steps += [(_SQL.add_job, {"job_id": job.job_id, "body": encode(job), "added_at": at}) for job in entry.jobs]
        steps += [(_SQL.add_ack, {"ack_id": ack.ack_id, "body": encode(ack)}) for ack in entry.acks]
        steps += [(_SQL.add_taken, _taken_row(taken)) for taken in entry.taken]
        steps += [
            (
                _SQL.add_seen,
                {"service_date": seen.service_date.isoformat(), "series": seen.series, "number": seen.number},
            )
            for seen in entry.seen
        ]
        await self._write(*steps)

    async def untold(self) -> list[Taken]:
        """Tickets of the reserve that the edge has not taken, in the order in which they were given."""
        return [
            Taken(decode(body, KioskTellReserved), datetime.fromisoformat(at), boot_id, mono_ns)
            for body, at, boot_id, mono_ns in await self._all(_SQL.untold)
        ]

    async def settle_taken(self, request_id: Uuid, state: Literal["told", "refused"]) -> None:
        await self._write((_SQL.settle_taken, {"request_id": request_id, "state": state}))

    async def refused_labels(self, since: datetime) -> tuple[str, ...]:
        """Labels that the edge would not take."""
        return tuple(label for (label,) in await self._all(_SQL.refused, {"since": _text(since)}))

    async def seen_numbers(self, service_date: date) -> dict[str, int]:
        """The highest number that left this kiosk on a day, by series."""
        rows = await self._all(_SQL.seen, {"service_date": service_date.isoformat()})
        return {series: number for series, number in rows}  # noqa: C416 - rows are no tuples

    async def command(self, request_id: Uuid) -> SpooledCommand | None:
        row = await self._one(_SQL.command, {"request_id": request_id})
        if row is None:
            return None
        return SpooledCommand(decode(row[0], KioskCommand), row[1])  # type: ignore[arg-type] # a union is a shape too

    async def open_commands(self) -> list[OpenCommand]:
        """Requests without an answer, oldest first."""
        rows = await self._all(_SQL.open_commands)
        return [
            OpenCommand(decode(body, KioskCommand), datetime.fromisoformat(asked_at))  # type: ignore[arg-type]
            for body, asked_at in rows
        ]

    async def job_state(self, job_id: Uuid) -> JobState | None:
        row = await self._one(_SQL.job, {"job_id": job_id})
        return None if row is None else row[0]

    async def unfinished_jobs(self) -> list[SpooledJob]:
        """Slips that are not settled, in the order in which they came."""
        rows = await self._all(_SQL.unfinished_jobs)
        return [SpooledJob(decode(body, PrintJob), datetime.fromisoformat(at), state) for body, at, state in rows]

    async def printed_since(self, at: datetime) -> list[tuple[Slip, datetime]]:
        """The first slip of each ticket since an instant, and when it came; the oldest first."""
        first: dict[Uuid, tuple[Slip, datetime]] = {}
        for body, added_at in await self._all(_SQL.jobs_since, {"since": _text(at)}):
            slip = decode(body, PrintJob).slip
            first.setdefault(slip.ticket_id, (slip, datetime.fromisoformat(added_at)))
        return list(first.values())

    async def start_job(self, job_id: Uuid) -> None:
        """Note that bytes are about to leave for the printer."""
        await self._write((_SQL.start_job, {"job_id": job_id}))

    async def finish_job(self, job_id: Uuid, ack: PaperAck) -> None:
        """Note how a slip ended, and the ack that says so, together."""
        row: dict[str, object] = {"ack_id": ack.ack_id, "ack": encode(ack), "job_id": job_id}
        await self._write((_SQL.finish_job, row), (_SQL.add_ack, {"ack_id": ack.ack_id, "body": row["ack"]}))

    async def acknowledge_again(self, job_id: Uuid) -> None:
        """Send a finished job's ack once more: the edge, by asking again, says that it has not got it."""
        row = await self._one(_SQL.job, {"job_id": job_id})
        if row is not None and row[1] is not None:
            await self._write((_SQL.add_ack, {"ack_id": row[1], "body": row[2]}))

    async def acks(self) -> dict[Uuid, bytes]:
        """Bodies by ack id, oldest first."""
        return {ack_id: bytes(body) for ack_id, body in await self._all(_SQL.acks)}

    async def drop_ack(self, ack_id: Uuid) -> None:
        await self._write((_SQL.drop_ack, {"ack_id": ack_id}))

    async def keep(self, name: str, body: bytes) -> None:
        await self._write((_SQL.keep, {"name": name, "body": body}))

    async def kept(self, name: str) -> bytes | None:
        row = await self._one(_SQL.kept, {"name": name})
        return None if row is None else bytes(row[0])

    async def forget(self, before: datetime) -> None:
        """Drop what was settled before an instant; until then it keeps repeated messages from acting twice."""
        row: dict[str, object] = {"before": _text(before)}
        days: dict[str, object] = {"before_date": before.date().isoformat()}
        await self._write(
            (_SQL.forget_commands, row), (_SQL.forget_jobs, row), (_SQL.forget_taken, row), (_SQL.forget_seen, days)
        )

    async def _one(self, statement: str, values: dict[str, object]) -> sqlite3.Row | None:
        async with self._db.execute(statement, values) as rows:
            return await rows.fetchone()

    async def _all(self, statement: str, values: dict[str, object] | None = None) -> list[sqlite3.Row]:
        return list(await self._db.execute_fetchall(statement, values or {}))

    async def _write(self, *steps: Statement) -> None:
        async with self._writing:  # no other task's commit may fall in between
            await self._db.execute("BEGIN IMMEDIATE")
            try:
                for statement, values in steps:
                    await self._db.execute(statement, values)
                await self._db.commit()
            except BaseException:
                await self._db.rollback()
                raise


@contextlib.asynccontextmanager
async def open_spool(folder: Path) -> AsyncIterator[Spool]:
    """Open the spool of a folder, making both when they are not there.

    Raises:
        SpoolTakenError: another agent has it.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    async with aiosqlite.connect(folder / "kiosk.db", isolation_level=None, timeout=1.0) as connection:
        try:
            # Exclusive: a second agent on the same folder would print every slip again.
            for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
                await connection.execute(f"PRAGMA {pragma}")
            for statement in _TABLES:
                await connection.execute(statement)
        except sqlite3.OperationalError as error:
            raise SpoolTakenError(f"{folder}: {error}") from error
        yield Spool(connection)


def _taken_row(taken: Taken) -> dict[str, object]:
    told = taken.told
    return {
        "request_id": told.request_id,
        "ticket_id": told.ticket_id,
        "body": encode(told),
        "service_date": told.service_date.isoformat(),
        "series": told.series,
        "number": told.number,
        "taken_at": _text(taken.taken_at),
        "boot_id": taken.boot_id,
        "mono_ns": taken.mono_ns,
    }


def _text(at: datetime) -> str:
    """One form for all instants, so that their order as text is their order in time."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
