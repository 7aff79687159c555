"""The web application of central: what each feature adds to it, and the life of what they share."""

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from granian.utils.proxies import wrap_asgi_with_proxy_headers
from litestar import Litestar
from litestar.config.csrf import CSRFConfig
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from central import database, health, migrations
from central.background import running
from central.booking import agenda_routes
from central.booking import routes as booking_routes
from central.booking.service import BookingService, open_booking
from central.closures import routes as closure_routes
from central.closures.service import open_closures
from central.context import Central
from central.exchange import routes as exchange_routes
from central.exchange.service import Exchange, open_exchange
from central.hints import Hints
from central.insight import accuracy, office_page, order_changes, overview, records
from central.keys import KeyRing, load_keys
from central.listening import Listener
from central.notices.service import open_notices
from central.policy import routes as policy_routes
from central.portal import errors
from central.portal import routes as portal_routes
from central.portal.service import Portal, open_portal
from central.portal.visit import CSRF_COOKIE
from central.requests import observed
from central.retention import routes as retention_routes
from central.retention.service import open_retention
from central.settings import Settings
from central.staff import account_routes, audit_routes
from central.staff import routes as staff_routes
from central.staff.gate import ACCOUNT_RETURN, SignInNeeded, on_sign_in_needed
from provisioning.single_sign_on import open_sign_on
from sync.io.clock import Clock, SystemClock
from ui.csrf import without_stale_tokens
from ui.headers import with_page_headers

ROUTES: tuple[ControllerRouterHandler, ...] = (
    *health.ROUTES,
    *exchange_routes.ROUTES,
    *booking_routes.ROUTES,
    *agenda_routes.ROUTES,
    *staff_routes.ROUTES,
    *overview.ROUTES,
    *office_page.ROUTES,
    *order_changes.ROUTES,
    *accuracy.ROUTES,
    *records.ROUTES,
    *audit_routes.ROUTES,
    *closure_routes.ROUTES,
    *retention_routes.ROUTES,
    *policy_routes.ROUTES,
    *portal_routes.ROUTES,
)
"""Everything that central answers; a feature adds its `ROUTES` here. What only some settings have is added below."""


def create_app(settings: Settings, clock: Clock | None = None) -> Litestar:
    """Build the application; nothing is opened before its lifespan begins, only keys and certificates are read.

    Raises:
        SettingsError: a key is missing or no key; a file that single sign-on needs cannot be read.
    """
    clock, keys, rules = clock or SystemClock(), load_keys(settings.keys), settings.single_sign_on
    sign_on = open_sign_on(
        rules,
        return_to=(rules.return_url or settings.http.public_url).rstrip("/") + ACCOUNT_RETURN,
        seal=keys.links,
        now=clock.now,
    )

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with (
            open_central(settings, clock) as central,
            open_exchange(central) as exchange,
            open_booking(central) as booking,
            open_notices(central, booking.catalogue),
            open_closures(booking) as closures,
            open_portal(central, exchange, booking, closures, sign_on) as portal,
            open_retention(central),
        ):
            app.state.central, app.state.exchange, app.state.booking = central, exchange, booking
            app.state.portal = portal
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

    def provide_portal() -> Portal:
        portal: Portal = app.state.portal
        return portal

    forms = CSRFConfig(
        secret=csrf_secret(keys),
        cookie_name=CSRF_COOKIE,
        cookie_secure=settings.http.secure_cookies,
        cookie_httponly=True,
        exclude=["^/api/", "^/sync/"],
    )
    app = Litestar(
        route_handlers=(*ROUTES, *(account_routes.ROUTES if sign_on is not None else ())),
        lifespan=[lifespan],
        dependencies={
            "central": Provide(provide_central, sync_to_thread=False, use_cache=False),
            "booking": Provide(provide_booking, sync_to_thread=False, use_cache=False),
            "exchange": Provide(provide_exchange, sync_to_thread=False, use_cache=False),
            "portal": Provide(provide_portal, sync_to_thread=False, use_cache=False),
        },
        exception_handlers={**errors.handlers(), SignInNeeded: on_sign_in_needed},
        csrf_config=forms,
        request_max_body_size=settings.http.max_body_kb * 1024,
        openapi_config=None,
        logging_config=None,
    )
    # Outside of everything: a refused form and an unknown path get it too.
    app.asgi_handler = observed(with_page_headers(without_stale_tokens(app.asgi_handler, forms)))
    if settings.http.trusted_proxies:
        app.asgi_handler = wrap_asgi_with_proxy_headers(app.asgi_handler, list(settings.http.trusted_proxies))
    return app


def csrf_secret(keys: KeyRing) -> str:
    """What signs the tokens of forms: the same in every process of central and after a restart."""
    return hmac.digest(keys.links, b"csrf", "sha256").hex()


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
        hints = Hints(pool)
        central = Central(settings=settings, clock=clock, pool=pool, listener=listener, keys=keys, hints=hints)
        async with running(listener.run(), hints.run()):
            try:
                yield central
            finally:
                central.stopping.set()
