"""The conflict rules of the protocol, and where each is tested. Here are those that no other module was about.

=============================================  ==================================================================================
what both sides of a cut may have done         tests
=============================================  ==================================================================================
cancelled, and the person was there            ``booking/test_conflicts`` cancelled_while…; ``test_check_in`` who_has_a_ticket…
one appointment at two offices                 ``booking/test_conflicts`` checked_in_at_two…; ``test_check_in`` the_row_decides
one appointment twice at an office             ``edge/test_queue`` an_appointment_is_checked_in_once; ``edge/test_lan`` …_reprint
moved, and the person was there                ``booking/test_conflicts`` moved_to_another_slot…, moved_to_another_office…
a walk-in and a lent seat                      here; ``contract/test_central_rights`` a_day_of_walk_ins…
asked central, heard nothing, sold from loan   ``protocol/test_rights`` a_sale_that_is_known…; ``agenda/test_cut`` a_lent_seat…
sold, and the seat is claimed by another       ``protocol/test_rights`` a_sale_always_ends…; ``booking/test_leases`` taken_back…
sold, and central forgot the lease             the same, forgotten by a restore; ``booking/test_conflicts`` sold_a_free_seat…
counters, pauses, what a counter serves        here; ``contract/test_central_rights`` what_an_office_decides…
staff and their roles                          ``edge/test_sessions`` (rows only: no command changes a member)
configuration in the middle of the day         here; ``edge/test_queue`` news_from_central…; ``test_decide`` a_letter_that_changes…
wrong clocks                                   ``test_date_doubt``, ``edge/test_date``, ``bad_input/test_clock_jumps``
a replaced node                                ``exchange/test_replacement``, ``edge/test_fence``, ``protocol/test_rights``
served by the old node, called by the new      ``exchange/test_replacement`` what_the_old_node_still_tells…
a label given twice after a rollback           ``protocol/test_rights`` floors…; ``test_reserve``; ``test_retold``
=============================================  ==================================================================================
"""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from sync.domain.catalogue import Catalogue
from sync.domain.decide import close_day, decide, turn_day
from sync.domain.leases import LeaseBook, Rights, starts
from sync.domain.outcomes import Accepted
from sync.messages import commands as c
from sync.messages import facts as f
from sync.messages.feed import Lease, LeasedSeat
from sync.messages.refusals import Refusal
from sync.messages.values import SeatRef
from tests.kit.facts import uuid_of
from tests.kit.office import DAY, TestOffice, at, catalogue, follow_hash, new_id

LENT = Lease(
    id=uuid_of(1),
    fence=1,
    seats=(LeasedSeat(seat=SeatRef(uuid_of(2), 1), start_at=at("10:00"), duration_min=10, services=("a",)),),
    sell_until=at("23:00"),
)


def lending() -> tuple[TestOffice, Rights]:
    """An office that holds one lent seat at ten, and keeps its book as it goes."""
    return TestOffice(), Rights(1, {LENT.id: LENT}, LeaseBook())


def done(office: TestOffice, rights: Rights, command: c.AnyCommand, now: str) -> tuple[f.Fact, ...]:
    actor = c.Actor(actor_id="ana", device_id="console")
    decision = decide(office.day, command, actor, at(now), office.catalogue, rights=rights)
    assert isinstance(decision, Accepted), decision
    office.write(decision.facts, at(now), "ana", request_id=command.request_id)
    for fact in decision.facts:
        rights.book.apply(fact)
    return decision.facts


# ------------------------------------------------------------------------------------------------ walk-in versus lease


def test_people_without_appointment_never_use_a_lent_seat_up() -> None:
    """However many come for the very ten minutes that are lent: the queue takes them, and the seat is still there to sell."""
    office, rights = lending()
    session = new_id()
    facts = [*done(office, rights, c.OpenCounter(request_id=session, counter="1"), "09:00")]
    for minute in range(5):
        ticket = new_id()
        take = c.TakeTicket(request_id=ticket, service="a", follow_hash=follow_hash(ticket))
        facts += done(office, rights, take, f"10:0{minute}")
    direct = new_id()
    serve = c.ServeWalkIn(request_id=direct, session=session, service="a", follow_hash=follow_hash(direct), after=None)
    facts += done(office, rights, serve, "10:05")
    assert {fact.TYPE.partition(".")[0] for fact in facts} == {"counter", "ticket"}
    assert (rights.book.sold, rights.book.returned) == ({}, set())
    assert len(rights.book.unsold(LENT)) == 1
    assert starts(rights, "a", 10, at("09:59")) == [at("10:00")]


def test_a_place_that_an_absent_person_left_is_filled_from_the_queue_and_not_from_what_is_lent() -> None:
    office, rights = lending()
    session = new_id()
    done(office, rights, c.OpenCounter(request_id=session, counter="1"), "09:00")
    booked, walk_in = new_id(), new_id()
    check_in = c.CheckIn(
        request_id=booked,
        appointment_id=new_id(),
        service="a",
        slot_start_at=at("10:00"),
        duration_min=10,
        follow_hash=follow_hash(booked),
    )
    done(office, rights, check_in, "09:55")
    take = c.TakeTicket(request_id=walk_in, service="a", follow_hash=follow_hash(walk_in))
    done(office, rights, take, "09:56")
    first = c.CallNext(request_id=new_id(), session=session, after=None)
    done(office, rights, first, "10:00")
    done(office, rights, c.NoShow(request_id=new_id(), session=session, ticket_id=booked), "10:02")
    called = done(office, rights, c.CallNext(request_id=new_id(), session=session, after=first.request_id), "10:02")
    assert [fact.ticket_id for fact in called if isinstance(fact, f.TicketCalled)] == [walk_in]
    assert len(rights.book.unsold(LENT)) == 1


