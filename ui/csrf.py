"""Tokens of forms that no longer hold: signed with a key that this server does not have any more, or made up.

The framework keeps whatever cookie a browser brings and puts its token into the next form, which is then refused, for ever. A
token that does not hold is taken out of the request here, so that the browser gets a new one with the next page.
"""

from __future__ import annotations

from hmac import compare_digest

from litestar.config.csrf import CSRFConfig
from litestar.enums import ScopeType
from litestar.middleware.csrf import CSRF_SECRET_LENGTH, generate_csrf_hash
from litestar.types import ASGIApp, Receive, Scope, Send


def is_signed(token: str, secret: str) -> bool:
    """Whether a token was made with this secret."""
    stem, signature = token[:CSRF_SECRET_LENGTH], token[CSRF_SECRET_LENGTH:]
    return compare_digest(signature.encode(), generate_csrf_hash(token=stem, secret=secret).encode())


def without_stale_tokens(app: ASGIApp, config: CSRFConfig) -> ASGIApp:
    """An app to which no cookie comes whose token its own secret did not sign. It goes around the whole app."""

    async def exchange(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            passed = [
                (name, _without_stale(value, config) if name == b"cookie" else value)
                for name, value in scope["headers"]
            ]
            scope["headers"] = [header for header in passed if header != (b"cookie", b"")]
        await app(scope, receive, send)

    return exchange


def _without_stale(header: bytes, config: CSRFConfig) -> bytes:
    pairs = header.split(b";")
    kept = [pair for pair in pairs if not _is_stale(pair.decode("latin-1"), config)]
    return header if len(kept) == len(pairs) else b";".join(kept)


def _is_stale(pair: str, config: CSRFConfig) -> bool:
    name, _, value = pair.strip().partition("=")
    return name == config.cookie_name and not is_signed(value.strip('"'), config.secret)
