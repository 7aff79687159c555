"""The codes of the appointments that are booked, for the start page's scanner: what their people have on page, paper or phone.

A booking without an address sends no mail that the mailbox could catch. The demo owns central's database and its keys, so it
reads the one and signs with the other as central does (docs/booking.md, the booking token); the city is not asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from provisioning.demo.plan import Places
from sync.io.sql import load
from sync.messages.booking_token import BookingToken, minutes, write

SQL = load("provisioning.demo", "bookings.sql")
SHOWN = 12
TIMEOUT_S = 2.0


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment as the scanner's box names it, and what the scanner reads."""

    token: str
    locator: str
    office: str
    slot_start_at: datetime


class Bookings:
    """Reads central's database; it may come and go."""

    def __init__(self, places: Places) -> None:
        self._settings_file = places.central_settings_file
        self._pool: Any = None
        self._key: Ed25519PrivateKey | None = None

    async def stop(self) -> None:
        if self._pool is not None:
            self._pool.terminate()

    async def coming(self, now: datetime) -> list[Code]:
        """The latest appointments; none while the database or its settings are not there."""
        with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError):
            if self._pool is None:
                self._open()
            async with asyncio.timeout(TIMEOUT_S):
                await self._pool
                return [self._code(row) for row in await self._pool.fetch(SQL.coming, now, SHOWN)]
        return []

    def _open(self) -> None:
        settings = tomllib.loads(self._settings_file.read_text(encoding="utf-8"))
        key = load_pem_private_key((Path(settings["keys"]["folder"]) / "booking-token.pem").read_bytes(), password=None)
        assert isinstance(key, Ed25519PrivateKey)
        self._key = key
        # One connection, made at first use and again after a restart of the server.
        self._pool = asyncpg.create_pool(settings["database"]["dsn"], min_size=0, max_size=1, timeout=TIMEOUT_S)

    def _code(self, row: Mapping[str, Any]) -> Code:
        assert self._key is not None
        public_key = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        token = BookingToken(
            kid=hashlib.sha256(public_key).hexdigest()[:8],
            appointment_id=str(row["appointment_id"]),
            version=row["version"],
            office_id=row["office_id"],
            service_id=row["service_id"],
            slot_start_min=minutes(row["slot_start_at"]),
            duration_min=row["duration_min"],
            locator=row["locator"],
        )
        return Code(
            token=write(token, self._key.sign),
            locator=row["locator"],
            office=row["office_id"],
            slot_start_at=row["slot_start_at"],
        )
