"""What may be taken back, for how long, and what may not."""

from __future__ import annotations

from typing import Any

from sync.domain.outcomes import Accepted, Decision, Unchanged
from sync.domain.undo import undoable
from sync.messages import commands as c
from sync.messages.node_facts import ClockStepped
from sync.messages.refusals import Refusal
from tests.kit.office import TestOffice, at, follow_hash, new_id


class Desk:
    """Counter 1, worked by ana, and its clerk's keys."""

    def __init__(self) -> None:
        self.office = TestOffice()
        self.session = self.office.open("1", at("09:00"), "ana")
        self.first, self.second = self.office.take("a", at("09:01")), self.office.take("a", at("09:02"))

    def press(self, verb: Any, clock: str, **more: Any) -> Decision:
        visit = self.office.day.visit_at(self.session)
        ids = {"request_id": new_id(), "session": self.session}
        if verb is c.CallNext:
            more = {"after": self.office.day.sessions[self.session].last_call, **more}
        elif issubclass(verb, c.TicketCommand) and visit is not None:
            more = {"ticket_id": visit.ticket_id, **more}
        return self.office.do(verb(**ids, **more), at(clock))

    def undo(self, clock: str, act: str | None = None) -> Decision:
        last = self.office.day.sessions[self.session].act
        return self.press(c.Undo, clock, act=act or (last.request_id if last else new_id()))

    def state(self, ticket: str) -> str:
        return self.office.day.tickets[ticket].state


def code(decision: Decision) -> str:
    assert isinstance(decision, Refusal), decision
    return decision.code


def test_next_that_closed_a_visit_is_taken_back_as_a_whole() -> None:
    desk = Desk()
    desk.press(c.CallNext, "09:03")
    desk.press(c.Start, "09:04")
    desk.press(c.CallNext, "09:10")
    assert (desk.state(desk.first), desk.state(desk.second)) == ("finished", "called")
    assert desk.office.day.durations["a"].count == 1
    assert isinstance(desk.undo("09:10:05"), Accepted)
    assert (desk.state(desk.first), desk.state(desk.second)) == ("serving", "waiting")
    assert desk.office.day.durations["a"].count == 0
    visit = desk.office.day.visit_at(desk.session)
    assert visit is not None
    assert (visit.ticket_id, visit.started_at) == (desk.first, at("09:04"))
    desk.press(c.CallNext, "09:12")
    assert desk.state(desk.second) == "called", "and goes on from there"


def test_a_minute_is_the_limit() -> None:
    for clock, done in (("09:04", True), ("09:04:01", False)):
        desk = Desk()
        desk.press(c.CallNext, "09:03")
        session = desk.office.day.sessions[desk.session]
        assert (undoable(desk.office.day, session, at(clock)) is not None) == done
        decision = desk.undo(clock)
        assert isinstance(decision, Accepted) if done else code(decision) == "undo_too_late"


def test_a_double_click_takes_back_once() -> None:
    desk = Desk()
    desk.press(c.CallNext, "09:03")
    desk.press(c.Start, "09:03:10")
    act = desk.office.day.sessions[desk.session].act
    assert act is not None
    assert isinstance(desk.undo("09:03:20", act.request_id), Accepted)
    assert isinstance(desk.undo("09:03:21", act.request_id), Unchanged)
    assert desk.state(desk.first) == "called", "the call before stands"


def test_who_was_called_elsewhere_is_not_taken_from_there() -> None:
    desk = Desk()
    luis = desk.office.open("2", at("09:00"), "luis")
    desk.press(c.CallNext, "09:03")
    desk.press(c.Transfer, "09:03:10", counter="2")
    assert desk.office.call_next(luis, at("09:03:20"), "luis") == desk.first
    assert code(desk.undo("09:03:30")) == "undo_moved_on"
    assert desk.office.day.visit_at(luis) is not None


def test_what_is_told_of_a_ticket_does_not_stand_in_the_way() -> None:
    desk = Desk()
    desk.press(c.CallNext, "09:03")
    desk.press(c.Recall, "09:03:30")
    desk.office.do(c.ReportPrinted(request_id=new_id(), ticket_id=desk.first), at("09:03:40"))
    assert isinstance(desk.undo("09:03:50"), Accepted)
    ticket = desk.office.day.tickets[desk.first]
    assert (ticket.state, ticket.recalls, ticket.called_at, ticket.print_state) == ("waiting", 0, None, "printed")
    assert desk.office.day.announcements == []


