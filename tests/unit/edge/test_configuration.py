"""What central has told an office, decoded: each row once."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from edge_node.queue.configuration import StoredRows, configure, news_of
from edge_node.queue.state import Configuration
from sync.messages import codec
from sync.messages.feed import Counter, Entity, Office
from sync.messages.wire import SnapshotRow
from tests.kit.edge import OFFICE, appointment, entities

NOTHING = Configuration(OFFICE, "Africa/Ceuta")


def stored(entity: Entity, version: int = 1) -> SnapshotRow:
    body = msgspec.Raw(codec.encode(entity))
    return SnapshotRow(stream=OFFICE, kind=entity.KIND, entity_id=getattr(entity, "id", ""), version=version, body=body)


def test_what_was_decoded_is_not_decoded_again() -> None:
    rows = [stored(each) for each in entities()]
    first = configure(StoredRows(rows, []), NOTHING)
    booked = appointment(datetime(2026, 11, 30, 9, tzinfo=UTC))
    second = configure(StoredRows([*rows, stored(booked)], []), first)
    assert second.catalogue.office is first.catalogue.office
    assert news_of(first.agenda, second.agenda) == [booked]
    third = configure(StoredRows(rows, []), second)
    assert third.decoded == first.decoded, "what central took away is not kept"
    assert third.agenda.by_id == {}


def test_any_row_of_a_kind_that_changes_comes_or_goes_is_another_state() -> None:
    def state(*rows: tuple[str, int]) -> str:
        counters = [Counter(id=name, zone="a", primary=()) for name, _ in rows]
        known = configure(StoredRows([stored(c, v) for c, (_, v) in zip(counters, rows, strict=True)], []), NOTHING)
        return known.states["counter"]

    seen = [state(("1", 5), ("2", 1)), state(("1", 5), ("2", 2)), state(("1", 5), ("3", 1)), state(("1", 5))]
    assert len(set(seen)) == 4, "the highest version is the same in all of them"
    assert state(("2", 1), ("1", 5)) == seen[0], "the order in which they came says nothing"


def test_a_row_that_cannot_be_read_is_left_out_and_the_others_go_on() -> None:
    broken = SnapshotRow(stream=OFFICE, kind="appointment", entity_id="x", version=2, body=msgspec.Raw(b'{"id": 7}'))
    known = configure(StoredRows([*map(stored, entities()), broken], []), NOTHING)
    assert known.catalogue.office.id == OFFICE
    assert known.agenda.by_id == {}


def test_a_row_put_aside_counts_until_central_has_a_newer_one() -> None:
    office = next(each for each in entities() if isinstance(each, Office))
    forgotten = stored(msgspec.structs.replace(office, name="Before the restore"), 5)
    known = configure(StoredRows([stored(office, 3)], [forgotten]), NOTHING)
    assert (known.catalogue.office.name, known.put_aside) == ("Before the restore", 1)
    assert configure(StoredRows([stored(office, 6)], [forgotten]), known).catalogue.office.name == office.name
