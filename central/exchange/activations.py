"""Activations: central's own word that a node speaks for its office from an epoch on, signed with central's own key.

A node keeps its activation and shows it with every hello, so a central that was restored to before a replacement learns of it
from the node itself. What is signed is fixed for ever: a context, a zero byte, and the encoded list [office, node, epoch,
public key].
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from central.keys import KeyRing
from sync.messages import codec
from sync.messages.wire import Activation

_CONTEXT = b"ventanilla activation v1\x00"


def activate(keys: KeyRing, *, office: str, node: str, epoch: int, public_key: bytes) -> Activation:
    """Sign that a node (by its public key, 32 raw bytes) is the office's from ``epoch`` on."""
    signature = keys.sign_activation(_said(office, node, epoch, public_key))
    return Activation(office=office, node=node, epoch=epoch, public_key=public_key, signature=signature)


def trusts(keys: KeyRing, shown: Activation) -> bool:
    """Whether central itself has signed an activation."""
    said = _said(shown.office, shown.node, shown.epoch, shown.public_key)
    try:
        Ed25519PublicKey.from_public_bytes(keys.activation_key).verify(shown.signature, said)
    except InvalidSignature:
        return False
    return True


def _said(office: str, node: str, epoch: int, public_key: bytes) -> bytes:
    return _CONTEXT + codec.encode([office, node, epoch, public_key])
