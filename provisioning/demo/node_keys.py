"""The key of a demo's node: the private half stays with it, the public half goes to central."""

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provisioning.launchers.files import write_whole


def ensure_node_key(private: Path) -> Path:
    """Make the key unless it is there; returns the public half's file, which is made anew whenever it is missing."""
    public = private.with_suffix(".pub.pem")
    if not private.exists():
        write_whole(private, _pem(Ed25519PrivateKey.generate()), mode=0o600)
        public.unlink(missing_ok=True)
    if not public.exists():
        key = serialization.load_pem_private_key(private.read_bytes(), password=None)
        kind, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        write_whole(public, key.public_key().public_bytes(kind, form))
    return public


def _pem(key: Ed25519PrivateKey) -> bytes:
    kind, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(kind, form, serialization.NoEncryption())
