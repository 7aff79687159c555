"""Whether what many callers were told at once could have been told to them one after the other, in some order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Told = Literal["booked", "again", "reused", "taken", "limit"]


@dataclass(frozen=True)
class Asked:
    """A booking, as small as the question needs it.

    Attributes:
        slots: the slots that it needs.
        person: with the family of services, in which one appointment is allowed.
        hold: the hold that it confirms.
    """

    request: str
    slots: tuple[int, ...]
    person: tuple[int, str]
    hold: str | None = None

    @property
    def question(self) -> object:
        return self.slots, self.person


@dataclass(frozen=True)
class City:
    """Seats per slot, and what is held and booked of them."""

    seats: int
    holds: Mapping[str, tuple[int, ...]]
    made: tuple[Asked, ...] = field(default=())

    def tells(self, asked: Asked) -> Told:
        """What the next caller is told."""
        for one in self.made:
            if one.request == asked.request:
                return "again" if one.question == asked.question else "reused"
        if not all(self._has_room(slot, asked.hold) for slot in asked.slots):
            return "taken"
        return "limit" if asked.person in (one.person for one in self.made) else "booked"

    def with_booking(self, asked: Asked) -> City:
        holds = {hold: slots for hold, slots in self.holds.items() if hold != asked.hold}
        return City(self.seats, holds, (*self.made, asked))

    def _has_room(self, slot: int, hold: str | None) -> bool:
        booked = sum(slot in one.slots for one in self.made)
        held = sum(slot in slots for other, slots in self.holds.items() if other != hold)
        return booked + held < self.seats


def has_serial_order(city: City, asked: Sequence[Asked], told: Sequence[Told]) -> bool:
    """Whether some order of the callers gives each what it was told.

    Only bookings change the city; so everybody else can come as soon as the city tells them what they were told.
    """
    losers = frozenset(at for at, one in enumerate(told) if one != "booked")
    seen: set[tuple[frozenset[int], frozenset[int]]] = set()

    def search(city: City, winners: frozenset[int], losers: frozenset[int]) -> bool:
        losers = frozenset(at for at in losers if city.tells(asked[at]) != told[at])
        if not winners and not losers:
            return True
        if (winners, losers) in seen:
            return False
        seen.add((winners, losers))
        return any(
            search(city.with_booking(asked[at]), winners - {at}, losers)
            for at in winners
            if city.tells(asked[at]) == "booked"
        )

    return search(city, frozenset(range(len(asked))) - losers, losers)
