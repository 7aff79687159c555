"""A mail as booking queues it: all that its text says, in values. It is rendered when it is sent, then forgotten."""

from typing import Literal

import msgspec

from sync.messages.values import Instant, Language, Locator, Slug, Uuid

LetterKind = Literal["confirmed", "moved", "cancelled", "offered"]


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A message about one version of an appointment.

    Args:
        link: secret part of the appointment's address (`{public_url}/cita/{link}`).
        token: text of the QR code; empty when the appointment cannot be kept as it is.
        offer_office_id, offer_start_at: of `offered`: where and when it could be instead.
    """

    kind: LetterKind
    language: Language
    full_name: str
    office_id: Slug
    service_id: Slug
    slot_start_at: Instant
    duration_min: int
    locator: Locator
    link: str
    appointment_id: Uuid
    version: int
    token: str = ""
    offer_office_id: Slug | None = None
    offer_start_at: Instant | None = None
