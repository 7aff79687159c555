"""Why a command was not carried out. Codes are stable: they are the metric's label and the key of the words shown."""

from __future__ import annotations

from typing import Literal

import msgspec

from sync.messages.values import Slug, Uuid

RefusalCode = Literal[
    "malformed",
    "unsupported_version",
    "retry",
    "request_reused",
    "forbidden",
    "day_closed",
    "service_unknown",
    "walk_in_not_allowed",
    "counter_unknown",
    "counter_taken",
    "counter_closed",
    "session_open",
    "visit_open",
    "nobody_waiting",
    "ticket_unknown",
    "wrong_state",
    "not_this_counter",
    "reason_required",
    "recall_limit",
    "recall_too_soon",
    "booking_unknown",
    "bad_signature",
    "wrong_office",
    "wrong_day",
    "already_checked_in",
    "cancelled",
    "moved",
    "ask_for_help",
    "series_exhausted",
    "office_unknown",
    "already_moved",
    "no_leased_seat",
    "central_reachable",
    "no_authority",
    "date_unconfirmed",
    "disk_full",
    "not_reserved",
    "counter_paused",
    "nobody_there",
    "not_served_here",
    "class_unknown",
    "undo_too_late",
    "undo_moved_on",
    "session_elsewhere",
    "support_over",
    "note_too_long",
    "last_counter",
    "text_length",
    "broadcasts_full",
    "broadcast_over",
]
"""The order is that of the documentation: entry, day, counters, tickets, bookings."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A command was understood and not carried out; nothing was written.

    Args:
        ticket_id: the ticket that stands in the way (already checked in, visit open).
        office: where to go instead (wrong office).
        service_date: when to come instead (wrong day), as an ISO date.
        wait_s: seconds after which the same command may succeed (recall too soon, retry).
    """

    code: RefusalCode
    ticket_id: Uuid | None = None
    office: Slug | None = None
    service_date: str | None = None
    wait_s: int | None = None
