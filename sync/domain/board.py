"""What the screens of a zone show, from the office day. Labels and counters only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sync.domain.catalogue import Catalogue
from sync.domain.office_day import Announcement, OfficeDay
from sync.messages.topics import Board, BoardCall, ServiceWait, WaitRange

RECENT_SHOWN = 8


def board(
    day: OfficeDay,
    zone: str,
    catalogue: Catalogue,
    now: datetime,
    beat: int = 0,
    *,
    waits: Mapping[str, WaitRange | None],
) -> Board:
    """The full state of a zone's screens.

    Calls are tickets called and not yet started, newest announcement first; recent ones are the announcements before
    those, each ticket once. Waiting counts people whose service is called in this zone.

    Args:
        waits: expected waits by service, made elsewhere: a call is not held up by an estimate.
    """
    here = {c.id for c in catalogue.counters.values() if c.zone == zone}
    newest: dict[tuple[str, str], Announcement] = {}
    for announcement in reversed(day.announcements):
        if announcement.counter in here:
            newest.setdefault((announcement.ticket_id, announcement.counter), announcement)
    current: list[Announcement] = []
    recent: list[Announcement] = []
    for announcement in newest.values():
        (current if _still_called(day, announcement) else recent).append(announcement)
    services = tuple(_service_wait(day, s, waits) for s in _services_of(zone, catalogue))
    known = [w.wait for w in services if w.wait is not None]
    return Board(
        office=day.office,
        zone=zone,
        epoch=day.epoch,
        seq=day.seq,
        beat=beat,
        at=now,
        calls=tuple(_board_call(a) for a in current),
        recent=tuple(_board_call(a) for a in recent[:RECENT_SHOWN]),
        waiting=sum(w.waiting for w in services),
        wait=max(known, key=lambda w: (w.high_min, w.low_min)) if known else None,
        services=services,
        open=day.is_open,
    )


def _still_called(day: OfficeDay, announcement: Announcement) -> bool:
    ticket = day.tickets[announcement.ticket_id]
    return ticket.state == "called" and ticket.called_counter == announcement.counter


def _board_call(announcement: Announcement) -> BoardCall:
    return BoardCall(
        ticket_id=announcement.ticket_id,
        label=announcement.label,
        counter=announcement.counter,
        called_at=announcement.announced_at,
        recalls=announcement.recalls,
        announcement=announcement.id,
    )


def _services_of(zone: str, catalogue: Catalogue) -> list[str]:
    return [service for service in sorted(catalogue.services) if catalogue.zone_of_service(service) == zone]


def _service_wait(day: OfficeDay, service: str, waits: Mapping[str, WaitRange | None]) -> ServiceWait:
    waiting = len(day.lines.by_service.get(service, ()))
    return ServiceWait(service=service, waiting=waiting, wait=waits.get(service))
