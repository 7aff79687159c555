"""Bodies: what is compressed, and how a bad or too big one is refused."""

from __future__ import annotations

import gzip

import pytest

from sync.io.http import PIECE_BYTES, BodyError, Unpacker, pack, unpack


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


@pytest.mark.parametrize("cut", [1, 7, 10_000])
def test_a_body_is_inflated_as_it_comes(cut: int) -> None:
    body = bytes(range(256)) * 2000
    for encoding, sent in (("gzip", gzip.compress(body, mtime=0)), (None, body)):
        unpacker = Unpacker(encoding, cap_bytes=len(body))
        pieces = [piece for at in range(0, len(sent), cut) for piece in unpacker.pieces(sent[at : at + cut])]
        unpacker.end()
        assert b"".join(pieces) == body
        assert max(map(len, pieces)) <= PIECE_BYTES


@pytest.mark.parametrize(
    "encoding, sent, code",
    [
        ("gzip", gzip.compress(bytes(10**6), mtime=0), "body_too_large"),
        (None, bytes(1001), "body_too_large"),
        ("gzip", gzip.compress(bytes(1000), mtime=0)[:-4], "body_truncated"),
        ("gzip", gzip.compress(b"x", mtime=0) + b"more", "body_encoding"),
        ("gzip", b"no gzip at all", "body_encoding"),
        ("br", b"", "body_encoding"),
    ],
)
def test_a_body_that_cannot_be_right_ends_its_reading(encoding: str | None, sent: bytes, code: str) -> None:
    with pytest.raises(BodyError) as refused:
        read(sent, encoding)
    assert refused.value.code == code


def read(sent: bytes, encoding: str | None) -> bytes:
    unpacker = Unpacker(encoding, cap_bytes=1000)
    body = b"".join(unpacker.pieces(sent))
    unpacker.end()
    return body
