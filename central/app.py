"""The web application of central: what each feature adds to it, and the life of what they share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from litestar import Litestar
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from central import database, health, migrations
from central.background import running
from central.booking import routes as booking_routes
from central.booking.service import BookingService, open_booking
from central.context import Central
from central.exchange import routes as exchange_routes
from central.exchange.service import Exchange, open_exchange
from central.keys import load_keys
from central.listening import Listener
from central.notices.service import open_notices
from central.problems import EXCEPTION_HANDLERS
from central.requests import observed
from central.settings import Settings
from sync.io.clock import Clock, SystemClock

ROUTES: tuple[ControllerRouterHandler, ...] = (*health.ROUTES, *exchange_routes.ROUTES, *booking_routes.ROUTES)
"""Everything that central answers; a feature adds its `ROUTES` here."""


def create_app(settings: Settings, clock: Clock | None = None) -> Litestar:
    """Build the application; nothing is opened before its lifespan begins."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with (
            open_central(settings, clock or SystemClock()) as central,
            open_exchange(central) as exchange,
            open_booking(central) as booking,
            open_notices(central, booking.catalogue),
        ):
            app.state.central, app.state.exchange, app.state.booking = central, exchange, booking
            yield

    def provide_central() -> Central:
        central: Central = app.state.central
        return central

    def provide_exchange() -> Exchange:
        exchange: Exchange = app.state.exchange
        return exchange

    def provide_booking() -> BookingService:
        booking: BookingService = app.state.booking
        return booking

    app = Litestar(
        route_handlers=ROUTES,
        lifespan=[lifespan],
        dependencies={
            "central": Provide(provide_central, sync_to_thread=False, use_cache=False),
            "booking": Provide(provide_booking, sync_to_thread=False, use_cache=False),
            "exchange": Provide(provide_exchange, sync_to_thread=False, use_cache=False),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        middleware=[observed],
        request_max_body_size=settings.http.max_body_kb * 1024,
        openapi_config=None,
        logging_config=None,
    )
    return app


@asynccontextmanager
async def open_central(settings: Settings, clock: Clock) -> AsyncIterator[Central]:
    """Open what the features share, run their background work, and stop all of it.

    Raises:
        migrations.SchemaError: the database is not exactly of this build's schema.
    """
    keys = load_keys(settings.keys)
    async with database.open_pool(settings.database) as pool:
        async with pool.acquire() as connection:
            await migrations.check(connection)
        listener = Listener(partial(database.connect, settings.database))
        central = Central(settings=settings, clock=clock, pool=pool, listener=listener, keys=keys)
        async with running(listener.run()):
            try:
                yield central
            finally:
                central.stopping.set()
