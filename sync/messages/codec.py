"""One way to write and read JSON, for everything that is hashed, stored or sent.

Bodies are encoded once, with sorted keys and without floats, and kept as those bytes on both sides: a hash is always
over bytes that were really sent, never over a second encoding of them.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_encoder = msgspec.json.Encoder(order="sorted")


class MalformedMessage(ValueError):
    """The bytes are not a message of the wanted shape. ``detail`` says where, without quoting the content."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


def encode(message: Any) -> bytes:
    """Encode a message as sorted JSON bytes."""
    return _encoder.encode(message)


def decode(data: bytes | str, shape: type[T]) -> T:
    """Decode JSON bytes into ``shape``.

    Raises:
        MalformedMessage: the bytes are not JSON, or do not fit the shape.
    """
    try:
        return msgspec.json.decode(data, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessage(str(error)) from error
