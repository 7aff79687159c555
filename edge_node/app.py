"""The console's web application: routes, errors, cross-site protection, headers."""

from __future__ import annotations

from litestar import Litestar
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import State
from litestar.exceptions import PermissionDeniedException
from litestar.types import ASGIApp

from edge_node import health
from edge_node.console import page_routes as pages
from edge_node.console import routes as console
from edge_node.console.command_endpoint import CommandEndpoint
from edge_node.console.frame import Frame
from edge_node.console.page_problems import on_denied
from edge_node.node import EdgeNode
from edge_node.problems import EXCEPTION_HANDLERS
from ui.csrf import without_stale_tokens
from ui.headers import with_page_headers

MAX_BODY_BYTES = 64 * 1024


def create_app(node: EdgeNode) -> ASGIApp:
    """The application of a running node: commands first, everything else by the framework."""
    return CommandEndpoint(node, with_page_headers(_framework(node)))


def _framework(node: EdgeNode) -> Litestar:
    forms = CSRFConfig(
        secret=node.identity.csrf_secret,
        cookie_name=f"{node.cookie}_csrf",
        header_name="x-csrf-token",
        cookie_secure=node.settings.http.secure_cookies,
    )
    app = Litestar(
        route_handlers=[*health.ROUTES, *console.ROUTES, *pages.ROUTES],
        exception_handlers={**EXCEPTION_HANDLERS, PermissionDeniedException: on_denied},
        csrf_config=forms,
        request_max_body_size=MAX_BODY_BYTES,
        state=State({"node": node, "frame": Frame(node.settings)}),
        openapi_config=None,
        logging_config=None,
    )
    app.asgi_handler = without_stale_tokens(app.asgi_handler, forms)
    return app
