"""What kiosks and displays ask of a queue about tickets that exist already: given out by themselves, printed, shown."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec

from sync.messages.command import Command
from sync.messages.values import AnnouncementId, Hash, Instant, Language, Series, Slug, Uuid


class TakeReserved(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="take_reserved"):
    """A kiosk tells of a ticket that it gave out of its reserve.

    Args:
        ticket_id: the request that the ticket answered, as of any other; the edge may have taken that one, too, so the telling
            has an id of its own.
        elapsed_ms: how long ago that was, by the kiosk's monotonic clock.
    """

    ticket_id: Uuid
    service: Slug
    service_date: date
    series: Series
    number: Annotated[int, msgspec.Meta(ge=1, le=999)]
    elapsed_ms: Annotated[int, msgspec.Meta(ge=0)]
    follow_hash: Hash
    language: Language = "es"


class TakePrinted(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="take_printed"):
    """A kiosk tells of a ticket that an earlier life of the node gave and it printed.

    Args:
        elapsed_ms: how long ago that was, by the kiosk's clock.
        is_known: central has heard of the ticket, so that it came back with the replacement, is over, or lives elsewhere.
        up_to: the highest that it can have given (``sync.domain.retold``).
        appointment_id, slot_start_at, duration_min: of an appointment that the agenda has as booked.
    """

    ticket_id: Uuid
    service: Slug
    service_date: date
    series: Series
    number: Annotated[int, msgspec.Meta(ge=1, le=999)]
    elapsed_ms: Annotated[int, msgspec.Meta(ge=0)]
    is_known: bool
    up_to: int
    follow_hash: Hash
    appointment_id: Uuid | None = None
    slot_start_at: Instant | None = None
    duration_min: int | None = None


class ReportPrinted(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="report_printed"):
    """A kiosk printed a slip."""

    ticket_id: Uuid
    reprint: bool = False


class ReportPrintFailed(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="report_print_failed"):
    """A kiosk could not print a slip."""

    ticket_id: Uuid
    reason: Literal["no_paper", "offline", "error"]


class ReportShown(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="report_shown"):
    """A display showed a call."""

    ticket_id: Uuid
    recalls: int
    shown_at: Instant
    sounded: bool
    announcement: AnnouncementId = ""
