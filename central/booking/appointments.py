"""What booking is asked for and what it answers. Expected outcomes are values; each says what the caller can do next."""

from datetime import date
from typing import Literal

import msgspec

from central.booking.documents import Document, KnownDocument
from sync.messages.values import Instant, Language, Locator, Slug, Uuid

Channel = Literal["portal", "api", "staff"]
Status = Literal["booked", "cancelled", "attended", "no_show", "unknown"]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A service at an office at a time."""

    office_id: Slug
    service_id: Slug
    slot_start_at: Instant


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who the appointment is for. Name and document cannot be changed later: an appointment is not for resale.

    Args:
        needs: codes of support (`wheelchair`, `sign_language` …), never a reason.
    """

    full_name: str
    document: Document | KnownDocument
    email: str | None = None
    phone: str | None = None
    language: Language = "es"
    needs: tuple[Slug, ...] = ()


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment as it is stored. The personal fields are empty once the retention job was there.

    Args:
        pool_id: empty when an office sold from a lease what no pool of it offers any more.
    """

    appointment_id: Uuid
    version: int
    status: Status
    locator: Locator
    office_id: Slug
    pool_id: str
    service_id: Slug
    family: Slug
    service_date: date
    slot_start_at: Instant
    duration_min: int
    language: Language
    needs: tuple[Slug, ...]
    link_version: int
    fed_version: int | None = None
    full_name: str | None = None
    document_end: str | None = None
    email: str | None = None


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Seats are kept until `held_until`. Confirm before, or lose them to whoever comes first."""

    hold_id: Uuid
    wish: Wish
    held_until: Instant
    extensions: int = 0


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """The appointment stands (made, moved, or made by the same request before).

    Args:
        version: as of this answer; a later change makes it greater.
        link: the secret part of the address that shows, moves and cancels it.
    """

    appointment_id: Uuid
    version: int
    locator: Locator
    office_id: Slug
    service_id: Slug
    slot_start_at: Instant
    duration_min: int
    link: str


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody else was first. `alternatives`: up to three free starts nearest to the wanted one."""

    alternatives: tuple[Instant, ...]


class Crowded(msgspec.Struct, frozen=True, kw_only=True):
    """So many holds stand for whoever asks from there that no more is given; the first of them ends in `retry_after_s`."""

    retry_after_s: int


class Recovering(msgspec.Struct, frozen=True):
    """Central was restored from a backup and waits for the offices to say what it has forgotten; try again later."""


class NotOffered(msgspec.Struct, frozen=True, kw_only=True):
    """This office does not give this service at this time: unknown, not bookable, past, beyond the horizon, or at no
    start of its calendar. `alternatives`: only for the last, up to three free starts nearest to the wanted one.
    """

    reason: Literal["office_unknown", "service_unknown", "not_bookable_here", "too_late", "too_far", "no_such_time"]
    alternatives: tuple[Instant, ...] = ()


class LimitReached(msgspec.Struct, frozen=True, kw_only=True):
    """The person already has a booked appointment in the same family of services; cancel or move that one."""

    family: Slug


class Reused(msgspec.Struct, frozen=True, kw_only=True):
    """The request_id was used for another question."""


class Cancelled(msgspec.Struct, frozen=True, kw_only=True):
    """The appointment is cancelled and its seats are free, now or since before."""

    appointment_id: Uuid
    version: int


class NotChangeable(msgspec.Struct, frozen=True, kw_only=True):
    """The appointment is not booked any more: nothing to cancel or move."""

    status: Status


class NotFound(msgspec.Struct, frozen=True, kw_only=True):
    """No such appointment, or not proven to be the asker's: both get the same answer."""


class TooManyTries(msgspec.Struct, frozen=True, kw_only=True):
    """Too many look-ups of one locator; try again later, or ask at an office."""

    retry_after_s: int


BookOutcome = Booked | Taken | NotOffered | LimitReached | Reused | Recovering
MoveOutcome = Booked | Taken | NotOffered | Reused | NotChangeable | NotFound | Recovering
HoldOutcome = Held | Taken | NotOffered | Crowded | Recovering
CancelOutcome = Cancelled | NotChangeable | NotFound
