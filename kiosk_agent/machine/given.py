"""A ticket that the kiosk gives by itself, as values: what the edge is told of it, and the slip. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec

from sync.messages.feed import Text
from sync.messages.topics import KioskTakeTicket, KioskTellReserved, Slip, progress_url
from sync.messages.values import Instant, Series, Slug, Uuid


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """The next number of the reserve, and all that a slip with it says.

    Args:
        telling_id: of the message that will tell the edge.
        names, zones: of the services on offer.
    """

    telling_id: Uuid
    service_date: date
    series: Series
    number: int
    follow_code: bytes
    issued_at: Instant
    office_name: str
    names: Mapping[Slug, Text]
    zones: Mapping[Slug, Slug]
    public_url: str

    @property
    def label(self) -> str:
        return f"{self.series}{self.number}"


def tale_of(offer: Offer, asked: KioskTakeTicket) -> KioskTellReserved:
    """What the edge is to be told. The time that has passed is filled in when it is."""
    return KioskTellReserved(
        request_id=offer.telling_id,
        ticket_id=asked.request_id,
        device=asked.device,
        service=asked.service,
        service_date=offer.service_date,
        series=offer.series,
        number=offer.number,
        elapsed_ms=0,
        follow_code=offer.follow_code,
        language=asked.language,
    )


def slip_of(offer: Offer, asked: KioskTakeTicket) -> Slip:
    """The paper. How many are ahead nobody knows who could be asked; without an address of central there is no page."""
    return Slip(
        ticket_id=asked.request_id,
        label=offer.label,
        office_name=offer.office_name,
        zone=offer.zones[asked.service],
        service_names=offer.names[asked.service],
        issued_at=offer.issued_at,
        language=asked.language,
        people_ahead=0,
        wait=None,
        follow_url=progress_url(offer.public_url, offer.follow_code) if offer.public_url else "",
        reserve=True,
        service=asked.service,
    )
