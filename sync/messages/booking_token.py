"""The booking token: what the QR of an appointment says. Layout only; signing and verifying are functions passed in.

``V1.`` + base64url(msgpack [kid, appointment_id, version, office_id, service_id, slot_start_min, duration_min,
locator]) + ``.`` + base64url(Ed25519 signature over all before the last dot). No padding. Nothing personal is inside.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from sync.messages.codec import MalformedMessage
from sync.messages.values import Locator, Slug, Uuid

PREFIX = "V1."
MAX_LENGTH = 512
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Sign = Callable[[bytes], bytes]
"""Signs bytes with the key that the token names; 64 bytes."""
Verify = Callable[[str, bytes, bytes], bool]
"""(kid, signed bytes, signature) -> whether a valid key of that kid made the signature."""


class BookingToken(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """An appointment as its QR states it. ``slot_start_min`` counts minutes since 1970-01-01T00:00Z."""

    kid: str
    appointment_id: Uuid
    version: int
    office_id: Slug
    service_id: Slug
    slot_start_min: int
    duration_min: int
    locator: Locator

    @property
    def slot_start_at(self) -> datetime:
        return _EPOCH + timedelta(minutes=self.slot_start_min)


def minutes(slot_start_at: datetime) -> int:
    """An instant as the token counts it, in minutes since 1970-01-01T00:00Z."""
    return int((slot_start_at - _EPOCH) // timedelta(minutes=1))


def looks_like_token(text: str) -> bool:
    """Whether a scanned text claims to be a booking token, of this or another version."""
    return len(text) <= MAX_LENGTH and text.count(".") == 2 and text[:1] == "V" and text[1 : text.find(".")].isdigit()


def write(token: BookingToken, sign: Sign) -> str:
    """Encode and sign a token."""
    signed = PREFIX + _to_text(msgspec.msgpack.encode(token))
    return signed + "." + _to_text(sign(signed.encode("ascii")))


def read(text: str, verify: Verify) -> BookingToken | None:
    """Decode a token; none when its signature is not valid.

    Raises:
        MalformedMessage: the text is no token of this version.
    """
    if len(text) > MAX_LENGTH or not text.startswith(PREFIX) or text.count(".") != 2:
        raise MalformedMessage("no booking token of version 1")
    signed, _, signature = text.rpartition(".")
    try:
        token = msgspec.msgpack.decode(_to_bytes(signed.removeprefix(PREFIX)), type=BookingToken)
        valid = verify(token.kid, signed.encode("ascii"), _to_bytes(signature))
    except (msgspec.MsgspecError, binascii.Error, UnicodeError, ValueError) as error:
        raise MalformedMessage("the booking token cannot be read") from error
    return token if valid else None


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _to_bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
