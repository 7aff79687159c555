"""The console's web application: routes, errors, cross-site protection, headers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from litestar import Litestar, Router
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import State
from litestar.exceptions import PermissionDeniedException
from litestar.types import ASGIApp

from edge_node import health
from edge_node.console import page_routes as pages
from edge_node.console import routes as console
from edge_node.console.accounts import ACCOUNT_RETURN
from edge_node.console.command_endpoint import CommandEndpoint
from edge_node.console.frame import Frame
from edge_node.console.page_problems import on_denied
from edge_node.node import EdgeNode
from edge_node.practice.door import PracticeDoor
from edge_node.practice.rooms import Rooms
from edge_node.practice.rules import practice_cookie
from edge_node.problems import EXCEPTION_HANDLERS
from provisioning.single_sign_on import open_sign_on
from ui.csrf import without_stale_tokens
from ui.headers import with_page_headers

if TYPE_CHECKING:
    from sync.io.single_sign_on.sign_on import SignOn

MAX_BODY_BYTES = 64 * 1024


def create_app(node: EdgeNode) -> ASGIApp:
    """The application of a running node: commands first, everything else by the framework.

    Who practises gets the same pages about an invented office, from an application of its own only because of its forms: a
    form of practice is worth nothing at the real office, and the other way round.

    Raises:
        SettingsError: a file that single sign-on needs cannot be read.
    """
    rooms, frame = Rooms(node), Frame(node.settings)
    sign_on = open_sign_on(
        node.settings.single_sign_on,
        return_to=node.settings.single_sign_on.return_url.rstrip("/") + ACCOUNT_RETURN,
        seal=node.identity.csrf_secret.encode(),
        now=node.central_now,
    )

    def application(cookie: str, sign_on: SignOn | None) -> ASGIApp:
        return CommandEndpoint(node, with_page_headers(_framework(node, frame, rooms, cookie, sign_on)))

    real = application(node.cookie, sign_on)
    return PracticeDoor(node, rooms, real, partial(application, practice_cookie(node.cookie), None))


def _framework(node: EdgeNode, frame: Frame, rooms: Rooms, cookie: str, sign_on: SignOn | None) -> Litestar:
    forms = CSRFConfig(
        secret=node.identity.csrf_secret,
        cookie_name=f"{cookie}_csrf",
        header_name="x-csrf-token",
        cookie_secure=node.settings.http.secure_cookies,
    )
    app = Litestar(
        route_handlers=[*health.ROUTES, *console.ROUTES, *pages.ROUTES, *_account_pages(sign_on)],
        exception_handlers={**EXCEPTION_HANDLERS, PermissionDeniedException: on_denied},
        csrf_config=forms,
        request_max_body_size=MAX_BODY_BYTES,
        state=State({"node": node, "frame": frame, "rooms": rooms, "sign_on": sign_on}),
        openapi_config=None,
        logging_config=None,
    )
    app.asgi_handler = without_stale_tokens(app.asgi_handler, forms)
    return app


def _account_pages(sign_on: SignOn | None) -> list[Router]:
    if sign_on is None:
        return []
    from edge_node.console.account_pages import PAGES

    return [PAGES]
