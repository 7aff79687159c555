"""Reads the catalogue from Postgres, and keeps one copy in memory that follows the database."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import msgspec
import structlog

from central.listening import Listener
from central.offices.catalogue import Catalogue, OfficeRecord, Pool, ServiceRecord
from central.offices.rules import Band, Capacity
from sync.io.clock import Clock
from sync.io.sql import load
from sync.messages.feed import Counter, DatedHours, Holiday, OfficePolicy, OpeningHours, SecondFactor, Staff
from sync.messages.policy import Policy

log = structlog.get_logger(__name__)

queries = load("central.offices")

CHANNEL = "catalogue"
RELOAD_AFTER_S = 60
STAFF_ROLES = {"clerk", "supervisor"}
"""The roles that mean something at an office; managers and admins sign in at central only."""

Rows = dict[str, list[dict[str, Any]]]


async def read_catalogue(connection: Any, since: date) -> Catalogue:
    """Read all of it. The caller's transaction makes it one state.

    Args:
        since: dated hours before this service date are left out.
    """
    offices = await connection.fetch(queries.offices)
    services = await connection.fetch(queries.services)
    holidays = await connection.fetch(queries.holidays)
    parts = {
        name: _by_office(await connection.fetch(queries[name]))
        for name in ("office_services", "hours", "counters", "staff", "pools", "pool_bands", "policies")
    }
    parts["dated_hours"] = _by_office(await connection.fetch(queries.dated_hours, since))
    return Catalogue(
        offices={row["id"]: _office(dict(row), parts) for row in offices},
        services={row["id"]: _service(dict(row)) for row in services},
        holidays={row["day"]: _holiday(dict(row)) for row in holidays},
    )


class CatalogueCopy:
    """The catalogue in memory. It is read again when somebody says that it changed, and every minute in any case."""

    def __init__(self, pool: Any, clock: Clock, listener: Listener) -> None:
        self._pool = pool
        self._clock = clock
        self._copy: Catalogue | None = None
        self._read_ns = 0
        self._changes = 0
        listener.subscribe(CHANNEL, self._forget)

    async def current(self) -> Catalogue:
        """The catalogue as of at most a minute ago."""
        age_s = (self._clock.monotonic_ns() - self._read_ns) / 1e9
        if self._copy is not None and age_s < RELOAD_AFTER_S:
            return self._copy
        started_ns, changes = self._clock.monotonic_ns(), self._changes
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            copy = await read_catalogue(connection, self._clock.now().date() - timedelta(days=2))
        if changes == self._changes:  # else it changed while we read: the next one reads again
            self._copy, self._read_ns = copy, started_ns
        return copy

    def _forget(self, _payload: str | None) -> None:
        self._changes += 1
        self._copy = None


def _by_office(rows: Iterable[Any]) -> Rows:
    grouped: Rows = defaultdict(list)
    for row in rows:
        fields = dict(row)
        grouped[fields.pop("office_id")].append(fields)
    return grouped


def _office(row: dict[str, Any], parts: dict[str, Rows]) -> OfficeRecord:
    office = row["id"]
    bands = parts["pool_bands"].get(office, [])
    staff = [_member(one) for one in parts["staff"].get(office, [])]
    return OfficeRecord(
        **{
            **row,
            "zones": tuple(row["zones"]),
            "directions": msgspec.json.decode(row["directions"], type=dict[str, str]),
            "policy": msgspec.json.decode(row["policy"], type=Policy),
        },
        policies=tuple(
            OfficePolicy(effective_from=one["effective_from"], policy=msgspec.json.decode(one["policy"], type=Policy))
            for one in parts["policies"].get(office, [])
        ),
        services=tuple(one["service_id"] for one in parts["office_services"].get(office, [])),
        hours=msgspec.convert(parts["hours"].get(office, []), tuple[OpeningHours, ...]),
        exceptions=msgspec.convert(parts["dated_hours"].get(office, []), tuple[DatedHours, ...]),
        counters=msgspec.convert(parts["counters"].get(office, []), tuple[Counter, ...]),
        staff=msgspec.convert([one for one in staff if one["roles"]], tuple[Staff, ...]),
        pools=tuple(_pool(pool, bands) for pool in parts["pools"].get(office, [])),
    )


def _member(row: dict[str, Any]) -> dict[str, Any]:
    """A row of staff as the feed tells it."""
    secret, recovery = row.pop("secret"), row.pop("recovery")
    factor = SecondFactor(secret=secret, recovery=tuple(recovery)) if secret is not None else None
    return {**row, "roles": [role for role in row["roles"] if role in STAFF_ROLES], "second_factor": factor}


def _pool(row: dict[str, Any], bands: list[dict[str, Any]]) -> Pool:
    own = tuple(
        Band(band["weekday"], band["starts"], band["ends"], band["seats"])
        for band in bands
        if band["pool_id"] == row["id"]
    )
    return Pool(id=row["id"], services=tuple(row["services"]), capacity=Capacity(row["slot_min"], row["seats"], own))


def _service(row: dict[str, Any]) -> ServiceRecord:
    decoded = {name: msgspec.json.decode(row[name]) for name in ("names", "summaries", "documents")}
    return msgspec.convert({**row, **decoded}, ServiceRecord)


def _holiday(row: dict[str, Any]) -> Holiday:
    return msgspec.convert({**row, "names": msgspec.json.decode(row["names"])}, Holiday)
