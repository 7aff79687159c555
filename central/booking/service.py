"""Booking in one process: its parts, and the work it does beside requests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from central.background import running
from central.booking.availability import Availability
from central.booking.bookings import Bookings
from central.booking.changes import Changes
from central.booking.drafts import Drafts
from central.booking.upkeep import Upkeep
from central.context import Central
from central.offices.store import CatalogueCopy


@dataclass(frozen=True, slots=True)
class BookingService:
    """What pages and API use.

    Attributes:
        central: settings, clock and keys.
        catalogue: offices and services as of now.
        availability: free days and times.
        bookings: hold, confirm, book.
        changes: find, cancel, reschedule.
        drafts: half-filled forms.
    """

    central: Central
    catalogue: CatalogueCopy
    availability: Availability
    bookings: Bookings
    changes: Changes
    drafts: Drafts


def make_booking(central: Central) -> BookingService:
    """Put the parts together; nothing runs yet."""
    catalogue = CatalogueCopy(central.pool, central.clock, central.listener)
    availability = Availability(central.pool, central.clock, central.listener, central.hints, central.settings.booking)
    return BookingService(
        central=central,
        catalogue=catalogue,
        availability=availability,
        bookings=Bookings(central, catalogue, availability),
        changes=Changes(central, catalogue, availability),
        drafts=Drafts(central),
    )


@asynccontextmanager
async def open_booking(central: Central) -> AsyncIterator[BookingService]:
    """Booking with its upkeep running; both end with the block."""
    booking = make_booking(central)
    async with running(Upkeep(central, booking.catalogue).run()):
        yield booking
