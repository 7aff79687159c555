"""Booking for a command: its statements on a pool of its own, without requests and without background work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from central import database, migrations
from central.background import running
from central.booking.service import BookingService, make_booking
from central.context import Central
from central.hints import Hints
from central.keys import load_keys
from central.listening import Listener
from central.settings import Settings
from sync.io.clock import SystemClock


@asynccontextmanager
async def booking_alone(settings: Settings) -> AsyncIterator[BookingService]:
    """Booking while inside; what it changes, serving processes hear of as from each other.

    Raises:
        migrations.SchemaError: the database is not of this build's schema.
    """
    keys = load_keys(settings.keys)
    async with database.open_pool(settings.database) as pool:
        async with pool.acquire() as connection:
            await migrations.check(connection)
        listener, hints = Listener(partial(database.connect, settings.database)), Hints(pool)
        central = Central(settings=settings, clock=SystemClock(), pool=pool, listener=listener, keys=keys, hints=hints)
        async with running(hints.run()):
            yield make_booking(central)
