"""The signature of a node on each request: a JWT (EdDSA, RFC 8037) that covers the body's bytes as sent.

``{node_id, office, epoch, iat, exp, aud, bh}``; ``bh`` is the base64url SHA-256 of the body, a life is at most 120 seconds.
TLS often ends at an administration's own proxy, so the signature, not the channel, says who speaks. A replayed request is
harmless (everything is idempotent); the short life bounds it all the same.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sync.messages.values import Slug

AUDIENCE: Final = "ventanilla-central"
MAX_LIFE_S: Final = 120
LIFE_S: Final = 60
EARLY_S: Final = 30
"""How far ahead of the receiver's clock ``iat`` may be: the sender's offset is only an estimate."""

_jws = jwt.PyJWS(algorithms=["EdDSA"])

TokenFault = Literal[
    "token_malformed",
    "bad_signature",
    "wrong_audience",
    "wrong_body",
    "token_expired",
    "token_not_yet",
    "token_too_long",
]


class NodeClaims(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed, for which office and life of its node. ``iat`` and ``exp`` are POSIX seconds."""

    node_id: Slug
    office: Slug
    epoch: int
    iat: int
    exp: int
    aud: str
    bh: str


def load_key(path: Path) -> Ed25519PrivateKey:
    """Read a node's private key (PEM, PKCS 8).

    Raises:
        ValueError: the file holds no Ed25519 key.
    """
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path} is not an Ed25519 key")  # noqa: TRY004 - the file's content is wrong, not a type
    return key


def sign(key: Ed25519PrivateKey, *, node_id: str, office: str, epoch: int, body: bytes, now: datetime) -> str:
    """A token for one request. ``now`` is the signer's wall clock corrected by the server's known offset."""
    issued = int(now.timestamp())
    claims = NodeClaims(
        node_id=node_id,
        office=office,
        epoch=epoch,
        iat=issued,
        exp=issued + LIFE_S,
        aud=AUDIENCE,
        bh=body_hash(body),
    )
    return _jws.encode(msgspec.json.encode(claims), key, algorithm="EdDSA", headers={"typ": "JWT"})


def claimed(token: str) -> NodeClaims | TokenFault:
    """What a token says before anybody believes it: enough to look up the key that must have signed it."""
    try:
        payload = token.split(".")[1]
        data = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        return msgspec.json.decode(data, type=NodeClaims)
    except (IndexError, ValueError, binascii.Error, RecursionError):  # msgspec's errors are ValueErrors
        return "token_malformed"


def verify(token: str, public_key: bytes, *, body: bytes, now: datetime) -> NodeClaims | TokenFault:
    """Check signature, audience, body and life of a token.

    ``public_key`` is the 32 raw bytes registered for the claimed node; ``body`` is as received, before it is inflated.
    """
    try:
        payload = _jws.decode(token, Ed25519PublicKey.from_public_bytes(public_key), algorithms=["EdDSA"])
        claims = msgspec.json.decode(payload, type=NodeClaims)
    except jwt.InvalidSignatureError:
        return "bad_signature"
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return "token_malformed"
    if claims.aud != AUDIENCE:
        return "wrong_audience"
    if claims.bh != body_hash(body):
        return "wrong_body"
    return _fault_of_life(claims, now.timestamp()) or claims


def _fault_of_life(claims: NodeClaims, now_s: float) -> TokenFault | None:
    if not 0 < claims.exp - claims.iat <= MAX_LIFE_S:
        return "token_too_long"
    if claims.iat > now_s + EARLY_S:
        return "token_not_yet"
    return "token_expired" if now_s >= claims.exp else None


def body_hash(body: bytes) -> str:
    """``bh``: base64url without padding of the SHA-256 of the bytes as sent."""
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
