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
from sync.messages.facts import TicketCard
from sync.messages.policy import Policy
from sync.messages.values import Hash, Instant, Language, Locator, SeatRef, Seq, Series, Slug, Tenure, Uuid

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


class Neighbour(Entity, frozen=True, kw_only=True):
    """What the other offices know of one: where people can be sent, what for and when (stream ``global``)."""

    KIND: ClassVar[str] = "neighbour"
    id: Slug
    name: str
    address: str
    time_zone: str
    services: tuple[Slug, ...]
    hours: tuple[OpeningHours, ...]
    exceptions: tuple[DatedHours, ...] = ()


class Counter(Entity, frozen=True, kw_only=True):
    """A numbered point of service and what it serves unless the clerk says otherwise."""

    KIND: ClassVar[str] = "counter"
    id: Slug
    zone: Slug
    primary: tuple[Slug, ...]
    secondary: tuple[Slug, ...] = ()


Role = Literal["clerk", "supervisor"]


class SecondFactor(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody's one-time codes are verified with.

    Args:
        secret: of the code generator (RFC 6238, SHA-1, 6 digits, 30 s). Offices must verify without central, so they have it.
        recovery: SHA-256 of the codes for a lost generator, each good once.
    """

    secret: bytes
    recovery: tuple[bytes, ...] = ()


class Staff(Entity, frozen=True, kw_only=True):
    """Somebody who may sign in at this office. ``verifier`` is an argon2id hash in PHC form; with a ``second_factor`` a one-time
    code is asked for too.
    """

    KIND: ClassVar[str] = "staff"
    id: Slug
    display_name: str
    roles: tuple[Role, ...]
    verifier: str
    valid_until: Instant
    second_factor: SecondFactor | None = None


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


class PersonErased(Entity, frozen=True, kw_only=True):
    """The person of an appointment had their data erased: whatever an office keeps of them beside the row goes as well.

    Args:
        id: the appointment's.
        service_date: of the appointment; two days after it the office has nothing of anybody any more, and the row goes.
    """

    KIND: ClassVar[str] = "person_erased"
    id: Uuid
    service_date: date


class TicketGrant(Entity, frozen=True, kw_only=True):
    """A ticket that this office is to hold (the row's version is the tenure).

    Args:
        id: the ticket's.
        from_office: who gave it up; this office itself after its node was replaced.
        service_date: it is worth nothing on another day.
        released_at: when it was given up, by central's clock.
        series, number: set when the label of ``card`` goes on (restored at the same office); else a new label is given.
        display_name, language, needs: of its appointment, if it has one that central knows.
    """

    KIND: ClassVar[str] = "ticket_grant"
    id: Uuid
    tenure: Tenure
    from_office: Slug
    service_date: date
    released_at: Instant
    card: TicketCard
    travel_min: int = 0
    series: Series | None = None
    number: int | None = None
    display_name: str = ""
    language: Language = "es"
    needs: tuple[Slug, ...] = ()


class TicketClosed(Entity, frozen=True, kw_only=True):
    """A ticket of this office that is over here, whatever its journal says (version: the tenure)."""

    KIND: ClassVar[str] = "ticket_closed"
    id: Uuid
    tenure: Tenure
    service_date: date
    reason: Literal["superseded", "served_before"]


class TicketTaken(Entity, frozen=True, kw_only=True):
    """A ticket that this office gave up stands in another one's queue (version: the tenure there); told to the office it left."""

    KIND: ClassVar[str] = "ticket_taken"
    id: Uuid
    tenure: Tenure
    service_date: date
    office: Slug


class NumberFloor(Entity, frozen=True, kw_only=True):
    """Numbers that an earlier life of this office's node may have given on a service day, by series.

    Args:
        heard: the highest number of a ticket that central has heard of; for nodes of older builds.
        runs: the numbers of all tickets that central has heard of, as runs (first, last), ascending: whatever else is on paper
            was told to nobody who lives. Empty from an older build.
    """

    KIND: ClassVar[str] = "number_floor"
    service_date: date
    epoch: int
    floors: dict[Series, int]
    heard: dict[Series, int] = {}
    runs: dict[Series, tuple[tuple[int, int], ...]] = {}

    def has_heard(self, series: str, number: int) -> bool:
        """Whether central has heard of the ticket with a number."""
        if not self.runs:
            return number <= self.heard.get(series, 0)
        return any(first <= number <= last for first, last in self.runs.get(series, ()))


class LeasedSeat(msgspec.Struct, frozen=True, kw_only=True):
    """A seat lent to an office, and what can be booked on it."""

    seat: SeatRef
    start_at: Instant
    duration_min: int
    services: tuple[Slug, ...]


class Lease(Entity, frozen=True, kw_only=True):
    """Future seats lent to one life of an office's node, for bookings while central cannot be asked.

    Args:
        fence: the only epoch that may sell them.
        sell_until: after it nothing is sold; it frees nothing.
        recalled: central asks for what is unsold.
    """

    KIND: ClassVar[str] = "lease"
    id: Uuid
    fence: int
    seats: tuple[LeasedSeat, ...]
    sell_until: Instant
    recalled: bool = False


class NodeKey(Entity, frozen=True, kw_only=True):
    """The node that speaks for an office, and the key that its slips are signed with (stream ``global``)."""

    KIND: ClassVar[str] = "node_key"
    office: Slug
    epoch: int
    public_key: bytes


class ServiceTimes(msgspec.Struct, frozen=True, kw_only=True):
    """How long a service takes at this office, from start to finish; ``visits`` is how many were looked at."""

    visits: int
    mean_s: int
    cv_permille: int


class HeadStarted(msgspec.Struct, frozen=True, kw_only=True):
    """How many people of a class with a head start come for a service, per thousand open hours."""

    priority_class: Slug
    service: Slug
    per_1000_h: int


class WaitModel(Entity, frozen=True, kw_only=True):
    """What the past weeks say about waiting at this office (its own stream); the replay of the dispatcher draws from it.

    Args:
        services: by service.
        walk_up_s: from a call to its start.
        between_s: from the end of a visit to the next call while somebody waits.
        show_permille: appointments whose people come.
        punctuality_s: equally likely values of arrival minus slot, sorted.
        miss_permille: calls that nobody answers; ``miss_s`` is how long they hold a counter.
        return_permille: people who come back after a missed call; ``return_s`` is how soon, in the mean.
        pause_per_1000_h: how often a counter that was not away yet today is left for a while, per thousand open hours;
            ``pause_s`` is how long, ``pause_back_permille`` how often somebody opens it again after it was closed.
        level: the per cent at which the upper end of a range is read, so that eight waits of ten end within it.
    """

    KIND: ClassVar[str] = "wait_model"
    made_on: date
    services: dict[Slug, ServiceTimes]
    walk_up_s: int = 20
    between_s: int = 15
    show_permille: int = 850
    punctuality_s: tuple[int, ...] = (-1500, -1080, -840, -660, -540, -420, -300, -180, 0, 480)
    miss_permille: int = 40
    miss_s: int = 75
    return_permille: int = 600
    return_s: int = 360
    pause_per_1000_h: int = 0
    pause_s: int = 1200
    pause_back_permille: int = 0
    head_started: tuple[HeadStarted, ...] = ()
    level: Annotated[int, msgspec.Meta(ge=75, le=92)] = 80


ENTITIES: dict[str, type[Entity]] = {
    entity.KIND: entity
    for entity in (
        Service,
        QrKey,
        Holiday,
        NodeKey,
        Office,
        Neighbour,
        Counter,
        Staff,
        OfficePolicy,
        Appointment,
        PersonErased,
        TicketGrant,
        TicketClosed,
        TicketTaken,
        NumberFloor,
        Lease,
        WaitModel,
    )
}
"""Every kind of feed row that this build understands; others are kept as they are."""
