"""What changes when a city is loaded: the catalogue, the slots that follow from it, the key that tokens are signed with."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from central.booking.slots import plan_city, plan_office
from central.exchange.feed import emit
from central.keys import load_keys
from central.offices.city import City
from central.offices.load import load_city, publish_hours
from central.offices.store import read_catalogue
from central.settings import Settings
from sync.domain.service_day import service_date
from sync.messages.feed import GLOBAL, QrKey


async def load(connection: Any, *, settings: Settings, city: City, now: datetime) -> None:
    """Load a city, announce the token key, and make the slots of the booking horizon."""
    keys = load_keys(settings.keys)
    await load_city(connection, city, now)
    async with connection.transaction():
        await emit(connection, GLOBAL, QrKey(kid=keys.kid, public_key=keys.public_key))
    catalogue = await read_catalogue(connection, now.date() - timedelta(days=2))
    await plan_city(connection, catalogue, now, settings.booking.horizon_days)


async def open_offices(
    connection: Any, *, settings: Settings, offices: Iterable[str], days: int, note: str, now: datetime
) -> list[str]:
    """Open offices round the clock for some service days from the present one on, and make the slots.

    Returns:
        ids that no office has; the others were opened.
    """
    unknown = []
    for office_id in offices:
        catalogue = await read_catalogue(connection, now.date() - timedelta(days=2))
        if (office := catalogue.offices.get(office_id)) is None:
            unknown.append(office_id)
            continue
        today = service_date(now, office.zone)
        await publish_hours(connection, office_id, [today + timedelta(days=n) for n in range(days)], note, today)
        catalogue = await read_catalogue(connection, now.date() - timedelta(days=2))
        await plan_office(connection, catalogue, catalogue.offices[office_id], now, settings.booking.horizon_days)
    return unknown
