"""The verbs of movable rights over Postgres (``sync.protocol.rights``, ``recovery``, ``replacement``): rows in, rows out.

What a rule reads it locks, so a rule decides on what stands until its transaction ends. Rows for the offices are queued and
written by ``flush`` as the last statements, in the order of the streams: no head is locked while anything else is awaited.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from central.booking.rules import display_name
from sync.domain.service_day import service_date
from sync.io.sql import load
from sync.messages import codec
from sync.messages.feed import Appointment, Lease, Op, TicketGrant
from sync.messages.values import SeatRef
from sync.protocol.rights import Conflict, LeaseState, Seat, TicketToken

_rights = load("central.exchange", "rights.sql")
_feed = load("central.exchange", "feed.sql")

_NO_FAMILY: Any = {"time_zone": "UTC", "family": None, "pool_id": None, "starts": ()}


class QueuedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A feed row that waits for the end of its transaction."""

    stream: str
    kind: str
    entity_id: str
    version: int
    op: Op
    body: bytes


class PostgresRights:
    """The part of central's transaction that moves rights.

    Attributes:
        connection: of the transaction; what projections change beside the rights goes over it too.
        queued: rows to be written at the end, in the order in which they came.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.queued: list[QueuedRow] = []

    async def token(self, ticket_id: str) -> TicketToken | None:
        await self.connection.execute(_rights.lock_ticket, ticket_id)
        row = await self.connection.fetchrow(_rights.token, ticket_id)
        if row is None:
            return None
        grant = row["grant_body"]
        return TicketToken(
            ticket_id=ticket_id,
            tenure=row["tenure"],
            office=row["office"],
            accepted=row["accepted"],
            service_date=row["service_date"],
            held_as=row["held_as"],
            grant=None if grant is None else codec.decode(grant, TicketGrant),
        )

    async def set_token(self, token: TicketToken) -> None:
        grant = None if token.grant is None else codec.encode(token.grant)
        await self.connection.execute(
            _rights.set_token,
            token.ticket_id,
            token.tenure,
            token.office,
            token.accepted,
            token.service_date,
            token.held_as,
            grant,
        )

    async def is_recovering(self) -> bool:
        return bool(await self.connection.fetchval(_rights.is_recovering))

    async def has_office(self, office: str) -> bool:
        return bool(await self.connection.fetchval(_rights.has_office, office))

    async def service_date(self, office: str, at: datetime) -> date:
        return service_date(at, ZoneInfo(await self.connection.fetchval(_rights.time_zone, office)))

    async def person_of(self, appointment_id: str) -> tuple[str, str, tuple[str, ...]]:
        row = await self.connection.fetchrow(_rights.person_of, appointment_id)
        if row is None:
            return "", "es", ()
        return display_name(row["full_name"] or ""), row["language"], tuple(row["needs"])

    async def lease(self, lease_id: str) -> LeaseState | None:
        row = await self.connection.fetchrow(_rights.lease, lease_id)
        if row is None:
            return None
        return LeaseState(lease=codec.decode(row["body"], Lease), office=row["office"], reclaimed=row["reclaimed"])

    async def put_lease(self, state: LeaseState) -> None:
        lease = state.lease
        await self.connection.execute(
            _rights.put_lease, lease.id, state.office, lease.fence, codec.encode(lease), state.reclaimed
        )
        slots, numbers = _columns([leased.seat for leased in lease.seats])
        starts = [leased.start_at for leased in lease.seats]
        await self.connection.execute(_rights.put_lease_seats, lease.id, slots, numbers, starts)
        if state.reclaimed:
            await self.connection.execute(_rights.note_reclaimed, lease.id)

    async def note_outcome(self, lease_id: str, seats: Sequence[SeatRef], outcome: str) -> None:
        """Write into a lease's account what became of seats: ``sold`` or ``returned``."""
        await self.connection.execute(_rights.note_outcome, lease_id, *_columns(seats), outcome)

    async def slot_office(self, slot_id: str) -> str | None:
        office: str | None = await self.connection.fetchval(_rights.slot_office, slot_id)
        return office

    async def seat(self, seat: SeatRef) -> Seat | None:
        row = await self.connection.fetchrow(_rights.seat, seat.slot_id, seat.seat_no)
        return row and Seat(state=row["state"], appointment_id=row["appointment_id"], lease_id=row["lease_id"])

    async def set_seat(self, seat: SeatRef, to: Seat) -> None:
        await self.connection.execute(
            _rights.set_seat, seat.slot_id, seat.seat_no, to.state, to.appointment_id, to.lease_id
        )

    async def add_seat_over(self, slot_id: str, appointment_id: str) -> SeatRef | None:
        if await self.connection.fetchval(_rights.lock_slot, slot_id) is None:
            return None
        return SeatRef(slot_id, await self.connection.fetchval(_rights.add_seat_over, slot_id, appointment_id))

    async def seats_of(self, appointment: Appointment, office: str) -> Sequence[SeatRef]:
        end_at = appointment.slot_start_at + timedelta(minutes=appointment.duration_min)
        rows = await self.connection.fetch(
            _rights.seats_of, office, appointment.service_id, appointment.slot_start_at, end_at, appointment.id
        )
        at = appointment.slot_start_at
        for row in rows:
            if row["start_at"] != at:
                return ()
            at += timedelta(minutes=row["duration_min"])
        return tuple(SeatRef(row["slot_id"], row["seat_no"]) for row in rows) if at >= end_at else ()

    async def release_seats(self, appointment_id: str) -> None:
        await self.connection.execute(_rights.release_seats, appointment_id)

    async def appointment_version(self, appointment_id: str) -> int | None:
        version: int | None = await self.connection.fetchval(_rights.appointment_version, appointment_id)
        return version

    async def put_appointment(
        self, appointment: Appointment, office: str, seats: Sequence[SeatRef], source: str
    ) -> None:
        """The name that an office knows is better than none: it stands in for the full one."""
        slots, _ = _columns(seats)
        frame = await self.connection.fetchrow(_rights.frame, office, appointment.service_id, slots) or _NO_FAMILY
        day = service_date(appointment.slot_start_at, ZoneInfo(frame["time_zone"]))
        await self.connection.execute(
            _rights.put_appointment,
            appointment.id,
            appointment.version,
            "booked" if appointment.status == "booked" else "cancelled",
            appointment.locator,
            office,
            frame["pool_id"] or "",
            appointment.service_id,
            frame["family"] or appointment.service_id,
            day,
            appointment.slot_start_at,
            list(frame["starts"]),
            appointment.duration_min,
            appointment.language,
            list(appointment.needs),
            source,
            appointment.display_name or None,
        )

    async def note_conflict(self, conflict: Conflict) -> None:
        await self.note(
            conflict.key,
            conflict.kind,
            office=conflict.office,
            subject_id=conflict.subject_id,
            suggestion=conflict.suggestion,
            **conflict.detail,
        )

    async def note(
        self, key: str, kind: str, *, office: str, subject_id: str, suggestion: str, **detail: str | int
    ) -> None:
        """Put a divergence into the inbox; also of the kinds that only central finds."""
        await self.connection.execute(
            _rights.note_conflict, key, kind, office, subject_id, suggestion, codec.encode(detail)
        )

    async def emit_at_end(self, stream: str, *, kind: str, entity_id: str, version: int, op: Op, body: bytes) -> None:
        row = QueuedRow(stream=stream, kind=kind, entity_id=entity_id, version=version, op=op, body=body)
        self.queued.append(row)

    async def flush(self) -> None:
        """Write the queued rows; nothing may be done in the transaction after it."""
        queued, self.queued = sorted(self.queued, key=lambda row: row.stream), []
        for row in queued:
            await self.connection.fetchrow(_feed.feed_put, *msgspec.structs.astuple(row))

    async def awaits(self, office: str) -> bool:
        return bool(await self.connection.fetchval(_rights.awaits, office))

    async def awaited(self) -> frozenset[str]:
        return frozenset(await self.connection.fetchval(_rights.awaited))

    async def set_awaited(self, offices: frozenset[str]) -> None:
        await self.connection.execute(_rights.set_awaited, sorted(offices))


def _columns(seats: Sequence[SeatRef]) -> tuple[list[str], list[int]]:
    return [seat.slot_id for seat in seats], [seat.seat_no for seat in seats]
