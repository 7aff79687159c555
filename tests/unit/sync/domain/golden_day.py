"""Plays a golden case of the queue order minute by minute, through the commands that people give."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sync.domain.ordering import passed_over_bound
from sync.messages import commands as c
from sync.messages.feed import Counter
from sync.messages.policy import Policy
from tests.kit.office import TestOffice, at, catalogue, new_id

VISIT = timedelta(minutes=5)
MISSED = timedelta(minutes=1)
MINUTE = timedelta(minutes=1)


class GoldenDay:
    """One case: its tickets, counters and acts, and what came of them."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.case = case
        policy = Policy(secondary_threshold_min=10, **case["policy"])
        counters = tuple(
            Counter(id=k["counter"], zone="a", primary=(_service(k["primary"]),), secondary=_optional(k["secondary"]))
            for k in case["counters"]
        )
        self.office = TestOffice(catalogue(("a", "b"), counters, policy))
        self.ids: dict[str, str] = {}
        self.dues: dict[str, datetime] = {}
        self.calls: list[tuple[datetime, str, str]] = []
        self.sessions: dict[str, str] = {}
        self.free_at: dict[str, datetime] = {}
        self.absent = [a["ticket"] for a in case["acts"] if a["act"] == "absent"]
        self.transfers = {a["ticket"]: a["service"] for a in case["acts"] if a["act"] == "transfer"}

    def play(self) -> None:
        """Run until two hours after the last arrival or opening."""
        times = [at(t["arrives"]) for t in self.case["tickets"]] + [at(k["opens"]) for k in self.case["counters"]]
        now = min(times)
        while now <= max(times) + timedelta(hours=2):
            self._end_visits(now)
            self._arrive(now)
            self._act(now)
            self._open_counters(now)
            self._call(now)
            now += MINUTE

    def _name(self, ticket_id: str) -> str:
        return next(name for name, known in self.ids.items() if known == ticket_id)

    def _arrive(self, now: datetime) -> None:
        for ticket in self.case["tickets"]:
            if at(ticket["arrives"]) != now:
                continue
            service = _service(ticket["service"])
            priority = "reduced_mobility" if ticket["reduced_mobility"] else "general"
            if ticket["slot"]:
                ticket_id = self.office.check_in(service, at(ticket["slot"]), now, priority)
            else:
                ticket_id = self.office.take(service, now, priority)
            self.ids[ticket["name"]] = ticket_id
            self.dues[ticket["name"]] = self.office.day.tickets[ticket_id].due_at

    def _act(self, now: datetime) -> None:
        for act in self.case["acts"]:
            if "at" not in act or at(act["at"]) != now:
                continue
            ticket_id = self.ids[act["ticket"]]
            commands: dict[str, c.AnyCommand] = {
                "return": c.Reinstate(request_id=new_id(), ticket_id=ticket_id),
                "park": c.Park(request_id=new_id(), session=self.sessions["1"], ticket_id=ticket_id),
                "unpark": c.Resume(request_id=new_id(), ticket_id=ticket_id),
            }
            self.office.do(commands[act["act"]], now, "clerk-1")

    def _open_counters(self, now: datetime) -> None:
        for counter in self.case["counters"]:
            if at(counter["opens"]) == now:
                name = counter["counter"]
                self.sessions[name] = self.office.open(name, now, f"clerk-{name}")
                self.free_at[name] = now

    def _end_visits(self, now: datetime) -> None:
        for counter, session in self.sessions.items():
            visit = self.office.day.visit_at(session)
            if visit is None or self.free_at[counter] > now:
                continue
            name, clerk = self._name(visit.ticket_id), f"clerk-{counter}"
            target: dict[str, Any] = {"session": session, "ticket_id": visit.ticket_id}
            if name in self.absent:
                self.absent.remove(name)
                self.office.do(c.NoShow(request_id=new_id(), **target), now, clerk)
                continue
            self.office.do(c.Start(request_id=new_id(), **target), now - VISIT, clerk)
            if name in self.transfers:
                service = _service(self.transfers.pop(name))
                self.office.do(c.Transfer(request_id=new_id(), service=service, **target), now, clerk)
            else:
                self.office.do(c.Finish(request_id=new_id(), **target), now, clerk)

    def _call(self, now: datetime) -> None:
        for counter in sorted(self.sessions, key=lambda k: (self.free_at[k], k)):
            session = self.sessions[counter]
            if self.office.day.visit_at(session) is not None:
                continue
            before = self.office.replayed()
            called = self.office.call_next(session, now, f"clerk-{counter}")
            if called is None:
                continue
            chosen = before.tickets[called]
            assert passed_over_bound(before, before.sessions[session], chosen, now) is None
            name = self._name(called)
            self.calls.append((now, counter, name))
            self.free_at[counter] = now + (MISSED if name in self.absent else VISIT)


def _service(letter: str) -> str:
    return letter.lower()


def _optional(letter: str | None) -> tuple[str, ...]:
    return (letter.lower(),) if letter else ()
