"""Which place each appointment is proposed that lost its own. Pure.

Who booked first chooses first. Each is proposed the place that changes least: the same office unless another one is nearer in
time by more than `OTHER_OFFICE`, and a later time rather than an earlier one, for who planned to come on Tuesday may not be free
on Monday. Nobody is proposed a time that is nearer than the notice they need to hear of it. What one is proposed nobody else is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

OTHER_OFFICE = timedelta(days=2)
"""So much nearer in time must another office be than one's own to be proposed."""
EARLIER_COUNTS = 2
"""An earlier time counts as so many times as far away."""
NOTICE = timedelta(hours=24)


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    """A booked appointment whose place is no more.

    Args:
        pool_id: empty where no pool offers it any more.
        has_mail: its person hears of a move by mail; else somebody has to call them.
    """

    appointment_id: str
    version: int
    locator: str
    office_id: str
    pool_id: str
    service_id: str
    slot_start_at: datetime
    duration_min: int
    booked_at: datetime
    has_mail: bool
    has_phone: bool


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """The free seats of a pool.

    Args:
        services: that are booked from it.
        durations: minutes of each service.
        free: by start of a slot; none: full.
    """

    office_id: str
    pool_id: str
    slot_min: int
    services: frozenset[str]
    durations: Mapping[str, int]
    free: Mapping[datetime, int]


class Place(msgspec.Struct, frozen=True):
    """An office and a time."""

    office_id: str
    start_at: datetime


class Proposal(msgspec.Struct, frozen=True):
    """What somebody is proposed; none: there is nothing free within reach."""

    affected: Affected
    place: Place | None


class Free:
    """Free seats that are given away one by one."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._left = dict(room.free)
        self._starts = sorted(start for start, seats in room.free.items() if seats > 0)

    def nearest(self, wanted: datetime, service: str, earliest: datetime) -> datetime | None:
        """The start with room for a service that is least away from a wanted one, not before an instant."""
        best: datetime | None = None
        for start in self._outward(wanted, earliest):
            if best is not None and away(wanted, start) > away(wanted, best):
                break
            if self._fits(start, service):
                best = start if best is None or away(wanted, start) < away(wanted, best) else best
        return best

    def take(self, start: datetime, service: str) -> None:
        """Give the seats of a start away."""
        for one in self._needed(start, service):
            self._left[one] -= 1
            if self._left[one] == 0:
                del self._starts[bisect_left(self._starts, one)]

    def _outward(self, wanted: datetime, earliest: datetime) -> Iterator[datetime]:
        """Starts by how far away they are, nearest first."""
        later = bisect_left(self._starts, max(wanted, earliest))
        first = bisect_left(self._starts, earliest)
        earlier = bisect_left(self._starts, wanted) - 1
        while later < len(self._starts) or earlier >= first:
            if earlier < first or (
                later < len(self._starts) and away(wanted, self._starts[later]) <= away(wanted, self._starts[earlier])
            ):
                yield self._starts[later]
                later += 1
            else:
                yield self._starts[earlier]
                earlier -= 1

    def _needed(self, start: datetime, service: str) -> list[datetime]:
        slots = -(-self.room.durations[service] // self.room.slot_min)
        return [start + n * timedelta(minutes=self.room.slot_min) for n in range(slots)]

    def _fits(self, start: datetime, service: str) -> bool:
        return all(self._left.get(one, 0) > 0 for one in self._needed(start, service))


def away(wanted: datetime, start: datetime) -> timedelta:
    """How far a time is from the one that was booked."""
    return start - wanted if start >= wanted else (wanted - start) * EARLIER_COUNTS


def propose(
    affected: Sequence[Affected], rooms: Sequence[Room], now: datetime, notice: timedelta = NOTICE
) -> list[Proposal]:
    """A place for each, who booked first first.

    Args:
        affected: in any order.
        rooms: of all offices that come into question, the nearest offices first.
    """
    free, earliest = [Free(room) for room in rooms], now + notice
    proposals = []
    for one in sorted(affected, key=lambda each: (each.booked_at, each.appointment_id)):
        found = _best(one, free, earliest)
        if found is None:
            proposals.append(Proposal(one, None))
            continue
        room, start = found
        room.take(start, one.service_id)
        proposals.append(Proposal(one, Place(room.room.office_id, start)))
    return proposals


def _best(one: Affected, free: Sequence[Free], earliest: datetime) -> tuple[Free, datetime] | None:
    best: tuple[timedelta, Free, datetime] | None = None
    for room in free:
        if one.service_id not in room.room.services:
            continue
        start = room.nearest(one.slot_start_at, one.service_id, earliest)
        if start is None:
            continue
        cost = away(one.slot_start_at, start)
        if room.room.office_id != one.office_id:
            cost += OTHER_OFFICE
        if best is None or cost < best[0]:
            best = (cost, room, start)
    return (best[1], best[2]) if best is not None else None


def by_distance(
    own: tuple[float | None, float | None], others: Mapping[str, tuple[float | None, float | None]]
) -> list[str]:
    """Offices, nearest first; those that nobody has put on the map last, in their own order.

    Args:
        own, others: latitude and longitude; a city is small enough to be flat.
    """

    def far(office: str) -> tuple[bool, float]:
        (latitude, longitude), (here, there) = others[office], own
        if latitude is None or longitude is None or here is None or there is None:
            return True, 0.0
        return False, (latitude - here) ** 2 + (longitude - there) ** 2

    return sorted(others, key=far)
