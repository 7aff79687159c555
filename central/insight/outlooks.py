"""The waits ahead at every office, by the same replay over the same facts as at its edge.

An office's outlook is made anew when its day has moved, at most once a second, and every `STALE_S` in any case; on a thread, and
once for everybody who asks meanwhile. What the replay draws from, and the day's appointments, are read once a minute.
"""

import asyncio
from collections import defaultdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from central.context import Central
from central.exchange.office_days import OfficeDays
from sync.domain.catalogue import Catalogue
from sync.domain.service_day import service_date
from sync.domain.waits.outlook import Outlook, outlook
from sync.domain.waits.scene import scene_of
from sync.domain.waits.steady import Shown, steadied
from sync.io.draws import seeded
from sync.io.sql import load
from sync.messages import codec
from sync.messages.feed import Appointment, WaitModel, office_stream
from sync.messages.topics import WaitRange

queries = load("central.insight")

GAP_S = 1.0
STALE_S = 15.0
READ_EVERY_S = 60.0


class Waits(msgspec.Struct, frozen=True):
    """Ranges as people are shown them: by service for somebody who comes now, by ticket for who waits."""

    services: dict[str, Shown] = {}
    tickets: dict[str, Shown] = {}

    def of_service(self, service: str) -> WaitRange | None:
        return self.services.get(service, Shown()).wait

    def of_ticket(self, ticket_id: str) -> WaitRange | None:
        return self.tickets.get(ticket_id, Shown()).wait

    def after(self, ahead: Outlook, now: datetime) -> "Waits":
        """With one more outlook: worse at once, better with patience."""
        services = {service: ahead.of_service(service) for service in ahead.services}
        tickets = {ticket: ahead.of_ticket(ticket) for ticket in ahead.tickets}
        return Waits(steadied(self.services, services, now), steadied(self.tickets, tickets, now))


class _Made(msgspec.Struct, frozen=True):
    at_ns: int
    place: tuple[int, int]
    waits: Waits


class _Known(msgspec.Struct, frozen=True):
    """What the database says of an office: its model and today's appointments."""

    read_ns: int
    model: WaitModel | None
    bookings: tuple[Appointment, ...]


class Outlooks:
    """The waits ahead, by office."""

    def __init__(self, central: Central, days: OfficeDays) -> None:
        self._central = central
        self._days = days
        self._made: dict[str, _Made] = {}
        self._known: dict[str, _Known] = {}
        self._making: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def of(self, office: str, catalogue: Catalogue) -> Waits:
        """The waits at an office now. Without a counter open there are none, and nothing is computed."""
        if not self._days[office].sessions:
            self._made.pop(office, None)
            return Waits()
        async with self._making[office]:
            if (made := self._made.get(office)) is not None and not self._is_due(office, made):
                return made.waits
            before = made.waits if made else Waits()
            known = await self._read(office, catalogue)
            day, now, at_ns = self._days[office], self._central.clock.now(), self._central.clock.monotonic_ns()
            place = (day.epoch, day.seq)
            ahead = await asyncio.to_thread(outlook, scene_of(day, catalogue, known.bookings, now, known.model), seeded)
            waits = before.after(ahead, now)
            self._made[office] = _Made(at_ns, place, waits)
            return waits

    def _is_due(self, office: str, made: _Made) -> bool:
        age_s = (self._central.clock.monotonic_ns() - made.at_ns) / 1e9
        day = self._days[office]
        return age_s > STALE_S or (age_s > GAP_S and made.place != (day.epoch, day.seq))

    async def _read(self, office: str, catalogue: Catalogue) -> _Known:
        known = self._known.get(office)
        clock = self._central.clock
        if known is None or clock.monotonic_ns() - known.read_ns > READ_EVERY_S * 1e9:
            today = service_date(clock.now(), ZoneInfo(catalogue.office.time_zone))
            body = await self._central.pool.fetchval(queries.wait_model, office_stream(office), WaitModel.KIND)
            rows = await self._central.pool.fetch(queries.expected_appointments, office, today)
            model = codec.decode(bytes(body), WaitModel) if body is not None else None
            known = self._known[office] = _Known(clock.monotonic_ns(), model, tuple(map(_appointment, rows)))
        return known


def _appointment(row: Any) -> Appointment:
    """As much of an appointment as a wait depends on."""
    return Appointment(
        id=str(row["id"]),
        version=1,
        locator="",
        service_id=row["service_id"],
        slot_start_at=row["slot_start_at"],
        duration_min=row["duration_min"],
        status="booked",
    )
