"""Response headers that every page of every server carries. One place, because the templates are written for them."""

from collections.abc import Mapping
from typing import Final

from litestar.types import ASGIApp, Message, Receive, Scope, Send

# Everything comes from the page's own origin; no inline script or style, no frames, no plug-ins.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; media-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

PAGE_HEADERS: Final[dict[str, str]] = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def with_page_headers(app: ASGIApp, headers: Mapping[str, str] = PAGE_HEADERS) -> ASGIApp:
    """Every answer of an app carries the pages' headers, unless it has its own of that name.

    It goes around a whole app: middleware of a framework does not see what the framework itself refuses (an unknown path, a
    method, a form of another site).
    """
    wanted = {name.encode("ascii"): value.encode("ascii") for name, value in headers.items()}

    async def exchange(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                names = {name.lower() for name, _ in own}
                message["headers"] = own + [header for header in wanted.items() if header[0] not in names]
            await send(message)

        await app(scope, receive, send_with_headers)

    return exchange
