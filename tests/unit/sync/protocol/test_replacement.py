"""A new node for an office: what goes to it, and where its numbers begin."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest

from sync.domain.office_day import OfficeDay
from sync.domain.ticket import Ticket
from sync.messages import codec
from sync.messages.facts import (
    ReserveGranted,
)
from sync.messages.feed import (
    NodeKey,
    NumberFloor,
    TicketGrant,
)
from sync.messages.wire import (
    HelloRequest,
)
from sync.protocol import handover
from sync.protocol.effects import take_effect
from sync.protocol.hello import answer_hello
from sync.protocol.replacement import FLOOR_GAP, floor_behind, replace_node
from sync.protocol.rights import Origin
from sync.protocol.steps import finish
from tests.kit.facts import MORNING, ticket_issued, uuid_of
from tests.unit.sync.protocol.rights_city import (
    DAY,
    ORIGIN,
    TICKET,
    accepted,
    activation,
    city,
    floors_at_centro,
    holder,
    in_tx,
    live,
    put_floor,
    replaced_at_centro,
    restored_at_centro,
    tell,
    told_by_centro,
)


def test_a_new_node_gets_the_open_tickets_with_label_and_place_and_floors_behind_all_numbers() -> None:
    store = city()
    restored_at_centro(store)
    row = next(row for key, row in store.live.items() if key[1] == TicketGrant.KIND)
    grant = codec.decode(bytes(row.body), TicketGrant)
    assert (grant.series, grant.number, grant.card.label, grant.tenure) == ("K", 7, "K7", 2)
    assert grant.card.waited_ms == 5 * 60_000
    floor = next(row for key, row in store.live.items() if key[1] == NumberFloor.KIND)
    told = codec.decode(bytes(floor.body), NumberFloor)
    assert (told.floors, told.heard, told.runs) == ({"K": 7 + FLOOR_GAP}, {"K": 7}, {"K": ((7, 7),)})
    assert store.authorities["centro"].epoch == 2


def test_a_node_that_a_restored_central_is_told_of_gets_what_its_predecessor_held() -> None:
    store = city()
    told_by_centro(store)
    hello = HelloRequest(
        request_id=uuid_of(5),
        office="centro",
        node="edge-3",
        epoch=3,
        incarnation=uuid_of(6),
        proto_min=1,
        proto_max=1,
        fact_versions={},
        schema="0001",
        sqlite_version="3.40.1",
        clock_at=MORNING,
        disk_free_bytes=1 << 30,
        last_seq=0,
        last_hash=bytes(32),
        cursors=(),
        activation=activation(3),
    )
    at = MORNING + timedelta(minutes=5)
    finish(answer_hello(store, hello, server_at=at, durability="no_replica", trusts=lambda _shown: True))
    assert store.authorities["centro"].epoch == 3
    assert holder(store) == ("centro", 2, False)
    assert live(store, "centro", "ticket_grant") == [2]
    floor = next(row for key, row in store.live.items() if key[1] == NumberFloor.KIND)
    assert codec.decode(bytes(floor.body), NumberFloor).epoch == 3
    assert [row.version for key, row in store.live.items() if key[1] == NodeKey.KIND] == [3]


def test_a_ticket_that_is_held_by_slip_is_restored_too() -> None:
    store = city()
    restored_at_centro(store)
    store.tokens[TICKET] = msgspec.structs.replace(store.tokens[TICKET], tenure=4, held_as=1)
    day = cast("OfficeDay", in_tx(store, lambda tx: tx.present_day("centro", 1)))
    assert in_tx(store, lambda tx: handover.restore_open(tx, ORIGIN, day)) == 1
    assert holder(store) == ("centro", 5, False)


def test_a_ticket_that_is_taken_in_again_while_it_lives_elsewhere_is_voided() -> None:
    store = city()
    issued = ticket_issued(TICKET, "K7")
    origin = Origin(office="centro", happened_at=MORNING)
    in_tx(store, lambda tx: take_effect(tx, origin, issued, late=False))
    assert live(store, "centro", "ticket_closed") == [], "as any ticket"
    tell(store, "real", accepted(4))
    in_tx(store, lambda tx: take_effect(tx, origin, issued, late=True))
    assert live(store, "centro", "ticket_closed") == [], "a fenced node decides nothing"
    in_tx(store, lambda tx: take_effect(tx, origin, issued, late=False))
    assert live(store, "centro", "ticket_closed") == [4]
    assert holder(store) == ("real", 4, True)


def test_a_replacement_is_made_once() -> None:
    store = city()
    assert in_tx(store, lambda tx: replace_node(tx, activation(2), MORNING)) is not None
    assert in_tx(store, lambda tx: replace_node(tx, activation(2), MORNING)) is None
    assert in_tx(store, lambda tx: replace_node(tx, activation(4), MORNING)) is None


def test_floors_grow_over_a_node_that_died_before_it_spoke() -> None:
    before = NumberFloor(service_date=DAY, epoch=2, floors={"K": 27, "T": 900})
    behind = floor_behind(OfficeDay("centro"), before, 3, DAY)
    assert behind is not None
    assert behind.floors == {"K": 27 + FLOOR_GAP, "T": 900 + FLOOR_GAP}
    top = floor_behind(OfficeDay("centro"), msgspec.structs.replace(before, floors={"K": 990}), 3, DAY)
    assert top is not None
    assert top.floors == {"K": 999}
    assert floor_behind(OfficeDay("centro"), None, 3, DAY) is None


def test_what_died_with_the_first_of_two_nodes_lies_between_what_is_heard_of() -> None:
    """Its number is below those that the second one gave: no word of how far central has heard can tell it."""
    before = NumberFloor(service_date=DAY, epoch=2, floors={"K": 23}, heard={"K": 3}, runs={"K": ((1, 3),)})
    day = OfficeDay("centro")
    day.service_date, day.last_numbers = DAY, {"K": 25}
    day.tickets = {str(n): cast("Ticket", SimpleNamespace(series="K", number=n)) for n in (2, 24, 25)}
    behind = floor_behind(day, before, 3, DAY)
    assert behind is not None
    assert (behind.heard, behind.runs) == ({"K": 25}, {"K": ((1, 3), (24, 25))})
    assert [behind.has_heard("K", n) for n in (3, 4, 23, 24, 25, 26)] == [True, False, False, True, True, False]
    assert not behind.has_heard("T", 1)


def test_a_floor_of_an_older_build_says_how_far_central_has_heard() -> None:
    before = NumberFloor(service_date=DAY, epoch=2, floors={"K": 23}, heard={"K": 3})
    assert [before.has_heard("K", n) for n in (1, 3, 4)] == [True, True, False]
    behind = floor_behind(OfficeDay("centro"), before, 3, DAY)
    assert behind is not None
    assert behind.runs == {"K": ((1, 3),)}


def test_floors_lie_behind_all_that_kiosks_were_granted() -> None:
    day = OfficeDay("centro")
    day.service_date, day.last_numbers = DAY, {"Y": 3}
    day.reserves = {"k": ReserveGranted(device="k", service_date=DAY, series="Y", first=1, last=60)}
    behind = floor_behind(day, None, 2, DAY)
    assert behind is not None
    assert behind.floors == {"Y": 60 + FLOOR_GAP}


@pytest.mark.parametrize("ahead, dates", [(0, [DAY]), (1, [DAY, DAY + timedelta(days=1)]), (2, [DAY]), (4000, [DAY])])
def test_a_node_whose_clock_ran_ahead_gave_today_s_numbers(ahead: int, dates: list[date]) -> None:
    store = city()
    told_by_centro(store, DAY + timedelta(days=ahead))
    assert replaced_at_centro(store, 2) is not None
    assert floors_at_centro(store) == [(day, 2, {"K": 7 + FLOOR_GAP}) for day in dates]
    assert replaced_at_centro(store, 3) is not None, "its successor died before it told anything"
    assert (DAY, 3, {"K": 7 + 2 * FLOOR_GAP}) in floors_at_centro(store)


def test_a_floor_that_is_dated_ahead_is_no_floor_of_today() -> None:
    store = city()
    wrong = NumberFloor(service_date=DAY + timedelta(days=400), epoch=1, floors={"K": 500})
    put_floor(store, wrong)
    told_by_centro(store)
    assert replaced_at_centro(store, 2) is not None
    assert (DAY, 2, {"K": 7 + FLOOR_GAP}) in floors_at_centro(store)


@pytest.mark.parametrize("ahead, granted", [(0, 0), (1, 0), (4000, 0), (-1, -1)])
def test_people_of_a_day_that_was_dated_ahead_wait_in_today_s_queue(ahead: int, granted: int) -> None:
    store = city()
    told_by_centro(store, DAY + timedelta(days=ahead))
    assert replaced_at_centro(store, 2) is not None
    rows = [row for key, row in store.live.items() if key[1] == TicketGrant.KIND]
    dates = [codec.decode(bytes(row.body), TicketGrant).service_date for row in rows]
    assert dates == [DAY + timedelta(days=granted)]
    assert store.tokens[TICKET].service_date == DAY + timedelta(days=granted)
