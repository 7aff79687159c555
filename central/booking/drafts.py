"""The half-filled form of the booking wizard: kept by central under an opaque cookie, so that it works without script and
nothing personal stands in an address or a browser. Only the cookie's hash is stored.
"""

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from central.booking.changes import queries
from central.context import Central

_COOKIE_BYTES = 24


def new_draft_cookie() -> str:
    """A cookie for a new draft: 192 random bits."""
    return secrets.token_urlsafe(_COOKIE_BYTES)


class Drafts:
    """Reads and keeps drafts. A body is the portal's own encoding; nothing here looks inside."""

    def __init__(self, central: Central) -> None:
        self._central = central

    async def get(self, cookie: str) -> bytes | None:
        """The draft of a cookie; none if there is none or it is too old."""
        body: Any = await self._central.pool.fetchval(queries.draft, _hash(cookie), self._central.clock.now())
        return None if body is None else bytes(body)

    async def put(self, cookie: str, body: bytes) -> None:
        """Keep a draft for another half hour."""
        expires_at = self._central.clock.now() + timedelta(minutes=self._central.settings.booking.draft_min)
        await self._central.pool.execute(queries.put_draft, _hash(cookie), body, expires_at)

    async def drop(self, cookie: str) -> None:
        """Delete a draft: it was confirmed or given up."""
        await self._central.pool.execute(queries.drop_draft, _hash(cookie))


def _hash(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()
