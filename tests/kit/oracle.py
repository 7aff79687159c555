"""Judges a city from outside. Imports nothing of the product: it has its own words for everything that must hold.

It is told what people and devices were told (replies, printed paper, pixels' text) and what central says after the heal, and
restates the rules from their description: who must be called next, which paper is a duplicate, what central must know.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

HEAD_START = timedelta(minutes=45)
CLASS_HEAD_START = {"reduced_mobility": timedelta(minutes=30)}
EARLY_MARGIN = timedelta(minutes=5)
GRACE = timedelta(minutes=10)
LATE_LIMIT = timedelta(minutes=30)
SECONDARY_AFTER = timedelta(minutes=5)

Issue = tuple[int, int]


def instant(text: str) -> datetime:
    """An instant of a JSON body."""
    return datetime.fromisoformat(text)


@dataclass(frozen=True)
class Slip:
    """A piece of paper: what somebody can read on it."""

    office: str
    label: str
    follow_code: str
    printed_at: datetime


@dataclass(frozen=True)
class Pool:
    """Seats of an office for some services, as the city's file states them."""

    id: str
    slot_min: int
    seats: int


@dataclass
class Person:
    """One ticket as its replies tell of it. ``moves``: (seq, service, counter) of transfers."""

    office: str
    ticket_id: str
    label: str
    service: str
    priority_class: str
    arrived_at: datetime
    slot_start_at: datetime | None
    issue: Issue
    appointment_id: str | None = None
    moves: list[tuple[int, str, str | None]] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    returns: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def due(self) -> datetime:
        """From when this person's waiting counts, by the published table."""
        as_walk_in = self.arrived_at - CLASS_HEAD_START.get(self.priority_class, timedelta())
        if self.slot_start_at is None:
            return as_walk_in
        late = self.arrived_at - self.slot_start_at
        if late <= GRACE:
            return min(self.slot_start_at - max(HEAD_START, self.arrived_at - as_walk_in), as_walk_in)
        return min(self.slot_start_at, as_walk_in) if late <= LATE_LIMIT else as_walk_in

    def callable_from(self) -> datetime:
        """An early appointment is not called before this instant while somebody else waits."""
        if self.slot_start_at is not None and self.arrived_at - self.slot_start_at <= GRACE:
            return max(self.arrived_at, self.slot_start_at - EARLY_MARGIN)
        return self.arrived_at

    def waits_at(self, seq: int) -> bool:
        """Whether the person waits right before the act ``seq``."""
        if self.issue[1] >= seq:
            return False
        last_call = max((s for s in self.calls if s < seq), default=0)
        last_return = max((s for s in self.returns if s < seq), default=0)
        ended = any(s < seq for s in self.ends)
        return not ended and (last_call == 0 or last_return > last_call)

    def service_at(self, seq: int) -> tuple[str, str | None]:
        """The service, and the only counter if there is one, right before the act ``seq``."""
        before = [move for move in self.moves if move[0] < seq]
        return (before[-1][1], before[-1][2]) if before else (self.service, None)


@dataclass(frozen=True)
class Call:
    """A reply to *call next*."""

    office: str
    seq: int
    at: datetime
    ticket_id: str
    counter: str
    primary: tuple[str, ...]
    secondary: tuple[str, ...]
    chosen_by_clerk: bool


