"""What this office can do without central, and until when: the state that decides it, read at one moment. Pure.

Every figure is that of the rule which will decide: seats as ``sync.domain.leases`` would sell them, numbers as kiosks hold them,
the age that ``may_sign_in`` looks at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Literal

import msgspec

from edge_node.leases.rules import is_pending
from edge_node.queue.state import OfficeState
from edge_node.uplink.link import LinkState
from sync.domain.leases import left
from sync.domain.office_day import OfficeDay
from sync.domain.service_day import service_date
from sync.messages.topics import DeviceStatus, HeldNumbers

Reach = Literal["connected", "cut", "alone"]


class KioskLeft(msgspec.Struct, frozen=True, kw_only=True):
    """What a kiosk can give by itself today; ``series`` is empty without a reserve."""

    kiosk: str
    series: str = ""
    left: int = 0


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What the node knows beside its queue.

    Args:
        link: how it stands to central; none: it works alone.
        unheard: how long central was not heard, through restarts.
        sign_in_limit: how old what is known of staff may be.
        signs: it has a key, for slips that another office can believe.
    """

    link: LinkState | None
    unheard: timedelta
    sign_in_limit: timedelta
    signs: bool
    devices: tuple[DeviceStatus, ...]


class Offline(msgspec.Struct, frozen=True, kw_only=True):
    """All that the page says, at one position of the journal.

    Args:
        since: when central was last heard; none while it is.
        pending, sold: facts, and appointments given here, that central does not have yet.
        today: appointments of today whose person has not come.
        known_until: the latest day of an appointment that is known here.
        knows_keys: a code of an appointment made meanwhile can be believed by its signature.
        seats: lent seats that could be sold now; ``seats_until``: the last instant at which one of them can.
        on_the_way: people who were sent to another office, and nobody there has them yet.
        sign_in_until: until when staff sign in by themselves; none while central is heard.
        screens_on, screens: displays that answer, of all.
    """

    office_name: str
    position: str
    reach: Reach
    since: datetime | None
    pending: int
    sold: int
    today: int
    known_until: date | None
    knows_keys: bool
    seats: int
    seats_until: datetime | None
    signs: bool
    on_the_way: int
    sign_in_until: datetime | None
    sign_in_left: timedelta
    sign_in_limit: timedelta
    screens_on: int
    screens: int
    kiosks: tuple[KioskLeft, ...]


def view_offline(state: OfficeState, around: Around) -> Offline:
    """Read what the page says."""
    now, link = state.now(), around.link
    reach: Reach = "alone" if link is None else "connected" if link.connected else "cut"
    today, lent = service_date(now, state.zone), left(state.rights, now)
    booked = [row for row in state.agenda.by_id.values() if row.status == "booked"]
    days = [service_date(row.slot_start_at, state.zone) for row in booked]
    came = state.day.ticket_of if state.day.service_date == today else lambda _appointment_id: None
    displays = [each for each in around.devices if each.kind == "display"]
    unheard = around.unheard if reach == "cut" else timedelta()
    return Offline(
        office_name=state.configuration.catalogue.office.name,
        position=f"{state.tail.epoch}-{state.tail.seq}",
        reach=reach,
        since=_since(link, now - unheard) if link is not None and reach == "cut" else None,
        pending=link.pending_facts if link is not None else 0,
        sold=sum(is_pending(row) for row in booked),
        today=sum(day == today and came(row.id) is None for row, day in zip(booked, days, strict=True)),
        known_until=max((day for day in days if day >= today), default=None),
        knows_keys=bool(state.configuration.qr_keys),
        seats=len(lent),
        seats_until=max(lent.values(), default=None),
        signs=around.signs,
        on_the_way=sum(ticket.state == "in_transit" for ticket in state.day.tickets.values()),
        sign_in_until=now - unheard + around.sign_in_limit if reach == "cut" else None,
        sign_in_left=max(timedelta(), around.sign_in_limit - unheard),
        sign_in_limit=around.sign_in_limit,
        screens_on=sum(each.online for each in displays),
        screens=len(displays),
        kiosks=kiosks_left(state.day, around.devices),
    )


def kiosks_left(day: OfficeDay, devices: Iterable[DeviceStatus]) -> tuple[KioskLeft, ...]:
    """What each kiosk can still give by itself, by the node's word and by its own."""
    return tuple(_of_kiosk(day, each) for each in devices if each.kind == "kiosk")


def _of_kiosk(day: OfficeDay, kiosk: DeviceStatus) -> KioskLeft:
    block = day.reserves.get(kiosk.device)
    if block is None or not day.is_open:
        return KioskLeft(kiosk=kiosk.device)
    given = max(day.last_numbers.get(block.series, 0), _given(kiosk.numbers, day.service_date).get(block.series, 0))
    return KioskLeft(kiosk=kiosk.device, series=block.series, left=max(0, block.last - max(given, block.first - 1)))


def _given(held: HeldNumbers | None, today: date | None) -> Mapping[str, int]:
    return held.highest if held is not None and held.service_date == today else {}


def _since(link: LinkState, last_heard_at: datetime) -> datetime:
    """In this run to the second; else as it was kept, every few minutes."""
    return link.last_contact_at or last_heard_at
