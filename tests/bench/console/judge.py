"""Judges an office's journal from outside: nobody called twice, nobody passed over, the published order at every call.

It reads the facts as rows of SQLite and restates the rule in its own words, with the published table of ``tests.kit.oracle``;
nothing of the product decides here. It knows what the load does and refuses a journal with anything else that moves people.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from tests.kit.oracle import SECONDARY_AFTER, Person, instant

KEEPS_PLACE = timedelta(minutes=15)
_NOBODY_MOVES = (
    "day.opened", "config.", "node.", "clock.", "counter.", "ticket.printed", "ticket.print_failed", "ticket.shown",
    "ticket.started", "ticket.recalled", "support.",
)  # fmt: skip
Key = tuple[datetime, tuple[int, int]]


class Fact(msgspec.Struct, frozen=True):
    seq: int
    type: str
    request_id: str | None
    at: datetime
    body: dict[str, Any]


@dataclass
class Verdict:
    """What was wrong, each with its words; and where in the journal each request stands, by its last fact."""

    calls: int = 0
    double_calls: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    order_violations: list[str] = field(default_factory=list)
    seq_of: dict[str, int] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, int]:
        return {
            "calls": self.calls,
            "double_calls": len(self.double_calls),
            "skipped": len(self.skipped),
            "order_violations": len(self.order_violations),
        }

    @property
    def faults(self) -> list[str]:
        return [*self.double_calls, *self.skipped, *self.order_violations]


@dataclass
class _Counter:
    primary: tuple[str, ...]
    secondary: tuple[str, ...]
    visit: str | None = None


@dataclass
class _Waiting:
    """Somebody who has come: what the published table says of them, and where they may be served."""

    person: Person
    due: datetime
    service: str
    only_counter: str | None = None
    missed_at: datetime | None = None
    reinstated: int = 0

    @property
    def key(self) -> Key:
        return self.due, self.person.issue


def read_journal(file: Path) -> list[Fact]:
    """All facts of an edge's database."""
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    rows = connection.execute("SELECT epoch, seq, type, request_id, occurred_at, body FROM fact ORDER BY epoch, seq")
    facts = [
        Fact(seq, kind, request_id, instant(at), msgspec.json.decode(body))
        for _, seq, kind, request_id, at, body in rows
    ]
    connection.close()
    return facts


def judge(facts: Iterable[Fact]) -> Verdict:
    """One office's day.

    Raises:
        ValueError: a fact that moves people and that the load never asks for.
    """
    return _Judge().of(facts)


class _Judge:
    def __init__(self) -> None:
        self._verdict = Verdict()
        self._known: dict[str, _Waiting] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._counters: dict[str, _Counter] = {}

    def of(self, facts: Iterable[Fact]) -> Verdict:
        for fact in facts:
            if fact.request_id is not None:
                self._verdict.seq_of[fact.request_id] = fact.seq
            self._take(fact)
        return self._verdict

    def _take(self, fact: Fact) -> None:
        body = fact.body
        match fact.type:
            case "counter.opened":
                self._counters[body["counter"]] = _Counter(tuple(body["primary"]), tuple(body.get("secondary", ())))
            case "ticket.issued":
                self._issued(fact)
            case "ticket.called":
                self._called(fact)
            case "ticket.finished" | "ticket.abandoned" | "ticket.parked":
                self._leaves(body["ticket_id"])
            case "ticket.no_show":
                self._leaves(body["ticket_id"])
                self._known[body["ticket_id"]].missed_at = fact.at
            case "ticket.resumed" | "ticket.reinstated" | "ticket.transferred":
                self._returns(fact)
            case other:
                if not other.startswith(_NOBODY_MOVES):
                    raise ValueError(f"the judge does not know {other}")

    def _issued(self, fact: Fact) -> None:
        body, slot = fact.body, fact.body.get("slot_start_at")
        person = Person(
            office="", ticket_id=body["ticket_id"], label=body["label"], service=body["service"],
            priority_class=body.get("priority_class", "general"), arrived_at=instant(body["arrived_at"]),
            slot_start_at=instant(slot) if slot else None, issue=(1, fact.seq),
        )  # fmt: skip
        self._known[person.ticket_id] = _Waiting(person, person.due(), person.service)
        self._waiting[person.ticket_id] = self._known[person.ticket_id]

    def _returns(self, fact: Fact) -> None:
        ticket_id = fact.body["ticket_id"]
        one = self._known[ticket_id]
        self._leaves(ticket_id)
        if fact.type == "ticket.transferred":
            if fact.body.get("order", "keep") != "keep" or fact.body.get("staff_id") or fact.body.get("zone"):
                raise ValueError("the judge knows transfers to a service or counter only")
            one.service, one.only_counter = fact.body["service"], fact.body.get("counter")
        if fact.type == "ticket.reinstated":
            late = one.missed_at is not None and fact.at - one.missed_at > KEEPS_PLACE
            if late or one.reinstated:  # the place is kept once
                one.due = max(one.due, fact.at)
            one.reinstated += 1
        self._waiting[ticket_id] = one

    def _leaves(self, ticket_id: str) -> None:
        self._waiting.pop(ticket_id, None)
        for counter in self._counters.values():
            if counter.visit == ticket_id:
                counter.visit = None

    def _called(self, fact: Fact) -> None:
        verdict, ticket_id, where = self._verdict, fact.body["ticket_id"], fact.body["counter"]
        verdict.calls += 1
        called, counter = self._known[ticket_id], self._counters[where]
        words = f"seq {fact.seq}: {called.person.label} at counter {where}"
        if ticket_id not in self._waiting or counter.visit is not None:
            verdict.double_calls.append(words)
        elif fact.body["how"] == "next":
            before = self._before(called, where, counter, fact.at)
            if before is None or before:
                verdict.order_violations.append(f"{words}, before {before and before[0]}")
            verdict.skipped += [f"{words}: {label} was passed over" for label in before or ()]
        elif not fact.body.get("reason"):
            verdict.skipped.append(f"{words}: chosen without a reason")
        self._waiting.pop(ticket_id, None)
        counter.visit = ticket_id

    def _before(self, called: _Waiting, where: str, counter: _Counter, at: datetime) -> list[str] | None:
        """Labels of those who should have gone first; none when the counter may not call this person at all."""
        mine: list[_Waiting] = []
        unripe: list[_Waiting] = []
        for one in self._waiting.values():
            if one.only_counter not in (None, where):
                continue
            if one.only_counter == where or one.service in counter.primary or at >= one.due + SECONDARY_AFTER:
                mine.append(one)
            elif one.service in counter.secondary:
                unripe.append(one)
        mine = [one for one in mine if one.only_counter == where or one.service in counter.primary + counter.secondary]
        for group in (mine, unripe):
            ready = [one for one in group if one.person.callable_from() <= at]
            if ready:
                return _ahead(called, ready, everybody=called not in ready)
        return _ahead(called, mine, everybody=False) if called in mine else None


def _ahead(called: _Waiting, ready: list[_Waiting], *, everybody: bool) -> list[str]:
    return [one.person.label for one in ready if everybody or one.key < called.key]
