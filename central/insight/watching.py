"""What a manager sees of an office at this moment, from its folded day. Pure.

Places, waits and alerts come from the same functions as at the office's own edge. While an office is not heard its figures are
those of the last moment that it was, with that time and without any estimate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from central.insight.office_now import OfficeNow
from central.insight.outlooks import Waits
from central.offices.catalogue import OfficeRecord
from sync.domain.alerts import Alert, alerts
from sync.domain.office_day import OfficeDay
from sync.domain.ticket import CounterSession, Ticket
from sync.messages.topics import WaitRange

CounterState = Literal["serving", "called", "free", "paused", "closed"]


class ServiceQueue(msgspec.Struct, frozen=True, kw_only=True):
    """The people who wait for one service.

    Args:
        longest_s: how long the one waits who waits longest; none when nobody does.
        wait: what somebody who comes now is told; none when no counter serves it, or the news is old.
        counters: at work that serve it.
    """

    service: str
    waiting: int
    longest_s: int | None
    wait: WaitRange | None
    counters: int


class CounterNow(msgspec.Struct, frozen=True, kw_only=True):
    """One counter.

    Args:
        since: the state's beginning; none while it is closed, or free since nobody knows when.
        label, service: of the visit there.
        staff_id: who works there; shown by name, and only to who may see names.
        reason: code of the pause.
    """

    counter: str
    state: CounterState
    since: datetime | None = None
    label: str = ""
    service: str = ""
    staff_id: str = ""
    reason: str = ""


class Warned(msgspec.Struct, frozen=True, kw_only=True):
    """An alert, with what a person at central needs to read it; never who it is about.

    Args:
        label: of a ticket that was set aside too long.
        minutes: since when, rounded down.
    """

    kind: str
    counter: str = ""
    service: str = ""
    label: str = ""
    waiting: int = 0
    minutes: int = 0


class OfficeWatch(msgspec.Struct, frozen=True, kw_only=True):
    """An office as its managers see it.

    Args:
        data_at: the instant that the figures are of.
        queues: services that people wait for or that a counter serves, the longest wait first.
        counters: all of the office, in its order.
    """

    office: OfficeNow
    data_at: datetime
    queues: tuple[ServiceQueue, ...]
    counters: tuple[CounterNow, ...]
    warned: tuple[Warned, ...]

    @property
    def waited_for(self) -> list[ServiceQueue]:
        return [queue for queue in self.queues if queue.waiting]

    @property
    def longest_s(self) -> int | None:
        return max((queue.longest_s for queue in self.queues if queue.longest_s is not None), default=None)

    @property
    def paused(self) -> int:
        return sum(counter.state == "paused" for counter in self.counters)


def watch(record: OfficeRecord, office: OfficeNow, day: OfficeDay, waits: Waits, now: datetime) -> OfficeWatch:
    """An office at an instant; at the last one it was heard, when that is past."""
    data_at = min(now, office.stale_since or now)
    return OfficeWatch(
        office=office,
        data_at=data_at,
        queues=queues_of(record, day, waits if office.is_live and not office.is_rolled_back else Waits(), data_at),
        counters=counters_of(record, day),
        warned=tuple(_warned(day, alert, data_at) for alert in alerts(day, data_at)) if office.was_heard else (),
    )


def queues_of(record: OfficeRecord, day: OfficeDay, waits: Waits, at: datetime) -> tuple[ServiceQueue, ...]:
    """Who waits for what, the longest wait first; then services that nobody waits for."""
    lines: defaultdict[str, list[Ticket]] = defaultdict(list)
    for ticket in day.waiting.values():
        lines[ticket.service].append(ticket)
    working = [session for session in day.sessions.values() if not session.is_paused]
    found = []
    for service in dict.fromkeys((*record.services, *lines)):
        serving = sum(session.serves(service) for session in working)
        if service in lines or serving:
            longest = min((waits_since(ticket) for ticket in lines[service]), default=None)
            found.append(
                ServiceQueue(
                    service=service,
                    waiting=len(lines[service]),
                    longest_s=max(0, int((at - longest).total_seconds())) if longest is not None else None,
                    wait=waits.of_service(service),
                    counters=serving,
                )
            )
    return tuple(sorted(found, key=lambda queue: -1 if queue.longest_s is None else queue.longest_s, reverse=True))


def waits_since(ticket: Ticket) -> datetime:
    """From when a person waits for their call: who comes before their appointment waits from its time on."""
    return max(ticket.arrived_at, ticket.slot_start_at or ticket.arrived_at)


def counters_of(record: OfficeRecord, day: OfficeDay) -> tuple[CounterNow, ...]:
    """Every counter of the office, and those that are open and no longer in the catalogue."""
    ids = dict.fromkeys((*(counter.id for counter in record.counters), *sorted(day.session_at)))
    return tuple(_counter(id_, day, day.sessions.get(day.session_at.get(id_, ""))) for id_ in ids)


def _counter(counter: str, day: OfficeDay, session: CounterSession | None) -> CounterNow:
    if session is None:
        return CounterNow(counter=counter, state="closed")
    visit = day.visit_at(session.session)
    if visit is not None:
        is_serving = visit.state == "serving"
        return CounterNow(
            counter=counter,
            state="serving" if is_serving else "called",
            since=visit.started_at if is_serving else visit.called_at,
            label=visit.label,
            service=visit.service,
            staff_id=session.staff_id,
        )
    if session.is_paused:
        reason = session.paused_reason or ""
        return CounterNow(
            counter=counter, state="paused", since=session.paused_at, staff_id=session.staff_id, reason=reason
        )
    last = day.tickets.get(session.last_ticket_id or "")
    since = max(filter(None, (session.opened_at, last.ended_at or last.missed_at if last else None)))
    return CounterNow(counter=counter, state="free", since=since, staff_id=session.staff_id)


def _warned(day: OfficeDay, alert: Alert, at: datetime) -> Warned:
    ticket = day.tickets.get(alert.subject)
    return Warned(
        kind=alert.kind,
        counter=alert.counter,
        service=alert.subject if alert.kind == "unserved" else "",
        label=ticket.label if ticket is not None else "",
        waiting=alert.waiting,
        minutes=max(0, int((at - alert.since).total_seconds()) // 60) if alert.since is not None else 0,
    )


def totals(watches: Sequence[OfficeWatch]) -> dict[str, int]:
    """Of some offices together."""
    offices = [one.office for one in watches]
    return {
        "waiting": sum(office.waiting for office in offices),
        "serving": sum(office.called + office.serving for office in offices),
        "finished": sum(office.finished for office in offices),
        "open": sum(office.counters_open for office in offices),
        "counters": sum(office.counters for office in offices),
    }
