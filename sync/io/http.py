"""How bodies of the sync protocol travel over HTTP: gzip above a size, and never more inflated than a cap.

The hash that a request's signature covers is over the bytes as they are sent (compressed, if they were), so that a receiver
checks who sent a body before it inflates a single byte of it.
"""

from __future__ import annotations

import gzip
import zlib
from typing import Final

import msgspec

from sync.messages.wire import GZIP_ABOVE_BYTES, MAX_INFLATED_BYTES

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
PROBLEM_JSON: Final = "application/problem+json"

_GZIP = 16 + zlib.MAX_WBITS


class BodyError(ValueError):
    """A body that cannot be read. ``code`` is stable: ``body_encoding``, ``body_truncated`` or ``body_too_large``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error body (RFC 9457). ``code`` is what programs read; ``server_time`` comes with every 401."""

    status: int
    code: str
    title: str = ""
    detail: str = ""
    server_time: str = ""


def pack(body: bytes) -> tuple[bytes, dict[str, str]]:
    """The bytes to send and the headers that say how to read them; small bodies stay as they are."""
    headers = {"content-type": JSON}
    if len(body) <= GZIP_ABOVE_BYTES:
        return body, headers
    # A constant time in the gzip header: equal bodies are equal on the wire.
    return gzip.compress(body, compresslevel=6, mtime=0), headers | {"content-encoding": "gzip"}


def unpack(body: bytes, encoding: str | None, *, cap_bytes: int = MAX_INFLATED_BYTES) -> bytes:
    """The JSON bytes of a received body.

    Raises:
        BodyError: unknown encoding, damaged or truncated gzip, bytes behind its end, or more than ``cap_bytes``.
    """
    if encoding in (None, "", "identity"):
        if len(body) > cap_bytes:
            raise BodyError("body_too_large")
        return body
    if encoding != "gzip":
        raise BodyError("body_encoding")
    return _inflate(body, cap_bytes)


def _inflate(body: bytes, cap_bytes: int) -> bytes:
    stream = zlib.decompressobj(_GZIP)
    try:
        inflated = stream.decompress(body, cap_bytes + 1)
    except zlib.error:
        raise BodyError("body_encoding") from None
    if len(inflated) > cap_bytes:
        raise BodyError("body_too_large")
    if not stream.eof:
        raise BodyError("body_truncated")
    if stream.unused_data:
        raise BodyError("body_encoding")
    return inflated
