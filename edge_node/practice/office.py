"""The invented office: what it offers, who works there, who has an appointment. Nobody and nothing of it exists."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import msgspec

from edge_node.console.staff_sessions import Member
from edge_node.database import open_writer
from edge_node.migrations import migrate
from edge_node.uplink.store import put_entities
from sync.io.ids import new_id
from sync.messages import codec
from sync.messages import feed as f
from sync.messages.values import Language
from sync.messages.wire import SnapshotRow

OWN_COUNTER = "3"
COLLEAGUES = {"1": ("practica-marta", "Marta"), "2": ("practica-luis", "Luis")}
"""Simulated clerks, by the counter that they work at."""
NAMES = {"es": "Práctica", "en": "Practice"}
SERVICES = {
    "padron": ("Padrón", "Residents' register", "B", 10),
    "registro": ("Registro", "Registry", "K", 8),
    "certificados": ("Certificados", "Certificates", "C", 5),
}
DOCUMENTS = ({"es": "DNI de todas las personas", "en": "Everybody's identity card"},)
BOOKED: tuple[tuple[int, str, str, Language, tuple[str, ...], str], ...] = (
    (-10, "registro", "Ana P.", "es", (), "ACDEFA"),
    (10, "registro", "Omar P.", "ar", ("wheelchair",), "ACDEFC"),
    (20, "padron", "Rosa P.", "es", (), "ACDEFD"),
    (30, "certificados", "Paul P.", "fr", (), "ACDEFE"),
    (50, "registro", "Lola P.", "es", ("signs",), "ACDEFF"),
)
"""Appointments: minutes from now, service, who, language, needs, locator."""
NEVER = datetime(2099, 1, 1, tzinfo=UTC)


def rows(office: str, zone: str, learner: Member, now: datetime, language: str = "es") -> list[f.Entity]:
    """All that central would have told the invented office.

    Args:
        office: the id under which it runs.
        language: the learner's, for the name of the office.
    """
    place = f.Office(
        id=office,
        name=NAMES.get(language, NAMES["es"]),
        address="",
        time_zone=zone,
        services=tuple(SERVICES),
        hours=tuple(f.OpeningHours(weekday=day, opens=time(0), closes=time(23, 59)) for day in range(7)),
        zones=("a",),
    )
    services = [
        f.Service(id=name, names={"es": es, "en": en}, series=series, duration_min=minutes, documents=DOCUMENTS)
        for name, (es, en, series, minutes) in SERVICES.items()
    ]
    counters = [
        f.Counter(id=str(n), zone="a", primary=("padron", "registro"), secondary=("certificados",)) for n in range(1, 5)
    ]
    staff = [_staff(learner.staff_id, learner.display_name, learner.roles)]
    staff += [_staff(staff_id, name, ("clerk",)) for staff_id, name in COLLEAGUES.values()]
    return [place, *services, *counters, *staff, *_appointments(now)]


def furnish(file: Path, entities: Iterable[f.Entity], office: str) -> None:
    """Make the database of the invented office; takes a moment, so not on the loop that a real office waits for."""
    migrate(file)
    with closing(open_scratch(file)) as connection:
        put_entities(connection, [_row(entity, office) for entity in entities])


def open_scratch(file: Path) -> sqlite3.Connection:
    """A writing connection that never waits for the disk: what is lost here is not missed."""
    connection = open_writer(file)
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def _staff(staff_id: str, name: str, roles: tuple[f.Role, ...]) -> f.Staff:
    return f.Staff(id=staff_id, display_name=name, roles=roles, verifier="-", valid_until=NEVER)


def _appointments(now: datetime) -> list[f.Appointment]:
    start = now.replace(minute=now.minute // 10 * 10, second=0, microsecond=0)
    return [
        f.Appointment(
            id=new_id(),
            version=1,
            locator=locator,
            service_id=service,
            slot_start_at=start + timedelta(minutes=minutes),
            duration_min=SERVICES[service][3],
            status="booked",
            display_name=name,
            language=language,
            needs=needs,
        )
        for minutes, service, name, language, needs, locator in BOOKED
    ]


def _row(entity: f.Entity, office: str) -> SnapshotRow:
    stream = f.GLOBAL if isinstance(entity, f.Service) else f.office_stream(office)
    entity_id: str = entity.id  # type: ignore[attr-defined]  # all kinds that stand in ``rows`` have one
    body = msgspec.Raw(codec.encode(entity))
    return SnapshotRow(stream=stream, kind=entity.KIND, entity_id=entity_id, version=1, body=body)
