"""Forgetting facts that central has had for long."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from edge_node.disk.rules import KEEP_FACTS, prune_before
from edge_node.queue.journal import SQL as JOURNAL
from edge_node.queue.journal import read_beyond_the_day, written
from sync.io.sql import load

SQL = load("edge_node.disk", "queries.sql")
AT_ONCE = 2000
"""Facts of one transaction: commands wait behind it."""


def prune(connection: sqlite3.Connection, epoch: int, now: datetime) -> int:
    """Delete the oldest facts that may go, at most ``AT_ONCE``; how many went."""
    opened = connection.execute(SQL.opened_before, {"epoch": epoch, "before": written(now - KEEP_FACTS)}).fetchone()
    acked = connection.execute(SQL.acked, {"epoch": epoch}).fetchone()
    first = connection.execute(SQL.first_seq, {"epoch": epoch}).fetchone()
    if acked is None or first is None:
        return 0
    before = prune_before(
        opened_seq=opened[0],
        acked_seq=acked[0],
        beyond=read_beyond_the_day(connection, epoch),
        leases={row[0] for row in connection.execute(SQL.leases)},
    )
    # The fact before the last day stays: replay begins with its hash, also after weeks in which no day was opened.
    replayed = connection.execute(JOURNAL.last_day_opened, {"epoch": epoch}).fetchone()[0] or 1
    upto = min(before, first[0] + AT_ONCE, replayed - 1)
    return connection.execute(SQL.prune, {"epoch": epoch, "first": first[0], "before": upto}).rowcount
