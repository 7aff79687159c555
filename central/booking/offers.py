"""Whether a wish can be offered at all, and what it needs: decided on the catalogue alone, before any seat is looked at."""

from datetime import date, datetime, timedelta

import msgspec

from central.booking.appointments import NotOffered, Wish
from central.booking.rules import starts_needed
from central.offices.catalogue import Catalogue, OfficeRecord, Pool, ServiceRecord
from central.settings import Booking
from sync.domain.service_day import service_date


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A wish that can be asked for.

    Args:
        starts: of the slots that it needs, ascending.
        today: the office's present service date.
    """

    office: OfficeRecord
    service: ServiceRecord
    pool: Pool
    starts: tuple[datetime, ...]
    service_date: date
    today: date

    @property
    def slot_start_at(self) -> datetime:
        return self.starts[0]


def offer_of(
    wish: Wish, catalogue: Catalogue, now: datetime, settings: Booking, *, chosen: bool = False
) -> Offer | NotOffered:
    """Find office, service and capacity of a wish.

    Args:
        chosen: the time was kept for this person while there was enough of it; it is theirs until it begins.
    """
    office = catalogue.offices.get(wish.office_id)
    service = catalogue.services.get(wish.service_id)
    if office is None:
        return NotOffered(reason="office_unknown")
    if service is None or not service.bookable:
        return NotOffered(reason="service_unknown")
    pool = office.pool_for(service.id)
    if pool is None:
        return NotOffered(reason="not_bookable_here")
    day, today = service_date(wish.slot_start_at, office.zone), service_date(now, office.zone)
    if wish.slot_start_at < now + timedelta(minutes=0 if chosen else settings.lead_min):
        return NotOffered(reason="too_late")
    if day > today + timedelta(days=settings.horizon_days):
        return NotOffered(reason="too_far")
    starts = starts_needed(wish.slot_start_at, service.duration_min, pool.capacity.slot_min)
    return Offer(office=office, service=service, pool=pool, starts=starts, service_date=day, today=today)