class Oracle:
    """Collects what was said and shown, then judges it all at once."""

    def __init__(self, pools: dict[tuple[str, str], Pool] | None = None) -> None:
        self.pools = pools or {}
        self.slips: list[Slip] = []
        self.people: dict[str, Person] = {}
        self.calls: list[Call] = []
        self.bookings: dict[str, dict[str, Any]] = {}
        self.windows: dict[str, tuple[datetime, datetime]] = {}
        self.faults: list[str] = []

    # ------------------------------------------------------------------------------------------- what was said

    def booked(self, locator: str, booking: dict[str, Any]) -> None:
        """A booking was confirmed to somebody."""
        if locator in self.bookings:
            self.faults.append(f"locator {locator} was given twice")
        self.bookings[locator] = booking

    def printed(self, slip: Slip) -> None:
        """A slip came out of a printer."""
        self.slips.append(slip)

    def taken(self, office: str, label: str, asked_at: datetime, answered_at: datetime) -> None:
        """Somebody asked for a ticket and held it in hand."""
        self.windows[f"{office}/{label}"] = (asked_at, answered_at)

    def saw_ticket(self, office: str, view: dict[str, Any]) -> Person:
        """A ticket in any reply."""
        known = self.people.get(view["ticket_id"])
        if known is not None:
            return known
        slot = view.get("slot_start_at")
        person = Person(
            office=office,
            ticket_id=view["ticket_id"],
            label=view["label"],
            service=view["service"],
            priority_class=view["priority_class"],
            arrived_at=instant(view["arrived_at"]),
            slot_start_at=instant(slot) if slot else None,
            issue=(view["issue"][0], view["issue"][1]),
            appointment_id=view.get("appointment_id"),
        )
        self.people[person.ticket_id] = person
        return person

    def called(self, office: str, reply: dict[str, Any], counter: dict[str, Any]) -> None:
        """A clerk was told whom to serve."""
        person = self.saw_ticket(office, reply["ticket"])
        person.calls.append(reply["seq"])
        self.calls.append(
            Call(
                office=office,
                seq=reply["seq"],
                at=instant(reply["ticket"]["called_at"]),
                ticket_id=person.ticket_id,
                counter=counter["counter"],
                primary=tuple(counter["primary"]),
                secondary=tuple(counter["secondary"]),
                chosen_by_clerk=reply["ticket"]["called_how"] == "chosen",
            )
        )

    def ended(self, reply: dict[str, Any]) -> None:
        """A visit was finished."""
        self.people[reply["ticket"]["ticket_id"]].ends.append(reply["seq"])

    def returned(self, reply: dict[str, Any]) -> None:
        """A missed person waits again."""
        self.people[reply["ticket"]["ticket_id"]].returns.append(reply["seq"])

    def moved(self, reply: dict[str, Any]) -> None:
        """A person was sent on; they wait again, with the same place."""
        ticket = reply["ticket"]
        person = self.people[ticket["ticket_id"]]
        person.moves.append((reply["seq"], ticket["service"], ticket.get("counter")))
        person.returns.append(reply["seq"])

    # ----------------------------------------------------------------------------------------------- judgement

    def order_violations(self) -> list[str]:
        """Calls that the published rule would not have made."""
        wrong = []
        for call in sorted(self.calls, key=lambda c: (c.office, c.seq)):
            if call.chosen_by_clerk:
                continue
            expected = self._next(call)
            if expected is None or expected.ticket_id != call.ticket_id:
                got = self.people[call.ticket_id].label
                want = expected.label if expected else "nobody"
                wrong.append(f"{call.office} seq {call.seq}: called {got}, the rule says {want}")
        return wrong

    def _next(self, call: Call) -> Person | None:
        primary: list[Person] = []
        ripe: list[Person] = []
        unripe: list[Person] = []
        for person in self.people.values():
            if person.office != call.office or not person.waits_at(call.seq):
                continue
            service, only_counter = person.service_at(call.seq)
            if only_counter is not None and only_counter != call.counter:
                continue
            if only_counter == call.counter or service in call.primary:
                primary.append(person)
            elif service in call.secondary:
                (ripe if call.at >= person.due() + SECONDARY_AFTER else unripe).append(person)
        for group in (primary + ripe, unripe):
            ready = [p for p in group if p.callable_from() <= call.at]
            if ready:
                return min(ready, key=lambda p: (p.due(), p.issue))
        return min(primary + ripe, key=lambda p: (p.due(), p.issue), default=None)

    def duplicates(self) -> list[str]:
        """One label on paper with two follow codes; one label for two tickets; an appointment or a seat twice."""
        wrong = []
        codes: dict[tuple[str, str], set[str]] = defaultdict(set)
        for slip in self.slips:
            codes[slip.office, slip.label].add(slip.follow_code)
        wrong += [f"{office} {label}: {len(c)} codes" for (office, label), c in codes.items() if len(c) > 1]
        labels = Counter((p.office, p.label) for p in self.people.values())
        wrong += [f"{office} {label}: {n} tickets" for (office, label), n in labels.items() if n > 1]
        booked = Counter(booking["appointment_id"] for booking in self.bookings.values())
        wrong += [f"appointment {one}: {n} bookings" for one, n in booked.items() if n > 1]
        came = Counter(p.appointment_id for p in self.people.values() if p.appointment_id)
        wrong += [f"appointment {one}: {n} tickets" for one, n in came.items() if n > 1]
        return wrong + self._oversold()

    def _oversold(self) -> list[str]:
        """Slots with more confirmed appointments than seats: replies name no seat, but a slot has only so many."""
        taken: Counter[tuple[str, str, datetime]] = Counter()
        for booking in self.bookings.values():
            pool = self.pools.get((booking.get("office", ""), booking.get("service_id", "")))
            if pool is None:
                continue
            start, step = instant(booking["slot_start_at"]), timedelta(minutes=pool.slot_min)
            for n in range(-(-booking["duration_min"] // pool.slot_min)):
                taken[booking["office"], pool.id, start + n * step] += 1
        seats = {(office, pool.id): pool.seats for (office, _), pool in self.pools.items()}
        return [
            f"{office} {pool} {start}: {n} appointments"
            for (office, pool, start), n in taken.items()
            if n > seats[office, pool]
        ]

    def lost_calls(self, office: str, acked_seq: int) -> list[str]:
        """Calls that a clerk was told of and that central, by its own word, does not have."""
        behind = (call for call in self.calls if call.office == office and call.seq > acked_seq)
        return [f"{office} seq {call.seq}: the call of {self.people[call.ticket_id].label}" for call in behind]

    def reprints(self) -> int:
        """Slips that say the same as an earlier one."""
        seen = Counter((slip.office, slip.label, slip.follow_code) for slip in self.slips)
        return sum(n - 1 for n in seen.values())

    def arrivals_outside_their_windows(self) -> list[str]:
        """Tickets whose arrival is not between the request for them and the paper in hand, or that nobody asked for."""
        wrong = []
        for person in self.people.values():
            window = self.windows.get(f"{person.office}/{person.label}")
            if window is None:
                wrong.append(f"{person.office} {person.label} was asked for by nobody")
            elif not window[0] - timedelta(milliseconds=5) <= person.arrived_at <= window[1]:
                wrong.append(f"{person.office} {person.label} arrived {person.arrived_at}, asked {window[0]}")
        return wrong
