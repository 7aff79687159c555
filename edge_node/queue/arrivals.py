"""Who has arrived: from a scanned code, a typed locator or a line of the agenda to the command that checks them in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge_node.queue.state import OfficeState
from sync.domain.check_in import Agenda, Arrival, by_locator, by_scan
from sync.domain.outcomes import refuse
from sync.domain.slips import check
from sync.messages import handover_slip
from sync.messages.booking_token import Verify
from sync.messages.feed import NodeKey, QrKey
from sync.messages.handover_slip import HandoverSlip
from sync.messages.refusals import Refusal


class Shown(NamedTuple):
    """What somebody who arrives has: a scanned code, a typed locator, or a line of the agenda that a clerk chose."""

    how: Literal["scanned", "locator", "appointment"]
    text: str


def arrival_of(state: OfficeState, shown: Shown, now: datetime) -> Arrival | Refusal:
    """The appointment that somebody has arrived for."""
    match shown.how:
        case "scanned":
            return arrival_of_scan(state, shown.text, now)
        case "locator":
            return arrival_of_locator(state, shown.text, now)
        case "appointment":
            return arrival_of_appointment(state, shown.text, now)


def arrival_of_scan(state: OfficeState, scanned: str, now: datetime) -> Arrival | Refusal:
    """The appointment of what a scanner read."""
    return by_scan(scanned, state.agenda, state.here(now), verifier(state.configuration.qr_keys))


def arrival_of_locator(state: OfficeState, typed: str, now: datetime) -> Arrival | Refusal:
    """The appointment of what somebody typed."""
    return by_locator(typed, state.agenda, state.here(now))


def arrival_of_appointment(state: OfficeState, appointment_id: str, now: datetime) -> Arrival | Refusal:
    """The appointment that a clerk chose in the agenda."""
    row = state.agenda.by_id.get(appointment_id)
    if row is None:
        return refuse("booking_unknown")
    return by_locator(row.locator, Agenda.of([row]), state.here(now))


def shown_slip(state: OfficeState, scanned: str) -> HandoverSlip | Refusal:
    """The handover slip of what a scanner read."""
    nodes = state.configuration.catalogue.nodes
    return check(scanned.strip(), state.office, nodes, slip_verifier(nodes))


def slip_verifier(nodes: Mapping[str, NodeKey]) -> handover_slip.Verify:
    """Verifies slips with the keys of the city's nodes; an unknown office, or an epoch that has passed, is no valid signature."""

    def verify(office: str, epoch: int, signed: bytes, signature: bytes) -> bool:
        node = nodes.get(office)
        return node is not None and node.epoch == epoch and _is_signed(node.public_key, signed, signature)

    return verify


def verifier(keys: Mapping[str, QrKey]) -> Verify:
    """Verifies booking tokens with the public keys that the feed brought; an unknown kid is no valid signature."""

    def verify(kid: str, signed: bytes, signature: bytes) -> bool:
        key = keys.get(kid)
        return key is not None and _is_signed(key.public_key, signed, signature)

    return verify


def _is_signed(public_key: bytes, signed: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True
