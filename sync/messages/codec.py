"""One way to write and read JSON, for everything that is hashed, stored or sent.

Bodies are encoded once, with sorted keys and without floats, and kept as those bytes on both sides: a hash is always
over bytes that were really sent, never over a second encoding of them.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_encoder = msgspec.json.Encoder(order="sorted")
_QUOTED = re.compile(r"""(value |unknown field )(["'`]).*\2""", re.DOTALL)
"""Where a decoder's message repeats what it was given: it may be a name, and as long as the body."""
_NO_TEXT = "not UTF-8"


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
    except UnicodeDecodeError:
        raise MalformedMessage(_NO_TEXT) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedMessage(_QUOTED.sub(r"\1…", str(error))) from None
