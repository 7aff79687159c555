"""The node's signature: a good one passes, and every way in which it can be wrong is told apart."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from sync.io.node_token import NodeClaims, body_hash, claimed, load_key, sign, verify

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
BODY = b'{"office":"centro"}'
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def token(key: Any = KEY, algorithm: str = "EdDSA", **changes: Any) -> str:
    claims: dict[str, Any] = {
        "node_id": "edge-centro",
        "office": "centro",
        "epoch": 1,
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 60,
        "aud": "ventanilla-central",
        "bh": body_hash(BODY),
    }
    return jwt.encode(claims | changes, key, algorithm=algorithm)


def test_a_signed_request_says_who_sent_it() -> None:
    signed = sign(KEY, node_id="edge-centro", office="centro", epoch=3, body=BODY, now=NOW)
    claims = verify(signed, PUBLIC, body=BODY, now=NOW)

    assert isinstance(claims, NodeClaims)
    assert claimed(signed) == claims
    assert (claims.node_id, claims.office, claims.epoch) == ("edge-centro", "centro", 3)


NOW_S = int(NOW.timestamp())


@pytest.mark.parametrize(
    "bad, fault",
    [
        ("", "token_malformed"),
        ("no-token", "token_malformed"),
        ("a.b.c", "token_malformed"),
        (token(epoch="one"), "token_malformed"),
        (token(key=None, algorithm="none"), "token_malformed"),
        (token(key="x" * 32, algorithm="HS256"), "token_malformed"),
        (token(key=Ed25519PrivateKey.from_private_bytes(bytes(32))), "bad_signature"),
        (token(aud="another"), "wrong_audience"),
        (token(bh=body_hash(b"other")), "wrong_body"),
        (token(exp=NOW_S + 121), "token_too_long"),
        (token(exp=NOW_S - 1), "token_too_long"),
        (token(iat=NOW_S + 31, exp=NOW_S + 90), "token_not_yet"),
        (token(iat=NOW_S - 60, exp=NOW_S), "token_expired"),
    ],
)
def test_a_wrong_token_is_refused_for_its_reason(bad: str, fault: str) -> None:
    assert verify(bad, PUBLIC, body=BODY, now=NOW) == fault


def test_a_changed_claim_breaks_the_signature() -> None:
    header, _, signature = token().split(".")
    payload = token(office="real").split(".")[1]

    assert verify(f"{header}.{payload}.{signature}", PUBLIC, body=BODY, now=NOW) == "bad_signature"


@pytest.mark.parametrize("ahead_s", [-59, 0, 29])
def test_a_small_clock_error_is_tolerated(ahead_s: int) -> None:
    signed = sign(KEY, node_id="n", office="centro", epoch=1, body=BODY, now=NOW + timedelta(seconds=ahead_s))
    assert isinstance(verify(signed, PUBLIC, body=BODY, now=NOW), NodeClaims)


@pytest.mark.parametrize("bad", ["", "x", "a..c", "a.%%%.c", f"a.{base64.urlsafe_b64encode(b'[1]').decode()}.c"])
def test_an_unreadable_token_claims_nothing(bad: str) -> None:
    assert claimed(bad) == "token_malformed"


def test_a_key_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "node.pem"
    path.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    assert load_key(path).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw) == PUBLIC
