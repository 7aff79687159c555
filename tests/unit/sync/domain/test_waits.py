"""Expected waits: what a state gives, what past days give, and what is shown of them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from sync.domain.waits.fit import OPEN_FROM_MIN, Held, coverage, fit, held, level_for
from sync.domain.waits.history import Observed, Told, observe
from sync.domain.waits.outlook import LEVELS, Outlook, at_level, levels_of, outlook, range_of
from sync.domain.waits.scene import nominal, pace, scene_of
from sync.domain.waits.steady import Shown, steady
from sync.domain.waits.tables import lognormal, rest
from sync.io.draws import seeded
from sync.messages import commands as c
from sync.messages.facts import Expected
from sync.messages.feed import Appointment, Counter
from sync.messages.topics import WaitRange
from tests.kit.office import TestOffice, at, catalogue, new_id
from tests.kit.simulated_weeks import CV, MEANS_MIN, SimulatedDay
from ui.formats import LONGEST_MIN

NOW = at("10:00")


def ahead(office: TestOffice, *agenda: Appointment) -> Outlook:
    return outlook(scene_of(office.day, office.catalogue, agenda, NOW), seeded)


def waiting(count: int, *, counters: int = 1) -> TestOffice:
    office = TestOffice()
    for n in range(1, counters + 1):
        office.open(str(n), at("09:00"), f"clerk-{n}")
    for n in range(count):
        office.take("a", NOW - timedelta(minutes=count - n))
    return office


def booking(slot: str) -> Appointment:
    return Appointment(
        id=new_id(),
        version=1,
        locator="ACD-EFG",
        service_id="a",
        slot_start_at=at(slot),
        duration_min=10,
        status="booked",
    )


def expected(*wait_s: int, level: int = 80) -> Expected:
    return Expected(wait_s=wait_s, level=level, seq=1)


def test_nobody_waits_and_a_counter_is_free() -> None:
    assert ahead(waiting(0)).of_service("a") == WaitRange(low_min=0, high_min=5, back_by_min=0)


def test_without_a_counter_nothing_is_said() -> None:
    office = TestOffice()
    ticket = office.take("a", NOW)
    assert (ahead(office).of_service("a"), ahead(office).of_ticket(ticket)) == (None, None)


def test_a_service_that_no_open_counter_serves_has_no_wait() -> None:
    desks = (Counter(id="1", zone="a", primary=("a",)), Counter(id="2", zone="a", primary=("b",)))
    office = TestOffice(catalogue(("a", "b"), desks))
    office.open("1", at("09:00"))
    office.take("b", NOW)
    assert set(ahead(office).services) == {"a"}


def test_the_same_state_gives_the_same_waits_and_an_own_place_a_shorter_one() -> None:
    office = waiting(5)
    first, again = ahead(office), ahead(office)
    assert first == again
    medians = [at_level(first.tickets[t], 50) for t in office.day.waiting]
    assert medians == sorted(medians)
    assert at_level(first.services["a"], 50) >= medians[-1]


def test_more_counters_shorten_a_wait_and_appointments_to_come_lengthen_it() -> None:
    alone = at_level(ahead(waiting(6)).services["a"], 50)
    assert at_level(ahead(waiting(6, counters=3)).services["a"], 50) < alone / 2
    assert at_level(ahead(waiting(6), *(booking("10:05") for _ in range(4))).services["a"], 50) > alone + 600


def test_an_appointment_that_came_is_not_expected_again() -> None:
    office = waiting(3)
    row = booking("10:05")
    office.do(
        c.CheckIn(
            request_id=new_id(),
            appointment_id=row.id,
            service="a",
            slot_start_at=row.slot_start_at,
            duration_min=10,
            follow_hash=b"0" * 32,
        ),
        at("09:59"),
    )
    assert scene_of(office.day, office.catalogue, [row], NOW).bookings == ()


def test_slow_visits_today_lengthen_the_waits() -> None:
    office = waiting(4)
    session = next(iter(office.day.sessions))
    ticket = office.call_next(session, at("09:00"), "clerk-1")
    office.do(c.Start(request_id=new_id(), session=session, ticket_id=str(ticket)), at("09:00"), "clerk-1")
    office.do(c.Finish(request_id=new_id(), session=session, ticket_id=str(ticket)), at("09:40"), "clerk-1")
    assert pace(office.day, {"a": 600.0}) == pytest.approx((30 * 600 + 2400) / (31 * 600))


def test_a_visit_in_progress_is_shorter_the_longer_it_lasts_no_more() -> None:
    table = lognormal(600.0, 0.8)
    draw = seeded(1)
    assert sum(table) / len(table) == pytest.approx(600, rel=0.02)
    assert all(rest(table, elapsed_s, draw) >= 0 for elapsed_s in (0, 300, 3000, 30_000) for _ in range(50))


@pytest.mark.parametrize("count", [32, 100])
def test_levels_grow(count: int) -> None:
    wait = levels_of(sorted(seeded(3)() * 3600 for _ in range(count)))
    assert wait is not None
    assert list(wait) == sorted(wait)
    shown = range_of(wait, 80, from_history=True)
    assert shown.back_by_min is not None
    assert shown.back_by_min <= shown.low_min < shown.high_min
    assert {shown.low_min % 5, shown.high_min % 5, shown.back_by_min % 5} == {0}


def test_worse_is_shown_at_once_and_better_after_a_minute() -> None:
    ten, twenty = WaitRange(low_min=5, high_min=10), WaitRange(low_min=10, high_min=20)
    shown = steady(steady(Shown(), ten, NOW), twenty, NOW)
    assert shown.wait == twenty
    shown = steady(shown, ten, NOW)
    shown = steady(shown, ten, NOW + timedelta(seconds=59))
    assert shown.wait == twenty
    assert steady(shown, ten, NOW + timedelta(seconds=60)).wait == ten
    flicker = steady(shown, twenty, NOW + timedelta(seconds=59))
    assert steady(flicker, ten, NOW + timedelta(seconds=61)).wait == twenty
    assert steady(shown, None, NOW).wait is None


def test_a_model_finds_what_was_simulated() -> None:
    days = [observe(SimulatedDay(seed).office.journal) for seed in range(8)]
    model = fit(days, catalogue(tuple(MEANS_MIN)), date(2026, 12, 1))
    for service, mean_min in MEANS_MIN.items():
        assert model.services[service].mean_s == pytest.approx(60 * mean_min, rel=0.25)
        assert model.services[service].cv_permille == pytest.approx(1000 * CV, rel=0.35)
    assert model.miss_permille == pytest.approx(40, abs=20)
    assert model.walk_up_s == pytest.approx(19, abs=3)
    assert model.between_s == pytest.approx(11, abs=3)
    assert (model.pause_s, model.pause_back_permille) == (1200, 1000)
    assert list(model.punctuality_s) == sorted(model.punctuality_s)


def test_a_past_without_observations_leaves_the_nominal_model() -> None:
    of = catalogue()
    assert fit([Observed()], of, nominal(of).made_on) == nominal(of)


def test_the_level_rises_where_waits_were_longer_than_told() -> None:
    wait = (60, 120, 300, 450, 480, 560, 700)
    assert len(wait) == len(LEVELS)
    short, long = [Told(expected(*wait), 200.0)] * 160, [Told(expected(*wait), 690.0)] * 160
    assert level_for([*short, *long]) == 92
    assert level_for(short * 2) == 75
    assert level_for(long) == 80, "too few to judge"


def test_coverage_counts_what_was_published() -> None:
    wait = (60, 120, 300, 450, 480, 560, 700)
    told = [Told(expected(*wait), s) for s in (100.0, 200.0, 470.0, 500.0, 1200.0)]
    judged = coverage(told)
    assert judged is not None
    assert (judged.count, judged.within_upper, judged.below_median, judged.over_by_10_min) == (5, 600, 400, 200)
    assert judged.median_error_s == 200
    assert coverage([]) is None


def test_waits_are_held_against_the_range_that_people_read() -> None:
    wait = (60, 120, 300, 450, 480, 560, 700)  # read as "5 to 10 min"
    told = [Told(expected(*wait), s, "a") for s in (299.0, 300.0, 600.0, 601.0, 1200.0, 1201.0)]
    assert held([*told, Told(expected(*wait), 400.0, "b")]) == {
        "a": Held(count=6, before=1, inside=2, after=3, far_after=1),
        "b": Held(count=1, inside=1),
    }
    assert held([]) == {}


def test_more_than_an_hour_has_no_end_and_begins_at_an_hour() -> None:
    wait = (3000, 3600, 4500, 5000, 5400, 5600, 6000)
    told = [Told(expected(*wait), s, "a") for s in (3599.0, 3600.0, 9000.0)]
    assert held(told) == {"a": Held(count=3, before=1, inside=2)}
    assert OPEN_FROM_MIN == LONGEST_MIN


def test_a_walk_in_carries_what_was_told_and_its_first_call_says_how_it_was() -> None:
    office = waiting(0)
    told = expected(1, 2, 3, 4, 5, 6, 7)
    take = c.TakeTicket(request_id=new_id(), service="a", follow_hash=b"0" * 32)
    office.do(take, NOW, c.CITIZEN, expected={"a": told})
    session = next(iter(office.day.sessions))
    office.call_next(session, NOW + timedelta(seconds=90), "clerk-1")
    assert observe(office.journal).told == [Told(told, 90.0, "a")]
