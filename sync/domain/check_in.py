"""Which appointment a scanned code or a typed locator stands for, as an office's edge sees it.

The edge decides with what it has: its agenda (feed rows) and the booking token's own signature. A token whose version
is not greater than the row's says nothing new, so the row wins; a greater version, or an appointment without a row, is
believed on its signature and marked ``to_verify``. A typed locator that is not in the agenda cannot be verified.
Who has a ticket keeps it, whatever becomes of the booking afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, tzinfo

import msgspec

from sync.domain.outcomes import refuse
from sync.domain.service_day import service_date
from sync.messages.booking_token import BookingToken, Verify, looks_like_token, read
from sync.messages.codec import MalformedMessage
from sync.messages.feed import Appointment
from sync.messages.policy import GENERAL
from sync.messages.refusals import Refusal

LOCATOR_ALPHABET = "ACDEFGHJKMNPQRTUVWXY34679"
"""Letters and digits that are not taken for one another, printed or spoken."""
LOCATOR_LENGTH = 6
REDUCED_MOBILITY_NEEDS = frozenset({"wheelchair", "reduced_mobility"})
"""Support needs that put a person in the class ``reduced_mobility``."""


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment that may be checked in here today."""

    appointment_id: str
    service: str
    slot_start_at: datetime
    duration_min: int
    priority_class: str = GENERAL
    to_verify: bool = False


class Agenda(msgspec.Struct, frozen=True, kw_only=True):
    """The appointments an edge knows, by id and by locator. Of rows with one locator the booked one counts."""

    by_id: Mapping[str, Appointment]
    by_locator: Mapping[str, Appointment]

    @classmethod
    def of(cls, rows: Iterable[Appointment]) -> Agenda:
        by_id = {row.id: row for row in rows}
        last = sorted(by_id.values(), key=lambda row: (row.status == "booked", row.version))
        return cls(by_id=by_id, by_locator={row.locator: row for row in last})


class Here(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when somebody arrives.

    Args:
        ticket_of: the ticket that an appointment has here today.
    """

    office: str
    today: date
    zone: tzinfo
    ticket_of: Callable[[str], str | None] = lambda _appointment_id: None


def normalise_locator(typed: str) -> str | None:
    """The locator somebody typed, without spaces, hyphens, dots and case; none when it cannot be one."""
    code = "".join(ch for ch in typed.upper() if not ch.isspace() and ch not in "-·.")
    valid = len(code) == LOCATOR_LENGTH and all(ch in LOCATOR_ALPHABET for ch in code)
    return code if valid else None


def by_locator(typed: str, agenda: Agenda, here: Here) -> Arrival | Refusal:
    """Find the appointment of a typed locator. Unknown and impossible codes get the same answer."""
    code = normalise_locator(typed)
    row = agenda.by_locator.get(code) if code else None
    return _by_row(row, here) if row else refuse("booking_unknown")


def by_scan(scanned: str, agenda: Agenda, here: Here, verify: Verify) -> Arrival | Refusal:
    """Find the appointment of a scanned text: a booking token, or a plain locator printed as a code."""
    text = scanned.strip()
    if not looks_like_token(text):
        return by_locator(text, agenda, here) if normalise_locator(text) else refuse("malformed")
    if not text.startswith("V1."):
        return refuse("unsupported_version")
    try:
        token = read(text, verify)
    except MalformedMessage:
        return refuse("malformed")
    if token is None:
        return refuse("bad_signature")
    row = agenda.by_id.get(token.appointment_id)
    if row is not None and token.version <= row.version:
        return _by_row(row, here)
    return _by_token(token, here)


def _by_row(row: Appointment, here: Here) -> Arrival | Refusal:
    if (ticket_id := here.ticket_of(row.id)) is not None:
        return refuse("already_checked_in", ticket_id=ticket_id)
    if row.status == "cancelled":
        return refuse("cancelled")
    if row.status == "moved":
        return refuse("moved")
    wrong = _wrong_day(row.slot_start_at, here)
    if wrong is not None:
        return wrong
    reduced = not REDUCED_MOBILITY_NEEDS.isdisjoint(row.needs)
    return Arrival(
        appointment_id=row.id,
        service=row.service_id,
        slot_start_at=row.slot_start_at,
        duration_min=row.duration_min,
        priority_class="reduced_mobility" if reduced else GENERAL,
    )


def _by_token(token: BookingToken, here: Here) -> Arrival | Refusal:
    if token.office_id != here.office:
        return refuse("wrong_office", office=token.office_id)
    wrong = _wrong_day(token.slot_start_at, here)
    if wrong is not None:
        return wrong
    return Arrival(
        appointment_id=token.appointment_id,
        service=token.service_id,
        slot_start_at=token.slot_start_at,
        duration_min=token.duration_min,
        to_verify=True,
    )


def _wrong_day(slot_start_at: datetime, here: Here) -> Refusal | None:
    day = service_date(slot_start_at, here.zone)
    return None if day == here.today else refuse("wrong_day", service_date=day.isoformat())
