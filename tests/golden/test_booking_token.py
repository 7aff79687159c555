"""The booking token's bytes never change: printed QR codes outlive builds."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.messages.booking_token import MAX_LENGTH, BookingToken, looks_like_token, read, write
from sync.messages.codec import MalformedMessage

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "booking_token.json").read_text("utf-8"))
TOKEN: str = GOLDEN["token"]


def verify(kid: str, data: bytes, signature: bytes) -> bool:
    """As an edge does, with one known key."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(GOLDEN["public_key"])).verify(signature, data)
    except InvalidSignature:
        return False
    return kid == str(GOLDEN["fields"]["kid"])


def test_writing_gives_the_golden_token() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(GOLDEN["seed"]))
    assert write(BookingToken(**GOLDEN["fields"]), key.sign) == TOKEN


def test_reading_gives_its_fields() -> None:
    token = read(TOKEN, verify)
    assert token == BookingToken(**GOLDEN["fields"])
    assert token is not None
    assert token.slot_start_at.isoformat() == GOLDEN["slot_start_at"]
    assert looks_like_token(TOKEN)
    assert len(TOKEN) < 250  # a QR of version 10 at error correction M, large enough modules on paper and on a phone


@pytest.mark.parametrize("place", range(len("V1."), len(TOKEN) - 1, 7))
def test_no_changed_character_is_accepted(place: int) -> None:
    other = "A" if TOKEN[place] != "A" else "B"
    changed = TOKEN[:place] + other + TOKEN[place + 1 :]
    with suppress(MalformedMessage):  # often not even the form survives
        assert read(changed, verify) is None


@pytest.mark.parametrize(
    "text", ["", "V1.", "V1..", "V2." + TOKEN[3:], TOKEN + ".x", TOKEN[:-1] + "é", "V1.!!.!!", "x" * (MAX_LENGTH + 1)]
)
def test_garbage_is_malformed(text: str) -> None:
    with pytest.raises(MalformedMessage):
        read(text, verify)


def test_a_key_of_another_name_does_not_count() -> None:
    assert read(TOKEN, lambda kid, data, signature: verify("other", data, signature)) is None
