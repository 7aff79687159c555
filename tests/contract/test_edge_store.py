"""What any store of the edge must do: ``sync.protocol.store.EdgeStore``."""

from __future__ import annotations

import msgspec

from sync.messages.envelope import chain
from sync.messages.feed import GLOBAL, Cursor
from sync.messages.values import GENESIS
from sync.messages.wire import SnapshotRow
from sync.protocol.store import START, Position
from tests.contract.aborting import aborted
from tests.contract.factories import EdgeBed
from tests.kit.facts import printed_run, raw_record

GEN = "00000000-0000-4000-8000-00000000000a"
OFFICE = "office:centro"


def entity(
    entity_id: str, *, stream: str = GLOBAL, kind: str = "service", version: int = 1, body: bytes = b'{"a":1}'
) -> SnapshotRow:
    return SnapshotRow(stream=stream, kind=kind, entity_id=entity_id, version=version, body=msgspec.Raw(body))


def cursor(stream: str, seq: int) -> Cursor:
    return Cursor(stream=stream, gen=GEN, seq=seq, hash=bytes([seq]) * 32)


def facts_of(rows: object) -> set[tuple[object, ...]]:
    assert isinstance(rows, list | tuple)
    return {(row.stream, row.kind, row.entity_id, row.version, bytes(row.body)) for row in rows}


async def test_an_empty_store_is_at_the_start(edge: EdgeBed) -> None:
    async with edge.store.transaction() as tx:
        assert await tx.journal_end(1) == START
        assert await tx.journal_hash(1, 0) == GENESIS
        assert await tx.journal_hash(1, 1) is None
        assert list(await tx.facts_after(1, 0, 10)) == []
        assert await tx.acked(1) == START
        assert dict(await tx.cursors()) == {}
        assert dict(await tx.staged_counts()) == {}
    assert facts_of(await edge.entities()) == set()


async def test_the_journal_gives_back_the_very_bytes_in_order(edge: EdgeBed) -> None:
    records = [*printed_run(1, 4), raw_record("ticket.invented", 9, 5, b'{"z":1,"a":[true,null]}')]
    await edge.write_facts(records)
    async with edge.store.transaction() as tx:
        got = await tx.facts_after(1, 0, 10)
        assert [(one.header, bytes(one.body)) for one in got] == [(one.header, bytes(one.body)) for one in records]
        assert [one.seq for one in await tx.facts_after(1, 2, 2)] == [3, 4]
        assert list(await tx.facts_after(1, 5, 2)) == []


async def test_the_journal_knows_its_chain(edge: EdgeBed) -> None:
    records = printed_run(1, 3)
    await edge.write_facts(records)
    hashes = [GENESIS]
    for record in records:
        hashes.append(chain(hashes[-1], record))
    async with edge.store.transaction() as tx:
        assert [await tx.journal_hash(1, seq) for seq in range(4)] == hashes
        assert await tx.journal_end(1) == Position(3, hashes[3])
        assert await tx.journal_hash(1, 4) is None


async def test_epochs_have_journals_and_acks_of_their_own(edge: EdgeBed) -> None:
    await edge.write_facts(printed_run(1, 3))
    await edge.write_facts(printed_run(1, 1, epoch=2))
    async with edge.store.transaction() as tx:
        await tx.set_acked(1, Position(3, b"1" * 32))
    async with edge.store.transaction() as tx:
        assert (await tx.journal_end(1)).seq == 3
        assert (await tx.journal_end(2)).seq == 1
        assert (await tx.acked(1), await tx.acked(2)) == (Position(3, b"1" * 32), START)
        assert [one.header.epoch for one in await tx.facts_after(2, 0, 10)] == [2]


async def test_an_ack_may_go_back(edge: EdgeBed) -> None:
    for position in (Position(7, b"7" * 32), Position(2, b"2" * 32)):
        async with edge.store.transaction() as tx:
            await tx.set_acked(1, position)
        async with edge.store.transaction() as tx:
            assert await tx.acked(1) == position


