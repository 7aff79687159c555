"""Annotated types shared by all messages, so that a bad value is refused where it enters.

Ids of offices, services, counters and devices are slugs; everything else is a UUID in canonical text form.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

Uuid = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", max_length=36)
]
"""A UUID as canonical lower-case text. Never parsed for the time inside."""

Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=40)]
"""An id that people choose: ``centro``, ``padron``, ``1``, ``kiosk-1``."""

AnnouncementId = Annotated[str, msgspec.Meta(pattern=r"^([0-9]+\.[0-9]+)?$", max_length=40)]
"""``epoch.seq`` of the fact that called or recalled a ticket; empty where a message of an older build does not say."""

Label = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][1-9][0-9]{0,2}$", max_length=4)]
"""The printed code of a ticket, shown and spoken as printed: ``K12``."""

Series = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]$", max_length=1)]
"""The letter of a series of labels."""

Locator = Annotated[str, msgspec.Meta(pattern=r"^[ACDEFGHJKMNPQRTUVWXY34679]{6}$", max_length=6)]
"""The short code of an appointment, without the hyphen it is shown with."""

Language = Annotated[str, msgspec.Meta(pattern=r"^(es|en|fr|ar)$")]
"""A language of the citizens' screens."""

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""An aware UTC instant, truncated to milliseconds by the clock that made it."""

_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def is_plausible(*instants: datetime | None) -> bool:
    """Whether each of the instants, if any, is one that some clock says."""
    return all(at is None or _EARLIEST <= at < _LATEST for at in instants)


def require_plausible(*instants: datetime | None) -> None:
    """Refuse instants that no clock says, however wrong: near the calendar's ends, sums and time zones leave it.

    Raises:
        ValueError: one lies before 1900 or after 2199.
    """
    if not is_plausible(*instants):
        raise ValueError("an instant lies outside of the years 1900 to 2199")


Seq = Annotated[int, msgspec.Meta(ge=0)]
"""A position in a dense sequence. The first row of a sequence is 1; 0 is 'nothing yet'."""

Tenure = Annotated[int, msgspec.Meta(ge=1)]
"""The number of a ticket's holder: 1 for the office that issued it, one more with each move."""

Note = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=140)]
"""A line that staff write for each other. May name a person: it stays in the office, in no fact and no log."""

Hash = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
"""A SHA-256 digest (base64 in JSON)."""

GENESIS: bytes = bytes(32)
"""The hash before the first row of every chain."""


class SeatRef(msgspec.Struct, frozen=True, array_like=True):
    """One seat: the slot's id and the number within it."""

    slot_id: Uuid
    seat_no: Annotated[int, msgspec.Meta(ge=1)]
