"""What a change at one counter does to the waits, on an office whose numbers can be worked out by hand."""

from __future__ import annotations

from sync.domain.waits.outlook import outlook
from sync.domain.waits.scene import scene_of
from sync.domain.waits.what_if import PATHS, Change, Effect, effects, sessions_after
from sync.io.draws import seeded
from sync.messages.feed import Counter
from tests.kit.office import TestOffice, at, catalogue

DESKS = (Counter(id="1", zone="a", primary=("a",)), Counter(id="2", zone="a", primary=("b",)))


def office_with(waiting: int) -> tuple[TestOffice, str, str]:
    office = TestOffice(catalogue(("a", "b"), DESKS))
    ana, luis = office.open("1", at("09:00"), "ana"), office.open("2", at("09:00"), "luis")
    for _ in range(waiting):
        office.take("a", at("09:01"))
    return office, ana, luis


def effects_of(office: TestOffice, change: Change) -> dict[str, Effect]:
    day = office.day
    now = scene_of(day, office.catalogue, (), at("09:01"))
    then = scene_of(day, office.catalogue, (), at("09:01"), sessions=sessions_after(day.sessions, change))
    found = effects(outlook(now, seeded, PATHS), outlook(then, seeded, PATHS), ("a", "b"))
    return {each.service: each for each in found}


def test_a_second_counter_halves_a_wait() -> None:
    """Eight people and ten minutes each: some eighty minutes with one counter, some forty with two."""
    office, _, luis = office_with(8)
    effect = effects_of(office, Change(session=luis, primary=("a", "b")))["a"]
    assert effect.before_min is not None
    assert effect.after_min is not None
    assert 65 <= effect.before_min <= 95
    assert 0.42 <= effect.after_min / effect.before_min <= 0.58
    assert office.day.sessions[luis].primary == ("b",), "nothing is done by asking"


def test_closing_the_only_counter_leaves_a_service_alone() -> None:
    office, ana, _ = office_with(2)
    found = effects_of(office, Change(session=ana))
    assert found["a"].before_min is not None
    assert found["a"].after_min is None
    assert found["b"] == Effect(service="b", before_min=0, after_min=0)


def test_a_service_that_nobody_served_gets_a_wait() -> None:
    office, ana, luis = office_with(1)
    office.day.sessions.pop(ana)
    found = effects_of(office, Change(session=luis, primary=("b",), secondary=("a",)))
    assert found["a"].before_min is None
    assert found["a"].after_min is not None


def test_a_session_that_is_gone_changes_nothing() -> None:
    office, _, _ = office_with(1)
    assert sessions_after(office.day.sessions, Change(session="gone", primary=("a",))) == office.day.sessions
