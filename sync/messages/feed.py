"""What central tells the offices: rows with the full new state of an entity, in dense chained streams.

``hash = SHA-256(previous hash || encoded [kind, entity_id, version, op] || body)``, so a cursor (gen, seq, hash)
proves the whole prefix. Streams: ``global`` and ``office:{office}``. Readers tolerate unknown kinds and fields.
"""

from __future__ import annotations

import hashlib
from datetime import date, time
from typing import Annotated, ClassVar, Literal

import msgspec

from sync.messages import codec
from sync.messages.policy import Policy
from sync.messages.values import Hash, Instant, Language, Locator, Seq, Series, Slug, Uuid

GLOBAL = "global"
Op = Literal["put", "del"]
Text = dict[str, str]
"""A text by language; Spanish is always there."""


def office_stream(office: str) -> str:
    """The name of an office's own stream."""
    return f"office:{office}"


class FeedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a stream. ``body`` is the entity's full state; a ``del`` has none (``{}``)."""

    seq: Seq
    kind: str
    entity_id: str
    version: int
    op: Op
    body: msgspec.Raw


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """A reader's place in a stream, with proof. ``gen`` is one life of central's database, a random UUID."""

    stream: str
    gen: Uuid
    seq: Seq
    hash: Hash


def row_bytes(kind: str, entity_id: str, version: int, op: Op, body: bytes) -> bytes:
    """What is hashed of a row, after the previous hash."""
    return codec.encode([kind, entity_id, version, op]) + body


def chain_row(previous: bytes, row: FeedRow) -> bytes:
    """The stream's hash after ``row``."""
    return hashlib.sha256(previous + row_bytes(row.kind, row.entity_id, row.version, row.op, bytes(row.body))).digest()


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """The base of feed bodies. ``KIND`` is the row's kind."""

    KIND: ClassVar[str] = ""


class Service(Entity, frozen=True, kw_only=True):
    """What a person comes for (stream ``global``)."""

    KIND: ClassVar[str] = "service"
    id: Slug
    names: Text
    series: Series
    duration_min: Annotated[int, msgspec.Meta(ge=1, le=480)]
    walk_in: bool = True
    documents: tuple[Text, ...] = ()
    pictogram: str = "document"
    sensitive: bool = False


class QrKey(Entity, frozen=True, kw_only=True):
    """A public key that booking tokens are signed with (stream ``global``). The last two are valid."""

    KIND: ClassVar[str] = "qr_key"
    kid: str
    public_key: bytes


class Holiday(Entity, frozen=True, kw_only=True):
    """A public holiday (stream ``global``); ``confirmed`` is false while its date is only estimated."""

    KIND: ClassVar[str] = "holiday"
    day: date
    names: Text
    confirmed: bool = True


class OpeningHours(msgspec.Struct, frozen=True, kw_only=True):
    """Opening of one weekday (0 = Monday), local times."""

    weekday: Annotated[int, msgspec.Meta(ge=0, le=6)]
    opens: time
    closes: time


class DatedHours(msgspec.Struct, frozen=True, kw_only=True):
    """Hours of one service day that replace the weekly ones; equal or no times with ``open`` true = round the clock."""

    service_date: date
    open: bool
    opens: time | None = None
    closes: time | None = None
    note: str = ""


class Office(Entity, frozen=True, kw_only=True):
    """A place with its own edge node (its own stream)."""

    KIND: ClassVar[str] = "office"
    id: Slug
    name: str
    address: str
    time_zone: str
    services: tuple[Slug, ...]
    hours: tuple[OpeningHours, ...]
    exceptions: tuple[DatedHours, ...] = ()
    zones: tuple[Slug, ...] = ("a",)
    spare_series: Series = "Z"
    second_language: Language = "ar"


class Counter(Entity, frozen=True, kw_only=True):
    """A numbered point of service and what it serves unless the clerk says otherwise."""

    KIND: ClassVar[str] = "counter"
    id: Slug
    zone: Slug
    primary: tuple[Slug, ...]
    secondary: tuple[Slug, ...] = ()


Role = Literal["clerk", "supervisor"]


class Staff(Entity, frozen=True, kw_only=True):
    """Somebody who may sign in at this office. ``verifier`` is an argon2id hash in PHC form."""

    KIND: ClassVar[str] = "staff"
    id: Slug
    display_name: str
    roles: tuple[Role, ...]
    verifier: str
    valid_until: Instant


class OfficePolicy(Entity, frozen=True, kw_only=True):
    """The queue policy of an office, effective from a service day."""

    KIND: ClassVar[str] = "policy"
    effective_from: date
    policy: Policy


AppointmentStatus = Literal["booked", "cancelled", "moved"]


class Appointment(Entity, frozen=True, kw_only=True):
    """An appointment within the office's horizon. ``display_name`` is "Fátima M.", empty unless booked.

    Args:
        version: grows with every change; a booking token of a greater version is news the row does not have yet.
        status: ``moved`` means moved away from this office or to another slot whose row replaces this one.
    """

    KIND: ClassVar[str] = "appointment"
    id: Uuid
    version: int
    locator: Locator
    service_id: Slug
    slot_start_at: Instant
    duration_min: int
    status: AppointmentStatus
    display_name: str = ""
    language: Language = "es"
    needs: tuple[Slug, ...] = ()


ENTITIES: dict[str, type[Entity]] = {
    entity.KIND: entity for entity in (Service, QrKey, Holiday, Office, Counter, Staff, OfficePolicy, Appointment)
}
"""Every kind of feed row that this build understands; others are kept as they are."""
