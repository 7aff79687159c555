"""An office's node and broker as processes, asked everything in any order: each answer and the whole queue as the model says.

``STATEFUL_EXAMPLES=100 pytest tests/stateful`` looks longer.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections import Counter
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from provisioning.launchers.broker import Broker, available
from sync.io.ids import new_id
from sync.messages import feed as f
from tests.integration.bad_input.bookings import Bookings
from tests.kit.edge import SERVICES, prepare
from tests.kit.edge_process import EdgeProcess
from tests.kit.services import require
from tests.stateful.effort import effort
from tests.stateful.office_faces import Console, KioskOnTheLan
from tests.stateful.office_model import OfficeModel, Session

COUNTERS = {
    "1": (("padron",), ("registro",)),
    "2": (("registro", "certificados"), ("padron",)),
    "3": (SERVICES, ()),
}
CLERKS = {"1": "clerk-1", "2": "clerk-2", "3": "clerk-3"}
MOST_RESTARTS = 3
"""In one sequence; a start takes as long as a hundred commands."""
NOW_AND_THEN = {"recall_too_soon", "recall_limit"}

pick = st.integers(0, 10**6)
counters = st.sampled_from(sorted(COUNTERS))


class OfficeMachine(RuleBasedStateMachine):
    """One office for one day."""

    def __init__(self) -> None:
        super().__init__()
        self.model = OfficeModel()
        self.answered: list[tuple[str, str, dict[str, Any], bytes]] = []
        """Counter, verb, body and reply of what was carried out."""
        self.said: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self.restarts = 0
        self._stack = ExitStack()

    @initialize()
    def open_office(self) -> None:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="office-")))
        self.bookings = Bookings()
        rows = [row for row in self.bookings.rows if not isinstance(row, f.Counter)]
        rows += [f.Counter(id=n, zone="a", primary=own, secondary=other) for n, (own, other) in COUNTERS.items()]
        broker = self._stack.enter_context(Broker(folder / "broker"))
        prepare(folder / "edge", rows)
        self.edge = EdgeProcess(folder / "edge", broker_port=broker.port)
        self._stack.callback(self.edge.kill)
        self.edge.start()
        self.consoles = {n: self._stack.enter_context(Console(self.edge.url, who)) for n, who in CLERKS.items()}
        self.boss = self._stack.enter_context(Console(self.edge.url, "boss"))
        self.kiosk = KioskOnTheLan(broker.port)
        self._stack.callback(self.kiosk.leave)

    # --------------------------------------------------------------------------------------------------- people come

    @rule(counter=counters, service=st.sampled_from(SERVICES))
    def take(self, counter: str, service: str) -> None:
        reply = self._done(counter, "take_ticket", service=service)
        self.model.came(reply["ticket"])

    @rule(service=st.sampled_from(SERVICES))
    def take_at_kiosk(self, service: str) -> None:
        answer = self._ask_kiosk({"type": "take_ticket", "request_id": new_id(), "service": service})
        self._came_by_kiosk(answer)

    @rule(counter=counters, number=pick, by=st.sampled_from(["scanned", "locator", "appointment_id"]))
    def check_in(self, counter: str, number: int, by: str) -> None:
        row = self.bookings.known[number % len(self.bookings.known)]
        shown = {"scanned": self.bookings.code(row), "locator": row.locator, "appointment_id": row.id}[by]
        body, reply = self.consoles[counter].command("check_in", **{by: shown})
        if row.id in self.model.appointments:
            self._refused(reply, "already_checked_in")
            assert reply.json()["ticket_id"] == self.model.appointments[row.id]
            return
        self.model.came(self._kept(counter, "check_in", body, reply)["ticket"], row.id)

    @rule(number=pick, by_token=st.booleans())
    def check_in_at_kiosk(self, number: int, by_token: bool) -> None:
        row = self.bookings.known[number % len(self.bookings.known)]
        shown = {"scanned": self.bookings.code(row)} if by_token else {"locator": row.locator}
        answer = self._ask_kiosk({"type": "check_in", "request_id": new_id(), **shown})
        if row.id in self.model.appointments:
            assert answer["refusal"]["code"] == "already_checked_in"
            assert answer["slip"]["ticket_id"] == self.model.appointments[row.id]
            return
        self._came_by_kiosk(answer, row.id)

    @rule(counter=counters, which=st.sampled_from(["cancelled", "moved", "tomorrow", "yesterday"]))
    def come_with_a_code_that_is_none(self, counter: str, which: str) -> None:
        code = self.bookings.code(getattr(self.bookings, which))
        _, reply = self.consoles[counter].command("check_in", scanned=code)
        self._refused(reply, which if which in ("cancelled", "moved") else "wrong_day")

    # ------------------------------------------------------------------------------------------------------ counters

    @rule(counter=counters)
    def open_counter(self, counter: str) -> None:
        body, reply = self.consoles[counter].command("open_counter", counter=counter)
        if self._session(counter) is not None:
            assert (reply.status_code, reply.json()["outcome"]) == (200, "unchanged")
            return
        session = self._kept(counter, "open_counter", body, reply)["session"]["session"]
        own, other = COUNTERS[counter]
        self.model.sessions[session] = Session(
            session, counter, CLERKS[counter], frozenset(own), frozenset(other), last=None
        )

    @rule(counter=counters)
    def close_counter(self, counter: str) -> None:
        session = self._session(counter)
        body, reply = self.consoles[counter].command("close_counter", session=session.session if session else new_id())
        if session is None:
            self._refused(reply, "counter_closed")
        elif self.model.visit(session):
            self._refused(reply, "visit_open")
        else:
            self._kept(counter, "close_counter", body, reply)
            self.model.closed(session)

    @rule(counter=counters)
    def end_session_as_supervisor(self, counter: str) -> None:
        if (session := self._session(counter)) is not None:
            _, reply = self.boss.command("close_counter", session=session.session)
            assert reply.status_code == 200, reply.text
            self.model.closed(session)

    # --------------------------------------------------------------------------------------------------------- calls

    @rule(counter=counters)
    def call_next(self, counter: str) -> None:
        session = self._opened(counter)
        body, reply = self.consoles[counter].command("call_next", session=session.session, after=session.last)
        if self.model.visit(session):
            self._refused(reply, "visit_open")
        elif reply.status_code != 200:
            self._refused(reply, "nobody_waiting")
            assert self.model.next_for(session, datetime.now(UTC)) is None
        else:
            told = self._kept(counter, "call_next", body, reply)
            expected = self.model.next_for(session, datetime.fromisoformat(told["at"]))
            assert expected is not None
            assert told["ticket"]["ticket_id"] == expected.ticket_id, (
                f"{told['ticket']['label']} before {expected.label}"
            )
            self.model.called(expected.ticket_id, session, body["request_id"])

    @rule(counter=counters)
    def call_by_an_old_page(self, counter: str) -> None:
        """Two clicks, or a page from before: nobody else is called."""
        if (session := self._session(counter)) is not None:
            _, reply = self.consoles[counter].command("call_next", session=session.session, after=new_id())
            assert (reply.status_code, reply.json()["outcome"]) == (200, "unchanged")

    @precondition(lambda self: self.model.people)
    @rule(
        counter=counters,
        number=pick,
        at_counter=st.booleans(),
        verb=st.sampled_from(["recall", "start", "finish", "no_show", "park", "reinstate", "resume", "leave"]),
    )
    def act(self, counter: str, number: int, at_counter: bool, verb: str) -> None:
        session, ticket_id = self._opened(counter), self._ticket(counter, number, at_counter=at_counter)
        needs_session = verb not in ("reinstate", "resume", "leave")
        fields = {"ticket_id": ticket_id} | ({"session": session.session} if needs_session else {})
        no = self.model.refusal(verb, ticket_id, session)
        body, reply = self.consoles[counter].command(verb, **fields)
        if no is not None:
            self._refused(reply, no)
        elif verb == "recall" and reply.status_code != 200:
            assert reply.json()["code"] in NOW_AND_THEN
        else:
            self.model.did(verb, ticket_id, self._kept(counter, verb, body, reply)["ticket"])

    @precondition(lambda self: self.model.people)
    @rule(counter=counters, number=pick, to=st.one_of(counters, st.sampled_from(SERVICES)))
    def transfer(self, counter: str, number: int, to: str) -> None:
        session, ticket_id = self._opened(counter), self._ticket(counter, number, at_counter=True)
        where = {"counter": to} if to in COUNTERS else {"service": to}
        no = self.model.refusal("transfer", ticket_id, session)
        if no is None and to in COUNTERS and self._session(to) is None:
            no = "counter_closed"
        body, reply = self.consoles[counter].command("transfer", session=session.session, ticket_id=ticket_id, **where)
        if no is not None:
            self._refused(reply, no)
            return
        self.model.did("transfer", ticket_id, self._kept(counter, "transfer", body, reply)["ticket"])
        person = self.model.people[ticket_id]
        person.counter, person.service = where.get("counter"), where.get("service", person.service)

    # ------------------------------------------------------------------------------------------- again, and once more

    @precondition(lambda self: self.answered)
    @rule(number=pick)
    def repeat_a_command(self, number: int) -> None:
        counter, verb, body, before = self.answered[number % len(self.answered)]
        _, reply = self.consoles[counter].command(verb, **body)
        assert (reply.status_code, reply.content) == (200, before)

    @precondition(lambda self: self.said)
    @rule(number=pick)
    def repeat_at_kiosk(self, number: int) -> None:
        message, before = self.said[number % len(self.said)]
        answer = self.kiosk.ask(message)
        assert [answer["slip"][key] for key in ("ticket_id", "label", "follow_url")] == [
            before["slip"][key] for key in ("ticket_id", "label", "follow_url")
        ]

    @precondition(lambda self: self.restarts < MOST_RESTARTS)
    @rule(hard=st.booleans())
    def restart(self, hard: bool) -> None:
        self.restarts += 1
        if hard:
            self.edge.kill()
        else:
            self.edge.stop()
        self.edge.start()

    @invariant()
    def queue_is_as_the_model_says(self) -> None:
        self.model.check(self.boss.queue())

    def teardown(self) -> None:
        try:
            if hasattr(self, "kiosk"):
                self.kiosk.shows({p.ticket_id for p in self.model.people.values() if p.state == "called"})
                self._check_journal()
        finally:
            self._stack.close()

    # --------------------------------------------------------------------------------------------------------- inside

    def _session(self, counter: str) -> Session | None:
        return next((each for each in self.model.sessions.values() if each.counter == counter), None)

    def _opened(self, counter: str) -> Session:
        """The counter's session; a clerk who wants to act opens it first."""
        if self._session(counter) is None:
            self.open_counter(counter)
        session = self._session(counter)
        assert session is not None
        return session

    def _ticket(self, counter: str, number: int, *, at_counter: bool) -> str:
        """Any ticket, or the one at the counter if there is one: verbs should often be right."""
        session = self._session(counter)
        if at_counter and session is not None and (visit := self.model.visit(session)):
            return visit.ticket_id
        ids = list(self.model.people)
        return ids[number % len(ids)]

    def _done(self, counter: str, verb: str, **fields: Any) -> dict[str, Any]:
        body, reply = self.consoles[counter].command(verb, **fields)
        return self._kept(counter, verb, body, reply)

    def _kept(self, counter: str, verb: str, body: dict[str, Any], reply: httpx.Response) -> dict[str, Any]:
        assert reply.status_code == 200, f"{verb} {body}: {reply.status_code} {reply.text}"
        told: dict[str, Any] = reply.json()
        assert (told["outcome"], told["request_id"]) == ("done", body["request_id"])
        self.answered.append((counter, verb, body, reply.content))
        return told

    def _refused(self, reply: httpx.Response, code: str) -> None:
        assert reply.status_code in (403, 404, 409, 422), reply.text
        assert reply.json()["code"] == code

    def _ask_kiosk(self, message: dict[str, Any]) -> dict[str, Any]:
        answer = self.kiosk.ask(message)
        if "slip" in answer and answer["slip"] and not answer.get("refusal"):
            self.said.append((message, answer))
        return answer

    def _came_by_kiosk(self, answer: dict[str, Any], appointment_id: str | None = None) -> None:
        assert not answer.get("refusal"), answer
        slip = answer["slip"]
        assert slip["ticket_id"] == answer["request_id"]
        waiting = {ticket["ticket_id"]: ticket for ticket in self.boss.queue()["waiting"]}
        person = self.model.came(waiting[slip["ticket_id"]], appointment_id)
        assert person.label == slip["label"]

    def _check_journal(self) -> None:
        """Each request made its facts once, each label is one ticket's, each call is one that was answered."""
        with closing(sqlite3.connect(f"file:{self.edge.folder / 'edge.db'}?mode=ro", uri=True)) as file:
            facts = file.execute(
                "SELECT type, request_id, body ->> 'ticket_id', body ->> 'label' FROM fact ORDER BY seq"
            ).fetchall()
        issued = [(ticket, label) for kind, _, ticket, label in facts if kind == "ticket.issued"]
        assert issued == [(p.ticket_id, p.label) for p in sorted(self.model.people.values(), key=lambda p: p.issue)]
        calls = Counter(ticket for kind, _, ticket, _ in facts if kind == "ticket.called")
        assert calls == Counter({p.ticket_id: p.calls for p in self.model.people.values() if p.calls})
        made = Counter((kind, request) for kind, request, _, _ in facts if request and kind.startswith("ticket."))
        assert not made or max(made.values()) == 1


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_office_does_what_the_model_says() -> None:
    require(list(available()), "there is no MQTT broker here")
    run_state_machine_as_test(OfficeMachine, settings=effort(examples=4, steps=70))
