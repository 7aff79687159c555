"""Which ticket a counter calls next, and why.

*Mine* = tickets of the counter's primary services, tickets meant for this counter or its clerk, and tickets of its secondary
services that have waited past the threshold, counted from due_at. A counter takes

1. the smallest (due_at, issue sequence) of mine that may be called now;
2. else the smallest of its secondary services that may be called, threshold or not;
3. else the smallest of mine that may not be called yet: an early appointment, and nobody else waits for this counter.

Keys are fixed by facts, so the order of two waiting people never changes by itself and can be explained with one
instant. Theorem 1 (closed list): nobody who arrives after ``due_at + bound(policy)`` is chosen before a callable
ticket that is *mine* of that counter; ``passed_over_bound`` is that theorem as an executable check. It speaks of what the rule
chooses. What staff choose is a fact of its own and can be reported: a call out of order, a skip (it lasts for one call), a
ticket that was sent to the front, back to its clerk, or to the end, where its place counts from (``Ticket.ranks_at``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from sync.domain.due import bound
from sync.domain.lines import Rank
from sync.domain.office_day import OfficeDay
from sync.domain.ticket import CounterSession, Ticket
from sync.messages.facts import NextRule, Why

Reach = tuple[list[Ticket], list[Ticket], list[Ticket]]


class Choice(msgspec.Struct, frozen=True):
    """The ticket a counter would call, and the step of the rule that chose it."""

    ticket: Ticket
    rule: NextRule


def next_for(day: OfficeDay, session: CounterSession, now: datetime) -> Choice | None:
    """The next ticket for a counter session; none when nobody waits that it may serve. Who is skipped goes behind all others,
    so that nobody is ever left to wait beside an idle counter.
    """
    reach = _reach(day, session, now)
    return _first_of(_without(session.skipped, reach), day, session, now) or _first_of(reach, day, session, now)


def _first_of(reach: Reach, day: OfficeDay, session: CounterSession, now: datetime) -> Choice | None:
    primary, ripe, unripe = reach
    mine = primary + ripe
    if first := _smallest(t for t in mine if t.callable_at <= now):
        return Choice(first, "primary" if _is_primary(first, session) else "secondary")
    if day.policy.idle_takes_secondary and (first := _smallest(t for t in unripe if t.callable_at <= now)):
        return Choice(first, "idle_secondary")
    if first := _smallest(mine):
        return Choice(first, "early")
    return None


def next_without(day: OfficeDay, session: CounterSession, ticket: Ticket, now: datetime) -> Choice | None:
    """Who else would be next for a counter session, without one that waits or could; none when nobody would."""
    reach = _reach(day, session, now)
    return _first_of(_without((*session.skipped, ticket.ticket_id), reach), day, session, now)


def why(ticket: Ticket, rule: NextRule, ahead_now: int = 0) -> Why:
    """The reasons of a call, as values that screens turn into words."""
    return Why(
        rule=rule,
        origin=ticket.origin,
        arrived_at=ticket.arrived_at,
        due_at=ticket.due_at,
        slot_start_at=ticket.slot_start_at,
        priority_class=ticket.priority_class,
        ahead_now=ahead_now,
    )


def reachable(session: CounterSession, ticket: Ticket) -> bool:
    """Whether a counter session may ever serve a waiting ticket: its services, and no mark on it for somebody else."""
    if ticket.counter is not None:
        return ticket.counter == session.counter
    if ticket.staff_id is not None:
        return ticket.staff_id == session.staff_id
    return session.serves(ticket.service) and ticket.zone in (None, session.zone)


def is_for_others(session: CounterSession, ticket: Ticket) -> bool:
    """Whether a ticket waits for another counter, person or zone: then not even a call out of order may take it."""
    if ticket.counter is not None:
        return ticket.counter != session.counter
    if ticket.staff_id is not None:
        return ticket.staff_id != session.staff_id
    return ticket.zone not in (None, session.zone)


def ahead_of(day: OfficeDay, ticket: Ticket) -> int:
    """How many waiting people have a smaller rank and compete for a counter that may serve this ticket.

    With no counter open for it, the people of its own service are counted.
    """
    servers = [s for s in day.sessions.values() if reachable(s, ticket)]
    if not servers:
        return day.lines.before((ticket.service,), ticket.rank)
    services = {service for s in servers for service in (*s.primary, *s.secondary)}
    ahead = day.lines.before(services, ticket.rank)
    for marked in day.lines.marked.values():  # few: what one counter, person or zone alone may serve
        if marked.rank < ticket.rank:
            ahead += any(reachable(s, marked) for s in servers) - (marked.service in services)
    return ahead


def in_order(tickets: Iterable[Ticket]) -> list[Ticket]:
    """Waiting tickets as lists show them: by rank."""
    return sorted(tickets, key=lambda t: t.rank)


def callable_before(day: OfficeDay, session: CounterSession, rank: Rank, now: datetime) -> int:
    """How many people a counter passes over by calling one of this rank."""
    return len(passed_over(day, session, rank, now))


def passed_over(day: OfficeDay, session: CounterSession, rank: Rank, now: datetime) -> list[Ticket]:
    """Callable tickets with a smaller rank that a counter passes over by calling one of this rank, in order."""
    primary, ripe, _ = _reach(day, session, now)
    return in_order(t for t in primary + ripe if t.callable_at <= now and t.rank < rank)


def passed_over_bound(day: OfficeDay, session: CounterSession, chosen: Ticket, now: datetime) -> Ticket | None:
    """A ticket that theorem 1 says must go before ``chosen`` at this counter, if the rule was broken; else none."""
    primary, ripe, _ = _without(session.skipped, _reach(day, session, now))
    limit = bound(day.policy)
    if chosen.is_first:
        return None
    for other in primary + ripe:
        if other is not chosen and other.callable_at <= now and chosen.arrived_at > other.ranks_at + limit:
            return other
    return None


def _without(skipped: tuple[str, ...], reach: Reach) -> Reach:
    if not skipped:
        return reach
    primary, ripe, unripe = ([t for t in tickets if t.ticket_id not in skipped] for tickets in reach)
    return primary, ripe, unripe


def _reach(day: OfficeDay, session: CounterSession, now: datetime) -> Reach:
    """Waiting tickets of a counter: primary (or sent to it), secondary past the threshold, other secondary."""
    threshold = timedelta(minutes=day.policy.secondary_threshold_min)
    primary: list[Ticket] = []
    ripe: list[Ticket] = []
    unripe: list[Ticket] = []
    for ticket in day.waiting.values():
        if not reachable(session, ticket):
            continue
        if _is_primary(ticket, session):
            primary.append(ticket)
        elif now >= ticket.ranks_at + threshold:
            ripe.append(ticket)
        else:
            unripe.append(ticket)
    return primary, ripe, unripe


def _is_primary(ticket: Ticket, session: CounterSession) -> bool:
    meant_for_it = ticket.counter == session.counter or ticket.staff_id == session.staff_id
    return meant_for_it or ticket.service in session.primary


def _smallest(tickets: Iterable[Ticket]) -> Ticket | None:
    return min(tickets, key=lambda t: t.rank, default=None)
