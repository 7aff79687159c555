"""What must hold at an office, told again in few words: who is where, who is next, what is refused and why.

It takes instants (when somebody counts as due, when they may be called) from what the office says of a ticket, and judges
everything that follows from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

FROM = {
    "recall": ("called",),
    "start": ("called",),
    "no_show": ("called",),
    "finish": ("serving",),
    "transfer": ("called", "serving"),
    "park": ("waiting", "called", "serving"),
    "reinstate": ("missed",),
    "resume": ("parked",),
    "leave": ("waiting", "parked", "missed"),
}
"""In which states a ticket must be for a verb."""
TO = {
    "recall": "called",
    "start": "serving",
    "no_show": "missed",
    "finish": "finished",
    "transfer": "waiting",
    "park": "parked",
    "reinstate": "waiting",
    "resume": "waiting",
    "leave": "abandoned",
}
RIPE = timedelta(minutes=5)
OF_A_COUNTER = ("recall", "start", "no_show", "finish", "transfer", "park")
"""Verbs that only the counter at which a ticket is may use."""


@dataclass
class Person:
    """Somebody with a ticket."""

    ticket_id: str
    label: str
    service: str
    due_at: datetime
    callable_at: datetime
    issue: tuple[int, int]
    state: str = "waiting"
    counter: str | None = None
    """Only there, while it is set."""
    session: str | None = None
    calls: int = 0

    @property
    def place(self) -> tuple[datetime, tuple[int, int]]:
        return self.due_at, self.issue


@dataclass
class Session:
    """A clerk at an open counter."""

    session: str
    counter: str
    staff_id: str
    primary: frozenset[str]
    secondary: frozenset[str]
    last: str | None = None


@dataclass
class OfficeModel:
    """The people and the counters of a day."""

    people: dict[str, Person] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    appointments: dict[str, str] = field(default_factory=dict)
    """The ticket of each appointment that has come."""

    def came(self, view: dict[str, Any], appointment_id: str | None = None) -> Person:
        """A ticket that was just issued: nobody has its id or its label, and a walk-in stands behind all walk-ins of before."""
        person = Person(
            ticket_id=view["ticket_id"],
            label=view["label"],
            service=view["service"],
            due_at=datetime.fromisoformat(view["due_at"]),
            callable_at=datetime.fromisoformat(view["callable_at"]),
            issue=tuple(view["issue"]),
        )
        assert person.ticket_id not in self.people
        assert person.label not in {other.label for other in self.people.values()}
        assert all(person.issue > other.issue for other in self.people.values())
        self.people[person.ticket_id] = person
        if appointment_id is not None:
            assert appointment_id not in self.appointments
            self.appointments[appointment_id] = person.ticket_id
        return person

    def refusal(self, verb: str, ticket_id: str, session: Session) -> str | None:
        """Why a clerk may not do this to a ticket; none: they may."""
        person = self.people[ticket_id]
        if person.state not in FROM[verb]:
            return "wrong_state"
        if verb in OF_A_COUNTER and person.state in ("called", "serving") and person.session != session.session:
            return "not_this_counter"
        return None

    def did(self, verb: str, ticket_id: str, view: dict[str, Any]) -> None:
        """A verb was carried out; ``view`` is how the office shows the ticket now."""
        person = self.people[ticket_id]
        person.state = TO[verb]
        assert (view["ticket_id"], view["label"], view["state"]) == (ticket_id, person.label, person.state)
        before = person.due_at
        person.due_at = datetime.fromisoformat(view["due_at"])
        person.callable_at = datetime.fromisoformat(view["callable_at"])
        if verb in ("park", "resume", "start", "no_show", "finish", "recall"):
            assert person.due_at == before, f"{verb} moves nobody's place"
        if person.state not in ("called", "serving"):
            person.session = None

    def called(self, ticket_id: str, session: Session, call: str) -> None:
        person = self.people[ticket_id]
        assert person.state == "waiting", f"{person.label} was called while {person.state}"
        person.state, person.session, person.counter = "called", session.session, None
        person.calls += 1
        session.last = call

    def visit(self, session: Session) -> Person | None:
        """Who is at a counter."""
        here = [p for p in self.people.values() if p.session == session.session and p.state in ("called", "serving")]
        assert len(here) <= 1
        return here[0] if here else None

    def next_for(self, session: Session, at: datetime) -> Person | None:
        """Whom the rule calls: those sent to this counter, those of its own services and those of its other services who are
        due for five minutes; then the rest of its other services; each by due time and issue. Who may not be called yet is
        called only when there is nobody else.
        """
        waiting = [p for p in self.people.values() if p.state == "waiting" and p.counter in (None, session.counter)]
        own = [p for p in waiting if p.counter == session.counter or p.service in session.primary]
        other = [p for p in waiting if p not in own and p.service in session.secondary]
        own += [p for p in other if p.due_at + RIPE <= at]
        for group in (_callable(own, at), _callable(other, at), own):
            if group:
                return min(group, key=lambda person: person.place)
        return None

    def closed(self, session: Session) -> None:
        """A counter closed: its visit waits again, and who was sent there may go anywhere."""
        if visit := self.visit(session):
            visit.state, visit.session = "waiting", None
        del self.sessions[session.session]
        for person in self.people.values():
            if person.counter == session.counter:
                person.counter = None

    def check(self, queue: dict[str, Any]) -> None:
        """The office shows each ticket in exactly one place, the one where it is, and the waiting in their order."""
        shown = {
            state: [ticket["ticket_id"] for ticket in queue[state]]
            for state in ("waiting", "called", "serving", "missed", "parked", "in_transit")
        }
        known: dict[str, list[str]] = {state: [] for state in shown}
        for person in sorted(self.people.values(), key=lambda person: person.place):
            if person.state in known:
                known[person.state].append(person.ticket_id)
        assert shown["waiting"] == known["waiting"]
        assert {state: sorted(ids) for state, ids in shown.items()} == {s: sorted(ids) for s, ids in known.items()}
        for ticket in queue["ended"]:
            assert self.people[ticket["ticket_id"]].state == ticket["state"]
        open_ = {counter["session"]["session"] for counter in queue["counters"] if counter["session"]}
        assert open_ == set(self.sessions)


def _callable(people: list[Person], at: datetime) -> list[Person]:
    return [person for person in people if person.callable_at <= at]
