"""A ticket as the fold knows it, and the counter session that may serve it.

States: waiting → called → serving → finished; called → missed → waiting (reinstated); called or serving → waiting
(transferred), called → waiting (skipped); waiting ↔ parked; waiting, parked, missed → abandoned, at the end of the day called
and serving too; waiting, called, serving → in_transit (given up for another office), from where only a later tenure comes
back. Undoing puts a ticket back into the state that it was in before its counter's last act.

Place. ``due_at`` is the credit of a person's waiting and is never lost. Staff may send somebody before all others of a line
or behind all who wait now; that lasts until the next call, and only ``ranks_at`` knows of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from sync.messages.facts import Band, CalledHow, Expected, Origin, Outcome, TicketReleased, Why

State = Literal["waiting", "called", "serving", "missed", "parked", "finished", "abandoned", "in_transit"]
OPEN_STATES: frozenset[State] = frozenset({"waiting", "called", "serving", "missed", "parked"})
BEFORE_ALL = timedelta(days=2)
"""Longer than two due instants of one day are ever apart: those who are first go by due_at among themselves."""
PrintState = Literal["unknown", "printed", "failed"]


class Ticket(msgspec.Struct, kw_only=True):
    """One person's place in the queue of one day. Only ``OfficeDay`` changes it.

    Args:
        issue_seq: (epoch, seq) of its ``ticket.issued``; breaks ties of due_at.
        due_floor_at: due_at given by a reinstatement; due_at is never below it.
        counter: while set, only this counter may serve it (transferred or reassigned to it).
        staff_id: while set, only the counter of this clerk may serve it.
        zone: while set, only counters of this zone may serve it. Of the three marks one is set at most.
        is_first: staff sent it before all others that wait where it waits.
        behind_at: staff sent it behind all who waited at that instant.
        added: services that were added to its visit.
        services: what was really done, once it is finished.
        to_do: services of a planned visit that are not done, in order (``sync.domain.to_do``); empty: nothing was planned.
        steps_done: how many steps of it were finished; the present one is the next, so people count from 1.
        parked_at, parked_by: while parked: since when, and the clerk who set it aside.
        remind_at: while parked: when its clerk wants to be told of it.
        returns_at: while parked: when it waits again by itself.
        returned_at, returned_for: since it came back by itself, until it is called: when, and the clerk who had set it aside.
        sent_from, sent_by: the counter and the clerk that last sent it on; none: nobody did, or it was from no counter.
        has_note: a note for who serves it next was written in this office.
        changed: (epoch, seq) of the last fact that changed its state or place.
        session: the counter session that has called it, while called or serving.
        reinstated: how often it came back after a missed call.
        given_by: the device that it was asked for at; empty: the node took it in by itself.
        tenure: the number of its holder; 1 for the office that issued it.
        from_office: the office that gave it up for this one.
        released_to: the office that this one gave it up for; released: the fact, for its slip; released_at.
        wanted_back: this office has asked for it again.
        expected: it was accepted and its person has not been seen yet.
        expected_wait: what its person was told of the wait when it was issued.
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
    given_by: str = ""
    slot_start_at: datetime | None = None
    duration_min: int | None = None
    appointment_id: str | None = None
    band: Band | None = None
    to_verify: bool = False
    state: State = "waiting"
    due_floor_at: datetime | None = None
    counter: str | None = None
    staff_id: str | None = None
    zone: str | None = None
    is_first: bool = False
    behind_at: datetime | None = None
    added: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    to_do: tuple[str, ...] = ()
    steps_done: int = 0
    parked_reason: str | None = None
    parked_at: datetime | None = None
    parked_by: str | None = None
    remind_at: datetime | None = None
    returns_at: datetime | None = None
    returned_at: datetime | None = None
    returned_for: str | None = None
    sent_from: str | None = None
    sent_by: str | None = None
    has_note: bool = False
    changed: tuple[int, int] = (0, 0)
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
    released: TicketReleased | None = None
    released_at: datetime | None = None
    wanted_back: bool = False
    expected: bool = False
    expected_wait: Expected | None = None

    @property
    def is_on_route(self) -> bool:
        """Whether the present service is a planned step, and no detour from the plan."""
        return self.service in self.to_do

    @property
    def rank(self) -> tuple[datetime, tuple[int, int]]:
        """The key of the order: smallest first. Labels of different series cannot be compared, so ties go by issue."""
        return (self.ranks_at, self.issue_seq)

    @property
    def ranks_at(self) -> datetime:
        """The instant that its place goes by: due_at, unless staff sent it to the front or to the end."""
        if self.is_first:
            return self.due_at - BEFORE_ALL
        return max(self.due_at, self.behind_at) if self.behind_at is not None else self.due_at

    @property
    def is_marked(self) -> bool:
        """Whether it waits for one counter, person or zone."""
        return self.counter is not None or self.staff_id is not None or self.zone is not None

    def unmark(self) -> None:
        """Let it wait for whoever serves its service, in the place of its due_at."""
        self.counter = self.staff_id = self.zone = None
        self.is_first, self.behind_at = False, None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class Act(msgspec.Struct, kw_only=True):
    """What a counter session did last that can be taken back, and how everything was before.

    Args:
        request_id: of the command.
        began, position: (epoch, seq) of its first and of its last fact.
        before: each of its tickets as it was.
        done: what its last fact about each of them is told as.
        last_call, last_ticket_id, skipped: the session's own, as they were.
    """

    request_id: str
    at: datetime
    began: tuple[int, int]
    position: tuple[int, int]
    last_call: str | None
    last_ticket_id: str | None
    skipped: tuple[str, ...]
    before: dict[str, Ticket] = {}
    done: dict[str, str] = {}


class CounterSession(msgspec.Struct, kw_only=True):
    """A clerk working at a counter.

    Args:
        last_call: the request that last called somebody here, or ended a step of a route, after which the same person may be
            called again: what ``CallNext.after`` must name.
        last_ticket_id: the last ticket called here, open or not.
        zone: the counter's; none: a build opened it that did not say.
        opened_on: the browser that it was opened in.
        console: the only browser that it may be worked from, since it was taken over there; empty: any of the clerk's.
        paused_reason, paused_at: while set, nobody is called here.
        skipped: tickets that are passed over for the next call.
        act: what may be undone.
    """

    session: str
    counter: str
    staff_id: str
    primary: tuple[str, ...]
    secondary: tuple[str, ...]
    opened_at: datetime
    last_call: str | None = None
    last_ticket_id: str | None = None
    zone: str | None = None
    opened_on: str = ""
    console: str = ""
    paused_reason: str | None = None
    paused_at: datetime | None = None
    skipped: tuple[str, ...] = ()
    act: Act | None = None

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None

    def serves(self, service: str) -> bool:
        return service in self.primary or service in self.secondary


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """A counter that was closed today, and what it served; it may be open again."""

    at: datetime
    primary: tuple[str, ...]
    secondary: tuple[str, ...]


class SupportCall(msgspec.Struct, kw_only=True):
    """Somebody of staff waits for another one to come."""

    support_id: str
    urgency: str
    staff_id: str
    counter: str | None
    asked_at: datetime


class SupportAnswer(msgspec.Struct, kw_only=True):
    """Somebody takes care of a call for support; kept for who asked."""

    urgency: str
    staff_id: str
    counter: str | None
    answered_at: datetime


class Durations(msgspec.Struct, kw_only=True):
    """Finished services of the day, for the estimate."""

    count: int = 0
    total_s: float = 0.0
