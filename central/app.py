"""The web application of central: what each feature adds to it, and the life of what they share."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from functools import partial

from litestar import Litestar
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from central import database, health, migrations
from central.context import Central
from central.exchange import routes as exchange_routes
from central.exchange.service import Exchange, open_exchange
from central.keys import load_keys
from central.listening import Listener
from central.problems import EXCEPTION_HANDLERS
from central.requests import observed
from central.settings import Settings
from sync.io.clock import Clock, SystemClock

ROUTES: tuple[ControllerRouterHandler, ...] = (*health.ROUTES, *exchange_routes.ROUTES)
"""Everything that central answers; a feature adds its `ROUTES` here."""


def create_app(settings: Settings, clock: Clock | None = None) -> Litestar:
    """Build the application; nothing is opened before its lifespan begins."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with open_central(settings, clock or SystemClock()) as central, open_exchange(central) as exchange:
            app.state.central, app.state.exchange = central, exchange
            yield

    def provide_central() -> Central:
        central: Central = app.state.central
        return central

    def provide_exchange() -> Exchange:
        exchange: Exchange = app.state.exchange
        return exchange

    app = Litestar(
        route_handlers=ROUTES,
        lifespan=[lifespan],
        dependencies={
            "central": Provide(provide_central, sync_to_thread=False, use_cache=False),
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
        async with background(listener.run()):
            try:
                yield central
            finally:
                central.stopping.set()


@asynccontextmanager
async def background(*work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run coroutines beside the application and cancel them at its end."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
