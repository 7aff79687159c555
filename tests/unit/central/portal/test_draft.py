from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from central.booking.appointments import Held, Wish
from central.portal.draft import (
    STEPS,
    Details,
    Draft,
    choose_office,
    extend_slot,
    finish,
    hold_slot,
    lose_slot,
    may_open,
    next_hold_id,
    note_details,
    step_of,
)

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
REQUEST = "01a226a0-5706-766c-a57b-534fc240c445"
NEW = Draft(request_id="r", service_id="padron")
OFFICE = choose_office(NEW, "centro")
WISH = Wish(office_id="centro", service_id="padron", slot_start_at=AT)
HOLD = Held(hold_id="h", wish=WISH, held_until=AT + timedelta(minutes=10))
HELD = hold_slot(OFFICE, HOLD)
KNOWN = note_details(HELD, Details(name="Ana"), checked=True)


@pytest.mark.parametrize(
    "draft, step", [(NEW, "office"), (OFFICE, "slot"), (HELD, "you"), (KNOWN, "check"), (finish(KNOWN, "a"), "done")]
)
def test_each_choice_opens_the_next_step_and_no_later_one(draft: Draft, step: str) -> None:
    assert step_of(draft) == step
    open_steps = [one for one in STEPS if may_open(draft, one)]
    assert open_steps == (["done"] if step == "done" else list(STEPS[: STEPS.index(step_of(draft)) + 1]))


def test_moving_asks_for_no_details() -> None:
    moving = hold_slot(Draft(request_id="r", service_id="padron", office_id="centro", moves="a"), HOLD)
    assert step_of(moving) == "check"
    assert not may_open(moving, "you")


def test_another_office_drops_the_time_and_keeps_what_was_typed() -> None:
    moved = choose_office(KNOWN, "real")
    assert (moved.slot_start_at, moved.details.name, moved.hold_id) == (None, "Ana", "h")
    assert step_of(moved) == "slot"
    assert choose_office(KNOWN, "centro") == KNOWN


def test_a_lost_time_loses_nothing_else() -> None:
    lost = lose_slot(KNOWN, AT, AT)
    assert step_of(lost) == "slot"
    assert step_of(hold_slot(lost, msgspec.structs.replace(HOLD, hold_id="h2"))) == "check"


def test_losing_one_time_spares_another_that_is_kept() -> None:
    other_at = AT + timedelta(hours=1)
    assert lose_slot(HELD, other_at, AT) == HELD
    assert lose_slot(HELD, other_at, HOLD.held_until).slot_start_at is None


def test_seats_of_an_office_that_was_left_are_not_noted() -> None:
    moved = choose_office(HELD, "real")
    assert hold_slot(moved, HOLD) == moved


def test_only_the_drafts_own_hold_is_extended() -> None:
    longer = msgspec.structs.replace(HOLD, held_until=AT + timedelta(minutes=20))
    assert extend_slot(HELD, longer).held_until == longer.held_until
    assert extend_slot(HELD, msgspec.structs.replace(longer, hold_id="other")) == HELD


def test_a_double_click_asks_for_one_hold_and_every_later_hold_is_another() -> None:
    draft = msgspec.structs.replace(OFFICE, request_id=REQUEST)
    first = next_hold_id(draft, WISH)
    assert next_hold_id(draft, WISH) == first
    elsewhere = msgspec.structs.replace(WISH, slot_start_at=AT + timedelta(hours=1))
    assert next_hold_id(draft, elsewhere) != first
    held = hold_slot(draft, msgspec.structs.replace(HOLD, hold_id=first))
    assert next_hold_id(held, WISH) != first
    assert next_hold_id(lose_slot(held, AT, AT), WISH) != first


def test_a_finished_draft_stays_finished() -> None:
    done = finish(KNOWN, "a")
    assert choose_office(done, "real") == done
    assert hold_slot(done, HOLD) == done
    assert lose_slot(done, AT, AT) == done
    assert note_details(done, Details(name="Ana"), checked=True) == done


def test_a_hold_ends_at_its_instant() -> None:
    assert HELD.is_held(AT)
    assert not HELD.is_held(AT + timedelta(minutes=10))


def test_a_finished_draft_keeps_nothing_personal() -> None:
    assert finish(KNOWN, "a").details == Details()
