"""What must hold of seats, told again: a slot has so many, each is free, held or booked, and a person has one appointment per family."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

SLOT = timedelta(minutes=10)
LENGTH = {"viaje": 1, "padron": 2}
"""How many slots a service takes."""


@dataclass
class Booked:
    """An appointment that was confirmed."""

    appointment_id: str
    link: str
    service: str
    person: int
    starts: tuple[datetime, ...]
    version: int
    stands: bool = True


@dataclass
class Hold:
    """Seats that somebody keeps while they fill in the form."""

    hold_id: str
    service: str
    starts: tuple[datetime, ...]


@dataclass
class SeatModel:
    """The slots of one stretch of a day."""

    slots: tuple[datetime, ...]
    seats: int
    booked: dict[str, Booked] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)

    def starts(self, service: str, at: datetime) -> tuple[datetime, ...]:
        return tuple(at + SLOT * number for number in range(LENGTH[service]))

    def free(self, slot: datetime, *, but_of: str | None = None, but_hold: int | None = None) -> int:
        """Seats that nobody has, not counting what an appointment or a hold has itself."""
        booked = sum(slot in one.starts for one in self.booked.values() if one.stands and one.appointment_id != but_of)
        held = sum(slot in hold.starts for number, hold in self.holds.items() if number != but_hold)
        free = self.seats - booked - held
        assert free >= 0, f"{slot} is oversold"
        return free

    def has_room(self, starts: tuple[datetime, ...], *, but_of: str | None = None, but_hold: int | None = None) -> bool:
        return all(self.free(slot, but_of=but_of, but_hold=but_hold) > 0 for slot in starts)

    def has_one(self, person: int, service: str) -> bool:
        """Whether a person has an appointment of the family already."""
        return any(one.stands and (one.person, one.service) == (person, service) for one in self.booked.values())
