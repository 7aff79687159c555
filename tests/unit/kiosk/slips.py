"""A slip for the kiosk's tests, and how it changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from sync.messages.topics import Slip, WaitRange

ISSUED_AT = datetime(2026, 11, 26, 9, 14, tzinfo=UTC)

SLIP = Slip(
    ticket_id="01900000-0000-7000-8000-000000000001",
    label="K12",
    office_name="Real",
    zone="b",
    service_names={"es": "Empadronamiento"},
    issued_at=ISSUED_AT,
    language="es",
    people_ahead=3,
    wait=WaitRange(low_min=10, high_min=20),
    follow_url="http://citas.example:8010/t/AAAAAAAAAAAAAAAAAAAAAA",
)

EARLY = msgspec.structs.replace(
    SLIP,
    slot_start_at=ISSUED_AT + timedelta(minutes=40),
    callable_at=ISSUED_AT + timedelta(minutes=35),
    to_verify=True,
)


def changed(slip: Slip = SLIP, **fields: object) -> Slip:
    return msgspec.structs.replace(slip, **fields)
