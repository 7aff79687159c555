"""How bodies of the sync protocol travel over HTTP: gzip above a size, and never more inflated than a cap.

The hash that a request's signature covers is over the bytes as they are sent (compressed, if they were), so that a receiver
checks who sent a body before it inflates a single byte of it.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import Final

import msgspec

from sync.messages.wire import GZIP_ABOVE_BYTES, MAX_INFLATED_BYTES

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
PROBLEM_JSON: Final = "application/problem+json"

PIECE_BYTES: Final = 64 * 1024
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


class Unpacker:
    """Reads a body as it comes, in pieces of a bounded size and up to a cap, however small it was packed.

    Args:
        encoding: of the body: ``gzip``, or none.
        cap_bytes: most inflated bytes.
    """

    def __init__(self, encoding: str | None, *, cap_bytes: int) -> None:
        if encoding not in (None, "", "identity", "gzip"):
            raise BodyError("body_encoding")
        self._stream = zlib.decompressobj(_GZIP) if encoding == "gzip" else None
        self._left = cap_bytes

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """The inflated bytes of the next part of a body.

        Raises:
            BodyError: damaged gzip, bytes behind its end, or more than the cap.
        """
        while data:
            piece, data = self._next(data)
            self._left -= len(piece)
            if self._left < 0:
                raise BodyError("body_too_large")
            if piece:
                yield piece

    def end(self) -> None:
        """The body has ended.

        Raises:
            BodyError: a packed one in the middle.
        """
        if self._stream is not None and not self._stream.eof:
            raise BodyError("body_truncated")

    def _next(self, data: bytes) -> tuple[bytes, bytes]:
        if self._stream is None:
            return data[:PIECE_BYTES], data[PIECE_BYTES:]
        if self._stream.eof:
            raise BodyError("body_encoding")
        try:
            piece = self._stream.decompress(data, PIECE_BYTES)
        except zlib.error:
            raise BodyError("body_encoding") from None
        return piece, self._stream.unconsumed_tail or self._stream.unused_data


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
