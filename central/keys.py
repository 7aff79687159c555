"""Central's secrets: what binds a booking to a person, what makes secret links, what signs booking tokens and activations.

Five files in one folder, read once at start. Making missing ones is for the demo and a first installation: a person key
that is lost unbinds all limits, a link key that is lost kills every link in every mail.
"""

import hashlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from central.settings import Keys
from provisioning.settings import SettingsError, read_secret

PERSON, LINKS, API, BOOKING_TOKEN = "person.key", "links.key", "api.key", "booking-token.pem"
ACTIVATION = "activation.pem"


@dataclass(frozen=True, slots=True, repr=False)
class KeyRing:
    """The keys in memory.

    Attributes:
        person: HMAC key over documents.
        links: HMAC key of secret links; cookies of drafts are signed by nothing, they are random.
        api: the bearer secret of booking over the API.
        kid: names the signing key: the first 8 hex digits of the SHA-256 of its public half.
        public_key: its public half, 32 raw bytes.
        activation_key: the public half of the key that makes a node an office's, 32 raw bytes.
    """

    person: bytes
    links: bytes
    api: str
    kid: str
    public_key: bytes
    activation_key: bytes
    _sign: Callable[[bytes], bytes]
    _sign_activation: Callable[[bytes], bytes]

    def sign(self, data: bytes) -> bytes:
        """Sign what a booking token says (Ed25519, 64 bytes)."""
        return self._sign(data)

    def sign_activation(self, data: bytes) -> bytes:
        """Sign that a node speaks for its office (Ed25519, 64 bytes); central.exchange.activations says what."""
        return self._sign_activation(data)


def load_keys(settings: Keys) -> KeyRing:
    """Read the five files.

    Raises:
        SettingsError: one is missing (and `create_missing` is off) or is not a key; names the file.
    """
    if settings.create_missing:
        _create_missing(settings.folder)
    signing = _read_signing_key(settings.folder / BOOKING_TOKEN)
    activating = _read_signing_key(settings.folder / ACTIVATION)
    public_key = _public(signing)
    return KeyRing(
        person=_read_hash_key(settings.folder / PERSON),
        links=_read_hash_key(settings.folder / LINKS),
        api=read_secret(settings.folder / API),
        kid=hashlib.sha256(public_key).hexdigest()[:8],
        public_key=public_key,
        activation_key=_public(activating),
        _sign_activation=activating.sign,
        # Letter, page and API say the same token within a moment; Ed25519 signs the same bytes the same way.
        _sign=lru_cache(maxsize=1024)(signing.sign),
    )


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _read_hash_key(path: Path) -> bytes:
    try:
        return bytes.fromhex(read_secret(path))
    except ValueError as error:
        raise SettingsError(str(path), "", "is not a key of hexadecimal digits") from error


def _read_signing_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(read_secret(path).encode("ascii"), password=None)
    except (ValueError, TypeError) as error:
        raise SettingsError(str(path), "", "is not a PEM private key without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(str(path), "", "is not an Ed25519 key")
    return key


def _create_missing(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in (PERSON, LINKS, API):
        _create(folder / name, lambda: secrets.token_hex(32).encode("ascii"))
    for name in (BOOKING_TOKEN, ACTIVATION):
        _create(folder / name, _new_signing_key)


def _new_signing_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _create(path: Path, make: Callable[[], bytes]) -> None:
    """Write a new file that only its owner can read; an existing one is left alone, also if it appears just now."""
    if path.exists():
        return
    fresh = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(make())
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
