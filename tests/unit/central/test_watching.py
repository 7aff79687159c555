"""What managers see of an office: queues, counters and alerts of a folded day, at an instant."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from central.insight.outlooks import Waits
from central.insight.watching import CounterNow, OfficeWatch, ServiceQueue, counters_of, queues_of, watch
from central.offices.catalogue import OfficeRecord
from sync.domain.waits.steady import Shown
from sync.messages import commands as c
from sync.messages.feed import Counter
from sync.messages.topics import WaitRange
from tests.kit.office import TestOffice, at, catalogue, new_id

NOW = at("10:00")
DESKS = tuple(Counter(id=str(n), zone="a", primary=("a",), secondary=("b",)) for n in (1, 2))


def record(*services: str) -> OfficeRecord:
    """As much of an office's record as the view reads."""
    return cast("OfficeRecord", SimpleNamespace(id="centro", services=services, counters=DESKS))


def an_office() -> TestOffice:
    return TestOffice(catalogue(("a", "b", "c"), DESKS))


def queues(office: TestOffice, waits: Waits | None = None) -> list[ServiceQueue]:
    return list(queues_of(record("a", "b", "c"), office.day, waits or Waits(), NOW))


def test_the_longest_wait_comes_first_and_then_what_is_served_without_waiting() -> None:
    office = an_office()
    office.open("1", at("09:00"))
    office.take("b", at("09:30"))
    office.take("c", at("09:50"))
    office.take("c", at("09:55"))
    told = WaitRange(low_min=5, high_min=15)
    assert queues(office, Waits(services={"b": Shown(wait=told)})) == [
        ServiceQueue(service="b", waiting=1, longest_s=1800, wait=told, counters=1),
        ServiceQueue(service="c", waiting=2, longest_s=600, wait=None, counters=0),
        ServiceQueue(service="a", waiting=0, longest_s=None, wait=None, counters=1),
    ]


def test_who_comes_before_their_appointment_waits_from_its_time_on() -> None:
    office = an_office()
    office.check_in("a", at("09:50"), at("09:00"))
    office.check_in("b", at("10:30"), at("09:00"))
    office.check_in("c", at("09:00"), at("09:20"))
    assert [(q.service, q.longest_s) for q in queues(office)] == [("c", 2400), ("a", 600), ("b", 0)]


def test_a_paused_counter_serves_nobody() -> None:
    office = an_office()
    session = office.open("1", at("09:00"))
    office.do(c.PauseCounter(request_id=new_id(), session=session, reason="rest"), at("09:30"))
    assert queues(office) == []
    assert counters_of(record("a"), office.day) == (
        CounterNow(counter="1", state="paused", since=at("09:30"), staff_id="ana", reason="rest"),
        CounterNow(counter="2", state="closed"),
    )


def test_a_counter_is_called_then_serving_then_free_since_its_visit_ended() -> None:
    office = an_office()
    session = office.open("2", at("09:00"), "bea")
    of = record("a")

    def second() -> CounterNow:
        return counters_of(of, office.day)[1]

    assert (second().state, second().since) == ("free", at("09:00"))
    ticket = office.take("a", at("09:10"))
    office.call_next(session, at("09:11"), "bea")
    assert (second().state, second().since, second().label) == ("called", at("09:11"), "A1")
    target: dict[str, Any] = {"session": session, "ticket_id": ticket}
    office.do(c.Start(request_id=new_id(), **target), at("09:12"), "bea")
    assert (second().state, second().since, second().service) == ("serving", at("09:12"), "a")
    office.do(c.Finish(request_id=new_id(), **target), at("09:20"), "bea")
    assert (second().state, second().since, second().label, second().staff_id) == ("free", at("09:20"), "", "bea")


def test_a_counter_that_is_no_longer_in_the_catalogue_is_seen_while_it_is_open() -> None:
    office = TestOffice(catalogue(("a",), (*DESKS, Counter(id="9", zone="a", primary=("a",)))))
    office.open("9", at("09:00"))
    assert [one.counter for one in counters_of(record("a"), office.day)] == ["1", "2", "9"]


def seen(office: TestOffice, stale_min: int) -> OfficeWatch:
    """An office that was heard so many minutes ago."""
    stale_since = NOW - timedelta(minutes=stale_min) if stale_min else None
    state = SimpleNamespace(
        stale_since=stale_since, is_live=not stale_min, is_rolled_back=False, was_heard=True, waiting=1
    )
    waits = Waits(services={"a": Shown(wait=WaitRange(low_min=5, high_min=15))})
    return watch(record("a"), cast("Any", state), office.day, waits, NOW)


def test_an_office_that_is_not_heard_stands_still_and_promises_nothing() -> None:
    office = an_office()
    session = office.open("1", at("09:00"))
    parked = office.take("a", at("09:01"))
    office.take("a", at("09:20"))
    office.call_next(session, at("09:25"))
    park = c.Park(request_id=new_id(), session=session, ticket_id=parked, reason="papers")
    office.do(park, at("09:26"))
    heard, cut = seen(office, 0), seen(office, 30)
    assert (heard.longest_s, cut.longest_s) == (2400, 600)
    assert [queue.wait is None for one in (heard, cut) for queue in one.waited_for] == [False, True]
    assert [(one.kind, one.label, one.minutes) for one in heard.warned] == [("parked", "A1", 34)]
    assert cut.warned == (), "at that time it was not too long yet, and nobody knows what happened since"
