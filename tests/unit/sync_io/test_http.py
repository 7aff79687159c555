"""Bodies: what is compressed, and how a bad or too big one is refused."""

from __future__ import annotations

import gzip

import pytest

from sync.io.http import BodyError, pack, unpack


@pytest.mark.parametrize("size, compressed", [(0, False), (1024, False), (1025, True), (100_000, True)])
def test_bodies_above_a_kibibyte_are_compressed(size: int, compressed: bool) -> None:
    body = b"x" * size
    sent, headers = pack(body)

    assert ("content-encoding" in headers) is compressed
    assert unpack(sent, headers.get("content-encoding")) == body


@pytest.mark.parametrize(
    "body, encoding, code",
    [
        (gzip.compress(b"0" * 5000, mtime=0), "gzip", "body_too_large"),
        (b"0" * 1001, None, "body_too_large"),
        (gzip.compress(b"0" * 1000, mtime=0)[:-5], "gzip", "body_truncated"),
        (b"", "gzip", "body_truncated"),
        (gzip.compress(b"0", mtime=0) + b"more", "gzip", "body_encoding"),
        (b"plain", "gzip", "body_encoding"),
        (b"plain", "br", "body_encoding"),
    ],
)
def test_a_bad_body_is_refused_with_its_code(body: bytes, encoding: str | None, code: str) -> None:
    with pytest.raises(BodyError) as caught:
        unpack(body, encoding, cap_bytes=1000)
    assert caught.value.code == code


def test_a_body_of_exactly_the_cap_passes() -> None:
    assert unpack(gzip.compress(b"0" * 1000, mtime=0), "gzip", cap_bytes=1000) == b"0" * 1000
