"""From the feed's rows to what decisions and screens read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

import structlog

from edge_node.queue.journal import Entry
from edge_node.queue.state import Configuration, OfficeState
from edge_node.uplink.store import read_aside, read_entities
from sync.domain.catalogue import Catalogue
from sync.domain.check_in import Agenda
from sync.domain.service_day import service_date
from sync.messages import codec
from sync.messages.codec import MalformedMessage
from sync.messages.commands import Actor
from sync.messages.feed import (
    ENTITIES,
    Appointment,
    Entity,
    Holiday,
    Lease,
    NumberFloor,
    Office,
    PersonErased,
    QrKey,
    Staff,
    TicketClosed,
    TicketGrant,
    TicketTaken,
)
from sync.messages.node_facts import ConfigApplied
from sync.messages.wire import SnapshotRow

log = structlog.get_logger()

_NOT_CONFIGURATION = frozenset(
    {
        Appointment.KIND,
        PersonErased.KIND,
        TicketGrant.KIND,
        TicketClosed.KIND,
        TicketTaken.KIND,
        Lease.KIND,
        NumberFloor.KIND,
    }
)
"""Kinds of rows that come and go with the day's work."""


class StoredRows(NamedTuple):
    """What the feed left in the database: central's rows, and those put aside that it forgot when it was restored."""

    entities: list[SnapshotRow]
    aside: list[SnapshotRow]


def read_rows(connection: sqlite3.Connection) -> StoredRows:
    """Read the rows and no more: commits wait for this."""
    return StoredRows(read_entities(connection), read_aside(connection))


def configure(rows: StoredRows, known: Configuration) -> Configuration:
    """A configuration from feed rows, for the place of ``known``.

    A busy office has thousands of rows and a booking changes one, so what ``known`` has decoded is taken from there. A row
    that cannot be read is left out and told of: the others must go on.
    """
    configuration = Configuration(known.office, known.time_zone)
    configuration.put_aside = sum(row.kind != TicketGrant.KIND for row in rows.aside)
    newest = _newest([*rows.entities, *rows.aside])
    for row in newest:
        key = row.kind, bytes(row.body)
        configuration.decoded[key] = known.decoded[key] if key in known.decoded else _decode(row)
    entities = [entity for entity in configuration.decoded.values() if entity is not None]
    place = next(
        (e for e in entities if isinstance(e, Office) and e.id == known.office), configuration.catalogue.office
    )
    configuration.catalogue = Catalogue.of(place, entities)
    configuration.agenda = Agenda.of(e for e in entities if isinstance(e, Appointment))
    configuration.staff = {e.id: e for e in entities if isinstance(e, Staff)}
    configuration.qr_keys = {e.kid: e for e in entities if isinstance(e, QrKey)}
    configuration.erased = frozenset(e.id for e in entities if isinstance(e, PersonErased))
    configuration.grants = {e.id: e for e in entities if isinstance(e, TicketGrant)}
    configuration.closed = {e.id: e for e in entities if isinstance(e, TicketClosed)}
    configuration.taken = {e.id: e for e in entities if isinstance(e, TicketTaken)}
    configuration.leases = {e.id: e for e in entities if isinstance(e, Lease)}
    configuration.holidays = {e.day: e for e in entities if isinstance(e, Holiday)}
    configuration.floors = {e.service_date: e for e in entities if isinstance(e, NumberFloor)}
    configuration.is_known = bool(newest)
    configuration.versions = _versions(newest)
    configuration.states = states(newest)
    return configuration


def apply_configuration(state: OfficeState, fresh: Configuration, actor: Actor) -> list[Entry]:
    """Work with a new configuration from the next command on; gives the fact that says so, if it says anything new."""
    known, state.configuration = state.configuration, fresh
    policy = fresh.catalogue.policy_on(state.day.service_date or service_date(state.now(), state.zone))
    changed = policy if state.day.is_open and policy != state.day.policy else None
    if fresh.states == known.states and changed is None:
        return []
    applied = ConfigApplied(versions=fresh.versions, policy=changed, states=fresh.states)
    return state.record((applied,), actor, state.now())


def news_of(known: Agenda, fresh: Agenda) -> list[Appointment]:
    """Appointments of ``fresh`` that are new or changed since ``known``."""
    return [row for row in fresh.by_id.values() if (old := known.by_id.get(row.id)) is not row and old != row]


def _decode(row: SnapshotRow) -> Entity | None:
    shape = ENTITIES.get(row.kind)
    if shape is None:
        return None
    try:
        return codec.decode(bytes(row.body), shape)
    except MalformedMessage as error:
        log.warning("configuration.row_unreadable", kind=row.kind, entity_id=row.entity_id, detail=error.detail)
        return None


def _newest(rows: Sequence[SnapshotRow]) -> list[SnapshotRow]:
    """One row per entity, the one of the highest version: a row put aside counts as long as central has none newer."""
    newest: dict[tuple[str, str, str], SnapshotRow] = {}
    for row in rows:
        key = (row.stream, row.kind, row.entity_id)
        if key not in newest or newest[key].version < row.version:
            newest[key] = row
    return list(newest.values())


def states(rows: Iterable[SnapshotRow]) -> dict[str, str]:
    """By kind of configuration, a short hash over which rows there are in which version; central reckons the same in
    ``nodes.sql``.
    """
    told: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: (row.stream, row.entity_id)):
        if row.kind not in _NOT_CONFIGURATION:
            told.setdefault(row.kind, []).append(f"{row.stream} {row.entity_id} {row.version}")
    return {kind: sha256("\n".join(lines).encode()).hexdigest()[:16] for kind, lines in sorted(told.items())}


def _versions(rows: Iterable[SnapshotRow]) -> dict[str, int]:
    versions: dict[str, int] = {}
    for row in rows:
        if row.kind not in _NOT_CONFIGURATION:
            versions[row.kind] = max(row.version, versions.get(row.kind, 0))
    return dict(sorted(versions.items()))
