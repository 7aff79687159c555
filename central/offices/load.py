"""Puts a city file into the database and tells the offices. Repeating it changes nothing."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from central.exchange.feed import emit_all, entity_id, withdraw
from central.offices.calendar import official_holidays
from central.offices.city import DAYS, City, CityOffice, CityPool, CityService, CityStaff
from central.offices.entities import entities_of
from central.offices.store import queries, read_catalogue
from sync.domain.service_day import service_date
from sync.io.sign_in_door import HASHER
from sync.messages import codec
from sync.messages.feed import GLOBAL, Entity

log = structlog.get_logger(__name__)

FOREVER = datetime(2099, 12, 31, tzinfo=UTC)
_GLOBAL_KINDS = ("service", "holiday", "neighbour")
_OFFICE_KINDS = ("counter", "staff")


async def load_city(connection: Any, city: City, now: datetime) -> None:
    """Make the catalogue what the file says, in one transaction, and emit what changed to the feeds.

    Offices and services that the file no longer names stay as they are; counters, staff and hours of its offices are
    replaced. Hours that staff gave to single days stay; below a day that staff closed the file's hours wait until it is
    opened again.

    Args:
        city: a checked city (`read_city`).
        now: the instant of loading; holidays are loaded for its year and the next.
    """
    today = service_date(now, ZoneInfo(city.city.time_zone))
    async with connection.transaction():
        await connection.execute(queries.lock_catalogue)
        await _put_services(connection, city.services)
        await _put_holidays(connection, city, today)
        for position, office in enumerate(city.offices):
            await _put_office(connection, city, office, position, today)
        await publish(connection, today)
    log.info("city.loaded", offices=len(city.offices), services=len(city.services))


async def publish(connection: Any, today: date) -> None:
    """Emit the catalogue's rows that changed and withdraw those that are gone; last thing of a transaction."""
    catalogue = await read_catalogue(connection, today - timedelta(days=1))  # past days are no news any more
    entities = list(entities_of(catalogue))
    await connection.execute(queries.announce)
    for stream in sorted({stream for stream, _ in entities}):
        kinds = _GLOBAL_KINDS if stream == GLOBAL else _OFFICE_KINDS
        await emit_all(connection, [pair for pair in entities if pair[0] == stream])
        await _withdraw_gone(connection, stream, kinds, [entity for one, entity in entities if one == stream])


async def publish_hours(connection: Any, office: str, days: Iterable[date], note: str, today: date) -> None:
    """Open an office all of some service days, and tell it."""
    async with connection.transaction():
        await connection.execute(queries.lock_catalogue)
        for day in days:
            await connection.execute(queries.put_dated_hours, office, day, True, None, None, note, "staff")
        await publish(connection, today)


async def _withdraw_gone(connection: Any, stream: str, kinds: tuple[str, ...], entities: list[Entity]) -> None:
    kept = {(entity.KIND, entity_id(entity)) for entity in entities}
    for row in await connection.fetch(queries.fed_entities, stream, list(kinds)):
        if (row["kind"], row["entity_id"]) not in kept:
            await withdraw(connection, stream, row["kind"], row["entity_id"], version=row["version"] + 1)


async def _put_services(connection: Any, services: tuple[CityService, ...]) -> None:
    rows = [
        (
            service.id, position, service.family or service.id, _json(service.names), _json(service.summaries),
            _json(service.documents), service.online_url, service.series, service.duration_min, service.walk_in,
            service.bookable, service.sensitive, service.pictogram,
        )
        for position, service in enumerate(services)
    ]  # fmt: skip
    await connection.executemany(queries.put_service, rows)


async def _put_holidays(connection: Any, city: City, today: date) -> None:
    years = (today.year, today.year + 1)
    plan = city.holidays
    calendar = official_holidays(
        city.city.country, city.city.subdivision, years, confirmed=plan.confirmed, struck=plan.struck
    )
    await connection.execute(queries.clear_holidays, list(years))
    rows = [(holiday.day, _json(holiday.names), holiday.confirmed) for holiday in calendar.values()]
    await connection.executemany(queries.put_holiday, rows)


async def _put_office(connection: Any, city: City, office: CityOffice, position: int, today: date) -> None:
    policy = office.policy or city.policy
    await connection.execute(
        queries.put_office, office.id, position, office.name, office.address, office.phone or city.city.phone,
        _json(office.directions), office.latitude, office.longitude, city.city.time_zone, list(office.zones),
        office.spare_series, office.second_language, _json(policy), today,
    )  # fmt: skip
    await connection.execute(queries.clear_office_services, office.id)
    rows = [(office.id, service, place) for place, service in enumerate(office.services)]
    await connection.executemany(queries.put_office_service, rows)
    await _put_hours(connection, office)
    await _put_pools(connection, office)
    await _put_counters(connection, office)
    await _put_staff(connection, office)


async def _put_hours(connection: Any, office: CityOffice) -> None:
    await connection.execute(queries.clear_hours, office.id)
    weekly = [(office.id, DAYS.index(day), hours.opens, hours.closes) for hours in office.hours for day in hours.days]
    await connection.executemany(queries.put_hours, weekly)
    await connection.execute(queries.clear_dated_hours, office.id)
    await connection.execute(queries.clear_closed_over, office.id)
    dated = [(office.id, one.service_date, one.open, one.opens, one.closes, one.note) for one in office.exceptions]
    await connection.executemany(queries.put_dated_hours_unless_there, dated)
    await connection.executemany(queries.put_closed_over, dated)


async def _put_pools(connection: Any, office: CityOffice) -> None:
    await connection.execute(queries.retire_pools, office.id)
    await connection.execute(queries.clear_pool_bands, office.id)
    for pool in office.pools:
        await connection.execute(queries.put_pool, office.id, pool.id, list(pool.services), pool.slot_min, pool.seats)
        await connection.executemany(queries.put_pool_band, _bands(office.id, pool))


def _bands(office: str, pool: CityPool) -> list[tuple[Any, ...]]:
    return [
        (office, pool.id, DAYS.index(day), band.starts, band.ends, band.seats)
        for band in pool.bands
        for day in band.days
    ]


async def _put_counters(connection: Any, office: CityOffice) -> None:
    await connection.execute(queries.clear_counters, office.id)
    rows = [
        (office.id, counter.id, position, counter.zone, list(counter.primary), list(counter.secondary))
        for position, counter in enumerate(office.counters)
    ]
    await connection.executemany(queries.put_counter, rows)


async def _put_staff(connection: Any, office: CityOffice) -> None:
    known = {
        row["id"]: row["verifier"] for row in await connection.fetch(queries.staff) if row["office_id"] == office.id
    }
    rows = [
        (
            office.id, person.id, person.display_name, list(person.roles), _verifier(person, known),
            person.valid_until or FOREVER, person.demo_password is not None,
        )
        for person in office.staff
    ]  # fmt: skip
    await connection.execute(queries.clear_staff, office.id)
    await connection.executemany(queries.put_staff, rows)


def _verifier(person: CityStaff, known: Mapping[str, str]) -> str:
    """The verifier to store. A demo password that the stored one already fits keeps it: a new salt would be a change."""
    if person.verifier is not None:
        return person.verifier
    password = person.demo_password or ""
    stored = known.get(person.id, "")
    try:
        HASHER.verify(stored, password)
        if not HASHER.check_needs_rehash(stored):
            return stored
    except (VerifyMismatchError, InvalidHashError):
        pass
    return HASHER.hash(password)


def _json(value: Any) -> str:
    return codec.encode(value).decode()
