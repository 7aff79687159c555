"""The expected wait of somebody who is in the queue, as a range of minutes: the queue-length formula.

With q people ahead, s counters and mean service m, the wait is gamma distributed with shape q + 1 and mean (q + 1) m /
s when services are exponential. Its P50 and P80 (Wilson-Hilferty) are rounded out to five minutes. Shown as a range
because with three people ahead even the best single figure is off by half. Source: Whitt 1999; Wilson and Hilferty
1931.
"""

from __future__ import annotations

from datetime import datetime
from math import ceil, floor, sqrt
from typing import Literal

from sync.domain.catalogue import Catalogue
from sync.domain.office_day import OfficeDay
from sync.domain.ordering import ahead_of, reachable
from sync.domain.ticket import CounterSession, Ticket
from sync.messages.topics import WaitRange

ENOUGH_SERVICES = 20
STEP_MIN = 5
_Z = {0.5: 0.0, 0.8: 0.8416}


def wait_of(day: OfficeDay, ticket: Ticket, catalogue: Catalogue) -> WaitRange | None:
    """The wait still ahead of a waiting ticket; none when no counter that may serve it is open."""
    servers = [s for s in day.sessions.values() if reachable(s, ticket) and not s.is_paused]
    return _range(day, servers, ahead_of(day, ticket), catalogue)


def wait_of_newcomer(day: OfficeDay, service: str, catalogue: Catalogue, now: datetime) -> WaitRange | None:
    """The wait of a walk-in who came for a service now."""
    servers = [s for s in day.sessions.values() if s.serves(service) and not s.is_paused]
    if not servers:
        return None
    ahead = sum(
        1
        for t in day.waiting.values()
        if t.callable_at <= now and t.ranks_at <= now and any(reachable(s, t) for s in servers)
    )
    return _range(day, servers, ahead, catalogue)


def _range(day: OfficeDay, servers: list[CounterSession], ahead: int, catalogue: Catalogue) -> WaitRange | None:
    if not servers:
        return None
    mean_s, from_today = _mean_service_s(day, servers, catalogue)
    idle = sum(1 for s in servers if day.visit_at(s.session) is None)
    basis: Literal["today", "nominal"] = "today" if from_today else "nominal"
    if ahead < idle:
        return WaitRange(low_min=0, high_min=STEP_MIN, basis=basis)
    shape = ahead - idle + 1
    mean_min = shape * mean_s / 60 / len(servers)
    low, high = _quantile(mean_min, shape, 0.5), _quantile(mean_min, shape, 0.8)
    return WaitRange(
        low_min=floor(low / STEP_MIN) * STEP_MIN,
        high_min=max(STEP_MIN, ceil(high / STEP_MIN) * STEP_MIN),
        basis=basis,
    )


def _quantile(mean: float, shape: int, probability: float) -> float:
    cube_root = max(0.0, 1 - 1 / (9 * shape) + _Z[probability] / (3 * sqrt(shape)))
    return mean * cube_root * cube_root * cube_root


def _mean_service_s(day: OfficeDay, servers: list[CounterSession], catalogue: Catalogue) -> tuple[float, bool]:
    """Mean seconds of a visit at these counters: today's finished ones from 20 on, else the nominal durations."""
    services = {service for s in servers for service in (*s.primary, *s.secondary)}
    today = [day.durations[service] for service in services if service in day.durations]
    count = sum(d.count for d in today)
    if count >= ENOUGH_SERVICES:
        return sum(d.total_s for d in today) / count, True
    nominal = [catalogue.services[s].duration_min * 60.0 for s in services if s in catalogue.services]
    return (sum(nominal) / len(nominal) if nominal else 300.0), False
