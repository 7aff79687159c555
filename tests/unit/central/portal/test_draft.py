from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from central.portal.draft import (
    STEPS,
    Details,
    Draft,
    choose_office,
    finish,
    hold_slot,
    lose_slot,
    may_open,
    note_details,
    step_of,
)

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
NEW = Draft(request_id="r", service_id="padron")
OFFICE = choose_office(NEW, "centro")
HELD = hold_slot(OFFICE, AT, "h", AT + timedelta(minutes=10))
KNOWN = note_details(HELD, Details(name="Ana"), checked=True)


@pytest.mark.parametrize(
    "draft, step", [(NEW, "office"), (OFFICE, "slot"), (HELD, "you"), (KNOWN, "check"), (finish(KNOWN, "a"), "done")]
)
def test_each_choice_opens_the_next_step_and_no_later_one(draft: Draft, step: str) -> None:
    assert step_of(draft) == step
    open_steps = [one for one in STEPS if may_open(draft, one)]
    assert open_steps == (["done"] if step == "done" else list(STEPS[: STEPS.index(step_of(draft)) + 1]))


def test_moving_asks_for_no_details() -> None:
    moving = hold_slot(Draft(request_id="r", service_id="padron", office_id="real", moves="a"), AT, "h", AT)
    assert step_of(moving) == "check"
    assert not may_open(moving, "you")


def test_another_office_drops_the_time_and_keeps_what_was_typed() -> None:
    moved = choose_office(KNOWN, "real")
    assert (moved.slot_start_at, moved.details.name, moved.hold_id) == (None, "Ana", "h")
    assert step_of(moved) == "slot"
    assert choose_office(KNOWN, "centro") == KNOWN


def test_a_lost_time_loses_nothing_else() -> None:
    lost = lose_slot(KNOWN)
    assert step_of(lost) == "slot"
    assert step_of(hold_slot(lost, AT, "h2", AT)) == "check"


def test_a_hold_ends_at_its_instant() -> None:
    assert HELD.is_held(AT)
    assert not HELD.is_held(AT + timedelta(minutes=10))


def test_a_finished_draft_keeps_nothing_personal() -> None:
    assert finish(KNOWN, "a").details == Details()
