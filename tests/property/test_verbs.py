"""Every verb, in any order, in any state, by any clerk: each ticket stands in one place, its credit is kept, nobody is called
twice, and the journal tells the same day again.
"""

from __future__ import annotations

from collections import Counter as Tally
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from sync.domain.decide import close_day
from sync.domain.due import due
from sync.domain.folding.acts import REVERSIBLE
from sync.domain.office_day import OfficeDay
from sync.domain.ordering import ahead_of, next_for, passed_over_bound, reachable
from sync.domain.outcomes import Accepted
from sync.domain.ticket import OPEN_STATES, CounterSession, Ticket
from sync.domain.undo import UNDO_S, undoable
from sync.messages import commands as c
from sync.messages import desk_facts
from sync.messages import facts as f
from sync.messages.desk_facts import TicketUndone
from sync.messages.envelope import FactHeader
from sync.messages.fact_types import FACTS
from sync.messages.feed import Counter
from sync.messages.node_facts import ClockStepped
from sync.messages.refusals import Refusal
from tests.kit.office import TestOffice, at, catalogue, follow_hash, new_id

SERVICES = ("a", "b", "c")
CLERKS = ("ana", "luis", "eva")
COUNTERS = (
    Counter(id="1", zone="a", primary=("a",), secondary=("b",)),
    Counter(id="2", zone="a", primary=("b", "c")),
    Counter(id="3", zone="b", primary=("c", "a"), secondary=("b",)),
)
VERBS = (
    *(
        "walk_in",
        "walk_in",
        "check_in",
        "back",
        "chosen",
        "recall",
        "resume",
        "leave",
        "gone",
        "skip",
        "serve_now",
        "class",
        "needs",
    ),
    *("to_service", "to_counter", "to_staff", "to_zone", "park", "no_show", "add", "pause", "go_on", "go_on", "close"),
    *(
        "open",
        "open",
        "open",
        "reassign",
        "assign",
        "serves",
        "step",
        *4 * ("undo",),
        *6 * ("next",),
        *5 * ("start",),
        *4 * ("finish",),
    ),
)
PACES = (0, 2, 5, 15, 30, 200)


class Step(NamedTuple):
    verb: str
    clerk: int
    which: int
    seconds: int


ELSEWHERE = {
    *("ticket.printed", "ticket.print_failed", "ticket.shown", "ticket.relabelled"),
    *("ticket.released", "ticket.accepted", "ticket.arrived", "ticket.wanted_back"),
}
"""Facts of kiosks, displays and other offices."""


def steps_of(seed: int, many: int) -> list[Step]:
    """Long runs are what finds something; a generated list of steps is seldom long. Fewer steps of a seed are its beginning."""
    dice = Random(seed)
    return [Step(dice.choice(VERBS), dice.randrange(3), dice.randrange(12), dice.choice(PACES)) for _ in range(many)]


