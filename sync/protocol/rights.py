"""What the rules of movable rights ask of central's database: tokens of tickets, leased seats, the conflict inbox.

Typed verbs without rules, inside the transaction that takes the facts. Both stores pass one contract suite. A right has one
holder at every moment: a ticket its office (by tenure), a seat whoever its row names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Literal, Protocol

import msgspec

from sync.messages.feed import Appointment, Lease, Op, TicketGrant
from sync.messages.values import SeatRef, Tenure


class TicketToken(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a ticket that has moved. One that never moved has no token: its issuer holds it, tenure 1. Only those that are
    told while central recovers have one from the start.

    Args:
        accepted: the office has said so, or the ticket is over; until then it is in transit, and central owns it.
        held_as: the number by which its office holds it, when a slip won against a later number; else none.
        grant: what the office was or would be told; kept so that a person can send it elsewhere.
    """

    ticket_id: str
    tenure: Tenure
    office: str
    accepted: bool
    service_date: date
    held_as: Tenure | None = None
    grant: TicketGrant | None = None


SeatState = Literal["free", "held", "booked", "leased"]


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """A seat's row, locked. ``appointment_id`` when booked, ``lease_id`` when leased (or booked out of that lease)."""

    state: SeatState
    appointment_id: str | None = None
    lease_id: str | None = None


class LeaseState(msgspec.Struct, frozen=True, kw_only=True):
    """A lease as central keeps it. ``reclaimed``: a person has attested that its holder is gone and taken the rest back."""

    lease: Lease
    office: str
    reclaimed: bool = False


ConflictKind = Literal[
    "lease_conflict",
    "lease_reclaimed_sale",
    "seat_gone",
    "ticket_held_twice",
    "ticket_undeliverable",
    "attended_after_cancel",
    "checked_in_elsewhere",
    "attended_other_slot",
    "booking_recovered",
]
"""What can have happened on both sides of a cut. The key of the words in the conflict inbox."""


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """One divergence for a person to look at. The same ``key`` is the same divergence, however often it is found.

    Args:
        office: where staff should look.
        subject_id: the ticket, appointment or lease.
        detail: ids and codes by name; never personal data.
        suggestion: what to do about it, as a code.
    """

    key: str
    kind: ConflictKind
    office: str
    subject_id: str
    suggestion: Literal["none_needed", "call_person", "serve_here", "give_courtesy", "check_contact", "send_elsewhere"]
    detail: Mapping[str, str | int] = {}


class NotTheirs(Exception):
    """A fact moves what is another office's: no honest node tells it. Nothing moves, the fact is parked, and that is an alarm."""


class RightsTx(Protocol):
    """The part of central's transaction that moves rights."""

    async def token(self, ticket_id: str) -> TicketToken | None:
        """A ticket's token, locked until the end; None when it never moved."""

    async def set_token(self, token: TicketToken) -> None:
        """Insert or replace a token."""

    async def is_recovering(self) -> bool:
        """Whether central was restored from a backup and still waits for what offices have to tell."""

    async def service_date(self, office: str, at: datetime) -> date:
        """The service date of an instant at an office that there is."""

    async def has_office(self, office: str) -> bool:
        """Whether the city has such an office."""

    async def person_of(self, appointment_id: str) -> tuple[str, str, tuple[str, ...]]:
        """Display name, language and needs of an appointment, as an office may see them; empty when unknown."""

    async def lease(self, lease_id: str) -> LeaseState | None:
        """A lease, locked until the end."""

    async def put_lease(self, state: LeaseState) -> None:
        """Insert or replace a lease."""

    async def slot_office(self, slot_id: str) -> str | None:
        """Whose slot it is; None when there is no such slot."""

    async def seat(self, seat: SeatRef) -> Seat | None:
        """A seat, locked until the end; None when there is no such seat."""

    async def set_seat(self, seat: SeatRef, to: Seat) -> None:
        """Change a seat that exists."""

    async def add_seat_over(self, slot_id: str, appointment_id: str) -> SeatRef | None:
        """One more seat above the capacity, booked; None when there is no such slot."""

    async def seats_of(self, appointment: Appointment, office: str) -> Sequence[SeatRef]:
        """One seat in each slot that an appointment covers, free ones first, locked; empty when a slot is missing."""

    async def release_seats(self, appointment_id: str) -> None:
        """Free every seat that an appointment has booked."""

    async def appointment_version(self, appointment_id: str) -> int | None:
        """The version of an appointment; None for an unknown one."""

    async def put_appointment(
        self, appointment: Appointment, office: str, seats: Sequence[SeatRef], source: str
    ) -> None:
        """Insert or replace an appointment whose person's data central does not have (yet); data that are there stay.

        ``source``: ``lease`` or ``recovered``.
        """

    async def note_conflict(self, conflict: Conflict) -> None:
        """Put a divergence into the inbox; one that is there already stays as it is."""

    async def emit_at_end(self, stream: str, *, kind: str, entity_id: str, version: int, op: Op, body: bytes) -> None:
        """Queue a row. Rows are written when the transaction ends, in the order of the streams, so that two batches that
        move tickets to each other's offices cannot wait for each other; one whose savepoint is rolled back is not written.
        """


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a fact comes from and when it happened.

    Args:
        office: whose journal it is in.
        happened_at: when it happened by central's clock, as well as central can tell.
        by_age: that is counted back from its telling on one monotonic clock; else a wall clock has a say.
    """

    office: str
    happened_at: datetime
    by_age: bool = False
