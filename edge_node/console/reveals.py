"""Who asked to see a person's data again after the screen had hidden them: an account for the data protection officer.

It stays at the edge: facts are for ever, and this is deleted after a year.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

import msgspec

from edge_node.console.staff_sessions import Member
from edge_node.queue.journal import written
from edge_node.writer import Writer
from sync.io.sql import load

SQL = load("edge_node.console", "reveals.sql")
KEPT = timedelta(days=366)


class Reveal(msgspec.Struct, frozen=True, kw_only=True):
    at: str
    staff_id: str
    console: str
    ticket_id: str
    appointment_id: str | None


async def note_reveal(
    writer: Writer, member: Member, ticket_id: str, appointment_id: str | None, now: datetime
) -> None:
    """Write it down; only then may the data be shown. The oldest go."""
    row = {
        "at": written(now),
        "staff_id": member.staff_id,
        "console": member.console,
        "ticket_id": ticket_id,
        "appointment_id": appointment_id,
    }

    def write(connection: sqlite3.Connection) -> None:
        connection.execute(SQL.insert_reveal, row)
        connection.execute(SQL.forget_reveals, {"before": written(now - KEPT)})

    await writer.run(write)


def read_reveals(connection: sqlite3.Connection, since: datetime) -> list[Reveal]:
    """The account from an instant on, the oldest first."""
    rows = connection.execute(SQL.reveals, {"since": written(since)})
    return [
        Reveal(at=at, staff_id=who, console=console, ticket_id=t, appointment_id=a) for at, who, console, t, a in rows
    ]
