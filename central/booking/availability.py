"""What can be booked, answered from memory.

One entry per office and day: its slots and their free seats. An entry is dropped when somebody says that a seat of that day
changed (`NOTIFY slots`, sent right after each such change: central/hints.py) and is never older than two seconds. A stale
entry costs somebody a "taken" at worst: the claim itself decides.
"""

import asyncio
from bisect import bisect_left
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from central.booking.rules import bookable_starts, nearest
from central.hints import Hints
from central.listening import Listener
from central.offices.catalogue import OfficeRecord, Pool, ServiceRecord
from central.settings import Booking
from sync.domain.service_day import service_date
from sync.io.clock import Clock
from sync.io.sql import load

CHANNEL = "slots"
MAX_AGE_S = 2.0
MAX_ENTRIES = 4000
ALTERNATIVES_WITHIN_DAYS = 7

queries = load("central.booking", "seats.sql")

FreeSeats = Mapping[str, Sequence[tuple[datetime, int]]]
"""By pool: (start, free seats), sorted by start."""


class Day(msgspec.Struct, frozen=True):
    """A service date and the starts that can be booked on it, sorted."""

    service_date: date
    starts: tuple[datetime, ...]


class Copy:
    """The free seats of an office's day, and the starts that were worked out from them: the same question comes by the
    hundred when a slot sells out.

    Args:
        read_ns: monotonic time of the read.
    """

    __slots__ = ("_starts", "free", "read_ns")

    def __init__(self, read_ns: int, free: FreeSeats) -> None:
        self.read_ns = read_ns
        self.free = free
        self._starts: dict[tuple[str, int, int], tuple[datetime, ...]] = {}

    def starts(self, pool: Pool, service: ServiceRecord) -> tuple[datetime, ...]:
        """Every start with room for the service, sorted."""
        key = pool.id, service.duration_min, pool.capacity.slot_min
        if key not in self._starts:
            self._starts[key] = bookable_starts(self.free.get(pool.id, ()), *key[1:])
        return self._starts[key]


class Availability:
    """Free starts by office, service and day.

    Args:
        pool: for reading what memory does not have.
        listener: tells of changed days.
    """

    def __init__(self, pool: Any, clock: Clock, listener: Listener, hints: Hints, settings: Booking) -> None:
        self._pool = pool
        self._clock = clock
        self._hints = hints
        self._settings = settings
        self._days: OrderedDict[tuple[str, date], Copy] = OrderedDict()
        self._reading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._changes = 0
        self._hinted: dict[tuple[str, date], int] = {}
        self._forgot_all = 0
        listener.subscribe(CHANNEL, self._on_hint)

    def horizon(self, office: OfficeRecord) -> tuple[date, ...]:
        """The service dates that can be booked at an office, from today on."""
        today = service_date(self._clock.now(), office.zone)
        return tuple(today + timedelta(days=n) for n in range(self._settings.horizon_days + 1))

    async def days(self, office: OfficeRecord, service: ServiceRecord) -> tuple[Day, ...]:
        """The days with at least one free start, sorted."""
        return await self._bookable(office, service, self.horizon(office))

    async def starts(self, office: OfficeRecord, service: ServiceRecord, day: date) -> tuple[datetime, ...]:
        """The free starts of a service date, sorted."""
        found = await self._bookable(office, service, (day,))
        return found[0].starts if found else ()

    async def alternatives(
        self, office: OfficeRecord, service: ServiceRecord, wanted: datetime, day: date
    ) -> tuple[datetime, ...]:
        """Up to three free starts nearest to one that was taken.

        Memory that still offers the wanted start is behind, and is read again; memory that does not is good enough, so the
        hundred who are refused a sold-out slot cost one read.
        """
        around = [one for one in self.horizon(office) if abs((one - day).days) <= ALTERNATIVES_WITHIN_DAYS]
        if wanted in await self.starts(office, service, day):
            self.forget_day(office.id, day)
        found = await self._bookable(office, service, around)
        return nearest(wanted, [start for one in found for start in one.starts if start != wanted])

    def changed(self, office: str, day: date) -> None:
        """Seats of a day changed, and the change is committed: forget the day here, and tell the other processes."""
        self.forget_day(office, day)
        self._hints.tell(CHANNEL, f"{office} {day}")

    def forget_day(self, office: str, day: date) -> None:
        """Read a day again at the next question."""
        self._changes += 1
        self._hinted[office, day] = self._changes
        self._days.pop((office, day), None)

    async def _bookable(self, office: OfficeRecord, service: ServiceRecord, days: Sequence[date]) -> tuple[Day, ...]:
        pool = office.pool_for(service.id)
        if pool is None or not service.bookable:
            return ()
        free = await self._free_seats(office.id, days)
        earliest = self._clock.now() + timedelta(minutes=self._settings.lead_min)
        found = (
            Day(day, starts[bisect_left(starts, earliest) :])
            for day, starts in ((day, free[day].starts(pool, service)) for day in days)
        )
        return tuple(day for day in found if day.starts)

    async def _free_seats(self, office: str, days: Sequence[date]) -> Mapping[date, Copy]:
        known = self._known(office, days)
        if len(known) < len(days):
            async with self._reading[office]:  # one reader per office: the others find what it brought
                known = self._known(office, days)
                missing = [day for day in days if day not in known]
                if missing:
                    known |= await self._read(office, missing)
        return known

    def _known(self, office: str, days: Sequence[date]) -> dict[date, Copy]:
        fresh = ((day, self._fresh(office, day)) for day in days)
        return {day: copy for day, copy in fresh if copy is not None}

    def _fresh(self, office: str, day: date) -> Copy | None:
        copy = self._days.get((office, day))
        if copy is None or self._clock.monotonic_ns() - copy.read_ns > MAX_AGE_S * 1e9:
            return None
        return copy

    async def _read(self, office: str, days: Sequence[date]) -> Mapping[date, Copy]:
        read_ns, changes = self._clock.monotonic_ns(), self._changes
        rows = await self._pool.fetch(queries.free_seats, office, days, self._clock.now())
        found: dict[date, defaultdict[str, list[tuple[datetime, int]]]] = {day: defaultdict(list) for day in days}
        for day, pool, start_at, free in rows:
            found[day][pool].append((start_at, free))
        copies = {day: Copy(read_ns, free) for day, free in found.items()}
        for day in days:
            # A day that changed while we read it is good for this answer, not for keeping.
            if self._hinted.get((office, day), 0) <= changes and self._forgot_all <= changes:
                self._keep(office, day, copies[day])
        return copies

    def _keep(self, office: str, day: date, copy: Copy) -> None:
        self._days[office, day] = copy
        self._days.move_to_end((office, day))
        while len(self._days) > MAX_ENTRIES:
            self._days.popitem(last=False)

    def _on_hint(self, payload: str | None) -> None:
        if payload is None or len(self._hinted) > MAX_ENTRIES:
            self._changes += 1
            self._forgot_all = self._changes
            self._hinted.clear()
            self._days.clear()
        if payload is not None:
            office, _, day = payload.partition(" ")
            self.forget_day(office, date.fromisoformat(day))
