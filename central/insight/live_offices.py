"""All offices as they are now, for every page and stream that asks.

The days are in memory; links and heads are read from the database at most once a second for everybody together.
"""

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec

from central.exchange.links import Behind, OfficeLink, read_behind, read_links
from central.exchange.service import Exchange
from central.insight.office_now import OfficeNow, domain_catalogue, office_now
from central.insight.outlooks import Outlooks, Waits
from central.insight.watching import OfficeWatch, watch
from central.offices import catalogue as offices
from central.offices.catalogue import OfficeRecord
from central.offices.store import CatalogueCopy
from sync.domain.catalogue import Catalogue
from sync.io.sql import load
from sync.messages.feed import GLOBAL, office_stream
from sync.messages.topics import WaitRange

queries = load("central.insight")

LINKS_AGE_S = 1.0


class CityNow(msgspec.Struct, frozen=True):
    """The whole city at one moment; offices in the city's order."""

    at: datetime
    watches: tuple[OfficeWatch, ...]

    @property
    def offices(self) -> tuple[OfficeNow, ...]:
        return tuple(one.office for one in self.watches)

    def of(self, office: str) -> OfficeNow | None:
        return next((one for one in self.offices if one.office == office), None)


class _Links(msgspec.Struct, frozen=True):
    read_ns: int
    links: Mapping[str, OfficeLink]
    heads: Mapping[str, int]
    behind: Mapping[str, tuple[Behind, ...]]


class LiveOffices:
    """Answers from memory, a second old at most.

    Attributes:
        exchange: its `changes` wake whoever follows an office.
    """

    def __init__(self, exchange: Exchange, catalogue: CatalogueCopy) -> None:
        self.exchange = exchange
        self.catalogue = catalogue
        self._central = exchange.central
        self._outlooks = Outlooks(exchange.central, exchange.days)
        self._links: _Links | None = None
        self._reading = asyncio.Lock()

    async def city(self, offices: Collection[str] | None = None) -> CityNow:
        """The offices of the catalogue, or those of them that are asked for."""
        city, links = await self.catalogue.current(), await self._read_links()
        records = [record for record in city.offices.values() if offices is None or record.id in offices]
        waits = {record.id: await self.waits(record, city) for record in records}
        now = self._central.clock.now()
        return CityNow(now, tuple(self._watch(record, city, links, waits[record.id], now) for record in records))

    def _watch(
        self, record: OfficeRecord, city: offices.Catalogue, links: "_Links", waits: Waits, now: datetime
    ) -> OfficeWatch:
        day = self.exchange.days[record.id]
        office = office_now(
            record,
            city,
            day,
            links.links.get(record.id) or _unheard(record.id),
            heads=_own_heads(record.id, links.heads),
            now=now,
            behind=links.behind.get(record.id),
            waits=waits,
        )
        return watch(record, office, day, waits, now)

    async def link(self, office: str) -> OfficeLink:
        """How an office is connected."""
        return (await self._read_links()).links.get(office) or _unheard(office)

    async def configuration(self, office: str) -> Catalogue | None:
        """An office's configuration as its edge has it; none for an office that is not in the catalogue."""
        city = await self.catalogue.current()
        record = city.offices.get(office)
        return None if record is None else domain_catalogue(record, city)

    async def waits(self, record: OfficeRecord, city: offices.Catalogue) -> Waits:
        """The waits ahead at an office."""
        if not self.exchange.days[record.id].sessions:
            return Waits()
        return await self._outlooks.of(record.id, domain_catalogue(record, city))

    async def wait_of(self, office: str, ticket_id: str) -> WaitRange | None:
        """The wait that is still ahead of a ticket, as its owner is shown it."""
        city = await self.catalogue.current()
        record = city.offices.get(office)
        return (await self.waits(record, city)).of_ticket(ticket_id) if record is not None else None

    async def _read_links(self) -> _Links:
        async with self._reading:
            fresh = self._links
            if fresh is None or self._central.clock.monotonic_ns() - fresh.read_ns > LINKS_AGE_S * 1e9:
                read_ns = self._central.clock.monotonic_ns()
                links = {link.office: link for link in await read_links(self._central.pool)}
                rows: list[Any] = await self._central.pool.fetch(queries.heads)
                heads = {row["stream"]: row["head"] for row in rows}
                fresh = self._links = _Links(read_ns, links, heads, await read_behind(self._central.pool))
            return fresh


def _own_heads(office: str, heads: Mapping[str, int]) -> dict[str, int]:
    return {stream: heads.get(stream, 0) for stream in (GLOBAL, office_stream(office))}


def _unheard(office: str) -> OfficeLink:
    return OfficeLink(
        office=office,
        last_contact_at=None,
        hello_at=None,
        clock_offset_ms=None,
        reported_seq=None,
        epoch=None,
        acked_seq=0,
        parked=0,
    )