async def test_entities_are_put_replaced_and_deleted_by_their_whole_key(edge: EdgeBed) -> None:
    async with edge.store.transaction() as tx:
        await tx.put_entity(entity("a"))
        await tx.put_entity(entity("a", stream=OFFICE))
        await tx.put_entity(entity("a", kind="hologram", body=b'{"later":[1,2]}'))
    async with edge.store.transaction() as tx:
        await tx.put_entity(entity("a", version=2, body=b'{"a":2}'))
        await tx.delete_entity(OFFICE, "service", "a")
        await tx.delete_entity(OFFICE, "service", "never-there")
    assert facts_of(await edge.entities()) == facts_of(
        [entity("a", version=2, body=b'{"a":2}'), entity("a", kind="hologram", body=b'{"later":[1,2]}')]
    )


async def test_cursors_move_one_by_one(edge: EdgeBed) -> None:
    async with edge.store.transaction() as tx:
        await tx.set_cursor(cursor(GLOBAL, 1))
        await tx.set_cursor(cursor(OFFICE, 5))
    async with edge.store.transaction() as tx:
        await tx.set_cursor(cursor(GLOBAL, 2))
    async with edge.store.transaction() as tx:
        assert dict(await tx.cursors()) == {GLOBAL: cursor(GLOBAL, 2), OFFICE: cursor(OFFICE, 5)}


async def test_a_transaction_that_raises_leaves_nothing(edge: EdgeBed) -> None:
    async with edge.store.transaction() as tx:
        await tx.put_entity(entity("kept"))
        await tx.set_cursor(cursor(GLOBAL, 1))
        await tx.set_acked(1, Position(1, b"1" * 32))
    async with aborted(edge.store) as tx:
        await tx.put_entity(entity("kept", version=9))
        await tx.delete_entity(GLOBAL, "service", "kept")
        await tx.put_entity(entity("new"))
        await tx.set_cursor(cursor(GLOBAL, 9))
        await tx.set_cursor(cursor(OFFICE, 9))
        await tx.set_acked(1, Position(9, b"9" * 32))
        await tx.stage([entity("staged")])
    assert facts_of(await edge.entities()) == facts_of([entity("kept")])
    async with edge.store.transaction() as tx:
        assert dict(await tx.cursors()) == {GLOBAL: cursor(GLOBAL, 1)}
        assert await tx.acked(1) == Position(1, b"1" * 32)
        assert dict(await tx.staged_counts()) == {}


async def test_staged_rows_show_nowhere_and_count_once(edge: EdgeBed) -> None:
    async with edge.store.transaction() as tx:
        await tx.stage([entity("a"), entity("b"), entity("a")])
    async with edge.store.transaction() as tx:
        await tx.stage([entity("b"), entity("x", stream=OFFICE, kind="counter")])
        assert dict(await tx.staged_counts()) == {"service": 2, "counter": 1}
    assert facts_of(await edge.entities()) == set()


async def test_clearing_forgets_what_was_staged(edge: EdgeBed) -> None:
    async with edge.store.transaction() as tx:
        await tx.stage([entity("a")])
    async with edge.store.transaction() as tx:
        await tx.clear_staging()
        assert dict(await tx.staged_counts()) == {}


async def test_a_swap_replaces_entities_and_cursors_and_nothing_else(edge: EdgeBed) -> None:
    records = printed_run(1, 3)
    await edge.write_facts(records)
    async with edge.store.transaction() as tx:
        await tx.put_entity(entity("old"))
        await tx.put_entity(entity("old", stream="office:elsewhere"))
        await tx.set_cursor(cursor(GLOBAL, 1))
        await tx.set_cursor(cursor("office:elsewhere", 1))
        await tx.set_acked(1, Position(1, chain(GENESIS, records[0])))
        await tx.stage([entity("new"), entity("x", stream=OFFICE)])
    async with edge.store.transaction() as tx:
        await tx.swap_staged([cursor(GLOBAL, 4), cursor(OFFICE, 6)])
    assert facts_of(await edge.entities()) == facts_of([entity("new"), entity("x", stream=OFFICE)])
    async with edge.store.transaction() as tx:
        assert dict(await tx.cursors()) == {GLOBAL: cursor(GLOBAL, 4), OFFICE: cursor(OFFICE, 6)}
        assert dict(await tx.staged_counts()) == {}
        assert (await tx.journal_end(1)).seq == 3
        assert (await tx.acked(1)).seq == 1


