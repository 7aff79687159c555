"""The model of a disk under a power cut: what must be there, what may be gone, and what never happens."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fault.power.rules import (
    SECTOR,
    Create,
    Delete,
    Event,
    Fate,
    Rename,
    Sync,
    SyncFolder,
    Truncate,
    Write,
    after_cut,
    choose_cut,
    choose_fates,
    exposed,
)

LOST = Fate((False,))
OLD, NEW = b"o" * SECTOR, b"n" * SECTOR
BASE = {"journal": OLD * 3}


def test_without_a_cut_everything_is_there() -> None:
    events: list[Event] = [Create("log", 1), Write(1, 0, b"abc"), Write(0, SECTOR, NEW), Truncate(0, SECTOR * 2)]
    assert after_cut(BASE, events, {}) == {"journal": OLD + NEW, "log": b"abc"}


def test_only_what_no_fsync_covers_is_exposed() -> None:
    events: list[Event] = [
        Write(0, 0, NEW),
        Create("log", 1),
        Write(1, 0, NEW),
        Sync(0),
        Write(0, 0, OLD),
        SyncFolder(),
        Delete("log"),
    ]
    assert exposed(events) == [2, 4, 6]


def test_a_write_is_torn_between_sectors() -> None:
    events = [Write(0, 0, NEW * 3)]
    assert after_cut(BASE, events, {0: Fate((True, False, True))}) == {"journal": NEW + OLD + NEW}


def test_a_later_write_may_arrive_without_an_earlier_one() -> None:
    events = [Write(0, 0, NEW), Write(0, SECTOR, NEW)]
    assert after_cut(BASE, events, {0: LOST}) == {"journal": OLD + NEW + OLD}


def test_a_sector_arrives_with_what_the_cache_had_then() -> None:
    events = [Write(0, 0, b"1"), Write(0, 1, b"2")]
    torn = after_cut({"journal": OLD}, events, {0: LOST, 1: Fate((True,))})
    assert torn == {"journal": b"12" + OLD[2:]}, "half a sector of a file is never older than the other half"
    assert after_cut({"journal": OLD}, events, {0: Fate((True,)), 1: LOST}) == {"journal": b"1" + OLD[1:]}


def test_a_file_may_be_longer_than_what_arrived() -> None:
    events = [Write(0, 3 * SECTOR, NEW * 2)]
    fates = {0: Fate((False, True), grown=True)}
    assert after_cut(BASE, events, fates) == {"journal": OLD * 3 + bytes(SECTOR) + NEW}
    assert after_cut(BASE, events, {0: Fate((False, False))}) == BASE


def test_nothing_gets_past_a_truncation_that_was_lost() -> None:
    events: list[Event] = [Truncate(0, 0), Write(0, 0, NEW)]
    assert after_cut(BASE, events, {0: LOST, 1: Fate((True,))}) == BASE
    synced: list[Event] = [*events, Sync(0)]
    assert after_cut(BASE, synced, {}) == {"journal": NEW}


@pytest.mark.parametrize(
    "lost, found",
    [
        ({}, {"journal": b"new"}),
        ({2}, {"journal": OLD * 3, "journal.new": b"new"}),
        ({0, 2}, BASE),
    ],
)
def test_a_file_that_is_replaced_is_the_old_one_or_the_new_one(lost: set[int], found: dict[str, bytes]) -> None:
    events: list[Event] = [Create("journal.new", 1), Write(1, 0, b"new"), Rename("journal.new", "journal"), Sync(1)]
    assert after_cut(BASE, events, dict.fromkeys(lost, LOST)) == found


def test_a_deleted_file_may_come_back_until_its_folder_is_synced() -> None:
    assert after_cut(BASE, [Delete("journal")], {0: LOST}) == BASE
    assert exposed([Delete("journal"), SyncFolder()]) == []


@given(st.integers(0, 2**32))
def test_what_was_synced_survives_every_cut(seed: int) -> None:
    rng = random.Random(seed)
    synced = [Write(0, rng.randrange(5 * SECTOR), rng.randbytes(rng.randrange(1, 2 * SECTOR))) for _ in range(5)]
    before: list[Event] = [*synced, Create("log", 1), Write(1, 0, b"kept"), Sync(0), Sync(1), SyncFolder()]
    after: list[Event] = [Write(1, SECTOR, NEW), Create("other", 2), Write(2, 0, NEW), Delete("other")]
    events = [*before, *after]
    fates = choose_fates(events, rng.random)
    assert set(fates) <= set(range(len(before), len(events)))
    found = after_cut(BASE, events, fates)
    assert found["journal"] == after_cut(BASE, before, {})["journal"]
    assert found["log"][:4] == b"kept"


def test_cuts_fall_everywhere() -> None:
    events: list[Event] = [*[Write(0, 0, OLD)] * 50, Sync(0), *[Write(0, 0, OLD)] * 50]
    rng = random.Random(1)
    cuts = [choose_cut(events, [51], rng.random) for _ in range(300)]
    assert min(cuts) < 10
    assert max(cuts) > 90
    assert cuts.count(51) > 90
    assert {choose_cut([], [], rng.random) for _ in range(9)} == {0}
