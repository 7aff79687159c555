"""Central's part in tickets that move: each row of the table in handover.py."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest

from sync.messages import codec
from sync.messages.facts import (
    TicketAccepted,
    TicketReleased,
)
from sync.messages.feed import TicketGrant, office_stream
from sync.protocol import handover
from tests.kit.facts import MORNING, uuid_of
from tests.kit.memory_central import MemoryCentralStore
from tests.unit.sync.protocol.rights_city import (
    DAY,
    TICKET,
    WANTED,
    accepted,
    city,
    holder,
    in_tx,
    live,
    released,
    restored_at_centro,
    set_awaited,
    tell,
    told_by_centro,
)


def test_a_ticket_goes_where_it_was_sent_and_is_held_when_accepted() -> None:
    store = city()
    tell(store, "centro", released(1, "real"))
    assert (holder(store), live(store, "real", "ticket_grant")) == (("real", 2, False), [2])
    tell(store, "real", accepted(2))
    assert (holder(store), live(store, "real", "ticket_grant")) == (("real", 2, True), [])


def test_the_sender_hears_who_has_its_person_now() -> None:
    store = city()
    tell(store, "centro", released(1, "real"))
    assert live(store, "centro", "ticket_taken") == []
    tell(store, "real", accepted(2))
    tell(store, "real", accepted(2))
    assert live(store, "centro", "ticket_taken") == [2]
    assert live(store, "real", "ticket_taken") == []


def test_a_ticket_that_nobody_took_goes_back_to_who_wants_it() -> None:
    store = city()
    tell(store, "centro", released(1, "real"))
    tell(store, "centro", WANTED)
    assert holder(store) == ("centro", 3, False)
    assert (live(store, "real", "ticket_grant"), live(store, "real", "ticket_closed")) == ([], [2])
    assert live(store, "centro", "ticket_grant") == [3]
    tell(store, "centro", WANTED)
    tell(store, "centro", accepted(3))
    assert holder(store) == ("centro", 3, True), "told twice it moves nothing more"


def test_a_ticket_that_was_taken_stays_where_it_is() -> None:
    store = city()
    tell(store, "centro", released(1, "real"))
    tell(store, "real", accepted(2))
    tell(store, "centro", WANTED)
    assert holder(store) == ("real", 2, True)


def test_a_third_office_cannot_want_a_ticket() -> None:
    store = city()
    tell(store, "centro", released(1, "real"))
    tell(store, "victoria", WANTED)
    assert holder(store) == ("real", 2, False)


def test_who_shows_the_slip_keeps_the_person_whom_the_sender_wants_back() -> None:
    store = city()
    tell(store, "centro", released(1, "real"))
    tell(store, "centro", WANTED)
    tell(store, "centro", accepted(3))
    tell(store, "real", accepted(2, "slip"))
    assert holder(store)[0] == "real"


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (1, 0, 3, 2), (3, 2, 1, 0), (2, 3, 0, 1), (1, 3, 0, 2)])
def test_facts_in_any_order_and_twice_name_the_same_holder(order: tuple[int, ...]) -> None:
    story: list[tuple[str, TicketReleased | TicketAccepted]] = [
        ("centro", released(1, "real")),
        ("real", accepted(2, "slip")),
        ("real", released(2, "victoria")),
        ("victoria", accepted(3, "slip")),
    ]
    store = city()
    for index in (*order, *order):
        tell(store, *story[index])
    assert holder(store)[:2] == ("victoria", 3)
    assert live(store, "victoria", "ticket_closed") == []


def test_a_stale_release_is_recorded_only() -> None:
    store = city()
    tell(store, "real", accepted(4, "slip"))
    tell(store, "centro", released(1, "victoria"))
    assert holder(store) == ("real", 4, True)
    assert live(store, "victoria", "ticket_grant") == []


def test_a_stale_copy_is_voided() -> None:
    store = city()
    tell(store, "real", accepted(4))
    tell(store, "victoria", accepted(2))
    assert holder(store) == ("real", 4, True)
    assert live(store, "victoria", "ticket_closed") == [2]


def test_who_carries_the_slip_keeps_the_place_against_a_restored_copy() -> None:
    store = city()
    restored_at_centro(store)
    assert holder(store) == ("centro", 2, False)
    tell(store, "real", accepted(2, "slip"))
    assert holder(store) == ("real", 2, True)
    assert live(store, "centro", "ticket_closed") == [2]
    assert [c.kind for c in store.conflicts.values()] == ["ticket_held_twice"]
    tell(store, "real", released(2, "victoria"))
    assert holder(store) == ("victoria", 3, False)


def test_a_restored_copy_that_is_accepted_late_is_voided() -> None:
    store = city()
    restored_at_centro(store)
    tell(store, "real", accepted(2, "slip"))
    tell(store, "centro", accepted(2, "restored"))
    assert holder(store) == ("real", 2, True)
    assert live(store, "centro", "ticket_closed") == [2]


def test_a_copy_off_paper_ends_when_the_holder_tells_of_itself_after_a_restore() -> None:
    store = city()
    store.restore(uuid_of(10))
    set_awaited(store, "centro", "real")
    told_by_centro(store)
    assert holder(store) == ("centro", 1, True)
    tell(store, "real", accepted(4))
    assert holder(store) == ("real", 4, True)
    assert live(store, "centro", "ticket_closed") == [1]


def test_an_issued_ticket_has_no_token_while_nobody_recovers() -> None:
    store = city()
    told_by_centro(store)
    assert store.tokens == {}


def test_a_ticket_that_was_told_after_a_restore_moves_as_any_other() -> None:
    store = city()
    set_awaited(store, "centro")
    told_by_centro(store)
    tell(store, "centro", released(1, "real"))
    tell(store, "real", accepted(2))
    assert holder(store) == ("real", 2, True)
    assert live(store, "centro", "ticket_closed") == []


def test_a_voided_copy_that_was_sent_on_moves_nothing() -> None:
    store = city()
    restored_at_centro(store)
    tell(store, "real", accepted(2, "slip"))
    tell(store, "centro", released(2, "victoria"))
    assert holder(store) == ("real", 2, True)
    assert live(store, "victoria", "ticket_grant") == []


def test_a_ticket_for_an_unknown_office_comes_back_and_somebody_is_told() -> None:
    store = city()
    tell(store, "centro", released(1, "nowhere"))
    assert holder(store) == ("centro", 2, False)
    assert live(store, "centro", "ticket_grant") == [2]
    assert [c.kind for c in store.conflicts.values()] == ["ticket_undeliverable"]


def test_a_person_can_send_a_ticket_elsewhere_while_nobody_has_it() -> None:
    store = city()
    tell(store, "centro", released(1, "real"))
    assert in_tx(store, lambda tx: handover.send_elsewhere(tx, TICKET, "victoria"))
    assert holder(store) == ("victoria", 3, False)
    assert (live(store, "real", "ticket_grant"), live(store, "real", "ticket_closed")) == ([], [2])
    tell(store, "victoria", accepted(3))
    assert not in_tx(store, lambda tx: handover.send_elsewhere(tx, TICKET, "real"))


TOMORROW, YESTERDAY = DAY + timedelta(days=1), DAY - timedelta(days=1)


def dated(store: MemoryCentralStore, office: str) -> tuple[date, date]:
    """The service dates of an office's grant and of the token."""
    (row,) = (row for key, row in store.live.items() if key[:2] == (office_stream(office), TicketGrant.KIND))
    return codec.decode(bytes(row.body), TicketGrant).service_date, store.tokens[TICKET].service_date