# --------------------------------------------------------- what an office decides for itself ends with its day


def busy() -> TestOffice:
    """Three counters: one paused, one that serves other services than its own, one with a visit; and a call for support."""
    office = TestOffice()
    paused, changed, working = (office.open(str(n), at("09:00"), f"clerk-{n}") for n in (1, 2, 3))
    office.do(c.PauseCounter(request_id=new_id(), session=paused, reason="break"), at("09:01"), "clerk-1")
    only_b = c.ChangeServices(request_id=new_id(), session=changed, primary=("b",), secondary=())
    assert isinstance(office.do(only_b, at("09:02"), "boss", supervisor=True), Accepted)
    office.take("a", at("09:03"))
    assert office.call_next(working, at("09:04"), "clerk-3") is not None
    office.do(c.AskSupport(request_id=new_id(), session=working), at("09:05"), "clerk-3")
    session = office.day.sessions
    assert (session[paused].is_paused, session[changed].primary, len(office.day.support)) == (True, ("b",), 1)
    return office


@pytest.mark.parametrize("by_hand", [True, False], ids=["a supervisor closed the day", "the night came"])
def test_counters_pauses_and_what_they_served_are_over_with_the_day(by_hand: bool) -> None:
    office = busy()
    if by_hand:
        assert isinstance(office.do(c.CloseDay(request_id=new_id()), at("14:00"), "boss", supervisor=True), Accepted)
        assert (office.day.sessions, office.day.session_at) == ({}, {})
    tomorrow = DAY + timedelta(days=1)
    office.write(turn_day(office.day, tomorrow, office.catalogue), at("09:00") + timedelta(days=1))
    day = office.day
    assert (day.service_date, day.is_open) == (tomorrow, True)
    assert (day.sessions, day.session_at, day.left, day.support, day.tickets, day.reserves) == ({}, {}, {}, {}, {}, {})
    opened = office.day.sessions[office.open("2", at("09:30") + timedelta(days=1), "clerk-2")]
    assert (opened.primary, opened.is_paused) == (("a", "b"), False), "as central's counter says, and at work"


def test_the_facts_that_close_a_day_name_everything_that_was_open() -> None:
    """So that whoever folds them, central too, needs no rule of its own for what a day's end means."""
    office = busy()
    facts = close_day(office.day, "scheduled")
    assert sorted(fact.counter for fact in facts if isinstance(fact, f.CounterClosed)) == ["1", "2", "3"]
    assert {fact.reason for fact in facts if isinstance(fact, f.CounterClosed)} == {"day_end"}
    assert {fact.ticket_id for fact in facts if isinstance(fact, f.TicketAbandoned)} == set(office.day.tickets)


# -------------------------------------------------------------------------------- configuration in the middle of the day


def without_b(known: Catalogue) -> Catalogue:
    """What central sends when service b is offered no more."""
    counters = {
        name: msgspec.structs.replace(counter, primary=("a",), secondary=()) for name, counter in known.counters.items()
    }
    place = msgspec.structs.replace(known.office, services=("a",))
    return Catalogue.of(place, [known.services["a"], *counters.values()])


def test_a_service_that_is_offered_no_more_takes_nobody_in_and_serves_who_is_there() -> None:
    office = TestOffice(catalogue())
    session = office.open("1", at("09:00"))
    waiting = office.take("b", at("09:01"))
    office.catalogue = without_b(office.catalogue)
    refusal = office.do(c.TakeTicket(request_id=new_id(), service="b", follow_hash=bytes(32)), at("09:02"), c.CITIZEN)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "service_unknown"
    assert office.call_next(session, at("09:03")) == waiting
    for verb in (c.Start, c.Finish):
        done = verb(request_id=new_id(), session=session, ticket_id=waiting)
        assert isinstance(office.do(done, at("09:04")), Accepted)
    assert office.day.tickets[waiting].state == "finished"


def test_who_waits_for_it_when_no_counter_serves_it_any_more_is_moved_by_hand_in_place() -> None:
    office = TestOffice(catalogue())
    waiting = office.take("b", at("09:01"))
    office.catalogue = without_b(office.catalogue)
    session = office.open("1", at("09:05"))
    later = office.take("a", at("09:06"))
    call = c.CallTicket(request_id=new_id(), session=session, ticket_id=waiting, reason="other", after=None)
    assert isinstance(office.do(call, at("09:07")), Accepted)
    on = c.Transfer(request_id=new_id(), session=session, ticket_id=waiting, service="a")
    assert isinstance(office.do(on, at("09:08")), Accepted)
    moved, behind = office.day.tickets[waiting], office.day.tickets[later]
    assert (moved.state, moved.service, moved.due_at, moved.rank < behind.rank) == ("waiting", "a", at("09:01"), True)
