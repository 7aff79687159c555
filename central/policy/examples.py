"""Six people of an invented morning, ranked by the office's own rules: what a policy means in examples. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec

from sync.domain.due import Due, due
from sync.domain.ordering import in_order
from sync.domain.ticket import Ticket
from sync.messages.policy import GENERAL, Policy


def _at(hour: int, minute: int) -> datetime:
    """An instant of the morning; it is told as it stands here, whatever the zone."""
    return datetime(2026, 1, 5, hour, minute, tzinfo=UTC)


SLOT: Final = _at(10, 20)
PUNCTUAL: Final = _at(10, 15)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who comes. ``slot_at``: of their appointment, if they have one."""

    arrived_at: datetime
    slot_at: datetime | None = None
    priority_class: str = GENERAL


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's place. ``place``: in the order of calls when all of them wait, from 1."""

    person: Person
    due: Due
    place: int


def people(classes: Iterable[str]) -> tuple[Person, ...]:
    """Those whom the examples are about, in the order in which they come; one of each priority class."""
    came = (
        Person(arrived_at=_at(9, 20), slot_at=SLOT),
        Person(arrived_at=_at(9, 50)),
        *(Person(arrived_at=_at(10, 0), priority_class=name) for name in classes),
        Person(arrived_at=PUNCTUAL, slot_at=SLOT),
        Person(arrived_at=_at(10, 35), slot_at=SLOT),
        Person(arrived_at=_at(11, 5), slot_at=SLOT),
    )
    return tuple(sorted(came, key=lambda one: one.arrived_at))


def ranked(policy: Policy, came: Iterable[Person]) -> tuple[Ranked, ...]:
    """The places of some people, in the order in which they came."""
    everybody = tuple(came)
    ranks = [due(one.arrived_at, one.slot_at, one.priority_class, policy) for one in everybody]
    order = [
        ticket.issue_seq[1]
        for ticket in in_order(_ticket(n, *pair) for n, pair in enumerate(zip(everybody, ranks, strict=True)))
    ]
    return tuple(
        Ranked(person=one, due=rank, place=order.index(n) + 1)
        for n, (one, rank) in enumerate(zip(everybody, ranks, strict=True))
    )


def punctual(policy: Policy) -> Due:
    """The rank of an appointment at `SLOT` that comes in time."""
    return due(PUNCTUAL, SLOT, GENERAL, policy)


def _ticket(n: int, person: Person, rank: Due) -> Ticket:
    return Ticket(
        ticket_id=str(n),
        label=f"A{n + 1}",
        series="A",
        number=n + 1,
        service="example",
        origin="appointment" if person.slot_at else "walk_in",
        priority_class=person.priority_class,
        arrived_at=person.arrived_at,
        due_at=rank.due_at,
        callable_at=rank.callable_at,
        issue_seq=(1, n),
        issued_at=person.arrived_at,
        follow_hash=b"",
        slot_start_at=person.slot_at,
    )
