"""Parked tickets that wait again by themselves: when, where, and what stands in the way."""

from __future__ import annotations

import pytest

from sync.domain.parked import TOLD_FOR, next_alert_at, parked_alerts, returned, returning
from sync.domain.waits.scene import scene_of
from sync.messages import codec
from sync.messages import commands as c
from sync.messages import facts as f
from sync.messages.node_facts import ClockStepped
from sync.messages.refusals import Refusal
from tests.kit.office import TestOffice, at, new_id


class Parked:
    """Ana set the first of two people aside at 9:10 for 20 minutes; the other one waits on."""

    def __init__(self, return_min: int | None = 20, remind_min: int | None = None, *, back_to_me: bool = False) -> None:
        self.office = TestOffice()
        self.ana = self.office.open("1", at("09:00"), "ana")
        self.luis = self.office.open("2", at("09:00"), "luis")
        self.ticket_id = self.office.take("a", at("09:01"))
        self.office.take("a", at("09:02"))
        self.office.call_next(self.ana, at("09:05"))
        self.park = c.Park(
            request_id=new_id(),
            session=self.ana,
            ticket_id=self.ticket_id,
            remind_min=remind_min,
            return_min=return_min,
            back_to_me=back_to_me,
        )
        self.office.do(self.park, at("09:10"))
        self.ticket = self.office.day.tickets[self.ticket_id]

    def pass_to(self, clock: str) -> tuple[f.TicketResumed, ...]:
        """What a timer does at an instant."""
        facts = returning(self.office.day, at(clock))
        self.office.write(facts, at(clock))
        return facts


def test_it_waits_again_at_its_minute_in_its_former_place() -> None:
    p = Parked()
    assert p.ticket.returns_at == at("09:30")
    assert p.pass_to("09:29:59") == ()
    assert p.ticket.state == "parked"
    assert p.pass_to("09:30") == (f.TicketResumed(ticket_id=p.ticket_id, automatic=True),)
    assert (p.ticket.state, p.ticket.due_at) == ("waiting", at("09:01"))
    assert all(each is None for each in (p.ticket.returns_at, p.ticket.parked_at, p.ticket.parked_by))
    assert p.pass_to("09:31") == (), "once"
    assert p.office.call_next(p.luis, at("09:31"), "luis") == p.ticket_id, "before whoever came after them"


def test_back_to_me_waits_for_me_again() -> None:
    p = Parked(back_to_me=True)
    p.pass_to("09:30")
    other = p.office.call_next(p.luis, at("09:31"), "luis")
    assert other not in (None, p.ticket_id)
    assert p.office.call_next(p.ana, at("09:31")) == p.ticket_id


def test_whoever_was_late_comes_back_all_at_once_in_the_order_of_their_minutes() -> None:
    p = Parked()
    other = next(iter(p.office.day.waiting))
    p.office.do(c.Park(request_id=new_id(), session=p.ana, ticket_id=other, return_min=5), at("09:11"))
    assert [fact.ticket_id for fact in p.pass_to("11:00")] == [other, p.ticket_id]


@pytest.mark.parametrize("done", ["resumed", "left", "undone"])
def test_nothing_comes_back_that_is_not_parked_any_more(done: str) -> None:
    p = Parked()
    commands: dict[str, c.AnyCommand] = {
        "resumed": c.Resume(request_id=new_id(), ticket_id=p.ticket_id),
        "left": c.Leave(request_id=new_id(), ticket_id=p.ticket_id),
        "undone": c.Undo(request_id=new_id(), session=p.ana, act=p.park.request_id),
    }
    p.office.do(commands[done], at("09:10:30"))
    assert p.pass_to("10:00") == ()


def test_parking_cannot_be_undone_once_they_are_back() -> None:
    p = Parked(return_min=1)
    p.pass_to("09:11")
    answer = p.office.do(c.Undo(request_id=new_id(), session=p.ana, act=p.park.request_id), at("09:11"))
    assert isinstance(answer, Refusal)
    assert answer.code == "undo_moved_on"


def test_a_day_that_has_ended_brings_nobody_back() -> None:
    p = Parked()
    p.office.do(c.CloseDay(request_id=new_id()), at("09:20"), "boss", supervisor=True)
    assert p.ticket.state == "abandoned"
    assert p.pass_to("09:40") == ()


def test_a_stepped_clock_takes_the_minute_along() -> None:
    p = Parked()
    p.office.write((ClockStepped(delta_ms=3_600_000),), at("10:15"))
    assert p.ticket.returns_at == at("10:30")
    p.pass_to("10:30")
    assert p.ticket.due_at == at("10:01")
    p.office.write((ClockStepped(delta_ms=-3_600_000),), at("09:31"))
    assert p.ticket.returned_at == at("09:30")


def test_a_journal_of_a_build_without_the_minute_folds_as_before() -> None:
    known = b'{"ticket_id":"00000000-0000-7000-8000-000000000001","reason":"form"}'
    assert codec.decode(known, f.TicketParked).returns_at is None
    old = codec.decode(b'{"ticket_id":"00000000-0000-7000-8000-000000000001"}', f.TicketResumed)
    assert not old.automatic
    p = Parked(return_min=None)
    assert p.pass_to("13:00") == ()
    p.office.write((f.TicketResumed(ticket_id=p.ticket_id),), at("13:01"))
    assert (p.ticket.state, p.ticket.returned_at) == ("waiting", None)


def test_a_replay_of_the_journal_knows_the_minute_and_the_return() -> None:
    p = Parked()
    p.pass_to("09:30")
    again = TestOffice(p.office.catalogue)
    again.day.clear()
    for header, fact in p.office.journal:
        again.day.apply(header, fact)
    assert again.day.tickets == p.office.day.tickets


def test_who_comes_back_by_themselves_needs_no_reminder_unless_it_comes_first() -> None:
    quiet = Parked(return_min=60)
    assert parked_alerts(quiet.office.day, at("10:05")) == ()
    assert next_alert_at(quiet.office.day, at("09:11")) is None
    told = Parked(return_min=60, remind_min=15)
    assert next_alert_at(told.office.day, at("09:11")) == at("09:25")
    late = Parked(return_min=10, remind_min=15)
    assert next_alert_at(late.office.day, at("09:11")) is None


def test_the_clerk_who_set_them_aside_reads_it_for_a_while() -> None:
    p = Parked()
    p.pass_to("09:30")
    (back,) = returned(p.office.day, "ana", at("09:31"))
    assert (back.label, back.at) == (p.ticket.label, at("09:30"))
    assert returned(p.office.day, "luis", at("09:31")) == ()
    assert returned(p.office.day, "ana", at("09:30") + TOLD_FOR) == ()
    p.office.call_next(p.luis, at("09:31"), "luis")
    assert returned(p.office.day, "ana", at("09:32")) == ()


def test_expected_waits_count_with_who_comes_back() -> None:
    p = Parked()
    (coming,) = scene_of(p.office.day, p.office.catalogue, (), at("09:12")).bookings
    assert coming.chance == 1
    assert coming.cases[0].at_s == 18 * 60
    assert coming.cases[0].entry.due_s == -11 * 60
    p.pass_to("09:30")
    assert scene_of(p.office.day, p.office.catalogue, (), at("09:31")).bookings == ()
