"""The half-filled form of the booking wizard: kept by central under an opaque key, so that it works without script and
nothing personal stands in an address or a browser. Only the key's hash is stored.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from central.booking.changes import queries
from central.context import Central

_VISITOR_BYTES = 24


def new_visitor() -> str:
    """The secret of a new visitor, the first part of every key of theirs: 192 random bits."""
    return secrets.token_urlsafe(_VISITOR_BYTES)


class Drafts:
    """Reads and keeps drafts. A body is the portal's own encoding; nothing here looks inside."""

    def __init__(self, central: Central) -> None:
        self._central = central

    async def get(self, key: str) -> bytes | None:
        """The draft of a key; none if there is none or it is too old."""
        body: Any = await self._central.pool.fetchval(queries.draft, _hash(key), self._central.clock.now())
        return None if body is None else bytes(body)

    async def begin(self, key: str, body: bytes) -> None:
        """Keep a new draft under a new key, for half an hour."""
        await self._central.pool.execute(queries.begin_draft, _hash(key), body, self._expires_at())

    async def change(self, key: str, read: bytes, body: bytes) -> bool:
        """Replace what was read by something else and keep it for another half hour.

        Returns:
            Whether it was still there as it was read; if not, nothing is changed.
        """
        arguments = (_hash(key), read, body, self._expires_at())
        return bool(await self._central.pool.fetchval(queries.change_draft, *arguments))

    async def drop(self, key: str) -> None:
        """Delete a draft: it was confirmed or given up."""
        await self._central.pool.execute(queries.drop_draft, _hash(key))

    def _expires_at(self) -> datetime:
        return self._central.clock.now() + timedelta(minutes=self._central.settings.booking.draft_min)


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
