"""The forward replay makes the dispatcher's own choices: with known durations it reproduces its calls."""

from __future__ import annotations

from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from random import Random
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sync.domain.ordering import next_for
from sync.domain.waits.outlook import outlook
from sync.domain.waits.paths import HORIZON_S, Path
from sync.domain.waits.scene import Scene, scene_of
from sync.io.draws import seeded
from sync.messages import commands as c
from tests.kit.office import TestOffice, new_id
from tests.kit.random_days import RandomDay


def freed(seed: int) -> tuple[TestOffice, Scene, datetime]:
    """The end of a random day, with every counter free and nobody about to return."""
    made = RandomDay(seed, steps=90)
    office, now = made.office, made.now
    for session in list(office.day.sessions.values()):
        if visit := office.day.visit_at(session.session):
            target: dict[str, Any] = {"session": session.session, "ticket_id": visit.ticket_id}
            office.do(c.Start(request_id=new_id(), **target), now, session.staff_id)
            office.do(c.Finish(request_id=new_id(), **target), now, session.staff_id)
    for ticket in [t for t in office.day.tickets.values() if t.state == "missed"]:
        office.do(c.Reinstate(request_id=new_id(), ticket_id=ticket.ticket_id), now)
    return office, scene_of(office.day, office.catalogue, [], now), now


def dispatched(office: TestOffice, scene: Scene, started_at: datetime, durations: dict[int, float]) -> list[float]:
    """When the office itself would call each ticket: seconds from now."""
    who = {ticket: n for n, ticket in enumerate(scene.tickets)}
    starts = [HORIZON_S] * len(who)
    sessions = list(office.day.sessions.values())
    free = [(0.0, n) for n in range(len(sessions))]
    heapify(free)
    looks = sorted({(t.callable_at - started_at).total_seconds() for t in office.day.waiting.values()})
    ripens = timedelta(minutes=office.day.policy.secondary_threshold_min)
    looks += sorted({(t.due_at + ripens - started_at).total_seconds() for t in office.day.waiting.values()})
    while free:
        now_s, n = heappop(free)
        now = started_at + timedelta(seconds=now_s)
        session = sessions[n]
        choice = next_for(office.day, session, now)
        if choice is None:
            if later := [at_s for at_s in looks if at_s > now_s]:
                heappush(free, (min(later), n))
            continue
        place = who[choice.ticket.ticket_id]
        starts[place] = now_s
        office.call_next(session.session, now, session.staff_id)
        target: dict[str, Any] = {"session": session.session, "ticket_id": choice.ticket.ticket_id}
        office.do(c.Start(request_id=new_id(), **target), now, session.staff_id)
        office.do(c.Finish(request_id=new_id(), **target), now, session.staff_id)
        heappush(free, (now_s + durations[place], n))
    return starts


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
@example(seed=3165)  # an early one becomes a secondary counter's while that has nobody
def test_one_path_with_known_durations_reproduces_the_calls(seed: int) -> None:
    office, scene, now = freed(seed)
    random = Random(seed)
    durations = {n: float(random.randint(60, 900)) for n in range(len(scene.tickets))}
    path = Path(scene, seeded(1), durations).run()[: len(scene.tickets)]
    assert [round(s) for s in path] == [round(s) for s in dispatched(office, scene, now, durations)]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_every_wait_grows_with_its_level_and_is_that_of_a_waiting_ticket(seed: int) -> None:
    made = RandomDay(seed)
    ahead = outlook(scene_of(made.office.day, made.office.catalogue, [], made.now), seeded, paths=20)
    assert set(ahead.tickets) <= set(made.office.day.waiting)
    for wait in [*ahead.tickets.values(), *ahead.services.values()]:
        assert list(wait) == sorted(wait)
        assert wait[0] >= 0
