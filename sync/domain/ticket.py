"""A ticket as the fold knows it, and the counter session that may serve it.

States: waiting → called → serving → finished; called → missed → waiting (reinstated); called or serving → waiting
(transferred); waiting ↔ parked; waiting, parked, missed → abandoned, at the end of the day called and serving too; waiting,
called, serving → in_transit (given up for another office), from where only a later tenure comes back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from sync.messages.facts import Band, CalledHow, Origin, Outcome, Why

State = Literal["waiting", "called", "serving", "missed", "parked", "finished", "abandoned", "in_transit"]
OPEN_STATES: frozenset[State] = frozenset({"waiting", "called", "serving", "missed", "parked"})
PrintState = Literal["unknown", "printed", "failed"]


class Ticket(msgspec.Struct, kw_only=True):
    """One person's place in the queue of one day. Only ``OfficeDay`` changes it.

    Args:
        issue_seq: (epoch, seq) of its ``ticket.issued``; breaks ties of due_at.
        due_floor_at: due_at given by a reinstatement; due_at is never below it.
        counter: while set, only this counter may serve it (transferred or reassigned to it).
        session: the counter session that has called it, while called or serving.
        reinstated: how often it came back after a missed call.
        tenure: the number of its holder; 1 for the office that issued it.
        from_office: the office that gave it up for this one.
        released_to: the office that this one gave it up for.
        expected: it was accepted and its person has not been seen yet.
    """

    ticket_id: str
    label: str
    series: str
    number: int
    service: str
    origin: Origin
    priority_class: str
    arrived_at: datetime
    due_at: datetime
    callable_at: datetime
    issue_seq: tuple[int, int]
    issued_at: datetime
    follow_hash: bytes
    slot_start_at: datetime | None = None
    duration_min: int | None = None
    appointment_id: str | None = None
    band: Band | None = None
    to_verify: bool = False
    state: State = "waiting"
    due_floor_at: datetime | None = None
    counter: str | None = None
    session: str | None = None
    called_counter: str | None = None
    called_how: CalledHow | None = None
    why: Why | None = None
    called_at: datetime | None = None
    announced_at: datetime | None = None
    announcement: str = ""
    recalls: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    missed_at: datetime | None = None
    reinstated: int = 0
    outcome: Outcome | None = None
    print_state: PrintState = "unknown"
    shown_at: datetime | None = None
    tenure: int = 1
    from_office: str | None = None
    released_to: str | None = None
    expected: bool = False

    @property
    def rank(self) -> tuple[datetime, tuple[int, int]]:
        """The key of the order: smallest first. Labels of different series cannot be compared, so ties go by issue."""
        return (self.due_at, self.issue_seq)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class CounterSession(msgspec.Struct, kw_only=True):
    """A clerk working at a counter.

    Args:
        last_ticket_id: the last ticket called here, open or not: what ``CallNext.after`` must name.
    """

    session: str
    counter: str
    staff_id: str
    primary: tuple[str, ...]
    secondary: tuple[str, ...]
    opened_at: datetime
    last_ticket_id: str | None = None

    def serves(self, service: str) -> bool:
        return service in self.primary or service in self.secondary


class Durations(msgspec.Struct, kw_only=True):
    """Finished services of the day, for the estimate."""

    count: int = 0
    total_s: float = 0.0
