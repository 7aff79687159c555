"""The handover slip: its layout, and what is not one."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.messages.codec import MalformedMessage
from sync.messages.handover_slip import MAX_LENGTH, HandoverSlip, SlipCard, looks_like_slip, minutes, read, write
from sync.messages.values import require_plausible

GOLDEN = Path(__file__).parents[3] / "golden" / "handover_slip.json"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SLIP = HandoverSlip(
    ticket_id="01a202c9-0000-7000-8000-000000000001",
    tenure=2,
    from_office="centro",
    epoch=1,
    to_office="puerto",
    service_date=date(2026, 11, 23),
    released_min=29_900_000,
    travel_min=15,
    card=SlipCard(
        label="A12",
        service="padron",
        origin="appointment",
        waited_ms=600_000,
        present_ms=650_000,
        follow_hash=bytes(range(32)),
        slot_start_at=datetime(2026, 11, 23, 9, tzinfo=UTC),
        duration_min=10,
        appointment_id="01a202c9-0000-7000-8000-000000000002",
    ),
)


def verify(office: str, epoch: int, signed: bytes, signature: bytes) -> bool:
    if (office, epoch) != ("centro", 1):
        return False
    try:
        KEY.public_key().verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def test_a_slip_is_what_it_was() -> None:
    text = write(SLIP, KEY.sign)
    assert read(text, verify) == SLIP
    assert looks_like_slip(text)
    assert len(text) < 480, "few enough modules for a slip of 80 mm"
    assert SLIP.ticket_card == msgspec.convert(msgspec.structs.asdict(SLIP.card), type(SLIP.ticket_card))


def test_a_slip_carries_the_rest_of_a_planned_visit() -> None:
    card = msgspec.structs.replace(SLIP.card, to_do=("padron", "registro", "certificados"), steps_done=1)
    text = write(msgspec.structs.replace(SLIP, card=card), KEY.sign)
    slip = read(text, verify)
    assert slip is not None
    assert (slip.ticket_card.to_do, slip.ticket_card.steps_done) == (("padron", "registro", "certificados"), 1)
    assert len(text) < 530


def test_the_layout_never_changes() -> None:
    assert write(SLIP, KEY.sign) == json.loads(GOLDEN.read_text(encoding="utf-8"))["slip"]


def test_any_changed_character_is_no_valid_slip() -> None:
    text = write(SLIP, KEY.sign)
    for at in range(3, len(text), 7):
        changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        try:
            assert read(changed, verify) in (None, SLIP)
            # the last letter of base64 has bits that say nothing
            assert read(changed, verify) is None or at in (text.rfind(".") - 1, len(text) - 1)
        except MalformedMessage:
            pass


@pytest.mark.parametrize(
    "text",
    ["", "H1.", "H1..", "H1.a.b", "V1.a.b", "H1.%%.aa", "H1." + "A" * MAX_LENGTH + ".AA", "H2.AA.AA", "H1.gaFh.AA"],
)
def test_what_is_no_slip(text: str) -> None:
    with pytest.raises(MalformedMessage):
        read(text, verify)


@pytest.mark.parametrize(
    "text, looks",
    [("H1.a.b", True), ("H27.a.b", True), ("V1.a.b", False), ("HX.a.b", False), ("H1.a", False), ("", False)],
)
def test_what_looks_like_one(text: str, looks: bool) -> None:
    assert looks_like_slip(text) is looks


def test_minutes_are_whole() -> None:
    at = datetime(2026, 11, 23, 8, 30, 59, tzinfo=UTC)
    assert msgspec.structs.replace(SLIP, released_min=minutes(at)).released_at == at.replace(second=0)


@pytest.mark.parametrize("said", [10**30, -(10**30), 2**40, -1])
def test_an_instant_that_no_clock_says_is_one_all_the_same(said: int) -> None:
    """A broken office may sign anything; whoever holds its slip stands at this one's counter."""
    require_plausible(msgspec.structs.replace(SLIP, released_min=said).released_at)
