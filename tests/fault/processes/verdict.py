"""Judges the city after the heal: from what people were told, from the offices' journals and from central's raw log."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from sync.domain.office_day import OfficeDay
from sync.messages import codec
from sync.messages.codec import MalformedMessage
from sync.messages.envelope import FactHeader, FactRecord, open_fact
from sync.messages.facts import TicketCalled, TicketIssued
from tests.fault.processes.people import Told
from tests.simulation.invariants import expected_next
from tests.smoke.faces import Central

CONVERGE_S = 60.0


class Verdict(msgspec.Struct, kw_only=True):
    """What was found wrong, in words."""

    lost: list[str] = []
    duplicates: list[str] = []
    order_violations: list[str] = []
    converged_s: float | None = None


async def judge(told: Told, central: Central, dsn: str, journals: dict[str, Path]) -> Verdict:
    """Wait until both ends agree, then look for whatever was promised and is not there."""
    verdict = Verdict()
    loop = asyncio.get_running_loop()
    healed_at = loop.time()
    while differences := await _differences(dsn, journals):
        if loop.time() > healed_at + CONVERGE_S:
            verdict.lost += differences
            break
        await asyncio.sleep(0.2)
    else:
        verdict.converged_s = round(loop.time() - healed_at, 2)
    records = await _raw_log(dsn)
    _judge_acts(verdict, told, records)
    _judge_labels(verdict, told, records)
    for office in journals:
        _judge_order(verdict, office, [record for record in records if record.header.office == office])
    for appointment_id, link in told.bookings.items():
        if await central.appointment(link) is None:
            verdict.lost.append(f"booking {appointment_id} is unknown")
    return verdict


async def _differences(dsn: str, journals: dict[str, Path]) -> list[str]:
    try:
        known = await _known(dsn)
    except (OSError, asyncpg.PostgresError) as error:
        return [f"central's database does not answer: {error}"]
    found = []
    for office, file in journals.items():
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as journal:
            ours = journal.execute("SELECT epoch, max(seq) FROM fact GROUP BY epoch ORDER BY epoch DESC").fetchone()
        if known.get(office) != ours:
            found.append(f"{office}: the journal ends at {ours}, central's log at {known.get(office)}")
    return found


async def _known(dsn: str) -> dict[str, tuple[int, int]]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("SELECT office, epoch, last_seq FROM office_authority")
        return {row["office"]: (row["epoch"], row["last_seq"]) for row in rows}
    finally:
        await connection.close()


async def _raw_log(dsn: str) -> list[FactRecord]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT office, epoch, seq, type, v, request_id::text, actor_id, device_id, occurred_at, boot_id, mono_ns, body "
            "FROM fact ORDER BY office, epoch, seq"
        )
    finally:
        await connection.close()
    return [FactRecord(header=FactHeader(*row[:11]), body=msgspec.Raw(row[11])) for row in rows]


def _judge_acts(verdict: Verdict, told: Told, records: list[FactRecord]) -> None:
    """Every act that was answered is in central's log, and made its facts once."""
    made: Counter[tuple[str, str]] = Counter(
        (record.header.request_id, record.header.type) for record in records if record.header.request_id
    )
    known = {request_id for request_id, _ in made}
    for request_id, (office, verb) in told.acts.items():
        if request_id not in known and verb != "open_counter":
            verdict.lost.append(f"{office}: {verb} {request_id} was answered and is unknown")
    for (request_id, kind), count in made.items():
        if count > 1 and kind in ("ticket.issued", "ticket.called", "ticket.finished"):
            verdict.duplicates.append(f"{request_id} made {count} facts {kind}")


def _judge_labels(verdict: Verdict, told: Told, records: list[FactRecord]) -> None:
    owners: dict[tuple[str, str], str] = {}
    for record in records:
        if record.header.type != TicketIssued.TYPE:
            continue
        fact = codec.decode(bytes(record.body), TicketIssued)
        place = (record.header.office, fact.label)
        if owners.setdefault(place, fact.ticket_id) != fact.ticket_id:
            verdict.duplicates.append(f"{place} for {fact.ticket_id} and {owners[place]}")
        if fact.ticket_id in told.labels and told.labels[fact.ticket_id] != place:
            verdict.duplicates.append(f"{fact.ticket_id} was told {told.labels[fact.ticket_id]} and is {place}")


def _judge_order(verdict: Verdict, office: str, records: list[FactRecord]) -> None:
    """Every call is the one that the published rule asks for, on the state that the facts before it left."""
    day = OfficeDay(office)
    for record in records:
        try:
            fact: Any = open_fact(record)
        except MalformedMessage:
            continue
        if isinstance(fact, TicketCalled) and fact.how == "next":
            session = day.sessions[fact.session]
            first = expected_next(day, session, record.header.occurred_at)
            if first is None or first.ticket_id != fact.ticket_id:
                chosen = day.tickets[fact.ticket_id]
                verdict.order_violations.append(f"{office}: {chosen.label} before {first.label if first else 'nobody'}")
        day.apply(record.header, fact)
