"""What an office looks like at this moment, from its folded day, its hours and its link. Pure.

Places and waits come from the same functions as at the office's own edge (`sync.domain`); here they are only put beside how
old the news is. An office that was not heard lately keeps its last figures, with their time and without any estimate.
"""

from collections import Counter as Tally
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Literal

import msgspec

from central.exchange.links import Behind, OfficeLink
from central.insight.outlooks import Waits
from central.offices import catalogue as offices
from central.offices.entities import entities_of
from sync.domain.catalogue import Catalogue
from sync.domain.office_day import OfficeDay
from sync.domain.service_day import service_date
from sync.domain.ticket import State, Ticket
from sync.messages.feed import Office
from sync.messages.topics import WaitRange

LinkState = Literal["live", "catching_up", "silent", "never", "no_node"]
DAYS_AHEAD = 14


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """When the office is open: now until `until`, or again from `opens_at` (none in the next days: unknown)."""

    is_open: bool
    until: datetime | None = None
    all_day: bool = False
    opens_at: datetime | None = None


class OfficeNow(msgspec.Struct, frozen=True, kw_only=True):
    """One office at one moment.

    Args:
        stale_since: the instant that the live figures are from, while the office is not heard; else none.
        acked_seq: facts of the present epoch that central has committed.
        reported_seq: facts in the edge's journal when it last said hello.
        folded_seq: facts that these figures contain.
        is_rolled_back: its node was put back in time: no tickets, no calls, until it is replaced or vouched for.
        by_state: today's tickets by state; only states that occur.
        wait: the longest expected wait of a walk-in who comes now; none when no counter is open, the news is old, or the node
            gives no tickets.
        heads: last row of each stream that the office follows.
        behind: configuration that was published and is not applied there; none: the office has never said.
    """

    office: str
    name: str
    link: LinkState
    last_contact_at: datetime | None
    stale_since: datetime | None
    epoch: int | None
    acked_seq: int
    reported_seq: int | None
    folded_seq: int
    parked_facts: int
    is_awaited: bool
    is_rolled_back: bool
    conflicts: int
    behind: tuple[Behind, ...] | None
    clock_offset_ms: int | None
    heads: Mapping[str, int]
    service_date: date | None
    is_day_open: bool
    opening: Opening
    counters_open: int
    counters: int
    waiting: int
    called: int
    serving: int
    finished: int
    tickets: int
    by_state: Mapping[State, int]
    wait: WaitRange | None

    @property
    def lag(self) -> int:
        """Facts that the office has and central has not, as far as it said."""
        return max(0, (self.reported_seq or 0) - self.acked_seq)

    @property
    def is_live(self) -> bool:
        return self.stale_since is None and self.link in {"live", "catching_up"}

    @property
    def was_heard(self) -> bool:
        return self.last_contact_at is not None


def office_now(
    record: offices.OfficeRecord,
    city: offices.Catalogue,
    day: OfficeDay,
    link: OfficeLink,
    *,
    heads: Mapping[str, int],
    now: datetime,
    behind: tuple[Behind, ...] | None = None,
    waits: Waits,
) -> OfficeNow:
    """Everything that pages and the API say of an office."""
    by_state = Tally(ticket.state for ticket in day.tickets.values())
    live = link.is_connected(now)
    acked = max((link.epoch or 0, link.acked_seq), (day.epoch, day.seq))  # what is folded was committed before
    return OfficeNow(
        office=record.id,
        name=record.name,
        link=link_state(link, now),
        last_contact_at=link.last_contact_at,
        stale_since=link.stale_since(now),
        epoch=acked[0] or None,
        acked_seq=acked[1],
        reported_seq=link.reported_seq,
        folded_seq=day.seq,
        parked_facts=link.parked,
        is_awaited=link.awaited,
        is_rolled_back=link.rolled_back,
        conflicts=link.conflicts,
        behind=behind,
        clock_offset_ms=link.clock_offset_ms,
        heads=heads,
        service_date=day.service_date,
        is_day_open=day.is_open,
        opening=opening_of(record, city, now),
        counters_open=len(day.sessions),
        counters=len(record.counters),
        waiting=by_state["waiting"],
        called=by_state["called"],
        serving=by_state["serving"],
        finished=by_state["finished"],
        tickets=len(day.tickets),
        by_state=dict(sorted(by_state.items())),
        wait=longest_wait(record, city, waits) if live and not link.rolled_back else None,
    )


def link_state(link: OfficeLink, now: datetime) -> LinkState:
    """How the office is connected, in one word."""
    if link.last_contact_at is None:
        return "no_node" if link.epoch is None else "never"
    if not link.is_connected(now):
        return "silent"
    return "catching_up" if link.reported_seq is not None and link.acked_seq < link.reported_seq else "live"


def longest_wait(record: offices.OfficeRecord, city: offices.Catalogue, waits: Waits) -> WaitRange | None:
    """The wait of a walk-in whose service has the longest one; the same choice as on the office's displays."""
    walk_ins = (service for service in record.services if service in city.services and city.services[service].walk_in)
    known = (wait for service in walk_ins if (wait := waits.of_service(service)))
    return max(known, key=lambda wait: (wait.high_min, wait.low_min), default=None)


def opening_of(record: offices.OfficeRecord, city: offices.Catalogue, now: datetime) -> Opening:
    """Open until when, or closed until when."""
    today = service_date(now, record.zone)
    for interval in city.hours(record, today):
        if interval.opens_at <= now < interval.closes_at:
            all_day = interval.closes_at - interval.opens_at >= timedelta(hours=23)
            return Opening(is_open=True, until=interval.closes_at, all_day=all_day)
    for ahead in range(DAYS_AHEAD):
        for interval in city.hours(record, today + timedelta(days=ahead)):
            if interval.opens_at > now:
                return Opening(is_open=False, opens_at=interval.opens_at)
    return Opening(is_open=False)


def domain_catalogue(record: offices.OfficeRecord, city: offices.Catalogue) -> Catalogue:
    """An office's configuration as its edge has it, for the rules that both share."""
    own = msgspec.structs.replace(city, offices={record.id: record}, holidays={})
    entities = [entity for _, entity in entities_of(own)]
    office = next(entity for entity in entities if isinstance(entity, Office))
    return Catalogue.of(office, entities)


def tickets_of(day: OfficeDay) -> list[Ticket]:
    """Today's tickets, newest first."""
    return sorted(day.tickets.values(), key=lambda ticket: ticket.issue_seq, reverse=True)