async def test_a_swap_that_raises_leaves_everything(edge: EdgeBed) -> None:
    async with edge.store.transaction() as tx:
        await tx.put_entity(entity("old"))
        await tx.set_cursor(cursor(GLOBAL, 1))
        await tx.stage([entity("new")])
    async with aborted(edge.store) as tx:
        await tx.swap_staged([cursor(GLOBAL, 4)])
    assert facts_of(await edge.entities()) == facts_of([entity("old")])
    async with edge.store.transaction() as tx:
        assert dict(await tx.cursors()) == {GLOBAL: cursor(GLOBAL, 1)}
        assert dict(await tx.staged_counts()) == {"service": 1}


async def test_a_fence_is_remembered_and_only_grows(edge: EdgeBed) -> None:
    async with edge.store.transaction() as tx:
        assert await tx.fenced_by() == 0
        await tx.set_fenced_by(3)
    async with edge.store.transaction() as tx:
        await tx.set_fenced_by(2)
    async with edge.store.transaction() as tx:
        assert await tx.fenced_by() == 3


async def test_entities_of_a_kind_come_from_every_stream(edge: EdgeBed) -> None:
    async with edge.store.transaction() as tx:
        for row in (entity("b", kind="lease"), entity("a", stream=OFFICE, kind="lease"), entity("c")):
            await tx.put_entity(row)
        assert [row.entity_id for row in await tx.entities_of("lease")] == ["b", "a"]
        assert list(await tx.entities_of("hologram")) == []


async def test_rows_that_a_snapshot_lacks_or_has_older_are_put_aside(edge: EdgeBed) -> None:
    kept = entity("missing", stream=OFFICE, kind="lease", version=2)
    older = entity("older", stream=OFFICE, kind="appointment", version=3)
    others = [
        entity("same", stream=OFFICE, kind="appointment"),
        entity("newer", stream=OFFICE, kind="appointment"),
        entity("of-another-kind", stream=OFFICE, kind="counter"),
    ]
    async with edge.store.transaction() as tx:
        for row in (kept, older, *others):
            await tx.put_entity(row)
    async with edge.store.transaction() as tx:
        await tx.clear_staging()
        await tx.stage(
            [
                entity("older", stream=OFFICE, kind="appointment", version=2),
                entity("same", stream=OFFICE, kind="appointment"),
                entity("newer", stream=OFFICE, kind="appointment", version=2),
            ]
        )
        await tx.put_aside(("appointment", "lease"))
        await tx.swap_staged([cursor(OFFICE, 1)])
    async with edge.store.transaction() as tx:
        assert facts_of(list(await tx.aside())) == facts_of([older, kept])
        assert [row.entity_id for row in await tx.aside()] == ["older", "missing"]


async def test_what_was_put_aside_stays_until_it_is_cleared_and_the_higher_version_counts(edge: EdgeBed) -> None:
    for version in (2, 3, 1):
        async with edge.store.transaction() as tx:
            await tx.put_entity(entity("a", stream=OFFICE, kind="lease", version=version))
            await tx.clear_staging()
            await tx.put_aside(("lease",))
            await tx.swap_staged([cursor(OFFICE, version)])
    async with edge.store.transaction() as tx:
        assert [(row.entity_id, row.version) for row in await tx.aside()] == [("a", 3)]
        await tx.clear_aside(("appointment",))
        assert len(await tx.aside()) == 1
        await tx.clear_aside(("appointment", "lease"))
    async with edge.store.transaction() as tx:
        assert list(await tx.aside()) == []