@pytest.mark.parametrize("called,meant", [(TOMORROW, DAY), (DAY, DAY), (YESTERDAY, YESTERDAY)])
def test_who_is_sent_on_from_a_day_dated_ahead_is_today_s(called: date, meant: date) -> None:
    """Whoever wrote yesterday's date may have slept since; whoever wrote tomorrow's cannot have."""
    store = city()
    tell(store, "centro", released(1, "real", called), by_age=True)
    assert dated(store, "real") == (meant, meant)


def test_what_is_told_a_day_late_stays_of_its_day() -> None:
    store = city()
    tell(store, "centro", released(1, "real"), at=MORNING - timedelta(days=1), by_age=True)
    assert dated(store, "real") == (YESTERDAY, YESTERDAY), (
        "the day that it was, whatever it was called and when it is told"
    )


def test_a_date_stands_where_nothing_but_wall_clocks_tells_when_it_was() -> None:
    store = city()
    tell(store, "centro", released(1, "real", TOMORROW))
    assert dated(store, "real") == (TOMORROW, TOMORROW)


def test_who_comes_back_is_of_the_day_that_the_office_is_in() -> None:
    store = city()
    tell(store, "centro", released(1, "real", TOMORROW), by_age=True)
    tell(store, "centro", msgspec.structs.replace(WANTED, service_date=TOMORROW), by_age=True)
    assert dated(store, "centro") == (TOMORROW, TOMORROW)


def test_who_cannot_be_sent_stays_of_the_day_that_the_office_is_in() -> None:
    store = city()
    tell(store, "centro", released(1, "nowhere", TOMORROW), by_age=True)
    assert dated(store, "centro") == (TOMORROW, TOMORROW)


def test_who_is_sent_elsewhere_by_a_person_is_of_the_day_that_it_was_by_central_s_clock() -> None:
    """The conflict is over with that, so nobody would hear that no office takes it."""
    store = city()
    tell(store, "centro", released(1, "nowhere", TOMORROW), by_age=True)
    assert in_tx(store, lambda tx: handover.send_elsewhere(tx, TICKET, "victoria"))
    assert dated(store, "victoria") == (DAY, DAY)


def test_who_was_wanted_back_and_is_sent_elsewhere_is_of_the_day_that_it_was_by_central_s_clock() -> None:
    store = city()
    tell(store, "centro", released(1, "real", TOMORROW), by_age=True)
    tell(store, "centro", msgspec.structs.replace(WANTED, service_date=TOMORROW), by_age=True)
    assert in_tx(store, lambda tx: handover.send_elsewhere(tx, TICKET, "victoria"))
    assert dated(store, "victoria") == (DAY, DAY)


@pytest.mark.parametrize("called,meant", [(DAY, DAY), (YESTERDAY, YESTERDAY)])
def test_who_is_sent_elsewhere_is_of_no_later_day_than_before(called: date, meant: date) -> None:
    store = city()
    tell(store, "centro", released(1, "nowhere", called), by_age=True)
    assert in_tx(store, lambda tx: handover.send_elsewhere(tx, TICKET, "victoria"))
    assert dated(store, "victoria") == (meant, meant)


def test_who_is_sent_to_where_they_come_from_is_of_the_day_that_the_office_is_in() -> None:
    store = city()
    tell(store, "centro", released(1, "nowhere", TOMORROW), by_age=True)
    assert in_tx(store, lambda tx: handover.send_elsewhere(tx, TICKET, "centro"))
    assert dated(store, "centro") == (TOMORROW, TOMORROW)
