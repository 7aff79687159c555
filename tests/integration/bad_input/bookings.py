"""The appointments of an office whose citizens bring every wrong code there is."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sync.domain.service_day import service_date
from sync.messages import feed as f
from tests.kit.edge import appointment, entities, token_text

ZONE = ZoneInfo("Africa/Ceuta")
LETTERS = "ACDEFGHJKMNPQRTUVWXY34679"
NOBODYS = "777777"
"""A locator that is never given out."""


class Bookings:
    """What central has told the office, and the codes that people hold.

    Args:
        now: on which service day "today" is.
    """

    def __init__(self, now: datetime | None = None) -> None:
        day = service_date(now or datetime.now(UTC), ZONE)
        self.today_at = datetime.combine(day, time(12), ZONE).astimezone(UTC)
        self._key = Ed25519PrivateKey.generate()
        self._numbers = itertools.count()
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.known = [self.booked() for _ in range(12)]
        self.cancelled = self.booked(status="cancelled", version=2)
        self.moved = self.booked(status="moved", version=2)
        self.tomorrow = self.booked(days=1)
        self.yesterday = self.booked(days=-1)
        self.rows: list[f.Entity] = [
            *entities(),
            f.QrKey(kid="k1", public_key=public),
            *self.known,
            self.cancelled,
            self.moved,
            self.tomorrow,
            self.yesterday,
        ]

    def booked(self, *, days: int = 0, **changes: Any) -> f.Appointment:
        """An appointment for today, or so many days from it."""
        number = next(self._numbers)
        locator = "AAAA" + LETTERS[number // len(LETTERS)] + LETTERS[number % len(LETTERS)]
        return appointment(self.today_at + timedelta(days=days), locator=locator, **changes)

    def code(self, row: f.Appointment, **changes: Any) -> str:
        """The booking token of an appointment, rightly signed; a row that has changed since has an older one."""
        printed = msgspec.structs.replace(row, version=1)
        return token_text(printed, self._key.sign, **changes)

    def forged(self) -> str:
        """A code that somebody else has signed."""
        return token_text(self.booked(), Ed25519PrivateKey.generate().sign)

    def altered(self) -> str:
        """A good code with one letter changed."""
        code = self.code(self.booked())
        head, _, signature = code.rpartition(".")
        return f"{head}.{'B' if signature[0] != 'B' else 'C'}{signature[1:]}"