class Drill:
    """An office whose clerks press anything at all."""

    def __init__(self) -> None:
        self.office = TestOffice(catalogue(SERVICES, COUNTERS))
        self.now = at("09:00")
        for counter, clerk in zip(COUNTERS, CLERKS, strict=True):
            self.office.open(counter.id, self.now, clerk)

    def press(self, step: Step) -> None:
        self.now += timedelta(seconds=step.seconds)
        command = self._command(step, CLERKS[step.clerk])
        if isinstance(command, f.Fact):
            self.office.write((command,), self.now)
        elif command is not None:
            self._carry_out(command, CLERKS[step.clerk], supervisor=step.verb in ("reassign", "assign", "serves"))

    def _carry_out(self, command: c.AnyCommand, clerk: str, *, supervisor: bool) -> None:
        day = self.office.day
        session = day.sessions.get(getattr(command, "session", None) or "")
        choice = next_for(day, session, self.now) if session else None
        over = passed_over_bound(day, session, choice.ticket, self.now) if session and choice else None
        skipped = session.skipped if session else ()
        dues = {t.ticket_id: t.due_at for t in day.tickets.values()}
        decision = self.office.do(command, self.now, clerk, supervisor=supervisor)
        if isinstance(decision, Refusal):
            return
        facts = decision.facts if isinstance(decision, Accepted) else ()
        calls = [fact for fact in facts if isinstance(fact, f.TicketCalled)]
        assert len(calls) <= 1
        if isinstance(command, c.CallNext) and calls and choice:
            assert calls[0].ticket_id == choice.ticket.ticket_id
            assert over is None or choice.ticket.ticket_id in skipped, "theorem 1"
        if not isinstance(command, (c.SetPriority, c.Reinstate, c.Undo)):
            assert all(day.tickets[each].due_at == due_at for each, due_at in dues.items()), "the credit is kept"

    def _command(self, step: Step, clerk: str) -> c.AnyCommand | f.Fact | None:
        day, which = self.office.day, step.which
        service, counter = SERVICES[which % 3], COUNTERS[which % 3].id
        session = next((s for s in day.sessions.values() if s.staff_id == clerk), None)
        tickets = list(day.tickets.values())
        ticket = tickets[which % len(tickets)].ticket_id if tickets else new_id()
        loose: Any = {"request_id": new_id(), "ticket_id": ticket}
        match step.verb:
            case "walk_in":
                return c.TakeTicket(request_id=new_id(), service=service, follow_hash=follow_hash(new_id()))
            case "check_in":
                slot = self.now + timedelta(minutes=10 * which - 60)
                self.office.check_in(service, slot, self.now)
                return None
            case "back":
                return c.Reinstate(**loose)
            case "resume":
                return c.Resume(**loose)
            case "leave":
                here = session.session if session and which % 2 else None
                return c.Leave(**loose, session=here) if which % 3 == 0 else None
            case "class":
                return c.SetPriority(**loose, priority_class=("general", "reduced_mobility")[which % 2], basis="seen")
            case "needs":
                steps = tuple(each for each in SERVICES if each != service)[: which % 3]
                return c.SetNeeds(**loose, needs=("signs",)) if which % 2 else c.PlanRoute(**loose, steps=steps)
            case "step":
                return ClockStepped(delta_ms=(which - 6) * 60_000)
            case "open":
                return c.OpenCounter(request_id=new_id(), counter=counter, take_over=which > 5)
            case "assign":
                return c.AssignTicket(**loose, to_counter=counter if which % 4 else None)
            case "reassign":
                to = COUNTERS[(which + step.clerk) % 3].id if which % 2 else None
                return c.Reassign(request_id=new_id(), counter=counter, to_counter=to, close=which > 8)
            case _:
                return self._at_counter(step, session, ticket) if session else None

    def _at_counter(self, step: Step, session: CounterSession, ticket: str) -> c.AnyCommand:
        day, which = self.office.day, step.which
        service, counter = SERVICES[which % 3], COUNTERS[which % 3].id
        visit = day.visit_at(session.session)
        here: Any = {"request_id": new_id(), "session": session.session}
        mine: Any = {**here, "ticket_id": visit.ticket_id if visit and which % 4 else ticket}
        act = session.act.request_id if session.act else new_id()
        orders: Any = ("keep", "next", "end")[which % 3]
        commands: dict[str, c.AnyCommand] = {
            "next": c.CallNext(**here, after=session.last_call),
            "chosen": c.CallTicket(**here, ticket_id=ticket, reason="short", after=session.last_call),
            "serve_now": c.ServeWalkIn(
                **here, service=service, follow_hash=follow_hash(new_id()), after=session.last_call
            ),
            "recall": c.Recall(**mine),
            "start": c.Start(**mine),
            "finish": c.Finish(**mine),
            "no_show": c.NoShow(**mine),
            "to_service": c.Transfer(**mine, service=service, order=orders),
            "to_counter": c.Transfer(**mine, counter=counter, order=orders),
            "to_staff": c.Transfer(**mine, staff_id=CLERKS[which % 3], order=orders),
            "to_zone": c.Transfer(**mine, zone=("a", "b")[which % 2], order=orders),
            "park": c.Park(**mine, reason="document", back_to_me=which % 2 == 0),
            "skip": c.Skip(
                **{**mine, "ticket_id": self._next_here(session.session) or mine["ticket_id"]}, reason="short"
            ),
            "add": c.AddService(**mine, service=service),
            "gone": c.Leave(**here, ticket_id=ticket),
            "undo": c.Undo(**here, act=act),
            "pause": c.PauseCounter(**here, reason="rest"),
            "go_on": c.ResumeCounter(**here),
            "serves": c.ChangeServices(**here, primary=(service,), secondary=SERVICES[which % 2 :]),
            "close": c.CloseCounter(**here),
        }
        return commands[step.verb]

    def _next_here(self, session: str) -> str | None:
        choice = next_for(self.office.day, self.office.day.sessions[session], self.now)
        return choice.ticket.ticket_id if choice else None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([20, 80, 200]))
def test_any_verbs_in_any_order(seed: int, many: int) -> None:
    drill = Drill()
    for step in steps_of(seed, many):
        drill.press(step)
        _assert_sound(drill)
    day, again = drill.office.day, drill.office.replayed()
    for name in ("tickets", "sessions", "session_at", "waiting", "lines", "announcements", "durations", "support"):
        assert getattr(again, name) == getattr(day, name), name


def _assert_sound(drill: Drill) -> None:
    day = drill.office.day
    assert set(day.waiting) == {t.ticket_id for t in day.tickets.values() if t.state == "waiting"}
    at_counters = Tally(t.session for t in day.tickets.values() if t.state in ("called", "serving"))
    for session in day.sessions.values():
        visit = day.visit_at(session.session)
        assert at_counters[session.session] == (1 if visit else 0), "one visit at a counter at most"
        assert undoable(day, session, drill.now) is None or session.act is not None
    assert set(at_counters) <= set(day.sessions), "no visit at a counter that is closed"
    for ticket in day.tickets.values():
        assert (ticket.session is not None) == (ticket.state in ("called", "serving"))
        _assert_credit(drill, ticket)
        if ticket.state == "waiting" and ticket.is_marked:
            assert any(reachable(s, ticket) for s in day.sessions.values()), "nobody waits for who has gone"
        if ticket.state == "waiting":
            assert 0 <= ahead_of(day, ticket) < len(day.waiting)


