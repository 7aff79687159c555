"""The portal of one process: what its pages work with, made once at start."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from central.background import running
from central.booking.service import BookingService
from central.closures.service import Closures
from central.context import Central
from central.exchange.service import Exchange
from central.insight.day_reports import DayReports
from central.insight.live_offices import LiveOffices
from central.insight.wait_models import WaitModels
from central.pages import citizen_pages, shared_assets, staff_pages
from central.policy.trials import Trials
from central.portal.throttle import Throttle
from central.staff.sessions import StaffSessions
from sync.io.single_sign_on.sign_on import SignOn
from ui.assets import StaticAssets
from ui.pages import Pages


@dataclass(frozen=True, slots=True)
class Portal:
    """What citizens' pages and those of the city's own people use.

    Attributes:
        live: the offices as they are now.
        pages: templates in the citizens' languages; `staff_pages` in those of the overview.
        throttle: slows down who sends forms faster than a person can.
        staff: signs the city's own people in and out.
        sign_on: leads to the city's identity provider; none where there is none.
        closures: moves the appointments of offices that close.
        reports: what past days say of their queue.
        trials: tries policies on past days.
    """

    central: Central
    exchange: Exchange
    booking: BookingService
    live: LiveOffices
    assets: StaticAssets
    pages: Pages
    staff_pages: Pages
    throttle: Throttle
    staff: StaffSessions
    sign_on: SignOn | None
    closures: Closures
    reports: DayReports
    trials: Trials


@asynccontextmanager
async def open_portal(
    central: Central, exchange: Exchange, booking: BookingService, closures: Closures, sign_on: SignOn | None
) -> AsyncIterator[Portal]:
    """The portal, and beside it the work on what it says of waits and of past days."""
    staff = StaffSessions(central)
    await staff.load()
    reports = DayReports(central, booking.catalogue)
    async with running(WaitModels(central, booking.catalogue).run(), reports.run()):
        yield Portal(
            central=central,
            exchange=exchange,
            booking=booking,
            live=LiveOffices(exchange, booking.catalogue),
            assets=shared_assets(),
            pages=citizen_pages(),
            staff_pages=staff_pages(),
            throttle=Throttle(),
            staff=staff,
            sign_on=sign_on,
            closures=closures,
            reports=reports,
            trials=Trials(),
        )