def test_a_mark_that_has_fallen_meanwhile_does_not_come_back() -> None:
    desk = Desk()
    desk.office.open("2", at("09:00"), "luis")
    desk.press(c.CallNext, "09:03")
    desk.press(c.Transfer, "09:03:10", counter="2", order="next", reason="short")
    desk.press(c.Park, "09:03:20", ticket_id=desk.first)
    desk.office.do(c.CloseCounter(request_id=new_id(), session=desk.office.day.session_at["2"]), at("09:03:30"), "luis")
    ticket = desk.office.day.tickets[desk.first]
    desk.undo("09:03:40")
    assert (ticket.state, ticket.counter, ticket.is_first) == ("waiting", None, False)


def test_a_clock_that_was_set_ends_what_may_be_taken_back() -> None:
    desk = Desk()
    desk.press(c.CallNext, "09:03")
    desk.office.write((ClockStepped(delta_ms=-60_000),), at("09:02:10"))
    assert isinstance(desk.undo("09:02:20"), Unchanged)
    assert desk.state(desk.first) == "called"


def test_undoing_never_touches_what_another_counter_did() -> None:
    desk = Desk()
    luis = desk.office.open("2", at("09:00"), "luis")
    desk.office.call_next(luis, at("09:03"), "luis")
    theirs = desk.office.day.sessions[luis].act
    assert theirs is not None
    assert isinstance(desk.undo("09:03:10", theirs.request_id), Unchanged)
    foreign = c.Undo(request_id=new_id(), session=luis, act=theirs.request_id)
    assert code(desk.office.do(foreign, at("09:03:10"), "ana")) == "forbidden"


def test_a_visit_that_is_not_counted_is_not_uncounted() -> None:
    desk = Desk()
    desk.press(c.CallNext, "09:03")
    desk.press(c.Start, "09:04")
    desk.press(c.AddService, "09:05", service="b")
    desk.press(c.Finish, "09:10")
    assert "a" not in desk.office.day.durations
    assert desk.office.day.tickets[desk.first].services == ("a", "b")
    desk.undo("09:10:05")
    assert "a" not in desk.office.day.durations
    assert desk.office.day.tickets[desk.first].added == ("b",)


def test_who_was_said_to_have_gone_is_back_where_they_were() -> None:
    desk = Desk()
    desk.press(c.CallNext, "09:03")
    desk.press(c.Park, "09:04", reason="papers")
    before = desk.office.replayed().tickets[desk.first]
    desk.press(c.Leave, "09:05", ticket_id=desk.first)
    assert desk.state(desk.first) == "abandoned"
    assert code(desk.undo("09:06:01")) == "undo_too_late"
    assert isinstance(desk.undo("09:06"), Accepted)
    after = desk.office.day.tickets[desk.first]
    kept = [name for name in after.__struct_fields__ if name != "changed"]
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    assert desk.office.replayed().tickets == desk.office.day.tickets


def test_who_came_again_with_the_same_appointment_has_one_ticket() -> None:
    desk = Desk()
    appointment_id = new_id()

    def come(clock: str) -> str:
        """Check the appointment in; the ticket's id."""
        command = c.CheckIn(
            request_id=new_id(),
            appointment_id=appointment_id,
            service="a",
            slot_start_at=at("09:30"),
            duration_min=10,
            follow_hash=follow_hash(clock),
        )
        assert isinstance(desk.office.do(command, at(clock), c.CITIZEN), Accepted)
        return command.request_id

    first = come("09:10")
    desk.press(c.Leave, "09:20", ticket_id=first)
    again = come("09:20:30")
    assert code(desk.undo("09:20:40")) == "undo_moved_on"
    assert (desk.state(first), desk.state(again)) == ("abandoned", "waiting")


def test_a_leave_without_a_counter_is_nobodys_to_take_back() -> None:
    desk = Desk()
    desk.office.do(c.Leave(request_id=new_id(), ticket_id=desk.first), at("09:05"))
    assert desk.office.day.sessions[desk.session].act is None
    luis = desk.office.open("2", at("09:00"), "luis")
    foreign = c.Leave(request_id=new_id(), ticket_id=desk.second, session=luis)
    assert code(desk.office.do(foreign, at("09:06"))) == "forbidden"
