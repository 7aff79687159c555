"""An office's edge node for tests: its feed rows, its settings, and short ways to act on its queue."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from argon2 import PasswordHasher

from edge_node.database import open_writer
from edge_node.migrations import migrate
from edge_node.node import EdgeNode, running
from edge_node.settings import Broker, Central, Data, Device, Http, Log, Office, Settings
from sync.io.clock import Clock
from sync.io.ids import new_id
from sync.io.single_sign_on.settings import SingleSignOn
from sync.messages import codec
from sync.messages import feed as f
from sync.messages.booking_token import BookingToken, minutes, write
from sync.messages.wire import Activation

OFFICE = "centro"
SERVICES = ("padron", "registro", "certificados")
SECRET = "correct horse battery"
COUNTERS = 10


@cache
def verifier() -> str:
    """A cheap argon2id verifier of ``SECRET``."""
    return PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(SECRET)


def staff(staff_id: str, *roles: f.Role, valid_until: datetime = datetime(2099, 1, 1, tzinfo=UTC)) -> f.Staff:
    return f.Staff(
        id=staff_id,
        display_name=staff_id.title(),
        roles=roles or ("clerk",),
        verifier=verifier(),
        valid_until=valid_until,
    )


def entities(services: Sequence[str] = SERVICES, counters: int = COUNTERS, office_id: str = OFFICE) -> list[f.Entity]:
    """An office of some services; every counter serves all of them; clerks ``clerk-1`` …, supervisor ``boss``."""
    office = f.Office(
        id=office_id,
        name=f"Oficina {office_id.title()}",
        address="Plaza de España 1",
        time_zone="Africa/Ceuta",
        services=tuple(services),
        hours=(f.OpeningHours(weekday=0, opens=time(9), closes=time(14)),),
    )
    offered = [
        f.Service(id=name, names={"es": name.title(), "ar": name}, series=chr(ord("A") + n), duration_min=10)
        for n, name in enumerate(services)
    ]
    desks = [f.Counter(id=str(n), zone="a", primary=tuple(services)) for n in range(1, counters + 1)]
    clerks = [staff(f"clerk-{n}") for n in range(1, counters + 1)]
    return [office, *offered, *desks, *clerks, staff("boss", "clerk", "supervisor")]


def appointment(slot_start_at: datetime, service: str = "padron", **changes: object) -> f.Appointment:
    row = f.Appointment(
        id=new_id(),
        version=1,
        locator="ACDEFG",
        service_id=service,
        slot_start_at=slot_start_at,
        duration_min=10,
        status="booked",
        display_name="Fátima M.",
    )
    return msgspec.structs.replace(row, **changes)


def put(connection: sqlite3.Connection, rows: Sequence[f.Entity], version: int = 1) -> None:
    """Write entities as the uplink would."""
    for row in rows:
        stream = (
            f.GLOBAL
            if row.KIND in ("service", "qr_key", "holiday", "node_key", "neighbour")
            else f.office_stream(OFFICE)
        )
        entity_id = str(getattr(row, "id", None) or getattr(row, "kid", None) or getattr(row, "office", row.KIND))
        connection.execute(
            "INSERT INTO entity (stream, kind, entity_id, version, body) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET version = excluded.version, body = excluded.body",
            (stream, row.KIND, entity_id, version, codec.encode(row)),
        )


def settings(
    folder: Path,
    *,
    broker_port: int = 0,
    http_port: int = 0,
    office_id: str = OFFICE,
    key_file: Path | None = None,
    single_sign_on: SingleSignOn | None = None,
) -> Settings:
    return Settings(
        office=Office(id=office_id, node=f"{office_id}-1"),
        data=Data(folder=folder, ballast_mib=0),
        central=Central(public_url="https://citas.example", node_key_file=key_file),
        broker=Broker(port=broker_port),
        http=Http(port=http_port),
        single_sign_on=single_sign_on or SingleSignOn(),
        log=Log(level="warning"),
        devices=(
            Device(id="kiosk-1", kind="kiosk"),
            Device(id="kiosk-2", kind="kiosk"),
            Device(id="display-1", kind="display"),
        ),
        production=False,
    )


def as_successor(known: Settings, epoch: int = 2) -> Settings:
    """The settings of a node that took its office over from another one; for a data folder that nothing has used yet."""
    said = Activation(
        office=known.office.id, node=known.office.node, epoch=epoch, public_key=bytes(32), signature=b"central's word"
    )
    known.data.folder.mkdir(parents=True, exist_ok=True)
    file = known.data.folder / "activation.json"
    file.write_bytes(codec.encode(said))
    return msgspec.structs.replace(known, central=msgspec.structs.replace(known.central, activation_file=file))


def prepare(folder: Path, rows: Sequence[f.Entity] | None = None) -> None:
    """A data folder whose database already has an office's feed rows."""
    folder.mkdir(parents=True, exist_ok=True)
    migrate(folder / "edge.db")
    connection = open_writer(folder / "edge.db")
    put(connection, entities() if rows is None else rows)
    connection.close()


@asynccontextmanager
async def edge(
    folder: Path, clock: Clock | None = None, *, rows: Sequence[f.Entity] | None = None, **more: Any
) -> AsyncIterator[EdgeNode]:
    """A running node without HTTP; a folder that is new gets an office first. ``more``: see ``settings``."""
    if not (folder / "edge.db").exists():
        prepare(folder, rows)
    async with running(settings(folder, **more), clock) as node:
        yield node


async def feed(node: EdgeNode, *rows: f.Entity, version: int = 2) -> None:
    """Rows come down from central."""

    def write(connection: sqlite3.Connection) -> None:
        put(connection, rows, version)

    await node.writer.run(write)
    await node.feed_applied()


def token_text(row: f.Appointment, sign: Callable[[bytes], bytes], kid: str = "k1", **changes: object) -> str:
    """The booking token of an appointment."""
    token = BookingToken(
        kid=kid,
        appointment_id=row.id,
        version=row.version,
        office_id=OFFICE,
        service_id=row.service_id,
        slot_start_min=minutes(row.slot_start_at),
        duration_min=row.duration_min,
        locator=row.locator,
    )
    return write(msgspec.structs.replace(token, **changes), sign)


def soon(now: datetime, minutes_ahead: int = 10) -> datetime:
    """A slot's start a little after ``now``, on a whole minute."""
    return now.replace(second=0, microsecond=0) + timedelta(minutes=minutes_ahead)
