"""Many rows in few statements.

sqlite3 gives up the interpreter's lock around every step of a statement and has to win it back from a busy event loop, so a
row per step makes a batch wait its turn hundreds of times. A statement with many rows waits once. A short batch, which is
what an office has, is one statement per table; a long one goes in runs of powers of two. So only a handful of statement texts
exist, and all stay prepared.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import cache
from itertools import chain

LONGEST_RUN = 128
"""Rows per statement at most: with 13 columns far below SQLite's 32766 parameters."""

SHORT_RUN = 10


def insert_many(connection: sqlite3.Connection, statement: str, rows: Sequence[Sequence[object]]) -> None:
    """Insert rows with a statement that ends in ``VALUES (?, …)``."""
    start = 0
    while start < len(rows):
        run = _run(len(rows) - start)
        connection.execute(_repeated(statement, run), tuple(chain.from_iterable(rows[start : start + run])))
        start += run


def _run(rows: int) -> int:
    """How many of so many rows the next statement takes."""
    return rows if rows <= SHORT_RUN else min(LONGEST_RUN, 1 << (rows.bit_length() - 1))


@cache
def _repeated(statement: str, run: int) -> str:
    head, values, row = statement.rpartition("VALUES")
    return f"{head}{values} {', '.join([row.strip()] * run)}"
