"""Every statement of an edge's SQLite file is prepared and planned on a large journal: none reads a large table whole.

A statement that has to says so, and why, in its comment: ``-- whole table: at boot, two days of requests``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import edge_node
from sync.io.sql import parse

ROOT = Path(edge_node.__file__).parent
EXEMPT = "-- whole table:"
FACTS = 100_000
LARGE = ("fact", "request", "follow_code", "person")


def statements() -> Iterator[Any]:
    for file in sorted(ROOT.rglob("*.sql")):
        if file.parent.name != "migrations" and file.name != "schema.sql":
            for name, text in parse(file.read_text(encoding="utf-8"), source=str(file)).items():
                yield pytest.param(text, id=f"{file.relative_to(ROOT).with_suffix('').as_posix()}.{name}")


@pytest.fixture(scope="module")
def journal() -> Iterator[sqlite3.Connection]:
    """A year of a busy office, in memory."""
    connection = sqlite3.connect(":memory:")
    connection.executescript((ROOT / "schema.sql").read_text(encoding="utf-8"))
    connection.execute("PRAGMA foreign_keys = OFF")
    kinds = ("ticket.issued", "ticket.called", "ticket.started", "ticket.finished")
    connection.executemany(
        "INSERT INTO fact VALUES (1, ?, 'centro', ?, 1, ?, 'ana', 'console', ?, 'boot', ?, x'7b7d', zeroblob(32))",
        ((n, "day.opened" if n % 900 == 1 else kinds[n % 4], f"r{n}", f"2026-{n:08}", n) for n in range(1, FACTS + 1)),
    )
    connection.executemany(
        "INSERT INTO request VALUES (?, x'7b7d', ?, x'00')", ((f"r{n}", f"{n:08}") for n in range(5000))
    )
    connection.execute("ANALYZE")
    yield connection
    connection.close()


class Anything(dict[str, object]):
    """A value for every parameter."""

    def __missing__(self, name: str) -> object:
        return "1"


@pytest.mark.parametrize("text", [*statements()])
def test_no_statement_reads_a_large_table_whole(text: str, journal: sqlite3.Connection) -> None:
    parameters: Any = tuple("1" * text.count("?")) if "?" in text else Anything()
    plan = [row[3] for row in journal.execute(f"EXPLAIN QUERY PLAN {text}", parameters)]
    scans = [step for step in plan if step.startswith("SCAN") and step.split()[1] in LARGE]
    if EXEMPT not in text:
        assert scans == [], plan
