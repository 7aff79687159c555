"""The product's own booking statement driven by pgbench: what Postgres can do with exactly this text, without our process.

Every parameter of `central/booking/seats.sql: book` becomes an expression over two random numbers, so that each transaction
books a person of its own on a random slot and writes feed row, letter and stored answer of the usual size.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from datetime import datetime
from pathlib import Path

import msgspec

from central.booking.claims import queries
from central.database import SESSION

REPLY_BYTES, LETTER_BYTES, BODY_BYTES = 330, 620, 240
"""Usual sizes of a stored answer, a letter and a feed row."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where pgbench books.

    Args:
        office: SQL text expression of the office's id, over the variable `:office` (1 to `office_count`).
        first_at: start of slot 0.
        slots: how many consecutive slots of ten minutes; a fixed slot is one.
        fed_slots: slots below this number lie in the office's horizon.
    """

    office: str
    office_count: int
    first_at: datetime
    slots: int
    fed_slots: int


class PgbenchRun(msgspec.Struct, frozen=True):
    transactions: int
    rate: float
    failed: int


def claim_script(target: Target, *, seed: int) -> str:
    """A pgbench script whose transaction is one booking."""
    number = "lpad(to_hex(:n::bigint), 12, '0')"
    start_at = f"(timestamptz '{target.first_at.isoformat()}' + :slot * interval '10 minutes')"
    day = f"(({start_at} AT TIME ZONE 'UTC') - interval '3 hours')::date"
    expressions = {
        1: f"('00000001-0000-7000-8000-' || {number})",
        2: "'\\x00'::bytea",
        3: f"decode(repeat('ab', {REPLY_BYTES}), 'hex')",
        4: "now()",
        5: target.office,
        6: "'todo'",
        7: f"ARRAY[{start_at}]",
        8: "NULL",
        9: f"('00000002-0000-7000-8000-' || {number})",
        10: "('L' || :n::text)",
        11: "'viaje'",
        12: "'viaje'",
        13: day,
        14: "10",
        15: f"decode(lpad({number}, 64, '0'), 'hex')",
        16: "'es'",
        17: "'{}'::text[]",
        18: "'api'",
        19: "'Fátima Mohamed'",
        20: "'0001'",
        21: "'fatima@example.org'",
        22: "NULL",
        23: f"CASE WHEN :slot < {target.fed_slots} THEN 'office:' || {target.office} END",
        24: f'convert_to(format(\'{{"slot_start_at":"%s","filler":"%s"}}\', \'2099-01-01T00:00:00Z\', '
        f"repeat('x', {BODY_BYTES - 50})), 'UTF8')",
        25: f"('00000003-0000-7000-8000-' || {number})",
        26: f"decode(repeat('ab', {LETTER_BYTES}), 'hex')",
    }
    statement = re.sub(r"\$(\d+)", lambda found: f"({expressions[int(found[1])]})", queries.book)
    statement = "\n".join(line for line in statement.splitlines() if not line.startswith("--"))
    return (
        f"\\set n random({seed * 10**10}, {seed * 10**10 + 10**10 - 1})\n"
        f"\\set office random(1, {target.office_count})\n"
        f"\\set slot random(0, {target.slots - 1})\n"
        f"{statement};\n"
    )


def run_pgbench(
    binary: Path, dsn: str, script: str, *, clients: int, seconds: int | None = None, transactions: int | None = None
) -> PgbenchRun:
    """Run a script, for a time or for a number of transactions."""
    length = ["-T", str(seconds)] if seconds is not None else ["-t", str(transactions)]
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(
            [str(binary), "-n", "-M", "prepared", "-f", file.name, "-c", str(clients), "-j", str(min(clients, 2)),
             *length, dsn],
            env={**os.environ, "PGOPTIONS": " ".join(f"-c {name}={value}" for name, value in SESSION.items())},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"pgbench failed: {done.stderr.strip()[-800:]}")
    return PgbenchRun(
        transactions=int(_figure(r"actually processed: (\d+)", done.stdout)),
        rate=round(_figure(r"tps = ([\d.]+)", done.stdout), 1),
        failed=int(_figure(r"failed transactions: (\d+)", done.stdout)),
    )


def _figure(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(f"pgbench said something else: {text[-400:]}")
    return float(found[1])