def _assert_credit(drill: Drill, ticket: Ticket) -> None:
    """An open ticket's waiting counts from its arrival as on the first minute, or as a reinstatement left it."""
    if ticket.state not in OPEN_STATES:
        return
    ranked = due(ticket.arrived_at, ticket.slot_start_at, ticket.priority_class, drill.office.day.policy)
    floor = ticket.due_floor_at
    assert ticket.due_at == (max(ranked.due_at, floor) if floor else ranked.due_at)


ACTS = ("next", "start", "finish", "no_show", "to_counter", "to_staff", "park", "skip", "serve_now", "gone")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(ACTS), st.integers(0, 11), st.integers(0, 90))
def test_undoing_an_act_leaves_the_day_as_it_was(seed: int, verb: str, which: int, later_s: int) -> None:
    drill = Drill()
    for service in "aabbcc":
        drill.office.take(service, drill.now)
    dice = Random(seed)
    for _ in range(dice.randrange(12)):
        drill.press(Step(dice.choice(ACTS), 0, dice.randrange(12), dice.choice((0, 30))))
    before = _seen(drill.office.replayed())
    session = drill.office.day.sessions[drill.office.day.session_at["1"]]
    act_before = session.act.request_id if session.act else None
    drill.press(Step(verb, 0, which, 0))
    if session.act is None or session.act.request_id == act_before:
        return
    issued = verb == "serve_now"
    undo = c.Undo(request_id=new_id(), session=session.session, act=session.act.request_id)
    decision = drill.office.do(undo, drill.now + timedelta(seconds=later_s), "ana")
    if later_s > UNDO_S:
        assert isinstance(decision, Refusal)
        assert decision.code == "undo_too_late"
        return
    assert isinstance(decision, Accepted)
    assert all(isinstance(fact, TicketUndone) for fact in decision.facts)
    after = _seen(drill.office.day)
    if issued:
        after["tickets"] = {each: t for each, t in after["tickets"].items() if each in before["tickets"]}
        after["waiting"] &= before["waiting"]
    assert after == before


def _seen(day: Any) -> dict[str, Any]:
    """What people see of a day: everything but which fact changed it last."""
    hidden = {"changed"}
    return {
        "tickets": {
            each: {n: getattr(t, n) for n in t.__struct_fields__ if n not in hidden} for each, t in day.tickets.items()
        },
        "waiting": set(day.waiting),
        "last": {s.counter: (s.last_call, s.last_ticket_id, s.skipped) for s in day.sessions.values()},
        "announcements": list(day.announcements),
        "counts": {service: spent.count for service, spent in day.durations.items() if spent.count},
    }


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_a_build_that_does_not_know_the_verbs_still_folds_a_day(seed: int) -> None:
    """As central does that is older than an office: what it does not know stays opaque and changes nothing but the position."""
    drill = Drill()
    for step in steps_of(seed, 120):
        drill.press(step)
    older = OfficeDay("centro")
    for header, fact in drill.office.journal:
        is_new = type(fact).__module__ == desk_facts.__name__
        older.apply(header, f.UnknownFact(type=fact.TYPE, v=fact.V) if is_new else fact)
    assert (older.seq, set(older.tickets)) == (drill.office.day.seq, set(drill.office.day.tickets))
    assert set(older.waiting) == {t.ticket_id for t in older.tickets.values() if t.state == "waiting"}
    assert sorted(older.lines.standing) == sorted(older.waiting)
    for seq, fact in zip(count(older.seq + 1), close_day(drill.office.day, "supervisor"), strict=False):
        older.apply(FactHeader("centro", 1, seq, fact.TYPE, 1, None, "jefa", "console", drill.now, "boot-1", 0), fact)
    assert not any(t.is_open for t in older.tickets.values() if drill.office.day.tickets[t.ticket_id].is_open)


def test_the_drill_presses_every_verb() -> None:
    """What no step ever reaches is tested by no other test of this file."""
    facts: list[f.Fact] = []
    for seed in range(80):
        drill = Drill()
        for step in steps_of(seed, 300):  # short days: in a long one a step seldom meets the ticket that it would fit
            drill.press(step)
        facts += [fact for _, fact in drill.office.journal]
    seen = {fact.TYPE for fact in facts}
    told = {tag for tag in FACTS if tag.split(".")[0] in ("ticket", "counter")}
    assert told - seen == ELSEWHERE
    undone = {fact.undone for fact in facts if isinstance(fact, TicketUndone)}
    assert undone == {fact.TYPE for fact in REVERSIBLE}
