"""The portal of one process: what its pages work with, made once at start."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from central.background import running
from central.booking.service import BookingService
from central.context import Central
from central.exchange.service import Exchange
from central.insight.live_offices import LiveOffices
from central.insight.wait_models import WaitModels
from central.pages import citizen_pages, shared_assets, staff_pages
from central.portal.throttle import Throttle
from ui.assets import StaticAssets
from ui.pages import Pages


@dataclass(frozen=True, slots=True)
class Portal:
    """What citizen pages and the overview use.

    Attributes:
        live: the offices as they are now.
        pages: templates in the citizens' languages; `staff_pages` in those of the overview.
        throttle: slows down who sends forms faster than a person can.
    """

    central: Central
    exchange: Exchange
    booking: BookingService
    live: LiveOffices
    assets: StaticAssets
    pages: Pages
    staff_pages: Pages
    throttle: Throttle


@asynccontextmanager
async def open_portal(central: Central, exchange: Exchange, booking: BookingService) -> AsyncIterator[Portal]:
    """The portal, and beside it the weekly work on what it says of waits."""
    async with running(WaitModels(central, booking.catalogue).run()):
        yield Portal(
            central=central,
            exchange=exchange,
            booking=booking,
            live=LiveOffices(exchange, booking.catalogue),
            assets=shared_assets(),
            pages=citizen_pages(),
            staff_pages=staff_pages(),
            throttle=Throttle(),
        )
